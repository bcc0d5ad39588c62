//! One function from tick to tick: what it is made of, whether that still stands, and what every tick sees anew. No
//! I/O.

use std::sync::Arc;

use forewarm_core::decide::Function;
use forewarm_core::forecast::Forecast;
use forewarm_core::observation::{Capacity, DemandSample, LeadTime, Observation, Reading, Why};
use forewarm_core::plan::remedy::crash_loop::Failing;
use forewarm_core::plan::remedy::newborn;
use forewarm_core::policy::Policy;
use forewarm_core::service::Service;
use forewarm_core::units::{Mono, Now, Replicas, Seconds, Slots};
use forewarm_source::ServedBy;

use super::in_use::InUse;
use super::pods::Owner;
use super::policies::{PolicySeen, Usable};
use super::snapshot::Seen;
use super::stores::Stores;
use super::touched::Names;
use super::view::{Footprint, View};

/// A pod has been given its time to do well after this long at least, and twice its lead time.
const TRIED: Seconds = Seconds(300);
/// A pod that waits for a node waits in vain after this long at least, also where a start takes less: a node may be
/// on its way.
const PATIENCE: Seconds = Seconds(30);

/// What a function was made of, as far as the next tick asks.
#[derive(Debug)]
pub(super) struct Origin {
    in_use: Arc<InUse>,
    /// Whose its pods are.
    owner: Owner,
    names: Vec<Arc<str>>,
    footprint: Footprint,
    /// As its pods' health tells, which the newborn ones may be worse than.
    failing: Option<Failing>,
    /// How long its pods may take to do well, in seconds.
    patience: i64,
    /// Until when a pod of its has come lately, in seconds since 1970 UTC.
    came_until: i64,
}

/// What one tick sees of a function beside the stores.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) demand: Reading<DemandSample>,
    pub(super) served: ServedBy,
    /// What was wrong with its profile's questions.
    pub(super) failed: Option<String>,
}

/// What is remembered of one function from tick to tick.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// When its demand was last known.
    known_at: Option<Mono>,
    /// The largest demand that one ready replica was seen to serve.
    served: Option<Slots>,
}

impl Seen {
    /// A function of which nothing has been heard yet.
    pub(super) fn made(
        stored: &Arc<PolicySeen>,
        usable: &Usable,
        policy: Policy,
        lead_time: LeadTime,
        view: View,
        in_use: &Arc<InUse>,
    ) -> Self {
        let patience = i64::from(lead_time.total.0.saturating_mul(2).max(TRIED.0));
        let came_until = view
            .newest
            .map_or(i64::MIN, |created| newborn::came_until(created, patience));
        let observation = Observation {
            target: view.target,
            demand: Reading::Unknown(Why::NotYetRead),
            lead_time,
            demand_known_at: None,
            failing: None,
            backlog: in_use.backlog,
            capacity: Capacity::default(),
            service: Service::default(),
            anomalies: Vec::new(),
        };
        Self {
            stored: Arc::clone(stored),
            function: Function {
                policy,
                observation,
                forecast: Forecast::missing(),
            },
            served: ServedBy::default(),
            target: Arc::clone(&usable.target),
            writes: view.writes,
            workload: view.workload,
            profile: in_use.name.clone(),
            learned: view.learned,
            well: view.well,
            suggestion: None,
            profile_problem: None,
            origin: Origin {
                in_use: Arc::clone(in_use),
                owner: view.owner,
                names: view.names,
                footprint: view.footprint,
                failing: view.failing,
                patience,
                came_until,
            },
        }
    }

    /// Whether a look would make the same of it: nothing that it was made of is another.
    pub(super) fn stands(&self, stored: &Arc<PolicySeen>, in_use: &Arc<InUse>, touched: &Names) -> bool {
        let namespace = self.target.namespace.as_str();
        Arc::ptr_eq(&self.stored, stored)
            && Arc::ptr_eq(&self.origin.in_use, in_use)
            && !touched.contains(namespace, &self.target.name)
            && !self.origin.names.iter().any(|name| touched.contains(namespace, name))
    }

    /// Takes in what this tick has heard. Of the tick before nothing is left that is not seen in every look.
    pub(super) fn hear(&mut self, heard: Heard, remembered: &mut Remembered, stores: &Stores, now: Now) {
        let Heard { demand, served, failed } = heard;
        self.served = served;
        let failing_now = self.origin.failing.clone().or_else(|| self.worse(stores, now));
        let Function {
            policy: _,
            observation,
            forecast,
        } = &mut self.function;
        *forecast = Forecast::missing();
        let Observation {
            target,
            demand: heard,
            lead_time,
            demand_known_at,
            failing,
            backlog: _,
            capacity,
            service,
            anomalies,
        } = observation;
        if let (Reading::Known(target), Some(workload)) = (&mut *target, &self.workload) {
            // Own writes have been laid over it.
            target.floor = workload.replicas;
        }
        if let Some(sample) = demand.known() {
            remembered.known_at = Some(now.mono);
            remembered.note_served(sample, target.known().map_or(Replicas::ZERO, |target| target.ready));
        }
        let Origin { footprint, owner, .. } = &self.origin;
        *capacity = footprint.capacity(&stores.quotas, &owner.namespace, lead_time.total.max(PATIENCE), now);
        *heard = demand;
        *demand_known_at = remembered.known_at;
        *failing = failing_now;
        *service = Service::default();
        anomalies.clear();
        self.suggestion = remembered.served;
        self.profile_problem = self.origin.in_use.bad.clone().or(failed);
    }

    /// The pods that came lately, where they do worse than those that were there.
    fn worse(&self, stores: &Stores, now: Now) -> Option<Failing> {
        let (second, patience) = (now.wall.0.div_euclid(1000), self.origin.patience);
        if second >= self.origin.came_until {
            return None;
        }
        let owner = &self.origin.owner;
        let mut pods = stores.pods.health(|health| health.on_trial(owner, patience, second));
        for pod in &mut pods {
            pod.served = self.served.pods.get(pod.name.as_str()).copied();
        }
        newborn::worse(&pods, patience, second)
    }
}

impl Remembered {
    /// Notes what a ready replica has served. More than one call a replica was asked of it at a time only where it can
    /// serve as many or lets them wait: a value to consider, not one to act on.
    fn note_served(&mut self, sample: &DemandSample, ready: Replicas) {
        if ready > Replicas::ZERO {
            let each = Slots::new((sample.current.get() / f64::from(ready.0)).ceil());
            if each > self.served {
                self.served = each;
            }
        }
    }
}
