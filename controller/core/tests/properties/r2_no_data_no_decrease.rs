//! R2: with any required signal unknown nothing comes down, and what is known may still raise.

use crate::given::{self, val};
use forewarm_core::decide::Inputs;
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::policy::Mode;
use forewarm_core::units::Replicas;
use proptest::prelude::*;

/// Makes the signals of `subset` unknown: bit 0 the target, bit 1 the demand, bit 2 what a replica can serve.
fn unknown(inputs: &Inputs, subset: u8, why: &Why) -> Inputs {
    let mut inputs = inputs.clone();
    let observation = &mut inputs.function.observation;
    if subset & 1 != 0 {
        observation.target = Reading::Unknown(why.clone());
    }
    if subset & 2 != 0 {
        observation.demand = Reading::Unknown(why.clone());
    }
    if subset & 4 != 0 {
        inputs.function.policy.per_replica = None;
    }
    inputs
}

proptest! {
    #[test]
    fn r2_nothing_is_lowered_for_any_unknown_subset_and_reason(
        inputs in prop_oneof![given::inputs(), given::free_to_move()],
        subset in 1..8_u8,
        why in given::why(),
    ) {
        let decision = unknown(&inputs, subset, &why).decide();
        let kept = decision.held.map_or(decision.to().is_none(), |held| val(&decision) >= Some(held));
        prop_assert!(kept, "{decision:?}");
        prop_assert!(!decision.falls());
    }

    #[test]
    fn r2_nothing_is_lowered_on_the_live_field_either(
        inputs in given::free_to_move(), subset in 1..8_u8, why in given::why(),
    ) {
        let mut inputs = inputs;
        inputs.function.policy.mode = Mode::Enforce;
        let live = inputs.function.observation.target.known().map(|target| target.floor);
        let decision = unknown(&inputs, subset, &why).decide();
        if let Some(to) = decision.to() {
            prop_assert!(Some(to) >= live, "{decision:?}");
        }
    }

    #[test]
    fn r2_nothing_is_lowered_while_a_ready_pod_was_not_heard_of(
        inputs in given::free_to_move(), sample in given::sample(), unheard in 1..=u32::MAX,
    ) {
        let mut inputs = inputs;
        let heard = DemandSample { unheard: Replicas(unheard), ..sample };
        inputs.function.observation.demand = Reading::Known(heard);
        let decision = inputs.decide();
        let kept = decision.held.map_or(decision.to().is_none(), |held| val(&decision) >= Some(held));
        prop_assert!(kept && !decision.falls(), "{decision:?}");
    }

    #[test]
    fn r2_the_known_part_of_an_incomplete_demand_still_raises(
        inputs in given::free_to_move(), sample in given::sample(),
    ) {
        let mut inputs = inputs;
        inputs.function.observation.demand = Reading::Known(sample);
        let whole = inputs.decide();
        let part = Why::Incomplete { reporting: Replicas(1), ready: Replicas(2), at_least: sample.current };
        inputs.function.observation.demand = Reading::Unknown(part);
        let decision = inputs.decide();
        prop_assert!(!decision.falls());
        if val(&whole) > whole.held {
            prop_assert_eq!(val(&decision), val(&whole), "as if it were all there is");
        }
    }

    #[test]
    fn r2_the_forecast_still_raises_when_the_demand_is_unknown(
        inputs in given::free_to_move(), why in given::why(),
    ) {
        let decision = unknown(&inputs, 2, &why).decide();
        let (Some(wish), Some(held)) = (&decision.wish, decision.held) else { return Ok(()) };
        let wanted = wish.forecast.unwrap_or(Replicas::ZERO).min(inputs.function.policy.floor.max);
        if wanted > held {
            prop_assert!(val(&decision) > Some(held), "{decision:?}");
        }
    }

    #[test]
    fn r2_unknown_demand_is_never_reported_as_steady(inputs in given::free_to_move(), why in given::why()) {
        let decision = unknown(&inputs, 2, &why).decide();
        prop_assert_ne!(decision.verdict, forewarm_core::decision::Verdict::Steady);
        prop_assert!(decision.counterfactual.known().is_none());
    }
}
