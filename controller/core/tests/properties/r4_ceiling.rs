//! R4: no raise passes `max` unless the user's own floor demands it; a lowered `max` is come down to.

use crate::given::{self, owed};
use crate::run::{self, Run};
use forewarm_core::decision::{Step, Verdict};
use forewarm_core::standing::Wished;
use forewarm_core::units::{Mono, Replicas, Seconds};
use proptest::prelude::*;

proptest! {
    #[test]
    fn r4_no_raise_passes_max(inputs in prop_oneof![given::inputs(), given::free_to_move()]) {
        let decision = inputs.decide();
        let Verdict::Apply(steps) = &decision.verdict else { return Ok(()) };
        for step in steps {
            let Step::SetFloor { from, to, .. } = step else { continue };
            let most = inputs.function.policy.floor.max.max(owed(&inputs, &decision));
            prop_assert!(to <= from || *to <= most, "{to} above {most} in {decision:?}");
        }
    }

    #[test]
    fn r4_no_raise_of_the_live_field_passes_max_through_deploys_and_crashes(plan in run::plan()) {
        for tick in Run::of(&plan).ticks() {
            if tick.after > tick.before {
                let most = tick.policy.floor.max.max(tick.owed);
                prop_assert!(tick.after <= most, "{} above {most} in {:?}", tick.after, tick.decision);
            }
        }
    }

    /// Old wishes keep nothing above a lowered `max`, but the demand must be known and the step small.
    #[test]
    fn r4_a_lowered_max_is_come_down_to_against_older_wishes(
        inputs in given::free_to_move(), old in given::pods(),
    ) {
        let mut inputs = inputs;
        inputs.standing.wishes = vec![Wished { at: Mono(inputs.now.mono.0 - 1), floor: old }];
        inputs.function.policy.scale_down.stabilization = Seconds(300);
        let decision = inputs.decide();
        let held = decision.held.unwrap_or(Replicas::ZERO);
        if held > inputs.function.policy.floor.max.max(owed(&inputs, &decision)) {
            prop_assert!(decision.falls(), "{decision:?}");
        }
    }
}
