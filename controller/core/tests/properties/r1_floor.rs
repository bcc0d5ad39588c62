//! R1: a written floor is at least `max(u, min)`.

use crate::given::{self, owed};
use crate::run::{self, Run};
use proptest::prelude::*;

proptest! {
    #[test]
    fn r1_no_write_goes_under_the_users_own_floor(inputs in given::inputs()) {
        let decision = inputs.decide();
        if let Some(to) = decision.to() {
            prop_assert!(to >= owed(&inputs, &decision), "{to} in {decision:?}");
        }
    }

    #[test]
    fn r1_a_floor_raised_far_above_what_is_held_is_written_at_once(inputs in given::free_to_move()) {
        let decision = inputs.decide();
        let owed = owed(&inputs, &decision);
        prop_assert!(given::val(&decision).is_some_and(|value| value >= owed), "{owed} in {decision:?}");
    }

    #[test]
    fn r1_holds_through_deploys_people_and_crashes(plan in run::plan()) {
        for tick in Run::of(&plan).ticks() {
            if let Some(to) = tick.decision.to() {
                prop_assert!(to >= tick.owed, "{to} under {} in {:?}", tick.owed, tick.decision);
            }
        }
    }
}
