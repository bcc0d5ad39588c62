//! The outage guard: failures and latency may hold what is held, and cause no lower value than none of them known.

use crate::given::{self, val};
use forewarm_core::decide::Inputs;
use forewarm_core::service::{Banded, Service};
use proptest::prelude::*;

fn with(inputs: &Inputs, service: Service) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.function.observation.service = service;
    inputs
}

fn banded() -> impl Strategy<Value = Option<Banded>> {
    prop::option::of((any::<u64>(), prop::option::of(any::<u64>())).prop_map(|(now, upper)| Banded { now, upper }))
}

fn service() -> impl Strategy<Value = Service> {
    (banded(), banded(), any::<bool>()).prop_map(|(errors, latency, unanswered)| Service {
        errors,
        latency,
        unanswered,
    })
}

proptest! {
    #[test]
    fn r3_how_calls_are_served_lowers_nothing(
        inputs in prop_oneof![given::inputs(), given::free_to_move()],
        service in service(),
    ) {
        prop_assert!(val(&with(&inputs, service).decide()) >= val(&with(&inputs, Service::default()).decide()));
    }

    #[test]
    fn r2_nothing_falls_below_the_ceiling_while_calls_are_served_worse_or_it_is_not_known(
        inputs in prop_oneof![given::inputs(), given::free_to_move()],
        unanswered in any::<bool>(),
    ) {
        let errors = Some(Banded { now: 500, upper: Some(20) });
        let worse = Service { errors: errors.filter(|_| !unanswered), latency: None, unanswered };
        let inputs = with(&inputs, worse);
        let decision = inputs.decide();
        let Some(held) = decision.held else { return Ok(()) };
        let lowered = decision.clamps.iter().any(|clamp| clamp.rule == "ceiling");
        prop_assert!(lowered || decision.to().unwrap_or(held) >= held, "{decision:?}");
    }
}
