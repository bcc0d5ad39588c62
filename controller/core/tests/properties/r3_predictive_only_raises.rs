//! R3: a forecast, whatever it says, never gives a lower value than none.

use crate::given::{self, val};
use forewarm_core::decide::Inputs;
use forewarm_core::forecast::{Distrust, Trust};
use forewarm_core::policy::ForecastMode;
use proptest::prelude::*;

/// The same, but nothing may be raised on it. Its band of one horizon ago stays: what was expected then is an
/// input of the brake, equal on both sides.
fn distrusted(inputs: &Inputs) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.function.forecast.trust = Trust::Untrusted(Distrust::ModelFailed);
    inputs
}

proptest! {
    #[test]
    fn r3_any_forecast_gives_at_least_what_none_gives(
        inputs in prop_oneof![given::inputs(), given::free_to_move()],
    ) {
        prop_assert!(val(&inputs.decide()) >= val(&distrusted(&inputs).decide()));
    }

    #[test]
    fn r3_a_higher_forecast_gives_at_least_as_much(inputs in given::free_to_move(), more in given::demand()) {
        let mut higher = inputs.clone();
        higher.function.forecast.upper = inputs.function.forecast.upper.max(more);
        prop_assert!(val(&higher.decide()) >= val(&inputs.decide()));
    }

    #[test]
    fn r3_a_forecast_switched_off_adds_nothing(inputs in given::inputs()) {
        let mut off = inputs.clone();
        off.function.policy.forecast = ForecastMode::Off;
        prop_assert_eq!(val(&off.decide()), val(&distrusted(&inputs).decide()));
    }
}
