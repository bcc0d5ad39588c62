//! One function as the watched stores show it: its target, its pods, its lead time. No I/O.

use std::sync::Arc;

use forewarm_core::observation::{LeadTime, LeadTimeSource, Reading, Target, Why};
use forewarm_core::plan::remedy::crash_loop::Failing;
use forewarm_core::units::{Mono, Now, Replicas, Seconds};
use forewarm_source::MemberPod;

use super::place::{Place, place};
use super::pods::PodFacts;
use super::policies::{PolicySeen, Usable};
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
    /// Its pods, as the join wants them.
    pub pods: Vec<MemberPod>,
    /// 95th percentile of its starts. `None`: none seen.
    pub learned: Option<Seconds>,
    /// The newest revision, where its pods fail.
    pub failing: Option<Failing>,
}

/// Looks one function up. `fresh`: the stores may be read as the present state.
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
    let (pods, ready, starting) = stores.pods.of(owner, |pods| count(pods, now));
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
    let learned = stores.pods.lead_times.p95(owner);
    let failing = stores.pods.health(|health| health.failing(owner));
    View {
        target,
        workload,
        writes,
        serves,
        revisions,
        pods,
        learned,
        failing,
    }
}

/// The pods for the join, how many are ready, and how many are on their way.
fn count(pods: &mut dyn Iterator<Item = &PodFacts>, now: Now) -> (Vec<MemberPod>, Replicas, Replicas) {
    let (mut members, mut ready, mut starting) = (Vec::new(), Replicas::ZERO, Replicas::ZERO);
    for pod in pods {
        let ready_since = pod
            .ready_since
            .filter(|_| !pod.ending)
            .map(|second| monotonic(second, now));
        match (ready_since, pod.ending) {
            (Some(_), _) => ready = ready.plus(Replicas::ONE),
            (None, false) => starting = starting.plus(Replicas::ONE),
            (None, true) => {}
        }
        members.push(MemberPod {
            name: pod.name.clone(),
            ready_since,
        });
    }
    (members, ready, starting)
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
