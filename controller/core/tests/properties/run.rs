//! One function over many ticks: decide, write, fold, with a field that deploys and people write too, writes that
//! get no answer, and crashes that leave only what the status remembers.

use crate::given::owed;
use forewarm_core::decide::{Fleet, Function, Inputs};
use forewarm_core::decision::{Decision, Step, Verdict};
use forewarm_core::forecast::{Distrust, Forecast, Trust};
use forewarm_core::observation::{
    Capacity, DemandSample, LeadTime, LeadTimeSource, Observation, Ownership, Reading, Target, Why, Writer, WriterKind,
};
use forewarm_core::outcome::{Fence, Outcome};
use forewarm_core::policy::{FloorBounds, ForecastMode, Mode, OnConflict, Policy, ScaleDown};
use forewarm_core::standing::Standing;
use forewarm_core::units::{Demand, Mono, Now, Percent, Replicas, Seconds, Slots, Wall};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// How long a pod takes to start.
const LEAD: Seconds = Seconds(38);

/// What happens in one tick, before the decision.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) after: Seconds,
    /// Calls in flight. `None`: not known.
    pub(crate) demand: Option<u32>,
    /// Upper quantile of the forecast. `None`: not trusted.
    pub(crate) forecast: Option<u32>,
    pub(crate) event: Option<Event>,
    pub(crate) answer: Answer,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A deploy tool writes the field.
    Deploy(Replicas),
    /// A deploy tool writes the value that the user's manifest had at first.
    Redeploy,
    /// A person writes the field.
    Person(Replicas),
    /// The process dies; the next one starts from the status. `late`: the status misses the last tick.
    Crash {
        late: bool,
    },
    /// The user edits the policy.
    Max(Replicas),
    Mode(Mode),
    Window(Seconds),
    Pause(bool),
}

/// What the API server answers to a write whose `test` would pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Applies,
    AppliesSilently,
    Loses,
    Fenced,
}

/// A whole run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) policy: Policy,
    pub(crate) live: Replicas,
    /// The server keeps entries about who wrote the field; it does not where nobody named it at first.
    pub(crate) tracked: bool,
    pub(crate) moments: Vec<Moment>,
}

/// What a tick saw and did.
#[derive(Clone, Debug)]
pub(crate) struct Tick {
    pub(crate) now: Mono,
    pub(crate) inputs: Inputs,
    pub(crate) policy: Policy,
    pub(crate) decision: Decision,
    pub(crate) owed: Replicas,
    /// The floor in force before and after our part of the tick: the live field, in Shadow the virtual one.
    pub(crate) before: Replicas,
    pub(crate) after: Replicas,
    /// Somebody else wrote since the tick before.
    pub(crate) disturbed: bool,
    /// This tick is the first one of a process.
    pub(crate) first: bool,
}

/// A function and the field it steers.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) policy: Policy,
    pub(crate) standing: Standing,
    pub(crate) live: Replicas,
    manifest: Replicas,
    tracked: bool,
    ownership: Ownership,
    saved: Standing,
    known_at: Option<Mono>,
    now: Mono,
    /// Pods that find a node.
    pub(crate) room: Replicas,
    /// Since when some have found none.
    crowded_since: Option<Mono>,
    ticks: Vec<Tick>,
}

impl Run {
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut run = Self::new(plan.policy.clone(), plan.live, plan.tracked);
        for moment in &plan.moments {
            run.live_through(moment);
        }
        run
    }

    pub(crate) fn new(policy: Policy, live: Replicas, tracked: bool) -> Self {
        let mut run = Self {
            policy,
            standing: Standing::default(),
            live,
            manifest: live,
            tracked,
            ownership: Ownership::default(),
            saved: Standing::default(),
            known_at: None,
            now: Mono(1_000_000),
            room: Replicas(u32::MAX),
            crowded_since: None,
            ticks: Vec::new(),
        };
        run.write("helm", WriterKind::Deploy, live);
        run
    }

    pub(crate) fn ticks(self) -> Vec<Tick> {
        self.ticks
    }

    pub(crate) fn live_through(&mut self, moment: &Moment) -> &Tick {
        self.now = self.now.after(moment.after);
        let before_event = self.live;
        let first = self.ticks.is_empty() || matches!(moment.event, Some(Event::Crash { .. }));
        if let Some(event) = &moment.event {
            self.happen(event);
        }
        let disturbed = self.live != before_event;
        let function = self.function(moment);
        let now = Now {
            wall: Wall(0),
            mono: self.now,
        };
        let inputs = Inputs {
            function,
            fleet: Fleet::alone(),
            standing: self.standing.clone(),
            now,
        };
        let decision = inputs.decide();
        let before = self.in_force();
        let outcomes = self.carry_out(&decision, moment.answer);
        self.saved = self.standing.clone();
        self.standing = self.standing.fold(&inputs.function, &decision, &outcomes, now);
        let owed = owed(&inputs, &decision);
        let policy = self.policy.clone();
        let (now, after) = (self.now, self.in_force());
        self.ticks.push(Tick {
            now,
            inputs,
            policy,
            decision,
            owed,
            before,
            after,
            disturbed,
            first,
        });
        self.ticks.last().expect("a tick was just pushed")
    }

    /// The live field; in Shadow the virtual floor, before the first tick what it starts from.
    fn in_force(&self) -> Replicas {
        match self.policy.mode {
            Mode::Shadow => self.standing.held.unwrap_or(self.live),
            Mode::Enforce => self.live,
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Deploy(to) => self.write("helm", WriterKind::Deploy, *to),
            Event::Redeploy => self.write("helm", WriterKind::Deploy, self.manifest),
            Event::Person(to) => self.write("kubectl", WriterKind::Person, *to),
            Event::Crash { late } => self.crash(*late),
            Event::Max(max) => self.policy.floor.max = *max,
            Event::Mode(mode) => self.policy.mode = *mode,
            Event::Window(span) => self.policy.scale_down.stabilization = *span,
            Event::Pause(paused) => self.policy.paused = *paused,
        }
        if matches!(event, Event::Max(_) | Event::Mode(_) | Event::Window(_)) {
            self.policy.generation += 1;
        }
    }

    fn write(&mut self, name: &str, kind: WriterKind, to: Replicas) {
        if to != self.live || self.ticks.is_empty() {
            let updated_by = self.tracked.then(|| Writer {
                name: name.to_owned(),
                kind,
            });
            self.ownership = Ownership {
                updated_by,
                ..Ownership::default()
            };
        }
        self.live = to;
    }

    /// The user's own floor is in the status before the first write, so it is never late.
    fn crash(&mut self, late: bool) {
        let status = if late { &self.saved } else { &self.standing };
        let user = self.standing.user;
        self.standing = Standing::restored(user, status.held, status.aside.clone(), status.mode);
        self.known_at = None;
        self.now = self.now.after(Seconds(7));
    }

    fn function(&mut self, moment: &Moment) -> Function {
        let amount = |calls: u32| Demand::new(f64::from(calls)).expect("a count is an amount");
        let demand = match moment.demand.map(amount) {
            Some(current) => Reading::Known(DemandSample {
                current,
                peak: current,
                unheard: Replicas::ZERO,
            }),
            None => Reading::Unknown(Why::SourceDown),
        };
        if moment.demand.is_some() {
            self.known_at = Some(self.now);
        }
        let mut forecast = Forecast::none(Distrust::TooLittleHistory);
        if let Some(upper) = moment.forecast.map(amount) {
            forecast = Forecast {
                trust: Trust::Trusted,
                upper,
                ..forecast
            };
        }
        let observation = Observation {
            target: Reading::Known(self.target()),
            demand,
            lead_time: LeadTime {
                total: LEAD,
                source: LeadTimeSource::Default,
            },
            demand_known_at: self.known_at,
            failing: None,
            backlog: false,
            capacity: self.capacity(),
            service: forewarm_core::service::Service::default(),
            anomalies: Vec::new(),
        };
        Function {
            policy: self.policy.clone(),
            observation,
            forecast,
        }
    }

    fn capacity(&mut self) -> Capacity {
        let placed = self.live.min(self.room);
        let waiting = self.live.minus(placed);
        self.crowded_since = (waiting > Replicas::ZERO).then(|| self.crowded_since.unwrap_or(self.now));
        let stuck = self.crowded_since.is_some_and(|since| self.now.passed(since, LEAD));
        Capacity {
            placed,
            stuck: if stuck { waiting } else { Replicas::ZERO },
            quota: None,
        }
    }

    fn target(&self) -> Target {
        Target {
            uid: "6f1c".to_owned(),
            floor: self.live,
            ready: self.live,
            starting: Replicas::ZERO,
            ownership: self.ownership.clone(),
            scaler: None,
        }
    }

    fn carry_out(&mut self, decision: &Decision, answer: Answer) -> Vec<Outcome> {
        let Verdict::Apply(steps) = &decision.verdict else {
            return Vec::new();
        };
        steps.iter().map(|step| self.step(step, answer)).collect()
    }

    fn step(&mut self, step: &Step, answer: Answer) -> Outcome {
        let Step::SetFloor { from, to, .. } = step else {
            return Outcome::Applied;
        };
        match answer {
            _ if self.policy.mode == Mode::Shadow => return Outcome::Shadow,
            Answer::Fenced => {
                return Outcome::Fenced { by: Fence::TickFull };
            }
            Answer::Loses => return Outcome::TimedOut,
            _ if *from != self.live => return Outcome::Conflict,
            Answer::Applies | Answer::AppliesSilently => {}
        }
        self.live = *to;
        self.ownership = Ownership {
            written_by_us: self.tracked,
            ..Ownership::default()
        };
        if matches!(answer, Answer::Applies) {
            Outcome::Applied
        } else {
            Outcome::TimedOut
        }
    }
}

pub(crate) fn few() -> impl Strategy<Value = Replicas> {
    (1..60_u32).prop_map(Replicas)
}

/// A policy in Enforce with windows short enough to be passed within a run.
pub(crate) fn policy() -> BoxedStrategy<Policy> {
    let scale_down = (
        prop::sample::select(vec![0, 15, 45, 120]),
        prop::sample::select(vec![0, 10, 20, 50, 100]),
        prop::sample::select(vec![1, 15, 45, 90]),
    );
    (scale_down, option::of(few()), few(), prop::bool::weighted(0.2))
        .prop_map(|((stabilization, percent, step), min, max, shadow)| Policy {
            generation: 1,
            mode: if shadow { Mode::Shadow } else { Mode::Enforce },
            paused: false,
            on_conflict: OnConflict::StandAside,
            floor: FloorBounds {
                min,
                max: max.max(min.unwrap_or(Replicas::ONE)),
            },
            scale_down: ScaleDown {
                stabilization: Seconds(stabilization),
                step_percent: Percent::new(percent).expect("at most 100"),
                step: Seconds(step),
            },
            per_replica: Slots::new(2.0),
            utilization: Percent::new(100).expect("100 is a percentage"),
            forecast: ForecastMode::Auto,
            crash_loop: forewarm_core::policy::CrashLoop::Hold,
        })
        .boxed()
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => few().prop_map(Event::Deploy),
        3 => Just(Event::Redeploy),
        1 => few().prop_map(Event::Person),
        4 => any::<bool>().prop_map(|late| Event::Crash { late }),
        3 => few().prop_map(Event::Max),
        2 => prop::sample::select(vec![Mode::Shadow, Mode::Enforce, Mode::Enforce]).prop_map(Event::Mode),
        2 => prop::sample::select(vec![0, 15, 45, 120]).prop_map(|span| Event::Window(Seconds(span))),
        2 => prop::bool::weighted(0.3).prop_map(Event::Pause),
    ]
}

fn moment() -> BoxedStrategy<Moment> {
    let answer = prop_oneof![
        12 => Just(Answer::Applies),
        1 => Just(Answer::AppliesSilently),
        1 => Just(Answer::Loses),
        1 => Just(Answer::Fenced),
    ];
    // Quiet for most of the time, so that there is something to come down from and the time to do it.
    let demand = prop_oneof![6 => 0..8_u32, 1 => 0..120_u32];
    let after = prop_oneof![8 => Just(15), 1 => 1..90_u32].prop_map(Seconds);
    (
        after,
        option::weighted(0.95, demand),
        option::weighted(0.1, 0..120_u32),
        option::weighted(0.06, event()),
        answer,
    )
        .prop_map(|(after, demand, forecast, event, answer)| Moment {
            after,
            demand,
            forecast,
            event,
            answer,
        })
        .boxed()
}

/// Any run.
pub(crate) fn plan() -> BoxedStrategy<Plan> {
    (policy(), few(), any::<bool>(), vec(moment(), 20..120))
        .prop_map(|(policy, live, tracked, moments)| Plan {
            policy,
            live,
            tracked,
            moments,
        })
        .boxed()
}

/// A tick of 15 s in which `demand` is known and nothing else happens.
pub(crate) fn calm(demand: u32) -> Moment {
    Moment {
        after: Seconds(15),
        demand: Some(demand),
        forecast: None,
        event: None,
        answer: Answer::Applies,
    }
}

/// The default policy of a target without a scaler, in Enforce, 2 calls a replica.
pub(crate) fn plain_policy() -> Policy {
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
        crash_loop: forewarm_core::policy::CrashLoop::Hold,
    }
}

#[test]
fn the_runs_come_down_go_up_and_are_disturbed() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut plans = (0..100).map(|_| plan().new_tree(&mut runner).expect("a plan can be drawn").current());
    let ticks: Vec<_> = plans.by_ref().flat_map(|plan| Run::of(&plan).ticks()).collect();
    let count = |is: fn(&&Tick) -> bool| ticks.iter().filter(is).count();
    assert!(count(|tick| tick.after < tick.before) > 100);
    assert!(count(|tick| tick.after > tick.before) > 100);
    assert!(count(|tick| tick.disturbed) > 50);
    assert!(count(|tick| tick.inputs.function.policy.floor.max < tick.before) > 50);
}
