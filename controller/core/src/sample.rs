//! Inputs for the tables beside the rules: a function in Enforce that holds 20 pods, wants 5, has been watched for
//! long and may come down. Two calls a pod; the user's own floor is 2.

use crate::decide::{Fleet, Function, Inputs};
use crate::decision::Decision;
use crate::forecast::{Distrust, Forecast, Trust};
use crate::observation::{
    Capacity, DemandSample, LeadTime, LeadTimeSource, Observation, Ownership, Reading, Target, Writer, WriterKind,
};
use crate::policy::{FloorBounds, ForecastMode, Mode, OnConflict, Policy, ScaleDown};
use crate::standing::{Standing, UserFloor, UserFloorFrom, Wished};
use crate::units::{Demand, Mono, Now, Percent, Replicas, Seconds, Slots, Wall};

pub(crate) fn amount(calls: f64) -> Demand {
    Demand::new(calls).expect("the test's amount is one")
}

pub(crate) fn inputs() -> Inputs {
    let standing = Standing {
        since: Some(Mono(0)),
        mode: Mode::Enforce,
        user: Some(UserFloor {
            value: Replicas(2),
            from: UserFloorFrom::TakeOver,
        }),
        held: Some(Replicas(20)),
        written: Some(Replicas(20)),
        written_at: Some(Mono(500_000)),
        wishes_span: Seconds(300),
        falls_span: Seconds(60),
        ..Standing::default()
    };
    let now = Now {
        wall: Wall(0),
        mono: Mono(1_000_000),
    };
    Inputs {
        function: function(),
        fleet: Fleet::alone(),
        standing,
        now,
    }
}

fn function() -> Function {
    let target = Target {
        uid: "6f1c".to_owned(),
        floor: Replicas(20),
        ready: Replicas(20),
        starting: Replicas::ZERO,
        ownership: Ownership {
            written_by_us: true,
            ..Ownership::default()
        },
        scaler: None,
    };
    let observation = Observation {
        target: Reading::Known(target),
        demand: Reading::Known(DemandSample {
            current: amount(10.0),
            peak: amount(12.0),
            unheard: Replicas::ZERO,
        }),
        lead_time: LeadTime {
            total: Seconds(38),
            source: LeadTimeSource::Learned,
        },
        demand_known_at: Some(Mono(1_000_000)),
        failing: None,
        backlog: false,
        capacity: Capacity::default(),
        service: crate::service::Service::default(),
        anomalies: Vec::new(),
    };
    Function {
        policy: policy(),
        observation,
        forecast: Forecast::none(Distrust::TooLittleHistory),
    }
}

fn policy() -> Policy {
    Policy {
        generation: 1,
        mode: Mode::Enforce,
        paused: false,
        on_conflict: OnConflict::StandAside,
        floor: FloorBounds {
            min: None,
            max: Replicas(100),
        },
        scale_down: ScaleDown::alone(),
        per_replica: Slots::new(2.0),
        utilization: Percent::new(100).expect("100 is a percentage"),
        forecast: ForecastMode::Auto,
        crash_loop: crate::policy::CrashLoop::Hold,
    }
}

impl Inputs {
    pub(crate) fn target(&mut self) -> &mut Target {
        let Reading::Known(target) = &mut self.function.observation.target else {
            panic!("the sample's target is known");
        };
        target
    }

    /// Somebody else wrote `floor` last.
    pub(crate) fn written_by(mut self, name: &str, kind: WriterKind, floor: u32) -> Self {
        self.target().floor = Replicas(floor);
        let updated_by = Some(Writer {
            name: name.to_owned(),
            kind,
        });
        self.target().ownership = Ownership {
            updated_by,
            ..Ownership::default()
        };
        self
    }

    /// A wish `ago` seconds before.
    pub(crate) fn wished(mut self, ago: u64, floor: u32) -> Self {
        let at = Mono(self.now.mono.0.saturating_sub(ago.saturating_mul(1000)));
        self.standing.wishes.push(Wished {
            at,
            floor: Replicas(floor),
        });
        self
    }

    /// So many ready pods have not been heard of yet.
    pub(crate) fn unheard(&mut self, pods: u32) {
        if let Reading::Known(sample) = &mut self.function.observation.demand {
            sample.unheard = Replicas(pods);
        }
    }

    pub(crate) fn demand(mut self, calls: f64) -> Self {
        let sample = DemandSample {
            current: amount(calls),
            peak: amount(calls),
            unheard: Replicas::ZERO,
        };
        self.function.observation.demand = Reading::Known(sample);
        self
    }

    pub(crate) fn forecast(mut self, upper: f64) -> Self {
        self.function.forecast.trust = Trust::Trusted;
        self.function.forecast.upper = amount(upper);
        self
    }

    /// What is in force after the decision.
    pub(crate) fn value(&self) -> u32 {
        let decision = self.decide();
        decision.to().or(decision.held).map_or(0, |floor| floor.0)
    }
}

impl Decision {
    /// The rules that changed the wish, in their order.
    pub(crate) fn rules(&self) -> Vec<&str> {
        self.clamps.iter().map(|clamp| clamp.rule.as_ref()).collect()
    }
}
