//! Exp: the exponential of some numbers at once, none of them above zero. Pure.
//!
//! Without a branch and without a call, so that a compiler does several at a time: the mixture needs some thirty a
//! minute and quantile, which one by one were a tenth of its time.

/// Below it the result is none: `e^-700` is near the smallest number there is.
const LEAST: f64 = -700.0;
/// Adding it leaves the nearest whole number in the last bits; `1.5 * 2^52`.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// `ln 2` as a sum of two, the first of few bits, so that its multiples are exact.
const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
/// `1/n!` from the highest: the series of `e^r`, for `|r|` up to `ln 2 / 2` exact to a part in 10^14.
const TERMS: [f64; 12] = [
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// `e^x` of each `x`, at most zero; nothing below `e^-700` is told apart.
pub(crate) fn of<const N: usize>(mut exponents: [f64; N]) -> [f64; N] {
    for x in &mut exponents {
        *x = one(*x);
    }
    exponents
}

#[inline]
fn one(x: f64) -> f64 {
    let x = if x > LEAST { x } else { LEAST };
    // e^x = 2^k * e^r, k whole.
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = (x - k * LN_2.0) - k * LN_2.1;
    let mut power = 0.0;
    for term in TERMS {
        power = power * r + term;
    }
    // The last bits of `shifted` are k; as an exponent they are 2^k, and the rest of them falls out at the top.
    let two = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    power * two
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_exponential(x in prop_oneof![-699.0..0.0, -2.0..0.0, Just(0.0), Just(-0.0)]) {
            let [found] = of([x]);
            prop_assert!((found / x.exp() - 1.0).abs() < 1e-13, "{found}, not {}", x.exp());
        }
    }

    #[test]
    fn nothing_is_one_and_far_below_is_next_to_nothing() {
        let [one, least, not] = of([0.0, -1e9, f64::NEG_INFINITY]);
        assert!((one - 1.0).abs() < f64::EPSILON);
        assert!(least > 0.0 && least < 1e-300 && not > 0.0 && not < 1e-300);
    }
}
