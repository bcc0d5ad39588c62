//! Exp: the exponential of some numbers at once, none of them above zero. Pure.
//!
//! Without a branch and without a call, so that a compiler does several at a time: the mixture needs some fifty a
//! minute and quantile, which one by one were a tenth of its time.

/// Below it the result is none: `e^-87` is near the smallest number there is.
const LEAST: f32 = -87.0;
/// Adding it leaves the nearest whole number in the last bits; `1.5 * 2^23`.
const SHIFT: f32 = 12_582_912.0;
/// `ln 2` as a sum of two, the first of few bits, so that its multiples are exact.
const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
/// `1/n!` from the highest: the series of `e^r`, for `|r|` up to `ln 2 / 2` exact to a part in 10^8.
const TERMS: [f32; 8] = [
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// `e^x` of each `x`, at most zero; nothing below `e^-87` is told apart.
pub(crate) fn of<const N: usize>(mut exponents: [f32; N]) -> [f32; N] {
    for x in &mut exponents {
        *x = one(*x);
    }
    exponents
}

#[inline]
fn one(x: f32) -> f32 {
    let x = if x > LEAST { x } else { LEAST };
    // e^x = 2^k * e^r, k whole.
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = (x - k * LN_2.0) - k * LN_2.1;
    let mut power = 0.0;
    for term in TERMS {
        power = power * r + term;
    }
    // The last bits of `shifted` are k; as an exponent they are 2^k, and the rest of them falls out at the top.
    let two = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    power * two
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_exponential(x in prop_oneof![-86.0_f32..0.0, -2.0_f32..0.0, Just(0.0), Just(-0.0)]) {
            let [found] = of([x]);
            let exact = f64::from(x).exp();
            prop_assert!((f64::from(found) / exact - 1.0).abs() < 1e-6, "{found}, not {exact}");
        }
    }

    #[test]
    fn nothing_is_one_and_far_below_is_next_to_nothing() {
        let [one, least, not] = of([0.0, -1e9, f32::NEG_INFINITY]);
        assert!((one - 1.0).abs() < f32::EPSILON);
        assert!(least > 0.0 && least < 1e-37 && not > 0.0 && not < 1e-37);
    }
}
