//! Past: what a function's demand was, minute by minute, as the engine reads it. Pure.

/// Amounts by minute; NaN is "not known". Nothing after the minute being forecast from may be shown.
pub trait Past {
    /// The amount of one minute.
    fn at(&self, minute: i64) -> f64;

    /// Copies the amounts from minute `from` on.
    fn copy(&self, from: i64, into: &mut [f64]) {
        for (minute, slot) in (from..).zip(into) {
            *slot = self.at(minute);
        }
    }
}

/// A past held as a slice; its last value is the newest minute that may be known.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Minute of the first value.
    pub first: i64,
    /// The amounts.
    pub values: &'a [f64],
}

impl Past for Series<'_> {
    fn at(&self, minute: i64) -> f64 {
        usize::try_from(minute.saturating_sub(self.first))
            .ok()
            .and_then(|place| self.values.get(place).copied())
            .unwrap_or(f64::NAN)
    }

    fn copy(&self, from: i64, into: &mut [f64]) {
        let start = from.saturating_sub(self.first);
        let whole = usize::try_from(start)
            .ok()
            .and_then(|start| self.values.get(start..start + into.len()));
        match whole {
            Some(values) => into.copy_from_slice(values),
            None => (from..).zip(into).for_each(|(minute, slot)| *slot = self.at(minute)),
        }
    }
}

impl Past for crate::history::Window<'_> {
    fn at(&self, minute: i64) -> f64 {
        self.minute(minute).unwrap_or(f64::NAN)
    }

    fn copy(&self, from: i64, into: &mut [f64]) {
        self.copy_minutes(from, into);
    }
}

/// Mean of what is known; NaN of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        if !value.is_nan() {
            sum += value;
            count += 1.0;
        }
    }
    if count > 0.0 { sum / count } else { f64::NAN }
}

/// Largest of what is known; NaN of nothing.
pub(crate) fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

/// The smallest value with at least `share` of all at or below it; NaN of nothing. Reorders the values, all of
/// them known.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    let Some(rank) = rank(values.len(), share) else {
        return f64::NAN;
    };
    let above = values.len() - rank;
    if above <= FEW.min(values.len() / 8) {
        return largest_but(values.iter().copied(), above);
    }
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// As [`quantile`], of what is known among a few hundred values, NaN being "not known". No more than [`FEW`] of them
/// may lie above it.
pub(crate) fn upper_quantile(values: impl Iterator<Item = f64> + Clone, share: f64) -> f64 {
    let known = values.filter(|value| !value.is_nan());
    let count = known.clone().count();
    rank(count, share).map_or(f64::NAN, |rank| largest_but(known, count - rank))
}

/// Values from the top up to which, and up to an eighth of all, a quantile is found by keeping them in a heap: a third
/// of the time of a selection.
const FEW: usize = 80;

/// The `nth` largest of known values, `1..=FEW` and at most as many as there are.
fn largest_but(values: impl Iterator<Item = f64>, nth: usize) -> f64 {
    // The largest so far, the least of them on top.
    let mut heap = [f64::NEG_INFINITY; FEW];
    let heap = &mut heap[..nth];
    for value in values {
        if value > heap[0] {
            sink(heap, value);
        }
    }
    heap[0]
}

/// Puts `value` in the place of the least.
fn sink(heap: &mut [f64], value: f64) {
    let mut place = 0;
    loop {
        let left = 2 * place + 1;
        let right = (left + 1).min(heap.len() - 1);
        if left >= heap.len() {
            break;
        }
        let least = if heap[right] < heap[left] { right } else { left };
        if heap[least] >= value {
            break;
        }
        heap[place] = heap[least];
        place = least;
    }
    heap[place] = value;
}

/// Several quantiles of the same known values, each looked for beside the last one found.
pub(crate) fn quantiles(values: &mut [f64], shares: &[f64], uppers: &mut [f64]) {
    let mut last: Option<usize> = None;
    for (upper, share) in uppers.iter_mut().zip(shares) {
        let Some(rank) = rank(values.len(), *share) else {
            *upper = f64::NAN;
            continue;
        };
        *upper = match last {
            Some(last) if rank == last => values[rank],
            Some(last) if rank > last => {
                let above = &mut values[last + 1..];
                *above.select_nth_unstable_by(rank - last - 1, f64::total_cmp).1
            }
            Some(last) => *values[..last].select_nth_unstable_by(rank, f64::total_cmp).1,
            None => *values.select_nth_unstable_by(rank, f64::total_cmp).1,
        };
        last = Some(rank);
    }
}

/// The largest known one of each `run` values in a row, in place and by doubling; as many as there are such runs.
pub(crate) fn peaks(values: &mut [f64], run: usize) -> &mut [f64] {
    let count = (values.len() + 1).saturating_sub(run.max(1));
    let mut wide = 1;
    while wide < run {
        let step = wide.min(run - wide);
        for place in 0..values.len() - step.min(values.len()) {
            values[place] = values[place].max(values[place + step]);
        }
        wide += step;
    }
    &mut values[..count]
}

/// Place of a quantile among `count` values in order.
pub(crate) fn rank(count: usize, share: f64) -> Option<usize> {
    let last = count.checked_sub(1)?;
    // From float, `as` saturates; std offers no other way. Less a hair, so that 0.95 * 20 is 19.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let up = (share * number(count) - 1e-9).ceil().max(1.0) as usize;
    Some((up - 1).min(last))
}

/// A count as a number.
pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Minutes as a number.
pub(crate) fn minutes(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

/// The nearest single-precision number.
#[allow(clippy::cast_possible_truncation)] // the rounding is what is wanted
pub(crate) fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_sorting(values: &[f64], share: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        rank(sorted.len(), share).map_or(f64::NAN, |rank| sorted[rank])
    }

    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    proptest! {
        #[test]
        fn the_quick_ways_find_what_sorting_finds(
            values in prop::collection::vec(prop_oneof![0.0..9.0, Just(3.0), Just(0.0)], 0..400),
            shares in prop::collection::vec(0.01..0.999, 1..5),
        ) {
            let wanted: Vec<f64> = shares.iter().map(|share| by_sorting(&values, *share)).collect();
            let mut uppers = vec![0.0; shares.len()];
            quantiles(&mut values.clone(), &shares, &mut uppers);
            for ((share, wanted), upper) in shares.iter().zip(wanted).zip(uppers) {
                prop_assert!(same(quantile(&mut values.clone(), *share), wanted));
                if *share >= 0.9 && values.len() <= 300 {
                    let with_gaps = values.iter().flat_map(|value| [f64::NAN, *value]);
                    prop_assert!(same(upper_quantile(with_gaps, *share), wanted));
                }
                prop_assert!(same(upper, wanted));
            }
        }

        #[test]
        fn peaks_by_doubling_are_those_of_each_run(
            values in prop::collection::vec(prop_oneof![0.0..9.0, Just(f64::NAN)], 0..80),
            run in 1_usize..30,
        ) {
            let wanted: Vec<f64> = values.windows(run).map(largest).collect();
            let mut doubled = values.clone();
            let doubled = peaks(&mut doubled, run);
            prop_assert_eq!(doubled.len(), wanted.len());
            prop_assert!(doubled.iter().zip(&wanted).all(|(a, b)| same(*a, *b)));
        }
    }
}
