//! Sums: means, peaks and moves of a few hundred amounts, four at a time, NaN being "not known". Pure.
//!
//! Four sums beside each other need not wait for one another, which is most of what such a sum costs.

/// How many at a time.
const WIDE: usize = 4;

/// Mean of what is known; NaN of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let (mut sums, mut counts) = ([0.0; WIDE], [0.0; WIDE]);
    let four = values.chunks_exact(WIDE);
    let rest = four.remainder();
    let mut add = |place: usize, value: f64| {
        let known = !value.is_nan();
        sums[place] += if known { value } else { 0.0 };
        counts[place] += if known { 1.0 } else { 0.0 };
    };
    for four in four {
        for (place, value) in four.iter().enumerate() {
            add(place, *value);
        }
    }
    for (place, value) in rest.iter().enumerate() {
        add(place, *value);
    }
    divided(sums, counts)
}

/// Mean of `|a - b|` where both are known; NaN of none.
pub(crate) fn moves(later: &[f64], earlier: &[f64]) -> f64 {
    let (mut sums, mut counts) = ([0.0; WIDE], [0.0; WIDE]);
    let both = later.chunks_exact(WIDE).zip(earlier.chunks_exact(WIDE));
    let mut add = |place: usize, a: f64, b: f64| {
        let move_ = (a - b).abs();
        let known = !move_.is_nan();
        sums[place] += if known { move_ } else { 0.0 };
        counts[place] += if known { 1.0 } else { 0.0 };
    };
    for (a, b) in both {
        for place in 0..WIDE {
            add(place, a[place], b[place]);
        }
    }
    let done = later.len().min(earlier.len()) / WIDE * WIDE;
    for (place, (a, b)) in later[done..].iter().zip(&earlier[done..]).enumerate() {
        add(place % WIDE, *a, *b);
    }
    divided(sums, counts)
}

fn divided(sums: [f64; WIDE], counts: [f64; WIDE]) -> f64 {
    let count: f64 = counts.iter().sum();
    if count > 0.0 {
        sums.iter().sum::<f64>() / count
    } else {
        f64::NAN
    }
}

/// Largest of what is known; NaN of nothing.
pub(crate) fn largest(values: &[f64]) -> f64 {
    let mut most = [f64::NEG_INFINITY; WIDE];
    let four = values.chunks_exact(WIDE);
    for (place, value) in four.remainder().iter().enumerate() {
        most[place] = larger(*value, most[place]);
    }
    for four in four {
        for (most, value) in most.iter_mut().zip(four) {
            *most = larger(*value, *most);
        }
    }
    known(most.iter().fold(f64::NEG_INFINITY, |most, value| larger(*value, most)))
}

/// Smallest of what is known; NaN of nothing.
pub(crate) fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

/// The larger; `than` where `value` is NaN. One instruction, unlike `f64::max`.
pub(crate) fn larger(value: f64, than: f64) -> f64 {
    if value > than { value } else { than }
}

/// NaN in the place of the minus infinity that the largest of nothing is.
fn known(most: f64) -> f64 {
    if most == f64::NEG_INFINITY { f64::NAN } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * b.abs()
    }

    fn one_by_one(values: impl Iterator<Item = f64>) -> f64 {
        let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        let count = known.iter().fold(0.0, |count, _| count + 1.0);
        known.iter().sum::<f64>() / count
    }

    proptest! {
        #[test]
        fn four_at_a_time_are_what_one_by_one_is(
            values in prop::collection::vec(prop_oneof![0.0..9.0, Just(0.0), Just(f64::NAN)], 0..60),
            ago in 0_usize..9,
        ) {
            prop_assert!(near(mean(&values), one_by_one(values.iter().copied())));
            let later = &values[ago.min(values.len())..];
            let moved = later.iter().zip(&values).map(|(a, b)| (a - b).abs());
            prop_assert!(near(moves(later, &values), one_by_one(moved)));
            prop_assert!(near(largest(&values), values.iter().copied().fold(f64::NAN, f64::max)));
        }
    }
}
