//! One function as the watched stores show it: its target, its pods, its lead time. No I/O.

use std::sync::Arc;

use forewarm_core::observation::{Capacity, LeadTime, LeadTimeSource, Reading, Target, Why};
use forewarm_core::plan::remedy::crash_loop::Failing;
use forewarm_core::units::{Mono, Now, Replicas, Seconds};
use forewarm_source::MemberPod;

use super::place::{Place, place};
use super::pods::{Owner, PodFacts};
use super::policies::{PolicySeen, Usable};
use super::quotas::{Asks, Quotas};
use super::stores::Stores;
use crate::target::{Serves, TargetRef, Workload};

/// Lead time of a function of which no start has been seen: scheduling, a pull of a small image, a slow start.
pub const DEFAULT_LEAD: Seconds = Seconds(30);

/// What the stores show of one function.
#[derive(Debug)]
pub struct View {
    /// The target, or why it is not known.
    pub target: Reading<Target>,
    /// The object that has the floor field, to see own writes come back. `None`: it is not known.
    pub workload: Option<Arc<Workload>>,
    /// The object that has the floor field, where that is a scaler. `None`: the target itself.
    pub writes: Option<TargetRef>,
    /// What one replica can serve, as the scaler says. `None`: there is none, or it does not say.
    pub serves: Option<Serves>,
    /// Revisions that take the target's traffic; none where it has no revisions.
    pub revisions: Vec<String>,
    /// Whose the pods are.
    pub owner: Owner,
    /// Its pods, as the join wants them.
    pub pods: Vec<MemberPod>,
    /// What its pods take of the cluster.
    pub footprint: Footprint,
    /// When the newest of its pods was created, in seconds since 1970 UTC. `None`: it has none.
    pub newest: Option<i64>,
    /// 95th percentile of its starts. `None`: none seen.
    pub learned: Option<Seconds>,
    /// The newest revision, where its pods fail.
    pub failing: Option<Failing>,
    /// No pod that names the target as its own was killed, is not ready, or is to end.
    pub well: bool,
    /// The names that all of this was looked up by in the target's namespace, but for the target's own.
    pub names: Vec<Arc<str>>,
}

/// What the pods of a function take of the cluster.
#[derive(Debug, Default)]
pub struct Footprint {
    /// Those that are not ending.
    exist: Replicas,
    /// Those of them that have a node.
    placed: Replicas,
    /// Since when each of them that has none has waited for one.
    waiting: Vec<Mono>,
    /// What the last of them asks for.
    asks: Asks,
}

impl Footprint {
    /// What the cluster can take of them, where one that waits for longer than `patience` waits in vain.
    pub fn capacity(&self, quotas: &Quotas, namespace: &str, patience: Seconds, now: Now) -> Capacity {
        let vain = self.waiting.iter().filter(|since| now.mono.passed(**since, patience));
        let room = quotas.room(namespace, self.asks);
        Capacity {
            placed: self.placed,
            stuck: Replicas(u32::try_from(vain.count()).unwrap_or(u32::MAX)),
            quota: room.map(|room| self.exist.plus(room)),
        }
    }
}

/// Looks one function up. `fresh`: the stores may be read as the present state.
///
/// Everything is looked up by a name in the target's namespace: it is the same until one of these names is touched
/// (see [`super::touched`]).
pub fn view(stores: &Stores, usable: &Usable, fresh: bool, now: Now) -> View {
    let Place {
        found,
        writes,
        scaler,
        pods_of,
        serves,
        revisions,
    } = place(stores, &usable.target);
    let owner = pods_of.as_ref().unwrap_or(&usable.workload);
    let Counted {
        pods,
        ready,
        starting,
        footprint,
    } = stores.pods.of(owner, |pods| count(pods, now));
    let workload = found.known().cloned();
    let target = match found {
        Reading::Known(_) if !fresh => Reading::Unknown(Why::TargetStale),
        found => found.map(|object| Target {
            uid: object.uid.clone(),
            floor: object.replicas,
            ready,
            starting,
            ownership: object.ownership.clone(),
            scaler,
        }),
    };
    let learned = stores.pods.lead_time(owner);
    let (failing, newest, well) = stores.pods.health(|health| {
        let well = health.is_well(&usable.workload);
        (health.failing(owner), health.newest(owner), well)
    });
    let names = revisions.first().cloned().map(Into::into);
    let names = names
        .into_iter()
        .chain(pods_of.as_ref().map(|owner| owner.name.clone()));
    View {
        target,
        workload,
        writes,
        serves,
        revisions,
        owner: owner.clone(),
        pods,
        footprint,
        newest,
        learned,
        failing,
        well,
        names: names.collect(),
    }
}

/// The pods of a function, counted.
#[derive(Debug, Default)]
struct Counted {
    /// For the join.
    pods: Vec<MemberPod>,
    ready: Replicas,
    /// On their way.
    starting: Replicas,
    footprint: Footprint,
}

fn count(pods: &mut dyn Iterator<Item = &PodFacts>, now: Now) -> Counted {
    let mut counted = Counted::default();
    for pod in pods {
        let ready_since = pod
            .ready_since
            .filter(|_| !pod.ending)
            .map(|second| monotonic(second, now));
        if !pod.ending {
            counted.exists(pod, ready_since.is_some(), now);
        }
        counted.pods.push(MemberPod {
            name: pod.name.clone(),
            ready_since,
        });
    }
    counted
}

impl Counted {
    /// Counts a pod that is not ending.
    fn exists(&mut self, pod: &PodFacts, ready: bool, now: Now) {
        let which = if ready { &mut self.ready } else { &mut self.starting };
        *which = which.plus(Replicas::ONE);
        let Footprint {
            exist,
            placed,
            waiting,
            asks,
        } = &mut self.footprint;
        *exist = exist.plus(Replicas::ONE);
        if pod.placed {
            *placed = placed.plus(Replicas::ONE);
        }
        waiting.extend(pod.unplaced_since.map(|second| monotonic(second, now)));
        *asks = pod.asks;
    }
}

/// A second since 1970 on our own clock; now at the latest, the process's start at the earliest.
fn monotonic(second: i64, now: Now) -> Mono {
    let ago = now.wall.0.saturating_sub(second.saturating_mul(1000));
    Mono(now.mono.0.saturating_sub(u64::try_from(ago).unwrap_or(0)))
}

/// How long a new pod takes until its demand is served and seen: the policy's word, else what was learned (now or
/// by an earlier process), else the default; the last two plus one scrape and the kind's own latency.
pub fn lead_time(usable: &Usable, learned: Option<Seconds>, seen: &PolicySeen, extra: Seconds) -> LeadTime {
    if let Some(total) = usable.lead_time {
        return LeadTime {
            total,
            source: LeadTimeSource::Policy,
        };
    }
    let remembered = || {
        let learned = seen.status.as_ref()?.learned.as_ref()?.lead_time_seconds?;
        u32::try_from(learned).ok().map(Seconds)
    };
    let (start, source) = match learned.or_else(remembered) {
        Some(start) => (start, LeadTimeSource::Learned),
        None => (DEFAULT_LEAD, LeadTimeSource::Default),
    };
    LeadTime {
        total: Seconds(start.0.saturating_add(extra.0)),
        source,
    }
}
