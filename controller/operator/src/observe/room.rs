//! The room as the tick calls it: the stores' view joined with demand, into one snapshot. Here is I/O.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forewarm_api::Profile;
use forewarm_core::beside::lay_beside;
use forewarm_core::memory::{Birth, Oom, PodSeen};
use forewarm_core::observation::{Reading, Why};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Bytes, Mono, Now, Seconds};
use forewarm_source::{DemandReader, Readings, Source};

use super::left::left;
use super::limit_ranges::Allowed;
use super::look::{Before, Eye, Look};
use super::newborn;
use super::pods::Owner;
use super::quotas::MemoryLeft;
use super::seen::{Heard, Remembered};
use super::snapshot::Snapshot;
use super::stores::Stores;
use super::world::Worlds;
use crate::target::{Found, Kinds, TargetRef, Template};

/// Reads the world.
#[derive(Debug)]
pub struct Observe {
    stores: Stores,
    reader: DemandReader,
    /// Time from an accepted write to the creation of pods, by kind.
    latency: BTreeMap<String, Seconds>,
    before: Before,
    remembered: BTreeMap<FunctionKey, Remembered>,
    worlds: Worlds,
    watched: bool,
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
            before: Before::default(),
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
        let look = self.look(now);
        let readings = self
            .reader
            .read(&look.profiles, &self.before.members(), now, within)
            .await;
        self.join(look, readings, now)
    }

    /// The world now, from the bodies of Prometheus's answers, by profile; no question is asked.
    pub fn assemble(&mut self, now: Now, bodies: &BTreeMap<String, Vec<u8>>) -> Snapshot {
        let look = self.look(now);
        let readings = self
            .reader
            .read_bodies(&look.profiles, &self.before.members(), now, bodies);
        self.join(look, readings, now)
    }

    /// Takes a snapshot back: the next one goes on from it. Without it the next one is made anew.
    pub fn keep(&mut self, snapshot: Snapshot) {
        self.before.keep(snapshot.functions);
    }

    fn look(&mut self, now: Now) -> Look {
        self.before.look(Eye {
            stores: &self.stores,
            latency: &self.latency,
            fresh: !self.watched || self.stores.fresh(Instant::now()),
            now,
        })
    }

    /// Joins the stores' part with demand.
    fn join(&mut self, look: Look, readings: Readings, now: Now) -> Snapshot {
        let Look {
            mut functions,
            unusable,
            profiles: _,
        } = look;
        let Readings {
            demand,
            mut served,
            profiles,
        } = readings;
        lay_beside(&mut self.remembered, functions.keys(), |_| Remembered::default());
        let mut demand = demand.into_iter();
        for ((key, seen), remembered) in functions.iter_mut().zip(self.remembered.values_mut()) {
            let state = seen.profile.as_ref().and_then(|name| profiles.get(&**name));
            let heard = Heard {
                demand: demand.next().unwrap_or(Reading::Unknown(Why::NotYetRead)),
                served: served.remove(key).unwrap_or_default(),
                failed: state.and_then(|state| Some(state.failed.as_ref()?.text.clone())),
            };
            seen.hear(heard, remembered, &self.stores, now);
        }
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
