//! R10: no input panics, overflows or divides by zero.

use crate::given;
use forewarm_core::decide::{Function, Inputs, World, decide};
use forewarm_core::decision::Verdict;
use forewarm_core::finding::findings;
use forewarm_core::outcome::{Fence, Outcome, RefusedKind};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Percent, Replicas, Seconds};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// Inputs whose numbers no parser would let through: `min > max`, `max` 0, endless spans, the end of time.
fn wild() -> impl Strategy<Value = Inputs> {
    let bounds = (prop::option::of(given::pods()), given::pods());
    let scale_down = (any::<u32>(), any::<u32>(), given::percent());
    (given::inputs(), bounds, scale_down, any::<u64>()).prop_map(
        |(mut inputs, (min, max), (stabilization, step, percent), now)| {
            inputs.function.policy.floor.min = min;
            inputs.function.policy.floor.max = max;
            inputs.function.policy.scale_down.stabilization = Seconds(stabilization);
            inputs.function.policy.scale_down.step = Seconds(step);
            inputs.function.policy.scale_down.step_percent = percent;
            inputs.now.mono = Mono(now);
            inputs
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::Applied,
        Outcome::Shadow,
        Outcome::Conflict,
        Outcome::TimedOut,
        Outcome::Refused {
            kind: RefusedKind::Invalid,
            message: String::new(),
        },
        Outcome::Fenced { by: Fence::TickFull },
    ])
}

fn key(number: usize) -> FunctionKey {
    FunctionKey {
        namespace: "payments".into(),
        name: number.to_string().into(),
    }
}

/// Puts `bits` in place of the number that `at` picks, as a float or as an integer.
fn corrupt(json: &mut Value, at: &mut usize, bits: u64) {
    match json {
        Value::Number(_) if *at == 0 => {
            *json = if bits & 1 == 0 {
                Value::from(bits)
            } else {
                Value::from(f64::from_bits(bits))
            };
            *at = usize::MAX;
        }
        Value::Number(_) => *at -= 1,
        Value::Array(items) => items.iter_mut().for_each(|item| corrupt(item, at, bits)),
        Value::Object(fields) => fields.values_mut().for_each(|field| corrupt(field, at, bits)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn r10_deciding_folding_and_telling_never_panic(
        inputs in wild(), outcomes in prop::collection::vec(outcome(), 0..3),
    ) {
        let Inputs { function, standing, now, .. } = &inputs;
        let decision = inputs.decide();
        let next = standing.fold(function, &decision, &outcomes, *now);
        prop_assert!(next.wishes.len() <= standing.wishes.len() + 1);
        prop_assert_eq!(findings(function, &decision).len(), 8);
        let again = Inputs { standing: next, ..inputs.clone() }.decide();
        prop_assert_eq!(again.held.is_some(), decision.held.is_some());
    }

    #[test]
    fn r10_no_fleet_panics_and_every_decision_is_that_of_its_own_inputs(
        fleet in prop::collection::vec(wild(), 0..12), lists in any::<[u32; 4]>(),
    ) {
        let functions: BTreeMap<FunctionKey, Function> =
            fleet.iter().enumerate().map(|(number, inputs)| (key(number), inputs.function.clone())).collect();
        let standing: BTreeMap<_, _> =
            fleet.iter().enumerate().map(|(number, inputs)| (key(number), inputs.standing.clone())).collect();
        let now = fleet.first().map(|inputs| inputs.now).unwrap_or_default();
        let [policies_before, policies_now, targets_before, targets_now] = lists;
        let world = World { policies_before, policies_now, targets_before, targets_now };
        let decided = decide(&functions, world, &standing, now);
        prop_assert_eq!(decided.len(), functions.len());
        for (key, decided) in functions.keys().zip(decided) {
            let inputs = Inputs {
                function: functions[key].clone(),
                fleet: decided.fleet,
                standing: standing[key].clone(),
                now,
            };
            prop_assert_eq!(inputs.decide(), decided.decision);
        }
    }

    #[test]
    fn r10_a_corrupted_line_is_refused_or_decided(inputs in wild(), at in 0..60_usize, bits in any::<u64>()) {
        let mut json = serde_json::to_value(&inputs).expect("inputs can be written");
        corrupt(&mut json, &mut { at }, bits);
        if let Ok(inputs) = serde_json::from_value::<Inputs>(json) {
            let decision = inputs.decide();
            prop_assert!(!matches!(decision.verdict, Verdict::Apply(steps) if steps.is_empty()));
        }
    }

    #[test]
    fn r10_amounts_of_pods_saturate(one in given::pods(), other in given::pods(), percent in given::percent()) {
        prop_assert!(one.plus(other) >= one.max(other));
        prop_assert!(one.minus(other) <= one);
        prop_assert!(one.percent_up(percent) <= one);
        let all = Percent::new(100).expect("100 is a percentage");
        prop_assert_eq!(one.percent_up(all), one);
        prop_assert_eq!(Replicas::ZERO.minus(one), Replicas::ZERO);
    }
}
