//! R9: a sample that is not an amount gives what no sample gives.

use crate::given::{self, val};
use forewarm_core::decide::Inputs;
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::units::{Demand, Percent, Slots};
use proptest::prelude::*;

fn reads(inputs: &Inputs, demand: Reading<DemandSample>) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.function.observation.demand = demand;
    inputs
}

/// Bit patterns of floats, most of them not amounts.
fn bits() -> impl Strategy<Value = f64> {
    let odd = prop::sample::select(vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        -1.0,
        f64::MIN,
        f64::MAX,
    ]);
    prop_oneof![1 => odd, 1 => any::<u64>().prop_map(f64::from_bits), 1 => -10.0..10.0_f64]
}

proptest! {
    #[test]
    fn r9_a_bad_sample_gives_what_no_sample_gives(
        inputs in prop_oneof![given::inputs(), given::free_to_move()], amount in bits(),
    ) {
        let read = Reading::<Demand>::of(amount);
        let garbage = !(amount.is_finite() && amount >= 0.0);
        prop_assert_eq!(read.known().is_none(), garbage);
        if garbage {
            let bad = reads(&inputs, read.map(|amount| DemandSample { current: amount, peak: amount, unheard: forewarm_core::units::Replicas::ZERO })).decide();
            let none = reads(&inputs, Reading::Unknown(Why::Absent)).decide();
            prop_assert_eq!(val(&bad), val(&none));
            prop_assert_eq!(bad.verdict, none.verdict);
        }
    }

    #[test]
    fn r9_every_amount_that_is_taken_is_finite_and_in_range(amount in bits(), byte in any::<u8>()) {
        if let Some(demand) = Demand::new(amount) {
            prop_assert!(demand.get().is_finite() && demand.get() >= 0.0 && demand.get().is_sign_positive());
        }
        if let Some(slots) = Slots::new(amount) {
            prop_assert!(slots.get().is_finite() && slots.get() > 0.0);
        }
        prop_assert_eq!(Percent::new(byte).is_some(), byte <= 100);
    }

    #[test]
    fn r9_the_deserializers_refuse_what_the_constructors_refuse(amount in bits(), number in any::<i64>()) {
        let json = serde_json::to_string(&amount).expect("a float can be written");
        prop_assert_eq!(serde_json::from_str::<Demand>(&json).ok(), Demand::new(amount));
        prop_assert_eq!(serde_json::from_str::<Slots>(&json).ok(), Slots::new(amount));
        let percent = u8::try_from(number).ok().and_then(Percent::new);
        prop_assert_eq!(serde_json::from_str::<Percent>(&number.to_string()).ok(), percent);
    }
}
