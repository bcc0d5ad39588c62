//! R7: more demand never gives a lower floor. The brake is left out: it asks on purpose whether a *low* demand was
//! expected, and holds where it was not.

use crate::given::{self, val};
use forewarm_core::decide::{Fleet, Inputs};
use forewarm_core::observation::{DemandSample, Reading};
use proptest::prelude::*;

fn at(inputs: &Inputs, sample: DemandSample) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.fleet = Fleet::alone();
    inputs.function.observation.demand = Reading::Known(sample);
    inputs
}

proptest! {
    #[test]
    fn r7_more_demand_never_gives_a_lower_floor(
        inputs in prop_oneof![given::inputs(), given::free_to_move()],
        one in given::sample(),
        other in given::sample(),
    ) {
        let more = DemandSample { current: one.current.max(other.current), peak: one.peak.max(other.peak), unheard: forewarm_core::units::Replicas::ZERO };
        prop_assert!(val(&at(&inputs, more).decide()) >= val(&at(&inputs, one).decide()));
    }

    #[test]
    fn r7_more_demand_never_gives_a_lower_counterfactual(
        inputs in given::free_to_move(), one in given::sample(), other in given::sample(),
    ) {
        let more = DemandSample { current: one.current.max(other.current), peak: one.peak.max(other.peak), unheard: forewarm_core::units::Replicas::ZERO };
        let (less, more) = (at(&inputs, one).decide(), at(&inputs, more).decide());
        prop_assert!(more.counterfactual.known() >= less.counterfactual.known());
        prop_assert!(less.counterfactual.known().is_some());
    }
}
