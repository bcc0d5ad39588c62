//! R7 as it shows in a burst: where nobody else scales, the newest sample raises the floor in the tick that sees it, as far
//! as slew and the ceiling let it, and the pods that are starting are not asked for again.

use crate::given;
use forewarm_core::observation::Reading;
use forewarm_core::units::Replicas;
use proptest::prelude::*;

proptest! {
    #[test]
    fn r7_the_tick_that_sees_a_burst_raises_for_it(inputs in given::free_to_move()) {
        let decision = inputs.decide();
        let (Some(wish), Some(held)) = (&decision.wish, decision.held) else { return Ok(()) };
        let need = wish.reactive.known().copied().unwrap_or(Replicas::ZERO);
        let ceiling = inputs.function.policy.floor.max.max(wish.user);
        let at_once = need.min(ceiling).min(held.plus(held.max(Replicas(4))));
        prop_assert!(given::val(&decision) >= Some(at_once), "{decision:?}");
    }

    /// However many of the pods are still starting, no more are asked for than the burst needs.
    #[test]
    fn r7_pods_that_are_starting_are_not_asked_for_again(
        inputs in given::free_to_move(), ready in given::pods(), starting in given::pods(),
    ) {
        let mut other = inputs.clone();
        if let Reading::Known(target) = &mut other.function.observation.target {
            (target.ready, target.starting) = (ready, starting);
        }
        let (one, other) = (inputs.decide(), other.decide());
        prop_assert_eq!(&one, &other);
        let wish = one.wish.as_ref().map(|wish| wish.to);
        prop_assert!(one.to() <= one.held.max(wish), "{one:?}");
    }
}
