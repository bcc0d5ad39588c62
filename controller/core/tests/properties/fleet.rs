//! Many functions over many ticks under one brake, all of one kind, all answers good.

use crate::run::plain_policy;
use forewarm_core::decide::{Decided, Fleet, Function, World, decide, decide_one};
use forewarm_core::forecast::{Band, Distrust, Forecast};
use forewarm_core::observation::{DemandSample, LeadTime, LeadTimeSource, Observation, Ownership, Reading, Target};
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::{FunctionKey, Mode};
use forewarm_core::standing::Standing;
use forewarm_core::units::{Demand, Mono, Now, Replicas, Seconds, Wall};
use std::collections::BTreeMap;

/// The functions, what is in force for each, and the time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    pub(crate) functions: BTreeMap<FunctionKey, Function>,
    pub(crate) standing: BTreeMap<FunctionKey, Standing>,
    pub(crate) now: Mono,
}

/// What one tick of the crowd did.
#[derive(Clone, Debug)]
pub(crate) struct CrowdTick {
    pub(crate) decided: BTreeMap<FunctionKey, Decided>,
    /// Functions that would have come down had they been alone.
    pub(crate) wanted: Vec<FunctionKey>,
}

impl CrowdTick {
    /// Functions that came down.
    pub(crate) fn fell(&self) -> Vec<FunctionKey> {
        let fell = self.decided.iter().filter(|(_, decided)| decided.decision.falls());
        fell.map(|(key, _)| key.clone()).collect()
    }
}

pub(crate) fn key(number: usize) -> FunctionKey {
    FunctionKey {
        namespace: "payments".into(),
        name: format!("{number:04}").into(),
    }
}

fn amount(calls: u32) -> Demand {
    Demand::new(f64::from(calls)).expect("a count is an amount")
}

/// A function that holds `floor` pods, in demand of as many.
fn function(mode: Mode, floor: Replicas, stabilization: Seconds) -> Function {
    let mut policy = plain_policy();
    policy.mode = mode;
    policy.floor.min = Some(Replicas::ONE);
    policy.scale_down.stabilization = stabilization;
    let target = Target {
        uid: "6f1c".to_owned(),
        floor,
        ready: floor,
        starting: Replicas::ZERO,
        ownership: Ownership::default(),
        scaler: None,
    };
    let observation = Observation {
        target: Reading::Known(target),
        demand: Reading::Known(DemandSample {
            current: amount(floor.0 * 2),
            peak: amount(floor.0 * 2),
            unheard: Replicas::ZERO,
        }),
        lead_time: LeadTime {
            total: Seconds(38),
            source: LeadTimeSource::Default,
        },
        demand_known_at: None,
        failing: None,
        backlog: false,
        capacity: forewarm_core::observation::Capacity::default(),
        service: forewarm_core::service::Service::default(),
        anomalies: Vec::new(),
    };
    Function {
        policy,
        observation,
        forecast: Forecast::none(Distrust::TooLittleHistory),
    }
}

impl Crowd {
    /// `count` functions that hold 20 pods each, watched for as long as their windows reach.
    pub(crate) fn of(count: usize, mode: Mode, stabilization: Seconds) -> Self {
        let functions = (0..count).map(|number| (key(number), function(mode, Replicas(20), stabilization)));
        let mut crowd = Self {
            functions: functions.collect(),
            ..Self::default()
        };
        for _ in 0..30 {
            crowd.tick(World::default());
        }
        crowd
    }

    pub(crate) fn demand(&mut self, key: &FunctionKey, calls: u32) {
        let function = self.functions.get_mut(key).expect("a function of the crowd");
        let sample = DemandSample {
            current: amount(calls),
            peak: amount(calls),
            unheard: Replicas::ZERO,
        };
        function.observation.demand = Reading::Known(sample);
    }

    /// Says that a low demand was forecast one horizon ago.
    pub(crate) fn expect_quiet(&mut self, key: &FunctionKey) {
        let function = self.functions.get_mut(key).expect("a function of the crowd");
        function.forecast.expected_now = Some(Band {
            lower: Demand::ZERO,
            upper: amount(3),
        });
    }

    pub(crate) fn tick(&mut self, world: World) -> CrowdTick {
        self.now = self.now.after(Seconds(15));
        let now = Now {
            wall: Wall(0),
            mono: self.now,
        };
        let fresh = Standing::default();
        let alone = |key: &FunctionKey, function: &Function| {
            let standing = self.standing.get(key).unwrap_or(&fresh);
            decide_one(function, &Fleet::alone(), standing, now).falls()
        };
        let wanted = self.functions.iter().filter(|(key, function)| alone(key, function));
        let wanted = wanted.map(|(key, _)| key.clone()).collect();
        let decided = decide(&self.functions, world, &self.standing, now);
        let decided = self.functions.keys().cloned().zip(decided).collect::<BTreeMap<_, _>>();
        for (key, decided) in &decided {
            self.fold(key, decided, now);
        }
        CrowdTick { decided, wanted }
    }

    fn fold(&mut self, key: &FunctionKey, decided: &Decided, now: Now) {
        let function = self
            .functions
            .get_mut(key)
            .expect("decided for a function of the crowd");
        let enforce = function.policy.mode == Mode::Enforce;
        let outcome = if enforce { Outcome::Applied } else { Outcome::Shadow };
        let standing = self.standing.get(key).cloned().unwrap_or_default();
        let next = standing.fold(function, &decided.decision, &[outcome], now);
        self.standing.insert(key.clone(), next);
        if let (true, Some(to), Reading::Known(target)) =
            (enforce, decided.decision.to(), &mut function.observation.target)
        {
            target.floor = to;
        }
    }
}
