//! One function as a test tells of it.

use super::line::{FitLine, ForestsLine, Hash, LearnedLine};
use super::{Learned, PolicyObject, Told};
use crate::target::TargetRef;
use forewarm_api::FunctionPolicyStatus;
use forewarm_core::decide::{Fleet, Function};
use forewarm_core::decision::{Clamp, Decision, FieldVerdict, Reason, Step, Verdict};
use forewarm_core::forecast::{Distrust, Forecast, Trust};
use forewarm_core::observation::{
    Capacity, DemandSample, FloorField, LeadTime, LeadTimeSource, Observation, Ownership, Reading, Recorded, Scaler,
    Target, Why,
};
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::{FloorBounds, ForecastMode, FunctionKey, Mode, Objective, OnConflict, Policy, ScaleDown};
use forewarm_core::standing::Standing;
use forewarm_core::units::{Demand, Mono, Now, Percent, Replicas, Seconds, Slots, Wall};
use forewarm_core::wish::{BoundBy, FloorWish};

/// The middle of a trading day: 2026-11-24T14:03:15Z.
pub(crate) const START: Now = Now {
    wall: Wall(1_795_528_995_000),
    mono: Mono(3_600_000),
};

/// Owns what a [`Told`] borrows.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) key: FunctionKey,
    pub(crate) target: TargetRef,
    pub(crate) function: Function,
    /// The function as the next tick finds it.
    pub(crate) next: Function,
    pub(crate) standing: Standing,
    pub(crate) fleet: Fleet,
    pub(crate) now: Now,
    pub(crate) decision: Decision,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) after: Standing,
    pub(crate) status: Option<FunctionPolicyStatus>,
    pub(crate) version: &'static str,
    pub(crate) learned: LearnedLine,
    pub(crate) profile_problem: Option<&'static str>,
}

impl Learned for LearnedLine {
    fn of(&self, _: &FunctionKey) -> LearnedLine {
        *self
    }
}

impl Sample {
    /// A healthy function in Shadow with this decision.
    pub(crate) fn new(decision: Decision) -> Self {
        let key = FunctionKey {
            namespace: "payments".into(),
            name: "fraud-scorer".into(),
        };
        let target = TargetRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
        };
        let function = Function {
            policy: policy(),
            observation: observation(decision.held),
            forecast: forecast(),
        };
        let (standing, fleet) = (
            Standing::default(),
            Fleet {
                targets: 40,
                ..Fleet::default()
            },
        );
        let after = standing.fold(&function, &decision, &[], START);
        let (now, outcomes, status, next) = (START, Vec::new(), None, function.clone());
        let learned = LearnedLine {
            objective: Some(Objective::Fast),
            forests: Some(forests()),
            ..LearnedLine::default()
        };
        let version = "17";
        Self {
            key,
            target,
            function,
            next,
            standing,
            fleet,
            now,
            decision,
            outcomes,
            after,
            status,
            version,
            learned,
            profile_problem: None,
        }
    }

    pub(crate) fn told(&self) -> Told<'_> {
        Told {
            key: &self.key,
            target: Some(&self.target),
            function: &self.function,
            fleet: self.fleet,
            standing: &self.standing,
            now: self.now,
            decision: &self.decision,
            decision_id: "01JDFZ3Q6E8H0V5W2X4Y6Z8A0B".parse().unwrap(),
            outcomes: &self.outcomes,
            policy: PolicyObject {
                uid: POLICY_UID,
                resource_version: self.version,
                generation: self.function.policy.generation,
                status: self.status.as_ref(),
            },
            profile: Some("http-inflight"),
            profile_problem: self.profile_problem,
            learned: &self.learned,
        }
    }

    /// With what became of its only step.
    pub(crate) fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcomes = vec![outcome];
        self.after = self
            .standing
            .fold(&self.function, &self.decision, &self.outcomes, self.now);
        self
    }

    /// With the status that the policy has by now.
    pub(crate) fn status(mut self, status: FunctionPolicyStatus) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn demand(self, amount: f64) -> Self {
        let demand = Demand::new(amount).unwrap();
        self.demand_reading(Reading::Known(DemandSample {
            current: demand,
            peak: demand,
            unheard: Replicas::ZERO,
        }))
    }

    pub(crate) fn demand_reading(mut self, demand: Reading<DemandSample>) -> Self {
        self.function.observation.demand = demand;
        self
    }

    pub(crate) fn distrust(mut self, why: Distrust) -> Self {
        self.function.forecast.trust = Trust::Untrusted(why);
        self
    }

    pub(crate) fn demoted(mut self, why: Distrust) -> Self {
        self.function.forecast.demoted = Some(why);
        self
    }

    pub(crate) fn mode(mut self, mode: Mode) -> Self {
        self.function.policy.mode = mode;
        self.after = self
            .standing
            .fold(&self.function, &self.decision, &self.outcomes, self.now);
        self
    }

    pub(crate) fn paused(mut self) -> Self {
        self.function.policy.paused = true;
        self
    }

    pub(crate) fn named(mut self, n: usize) -> Self {
        self.key.name = format!("f{n:05}").into();
        self
    }

    /// So many milliseconds after [`START`].
    pub(crate) fn at(mut self, later: u32) -> Self {
        self.now = Now {
            wall: Wall(START.wall.0 + i64::from(later)),
            mono: Mono(START.mono.0 + u64::from(later)),
        };
        self
    }
}

/// A scaler of the sample's target, or two.
pub(crate) fn scaler(several: bool) -> Scaler {
    if several {
        return Scaler::Several("HorizontalPodAutoscaler/x and ScaledObject/s".to_owned());
    }
    Scaler::One(FloorField {
        scaler: "HorizontalPodAutoscaler/fraud-scorer".to_owned(),
        field: "spec.minReplicas".to_owned(),
        max: Some(Replicas(200)),
        recorded: Some(Recorded::Value(Replicas(2))),
        default: Replicas(1),
        annotated: true,
        ..FloorField::default()
    })
}

pub(crate) fn rise(from: u32, to: u32) -> Decision {
    let step = Step::SetFloor {
        uid: UID.into(),
        from: Replicas(from),
        to: Replicas(to),
        along: None,
    };
    decision(from, to, Verdict::Apply(vec![step]), Reason::ForecastRise)
}

pub(crate) fn hold(rule: &'static str, held: u32, wished: u32) -> Decision {
    let mut decision = decision(held, wished, Verdict::Hold(rule.into()), Reason::Held);
    decision.clamps = vec![Clamp {
        rule: rule.into(),
        from: Replicas(wished),
        to: Replicas(held),
    }];
    decision
}

pub(crate) fn steady(held: u32) -> Decision {
    decision(held, held, Verdict::Steady, Reason::Steady)
}

pub(crate) const POLICY_UID: &str = "0f6d2c1b-93d7-4a3e-8c55-71f0a4b2c9de";

const UID: &str = "5c1d2a3e-7f44-4a51-9a5e-2f0c6b1d8e90";

fn decision(held: u32, wished: u32, verdict: Verdict, reason: Reason) -> Decision {
    let wish = FloorWish {
        to: Replicas(wished),
        user: Replicas(2),
        forecast: Some(Replicas(wished)),
        reactive: Reading::Known(Replicas(1)),
        at_least: None,
        bound_by: BoundBy::Forecast,
    };
    Decision {
        held: Some(Replicas(held)),
        field: FieldVerdict::Free,
        wish: Some(wish),
        clamps: Vec::new(),
        verdict,
        reason,
        counterfactual: Reading::Known(Replicas(1)),
    }
}

fn policy() -> Policy {
    Policy {
        generation: 3,
        mode: Mode::Shadow,
        paused: false,
        on_conflict: OnConflict::StandAside,
        floor: FloorBounds {
            min: None,
            max: Replicas(40),
        },
        scale_down: ScaleDown::alone(),
        per_replica: Slots::new(20.0),
        utilization: Percent::new(70).unwrap(),
        forecast: ForecastMode::Auto,
        crash_loop: forewarm_core::policy::CrashLoop::Hold,
    }
}

fn observation(held: Option<Replicas>) -> Observation {
    let demand = Demand::new(3.5).unwrap();
    let target = held.map_or(Reading::Unknown(Why::TargetMissing), |floor| {
        Reading::Known(Target {
            uid: UID.into(),
            floor,
            ready: floor,
            starting: Replicas(0),
            ownership: Ownership::default(),
            scaler: None,
        })
    });
    Observation {
        target,
        demand: Reading::Known(DemandSample {
            current: demand,
            peak: demand,
            unheard: Replicas::ZERO,
        }),
        lead_time: LeadTime {
            total: Seconds(30),
            source: LeadTimeSource::Learned,
        },
        demand_known_at: Some(START.mono),
        failing: None,
        backlog: false,
        capacity: Capacity::default(),
        service: forewarm_core::service::Service::default(),
        anomalies: Vec::new(),
    }
}

fn forecast() -> Forecast {
    Forecast {
        trust: Trust::Trusted,
        demoted: None,
        model: "trailing-peak".into(),
        minute: START.wall.minute(),
        horizon: Seconds(47),
        quantile: Percent::new(80).unwrap(),
        point: Demand::new(150.25).unwrap(),
        upper: Demand::new(212.0).unwrap(),
        expected_now: None,
        coverage: Percent::new(96),
    }
}

/// A shipped forest and one of the cluster's own.
fn forests() -> ForestsLine {
    ForestsLine {
        prior: Hash(0x00c0_ffee),
        fleet: Some(FitLine {
            hash: Hash(u64::MAX),
            rows: 12_000,
            from_minute: 29_920_000,
            to_minute: 29_925_475,
        }),
    }
}
