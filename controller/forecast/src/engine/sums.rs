//! Sums: means, peaks and moves of a few hundred amounts, four at a time, NaN being "not known". Pure.
//!
//! Four sums beside each other need not wait for one another, which is most of what such a sum costs.

/// How many at a time.
const WIDE: usize = 4;

/// Mean of what is known, to the last bit of whole numbers; NaN of nothing.
pub(crate) fn mean(values: &[f32]) -> f64 {
    let (mut sums, mut counts) = ([0.0_f64; WIDE], [0.0_f64; WIDE]);
    let (fours, rest) = values.as_chunks::<WIDE>();
    let mut add = |place: usize, value: f32| {
        let known = !value.is_nan();
        sums[place] += if known { f64::from(value) } else { 0.0 };
        counts[place] += if known { 1.0 } else { 0.0 };
    };
    for four in fours {
        for (place, value) in four.iter().enumerate() {
            add(place, *value);
        }
    }
    for (place, value) in rest.iter().enumerate() {
        add(place, *value);
    }
    // Of none it is 0 / 0, which is NaN.
    sums.iter().sum::<f64>() / counts.iter().sum::<f64>()
}

/// Mean of a few numbers, those that are known; NaN of nothing.
pub(crate) fn mean_of<const N: usize>(values: [f64; N]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        let known = !value.is_nan();
        sum += if known { value } else { 0.0 };
        count += if known { 1.0 } else { 0.0 };
    }
    // Of none it is 0 / 0, which is NaN.
    sum / count
}

/// Mean of `|a - b|` where both are known; NaN of none.
pub(crate) fn moves(later: &[f32], earlier: &[f32]) -> f64 {
    let (mut sums, mut counts) = ([0.0; WIDE], [0.0; WIDE]);
    let all = later.len().min(earlier.len());
    let (later, later_rest) = later[..all].as_chunks::<WIDE>();
    let (earlier, earlier_rest) = earlier[..all].as_chunks::<WIDE>();
    let mut add = |place: usize, a: f32, b: f32| {
        let move_ = (a - b).abs();
        let known = !move_.is_nan();
        sums[place] += if known { move_ } else { 0.0 };
        counts[place] += if known { 1.0 } else { 0.0 };
    };
    for (a, b) in later.iter().zip(earlier) {
        for place in 0..WIDE {
            add(place, a[place], b[place]);
        }
    }
    for (place, (a, b)) in later_rest.iter().zip(earlier_rest).enumerate() {
        add(place, *a, *b);
    }
    let all = |of: [f32; WIDE]| of.into_iter().map(f64::from).sum::<f64>();
    all(sums) / all(counts)
}

/// Largest of what is known; NaN of nothing.
pub(crate) fn largest(values: &[f32]) -> f64 {
    let mut most = [f32::NEG_INFINITY; WIDE];
    let (fours, rest) = values.as_chunks::<WIDE>();
    for four in fours {
        for (most, value) in most.iter_mut().zip(four) {
            *most = larger(*value, *most);
        }
    }
    let [a, b, c, d] = most;
    let rest = rest.iter().fold(f32::NEG_INFINITY, |most, value| larger(*value, most));
    found(larger(rest, larger(larger(a, b), larger(c, d))))
}

/// Smallest of what is known; NaN of nothing.
pub(crate) fn smallest(values: &[f32]) -> f64 {
    let mut least = f32::INFINITY;
    for value in values {
        least = if *value < least { *value } else { least };
    }
    if least == f32::INFINITY {
        f64::NAN
    } else {
        f64::from(least)
    }
}

/// The larger; `than` where `value` is NaN. One instruction, unlike `f32::max`.
pub(crate) fn larger(value: f32, than: f32) -> f32 {
    if value > than { value } else { than }
}

/// NaN in the place of the minus infinity that the largest of nothing is.
fn found(most: f32) -> f64 {
    if most == f32::NEG_INFINITY {
        f64::NAN
    } else {
        f64::from(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-5 * b.abs()
    }

    fn one_by_one(values: impl Iterator<Item = f64>) -> f64 {
        let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        let count = known.iter().fold(0.0, |count, _| count + 1.0);
        known.iter().sum::<f64>() / count
    }

    proptest! {
        #[test]
        fn four_at_a_time_are_what_one_by_one_is(
            values in prop::collection::vec(prop_oneof![0.0_f32..9.0, Just(0.0), Just(f32::NAN)], 0..60),
            ago in 0_usize..9,
        ) {
            prop_assert!(near(mean(&values), one_by_one(values.iter().copied().map(f64::from))));
            let later = &values[ago.min(values.len())..];
            let moved = later.iter().zip(&values).map(|(a, b)| f64::from((a - b).abs()));
            prop_assert!(near(moves(later, &values), one_by_one(moved)));
            let fold = |fold: fn(f32, f32) -> f32| f64::from(values.iter().copied().fold(f32::NAN, fold));
            prop_assert!(near(largest(&values), fold(f32::max)));
            prop_assert!(near(smallest(&values), fold(f32::min)));
            let few = [0, 1, 2].map(|place| values.get(place).map_or(f64::NAN, |value| f64::from(*value)));
            prop_assert!(near(mean_of(few), one_by_one(few.into_iter())));
        }
    }
}
