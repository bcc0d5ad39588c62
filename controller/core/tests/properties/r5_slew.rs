//! R5: how far the floor falls within one step and rises in one tick.

use crate::given;
use crate::run::{self, Run, Tick};
use forewarm_core::decision::FieldVerdict;
use forewarm_core::policy::Policy;
use forewarm_core::units::Replicas;
use proptest::prelude::*;

/// Largest fall within a step that starts at `floor`, by the policy.
fn a_step(policy: &Policy, floor: Replicas) -> u32 {
    let share = u64::from(floor.0) * u64::from(policy.scale_down.step_percent.get());
    u32::try_from(share.div_ceil(100)).expect("at most the floor").max(1)
}

/// Checks a fall against every earlier moment of the same step: from the floor in force then to the floor after.
/// A write of somebody else, and a change between the virtual and the real floor, begins a new count.
fn check(past: &[Tick], fall: &Tick) -> Result<(), TestCaseError> {
    for start in past.iter().rev() {
        let same = start.policy.mode == fall.policy.mode;
        if !same || fall.now.passed(start.now, fall.policy.scale_down.step) {
            break;
        }
        let fallen = start.before.minus(fall.after);
        let most = a_step(&fall.policy, start.before);
        prop_assert!(
            fallen.0 <= most,
            "from {} to {} within a step",
            start.before,
            fall.after
        );
        if start.disturbed {
            break;
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn r5_falls_within_any_step_are_small_also_across_crashes(plan in run::plan()) {
        let ticks = Run::of(&plan).ticks();
        for (number, tick) in ticks.iter().enumerate() {
            if tick.after < tick.before {
                check(&ticks[..=number], tick)?;
            }
        }
    }

    #[test]
    fn r5_no_single_write_passes_the_admission_rail(plan in run::plan()) {
        for tick in Run::of(&plan).ticks() {
            let fallen = tick.before.minus(tick.after).0;
            prop_assert!(fallen <= (tick.before.0 / 4).max(1), "from {} to {}", tick.before, tick.after);
            prop_assert!(tick.after > Replicas::ZERO || tick.before == Replicas::ZERO);
        }
    }

    #[test]
    fn r5_a_tick_adds_at_most_four_or_doubles(inputs in prop_oneof![given::inputs(), given::free_to_move()]) {
        let decision = inputs.decide();
        let (Some(to), Some(held)) = (decision.to(), decision.held) else { return Ok(()) };
        let most = held.plus(held.max(Replicas(4)));
        prop_assert!(to <= most.max(given::owed(&inputs, &decision)), "{decision:?}");
    }

    /// What is held is the live field, so the bound is one of the live field; only after a deploy's reset is it what
    /// was held before.
    #[test]
    fn r5_a_tick_adds_little_to_the_live_field_but_for_a_reset(plan in run::plan()) {
        let mut reset = Replicas::ZERO;
        for tick in Run::of(&plan).ticks() {
            if matches!(tick.decision.field, FieldVerdict::Reset { .. }) {
                reset = tick.inputs.standing.held.unwrap_or(reset);
            }
            let most = tick.before.plus(tick.before.max(Replicas(4))).max(tick.owed);
            let most = most.max(reset.plus(reset.max(Replicas(4))));
            prop_assert!(tick.after <= most, "{:?}", tick.decision);
        }
    }
}
