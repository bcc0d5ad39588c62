//! Many ticks of several functions through the real decision and the real log, then every line checked:
//! against the published schema, and decided again from what it says (A5).

use super::chain::Chain;
use super::human::LogFormat;
use super::line::{
    BrakeLine, IntentLine, LeaderLine, Leadership, OutcomeLine, PolicyLine, ReleaseLine, SCHEMA, SourceLine, StartLine,
    SwitchLine, VERSION, event, print,
};
use super::memory::Memory;
use super::sample::{Sample, hold, rise, steady};
use super::tell::Teller;
use super::{Journal, Told, every, schema};
use forewarm_core::decide::{Inputs, World, decide};
use forewarm_core::decision::{Decision, FieldVerdict, Step, Verdict};
use forewarm_core::forecast::{Band, Trust};
use forewarm_core::observation::{DemandSample, LeadTimeSource, Ownership, Reading, Target, Writer, WriterKind};
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::{ForecastMode, FunctionKey, Mode, OnConflict};
use forewarm_core::standing::{Aside, AsideWhy, Standing, UserFloor, UserFloorFrom};
use forewarm_core::units::{Demand, Mono, Percent, Replicas, Wall};
use forewarm_core::wish::BoundBy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn log() -> (Arc<Chain>, Memory) {
    let output = Memory::default();
    let chain = Chain::new(
        Box::new(output.clone()),
        LogFormat::Json,
        "01JDRUN".into(),
        Box::new(|| Wall(1_795_528_995_000)),
    );
    (Arc::new(chain), output)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Fails with the line and what the schema says about it.
fn conforms(lines: &[Value]) {
    let whole = jsonschema::validator_for(&schema::document()).unwrap();
    let mut by_event = BTreeMap::new();
    for line in lines {
        // The choice between events hides what is wrong within one, so ask that one first.
        let name = line["event.name"].as_str().unwrap();
        let one = by_event.entry(name).or_insert_with(|| only(name));
        let errors: Vec<String> = one
            .iter_errors(line)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{line:#}");
        assert!(whole.is_valid(line), "{line:#}");
    }
}

/// The schema of one event.
fn only(name: &str) -> jsonschema::Validator {
    let mut document = schema::document();
    document.as_object_mut().unwrap().remove("oneOf");
    document["$ref"] = format!("#/$defs/{name}").into();
    jsonschema::validator_for(&document).unwrap()
}

/// Numbers that look random and are the same every time (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % n
    }

    fn amount(&mut self, most: u32) -> Demand {
        Demand::new(f64::from(self.below(most * 1000)) / 997.0).unwrap()
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        let at = usize::try_from(self.below(u32::try_from(all.len()).unwrap())).unwrap();
        all[at].clone()
    }
}

/// The first function's world, moved at random: trouble now and then, everything else the common case.
fn stir(sample: &mut Sample, dice: &mut Dice) {
    let observation = &mut sample.function.observation;
    let (current, extra) = (dice.amount(400), dice.amount(50));
    let peak = Demand::new(current.get() + extra.get()).unwrap();
    observation.demand = match dice.below(6) {
        0 => Reading::Unknown(dice.pick(&every::why())),
        _ => Reading::Known(DemandSample {
            current,
            peak,
            unheard: Replicas::ZERO,
        }),
    };
    observation.demand_known_at = observation
        .demand
        .known()
        .map(|_| sample.now.mono)
        .or(observation.demand_known_at);
    observation.lead_time.source =
        dice.pick(&[LeadTimeSource::Policy, LeadTimeSource::Learned, LeadTimeSource::Default]);
    if let Reading::Known(target) = &mut observation.target {
        unsettle(target, sample.standing.user, dice);
    }
    let forecast = &mut sample.function.forecast;
    forecast.trust = if dice.below(4) == 0 {
        Trust::Untrusted(dice.pick(&every::distrust()))
    } else {
        Trust::Trusted
    };
    forecast.demoted = (dice.below(4) == 0).then(|| dice.pick(&every::distrust()));
    forecast.upper = dice.amount(600);
    forecast.expected_now = (dice.below(3) > 0).then(|| Band {
        lower: dice.amount(100),
        upper: dice.amount(900),
    });
    forecast.coverage = Percent::new(u8::try_from(dice.below(120)).unwrap());
    let policy = &mut sample.function.policy;
    if dice.below(40) == 0 {
        policy.mode = dice.pick(&[Mode::Shadow, Mode::Enforce]);
        policy.on_conflict = dice.pick(&[OnConflict::StandAside, OnConflict::Take]);
        policy.forecast = dice.pick(&[ForecastMode::Auto, ForecastMode::Off]);
        policy.floor.min = (dice.below(2) == 0).then(|| Replicas(dice.below(5)));
        policy.floor.max = Replicas(5 + dice.below(35));
        policy.paused = dice.below(4) == 0;
        policy.generation += 1;
    }
}

/// Somebody else at the field now and then.
fn unsettle(target: &mut Target, remembered: Option<UserFloor>, dice: &mut Dice) {
    if dice.below(25) != 0 {
        return;
    }
    let kind = dice.pick(&[WriterKind::Deploy, WriterKind::Person]);
    target.floor = match remembered {
        Some(user) if dice.below(2) == 0 => user.value,
        _ => Replicas(dice.below(12)),
    };
    target.scaler = (dice.below(6) == 0).then(|| crate::record::sample::scaler(dice.below(3) == 0));
    target.ownership = Ownership {
        applied_by: (dice.below(5) == 0).then(|| "argocd-controller".to_owned()),
        adopted: dice.below(2) == 0,
        written_by_us: false,
        updated_by: (dice.below(2) == 0).then(|| Writer {
            name: "kubectl-scale".into(),
            kind,
        }),
    };
}

/// What the decision did to the world.
fn carry_out(sample: &mut Sample, dice: &mut Dice) {
    let Verdict::Apply(steps) = &sample.decision.verdict else {
        sample.outcomes.clear();
        return;
    };
    let shadow = sample.function.policy.mode == Mode::Shadow;
    let outcome = if shadow {
        Outcome::Shadow
    } else {
        dice.pick(&every::outcome())
    };
    if let (Outcome::Applied, Some(Step::SetFloor { to, .. }), Reading::Known(target)) =
        (&outcome, steps.first(), &mut sample.function.observation.target)
    {
        target.floor = *to;
        target.ownership = Ownership {
            written_by_us: true,
            ..Ownership::default()
        };
    }
    sample.outcomes = vec![outcome];
}

/// `ticks` of twelve functions; the log.
fn walk(ticks: u32, dice: u64) -> String {
    let (chain, output) = log();
    let mut teller = Teller::new(chain);
    let mut dice = Dice(dice);
    let mut samples: Vec<Sample> = (0..12).map(|n| Sample::new(steady(2)).named(n)).collect();
    for tick in 1..=ticks {
        let functions: BTreeMap<FunctionKey, _> = samples
            .iter_mut()
            .map(|sample| {
                *sample = sample.clone().at(tick * 15_000);
                stir(sample, &mut dice);
                (sample.key.clone(), sample.function.clone())
            })
            .collect();
        let standing: BTreeMap<FunctionKey, Standing> = samples
            .iter()
            .map(|sample| (sample.key.clone(), sample.standing.clone()))
            .collect();
        let decided = decide(&functions, World::default(), &standing, samples[0].now);
        let decided: BTreeMap<_, _> = functions.keys().zip(decided).collect();
        for sample in &mut samples {
            let one = &decided[&sample.key];
            (sample.fleet, sample.decision) = (one.fleet, one.decision.clone());
            // What the line says is what was seen, not what the write made of it.
            let seen = sample.function.clone();
            carry_out(sample, &mut dice);
            sample.after = sample
                .standing
                .fold(&seen, &sample.decision, &sample.outcomes, sample.now);
            sample.next = std::mem::replace(&mut sample.function, seen);
        }
        let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
        teller.tick(&told);
        for sample in &mut samples {
            sample.standing = sample.after.clone();
            sample.function = sample.next.clone();
        }
    }
    output.text()
}

#[test]
fn a5_each_line_decided_again_gives_what_it_says_and_each_holds_to_the_schema() {
    let lines = lines(&walk(400, 7));
    let decisions: Vec<&Value> = lines.iter().filter(|line| line["event.name"] != event::BRAKE).collect();
    let mut seen = BTreeSet::new();
    for line in &decisions {
        let inputs: Inputs = serde_json::from_value(line["inputs"].clone()).unwrap();
        let output: Decision = serde_json::from_value(line["output"].clone()).unwrap();
        assert_eq!(inputs.decide(), output, "{line:#}");
        seen.insert(line["reason"].as_str().unwrap().to_owned());
        seen.insert(line["verdict"].as_str().unwrap().to_owned());
    }
    // The walk meets what it is meant to meet.
    for word in [
        "Apply",
        "Hold",
        "Steady",
        "ForecastRise",
        "ReactiveRise",
        "Quiet",
        "DeployReset",
    ] {
        assert!(seen.contains(word), "{word} not among {seen:?}");
    }
    assert!(decisions.len() > 1000, "{}", decisions.len());
    conforms(&lines[..100]);
}

#[test]
fn a5_a_line_holds_though_its_numbers_are_awkward() {
    let (chain, output) = log();
    let mut sample = Sample::new(steady(2)).demand(0.1 + 0.2);
    sample.function.forecast.upper = Demand::new(1e300).unwrap();
    sample.function.forecast.point = Demand::new(5e-324).unwrap();
    sample.standing.since = Some(Mono(u64::MAX));
    sample.function.policy.generation = i64::MIN;
    let inputs = |sample: &Sample| Inputs {
        function: sample.function.clone(),
        fleet: sample.fleet,
        standing: sample.standing.clone(),
        now: sample.now,
    };
    sample.decision = inputs(&sample).decide();
    Teller::new(chain).tick(&[sample.told()]);
    let line = &lines(&output.text())[0];
    let back: Inputs = serde_json::from_value(line["inputs"].clone()).unwrap();
    assert_eq!(back, inputs(&sample));
    assert_eq!(back.decide(), sample.decision);
}

#[test]
fn every_variant_of_every_type_in_a_line_holds_to_the_schema() {
    let (chain, output) = log();
    let print = |sample: &Sample| Teller::new(chain.clone()).tick(&[sample.told()]);
    for why in every::why() {
        let mut sample = Sample::new(hold("trust", 12, 2)).demand_reading(Reading::Unknown(why.clone()));
        sample.decision.counterfactual = Reading::Unknown(why.clone());
        sample.decision.wish.as_mut().unwrap().reactive = Reading::Unknown(why.clone());
        sample.function.observation.target = Reading::Unknown(why);
        print(&sample);
    }
    for why in every::distrust() {
        print(&Sample::new(steady(2)).distrust(why));
        print(&Sample::new(steady(2)).demoted(why));
    }
    for reason in every::reason() {
        let mut sample = Sample::new(steady(2));
        sample.decision.reason = reason;
        print(&sample);
    }
    for field in every::field() {
        let mut sample = Sample::new(steady(2));
        sample.decision.field = field;
        print(&sample);
    }
    for outcome in every::outcome() {
        print(&Sample::new(rise(2, 12)).outcome(outcome));
    }
    for bound_by in [BoundBy::User, BoundBy::Forecast, BoundBy::Reactive, BoundBy::Max] {
        let mut sample = Sample::new(steady(2));
        sample.decision.wish.as_mut().unwrap().bound_by = bound_by;
        print(&sample);
    }
    for (from, why) in [
        (UserFloorFrom::TakeOver, AsideWhy::FieldTaken),
        (UserFloorFrom::Deploy, AsideWhy::ResetTooOften),
    ] {
        let mut sample = Sample::new(steady(2));
        sample.standing.user = Some(UserFloor {
            value: Replicas(2),
            from,
        });
        sample.standing.aside = Some(Aside {
            why,
            generation: 3,
            by: "kubectl-edit".into(),
        });
        sample.decision.field = FieldVerdict::Aside {
            by: "kubectl-edit".into(),
            why,
        };
        print(&sample);
    }
    let mut bare = Sample::new(steady(2));
    (bare.decision.wish, bare.decision.held) = (None, None);
    let adopt = Step::Adopt {
        uid: "u".into(),
        value: Replicas(2),
    };
    bare.decision.verdict = Verdict::Apply(vec![adopt]);
    Teller::new(chain.clone()).tick(&[Told {
        target: None,
        profile: None,
        ..bare.told()
    }]);
    conforms(&lines(&output.text()));
}

#[test]
fn every_event_of_the_gate_holds_to_the_schema() {
    let (chain, output) = log();
    let sample = Sample::new(rise(2, 12));
    let (namespace, policy, target) = ("payments", "fraud-scorer", &sample.target);
    let (decision, audit_id) = ("01JDFZ3Q6E8H0V5W2X4Y6Z8A0B", "01JDFZ3Q6E8H0V5W2X4Y6Z8A0B.0.1");
    let Verdict::Apply(steps) = &sample.decision.verdict else {
        panic!("a rise applies")
    };
    for step in steps.iter().chain(&[Step::Adopt {
        uid: "u".into(),
        value: Replicas(2),
    }]) {
        print(
            &*chain,
            &IntentLine {
                namespace,
                policy,
                target,
                decision,
                audit_id,
                step: crate::record::line::AnyStep::Floor(step),
            },
        );
    }
    for outcome in &every::outcome() {
        print(
            &*chain,
            &OutcomeLine {
                namespace,
                policy,
                decision,
                audit_id,
                outcome,
                took_ms: 7,
            },
        );
    }
    let (target, stays, note) = (Some(target), Some(Replicas(12)), "replicas stay");
    print(
        &*chain,
        &ReleaseLine {
            namespace,
            policy,
            target,
            decision,
            stays,
            outcomes: &every::outcome(),
            note,
        },
    );
    holds(&lines(&output.text()), &[event::INTENT, event::OUTCOME, event::RELEASE]);
}

#[test]
fn every_event_of_the_process_and_its_sources_holds_to_the_schema() {
    let (chain, output) = log();
    let journal: &dyn Journal = &*chain;
    let (holder, namespace, policy) = ("forewarm-0_01J", "payments", "fraud-scorer");
    print(
        journal,
        &StartLine {
            version: VERSION,
            schema: SCHEMA,
            holder,
            tick_seconds: 15,
        },
    );
    journal.begin(3);
    print(
        journal,
        &LeaderLine {
            state: Leadership::Taken,
            holder,
            after: Some("2.9.ab"),
        },
    );
    print(
        journal,
        &LeaderLine {
            state: Leadership::Lost,
            holder,
            after: None,
        },
    );
    print(
        journal,
        &SwitchLine {
            stopped: true,
            why: "writes: off",
        },
    );
    let brake = BrakeLine {
        held: 6,
        targets: 20,
        ramps_begun: 5,
        unexpected_falls: 9,
        world_vanished: false,
    };
    print(journal, &brake);
    let message = Some("no answer within 9 s");
    print(
        journal,
        &SourceLine {
            profile: "http-inflight",
            up: false,
            why: Some("SourceDown"),
            message,
        },
    );
    let problems = ["spec.floor.min is 50: lower it to spec.floor.max".to_owned()];
    print(
        journal,
        &PolicyLine {
            namespace,
            policy,
            generation: Some(4),
            problems: &problems,
        },
    );
    let names = [
        event::START,
        event::LEADER,
        event::SWITCH,
        event::BRAKE,
        event::SOURCE,
        event::POLICY,
    ];
    holds(&lines(&output.text()), &names);
}

/// The lines have just these events, and hold to the schema.
fn holds(lines: &[Value], events: &[&str]) {
    let names: BTreeSet<&str> = lines.iter().map(|line| line["event.name"].as_str().unwrap()).collect();
    assert_eq!(names, events.iter().copied().collect());
    conforms(lines);
}

#[test]
fn what_the_schema_does_not_know_is_refused() {
    let (chain, output) = log();
    Teller::new(chain).tick(&[Sample::new(steady(2)).told()]);
    let validator = jsonschema::validator_for(&schema::document()).unwrap();
    let good = lines(&output.text()).remove(0);
    assert!(validator.is_valid(&good));
    assert_eq!(good["learned"]["forests"]["prior"], "0000000000c0ffee");
    for pointer in [
        "",
        "/learned",
        "/inputs",
        "/inputs/function/policy",
        "/inputs/standing",
        "/output",
    ] {
        let mut line = good.clone();
        line.pointer_mut(pointer).unwrap()["token"] = "secret".into();
        assert!(!validator.is_valid(&line), "{pointer}");
    }
    let mut unknown = good.clone();
    unknown["event.name"] = "forewarm.guess".into();
    assert!(!validator.is_valid(&unknown));
    for missing in ["time", "sha256", "inputs", "reason"] {
        let mut line = good.clone();
        line.as_object_mut().unwrap().remove(missing);
        assert!(!validator.is_valid(&line), "{missing}");
    }
}
