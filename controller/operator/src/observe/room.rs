//! The room as the tick calls it: the stores' view joined with demand, into one snapshot. Here is I/O.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forewarm_api::Profile;
use forewarm_core::beside::{beside, lay_beside};
use forewarm_core::decide::Function;
use forewarm_core::forecast::Forecast;
use forewarm_core::memory::{Birth, Oom, PodSeen};
use forewarm_core::observation::{DemandSample, Observation, Reading, Why};
use forewarm_core::plan::remedy::crash_loop::Failing;
use forewarm_core::plan::remedy::newborn as came;
use forewarm_core::policy::FunctionKey;
use forewarm_core::service::Service;
use forewarm_core::units::{Bytes, Mono, Now, Seconds, Slots};
use forewarm_source::{DemandReader, Readings, ServedBy, Source};

use super::left::left;
use super::limit_ranges::Allowed;
use super::look::{Half, Look, look};
use super::newborn;
use super::pods::Owner;
use super::quotas::MemoryLeft;
use super::snapshot::{Seen, Snapshot};
use super::stores::Stores;
use super::view::View;
use super::world::Worlds;
use crate::target::{Found, Kinds, TargetRef, Template};

/// A pod that waits for a node waits in vain after this long at least, also where a start takes less: a node may be
/// on its way.
const PATIENCE: Seconds = Seconds(30);

/// Reads the world.
#[derive(Debug)]
pub struct Observe {
    stores: Stores,
    reader: DemandReader,
    /// Time from an accepted write to the creation of pods, by kind.
    latency: BTreeMap<String, Seconds>,
    remembered: BTreeMap<FunctionKey, Remembered>,
    worlds: Worlds,
    watched: bool,
}

/// What is remembered of one function from tick to tick.
#[derive(Debug, Default)]
struct Remembered {
    /// When its demand was last known.
    known_at: Option<Mono>,
    /// The largest demand that one ready replica was seen to serve.
    served: Option<Slots>,
}

impl Observe {
    /// Reads these stores and sources. `watched`: the stores are fed by watches, so their age counts.
    pub fn new(stores: Stores, reader: DemandReader, kinds: &Kinds, watched: bool) -> Self {
        let latency = kinds
            .served()
            .map(|(resource, kind)| (resource.kind.clone(), kind.latency()))
            .collect();
        Self {
            stores,
            reader,
            latency,
            remembered: BTreeMap::new(),
            worlds: Worlds::default(),
            watched,
        }
    }

    /// When the least recent of the watches was last known to be alive, on our own clock; the process's start
    /// where one never was.
    pub fn viewed_at(&self, now: Now) -> Mono {
        if !self.watched {
            return now.mono;
        }
        let at = Instant::now();
        let ages = self.stores.health().into_iter().map(|health| health.age(at));
        let oldest = ages
            .max_by_key(|age| age.unwrap_or(Duration::MAX))
            .flatten()
            .unwrap_or(Duration::MAX);
        Mono(
            now.mono
                .0
                .saturating_sub(u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// The pods of a workload with their health, and the kills among them.
    pub fn pod_health(&self, owner: &Owner) -> (Vec<PodSeen>, Vec<Oom>) {
        self.stores.pods.health(|health| health.of(owner))
    }

    /// True when no pod of the workload was killed, fails, or is not ready.
    pub fn is_well(&self, owner: &Owner) -> bool {
        self.stores.pods.health(|health| health.is_well(owner))
    }

    /// Memory as the workload's template has it. `None`: the workload is not known.
    pub fn template(&self, target: &TargetRef) -> Option<Template> {
        let workload = self.stores.shelf(target)?.get(&target.namespace, &target.name)?;
        Some(workload.memory.clone())
    }

    /// What is written for newborn pods of the workload. `None`: newborn memory is not installed, or is not for this
    /// kind: no pod of a Knative Service says whose it is.
    pub fn births(&self, target: &TargetRef, owner: &Owner) -> Option<BTreeMap<String, Birth>> {
        let newborns = self.stores.newborns.as_ref()?;
        let knative = self
            .stores
            .shelf(target)
            .is_some_and(|shelf| shelf.kind().name() == "knative");
        (!knative).then(|| newborns.of(owner))
    }

    /// Workloads with an entry for newborn pods that no policy names: namespace, and `KIND/NAME`.
    ///
    /// Not in a namespace that is paused, nor in one with a policy that cannot be read: nobody knows what that one names.
    pub fn left_newborns(&self) -> Vec<(String, String)> {
        let Some(newborns) = &self.stores.newborns else {
            return Vec::new();
        };
        newborn::left(newborns.all(), &self.stores.policies.all(), |namespace| {
            self.stores.paused.contains(namespace)
        })
    }

    /// Who else moves the workload's memory, or scales by it. `None`: nobody.
    pub fn sizes_memory(&self, target: &TargetRef) -> Option<String> {
        let TargetRef {
            namespace, kind, name, ..
        } = target;
        let vertical = self.stores.verticals.of(namespace, kind, name);
        vertical.or_else(|| {
            let scaling = self.stores.scaling(target);
            let by_memory = |found: &&Found| found.object.scales.as_ref().is_some_and(|scales| scales.by_memory);
            scaling.iter().find(by_memory).map(Found::name)
        })
    }

    /// What `LimitRange`s and quotas let a workload's pods have of memory.
    pub fn allowed(&self, namespace: &str) -> (Allowed, MemoryLeft) {
        (
            self.stores.limit_ranges.of(namespace),
            self.stores.quotas.memory_left(namespace),
        )
    }

    /// What the largest node lets pods have of memory. `None`: not known, or not asked for.
    pub fn largest_node(&self) -> Option<Bytes> {
        self.stores.nodes.as_ref()?.largest()
    }

    /// The source of that name, for reading the past.
    pub fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.reader.source(name)
    }

    /// The parsed profile of that name. `None`: there is none, or it cannot be used.
    pub fn profile(&self, name: &str) -> Option<Arc<Profile>> {
        self.stores
            .profiles
            .find(Some(name))
            .and_then(|(_, seen)| seen.parsed.as_ref().ok().cloned())
    }

    /// The world now; questions to Prometheus may take `within`.
    pub async fn snapshot(&mut self, now: Now, within: Duration) -> Snapshot {
        let mut look = self.look(now);
        let members = look.members();
        let readings = self.reader.read(&look.profiles, &members, now, within).await;
        self.join(look, readings, now)
    }

    /// The world now, from the bodies of Prometheus's answers, by profile; no question is asked.
    pub fn assemble(&mut self, now: Now, bodies: &BTreeMap<String, Vec<u8>>) -> Snapshot {
        let mut look = self.look(now);
        let members = look.members();
        let readings = self.reader.read_bodies(&look.profiles, &members, now, bodies);
        self.join(look, readings, now)
    }

    fn look(&self, now: Now) -> Look {
        let fresh = !self.watched || self.stores.fresh(Instant::now());
        look(&self.stores, &self.latency, fresh, now)
    }

    /// Joins the stores' part with demand.
    fn join(&mut self, look: Look, readings: Readings, now: Now) -> Snapshot {
        let Look {
            halves,
            unusable,
            profiles: _,
        } = look;
        let Readings {
            demand,
            mut served,
            profiles,
        } = readings;
        let keys: Vec<FunctionKey> = halves.iter().map(|(key, _)| key.clone()).collect();
        lay_beside(&mut self.remembered, &keys, |_| Remembered::default());
        let demand = beside(&keys, demand).zip(self.remembered.values_mut());
        let seen = |((key, mut half), (demand, remembered)): ((FunctionKey, Half), (Option<_>, &mut Remembered))| {
            let (on_trial, patience) = (std::mem::take(&mut half.on_trial), half.patience);
            let state = half.profile.as_ref().and_then(|name| profiles.get(&**name));
            let failed = state.and_then(|state| Some(state.failed.as_ref()?.text.clone()));
            let demand = demand.unwrap_or(Reading::Unknown(Why::NotYetRead));
            let served = served.remove(&key).unwrap_or_default();
            let mut seen = finish(half, demand, served, failed, remembered, now);
            if seen.function.observation.failing.is_none() {
                seen.function.observation.failing = worse(on_trial, patience, &seen, now);
            }
            (key, seen)
        };
        let functions: BTreeMap<_, _> = halves.into_iter().zip(demand).map(seen).collect();
        let world = self.worlds.next(functions.len() + unusable.len(), &functions, now.mono);
        Snapshot {
            now,
            world,
            functions,
            unusable,
            profiles,
            left: left(&self.stores),
        }
    }
}

/// The pods that came lately, where they do worse than those that were there.
fn worse(mut pods: Vec<PodSeen>, patience: i64, seen: &Seen, now: Now) -> Option<Failing> {
    for pod in &mut pods {
        pod.served = seen.served.pods.get(pod.name.as_str()).copied();
    }
    came::worse(&pods, patience, now.wall.0.div_euclid(1000))
}

fn finish(
    half: Half,
    demand: Reading<DemandSample>,
    served: ServedBy,
    failed: Option<String>,
    remembered: &mut Remembered,
    now: Now,
) -> Seen {
    if let Some(sample) = demand.known() {
        remembered.known_at = Some(now.mono);
        remembered.note_served(sample, &half.view);
    }
    let capacity = half.view.capacity(half.lead_time.total.max(PATIENCE), now);
    let observation = Observation {
        target: half.view.target,
        demand,
        lead_time: half.lead_time,
        demand_known_at: remembered.known_at,
        failing: half.view.failing,
        backlog: half.backlog,
        capacity,
        service: Service::default(),
        anomalies: Vec::new(),
    };
    Seen {
        stored: half.stored,
        function: Function {
            policy: half.policy,
            observation,
            forecast: Forecast::missing(),
        },
        served,
        target: half.target,
        writes: half.view.writes,
        workload: half.view.workload,
        profile: half.profile,
        learned: half.view.learned,
        suggestion: remembered.served,
        profile_problem: half.bad_profile.or(failed),
    }
}

impl Remembered {
    /// Notes what a ready replica has served. More than one call a replica was asked of it at a time only where it can
    /// serve as many or lets them wait: a value to consider, not one to act on.
    fn note_served(&mut self, sample: &DemandSample, view: &View) {
        let ready = view.target.known().map_or(0, |target| target.ready.0);
        if ready > 0 {
            let each = Slots::new((sample.current.get() / f64::from(ready)).ceil());
            if each > self.served {
                self.served = each;
            }
        }
    }
}
