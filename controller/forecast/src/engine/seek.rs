//! Seek: an order statistic of values that have changed little since it was last looked for. Pure.
//!
//! It is looked for from where it was: how many values lie above tells whether it still stands, else the next one up or
//! down is tried. A pass over the values is a count without a branch; a selection costs some ten times as much.

use super::past::{number, rank};
use super::sums::larger;

/// Passes before a selection is the quicker way.
const PASSES: usize = 8;
/// Values looked at beside each other.
const WIDE: usize = 4;

/// The smallest value with at least each share of the known ones at or below it; NaN of nothing.
///
/// `values`: NaN or minus infinity is "not known". `lasts`: where each is looked for first, and then what was found; any
/// number will do, a near one is quick. `sort` is work space.
pub(crate) fn seek(values: &[f32], shares: &[f64], lasts: &mut [f32], sort: &mut Vec<f32>) {
    let known = count(values, |value| value > f32::NEG_INFINITY);
    for (last, share) in lasts.iter_mut().zip(shares) {
        let Some(rank) = rank(known, *share) else {
            *last = f32::NAN;
            continue;
        };
        let found = if last.is_nan() {
            None
        } else {
            near(values, known, rank, *last)
        };
        *last = found.unwrap_or_else(|| select(values, rank, sort));
    }
}

fn near(values: &[f32], known: usize, rank: usize, mut at: f32) -> Option<f32> {
    for _ in 0..PASSES {
        let [above, from] = above_and_from(values, at);
        if known - above <= rank {
            at = next_above(values, at);
        } else if known - from > rank {
            at = next_below(values, at);
        } else {
            return Some(at);
        }
    }
    None
}

/// How many values lie above, and how many there or above.
fn above_and_from(values: &[f32], at: f32) -> [usize; 2] {
    let (mut above, mut from) = (0_u32, 0_u32);
    for value in values {
        above += u32::from(*value > at);
        from += u32::from(*value >= at);
    }
    [above, from].map(|count| usize::try_from(count).unwrap_or(0))
}

fn count(values: &[f32], is: impl Fn(f32) -> bool) -> usize {
    let mut count = 0_u32;
    for value in values {
        count += u32::from(is(*value));
    }
    usize::try_from(count).unwrap_or(0)
}

fn next_above(values: &[f32], at: f32) -> f32 {
    let nearer = |value: f32, least: f32| {
        let value = if value > at { value } else { f32::INFINITY };
        if value < least { value } else { least }
    };
    nearest(values, f32::INFINITY, nearer)
}

fn next_below(values: &[f32], at: f32) -> f32 {
    let nearer = |value: f32, most: f32| {
        let value = if value < at { value } else { f32::NEG_INFINITY };
        larger(value, most)
    };
    nearest(values, f32::NEG_INFINITY, nearer)
}

/// All values folded, in any order.
fn nearest(values: &[f32], begin: f32, nearer: impl Fn(f32, f32) -> f32) -> f32 {
    let mut found = [begin; WIDE];
    let (fours, rest) = values.as_chunks::<WIDE>();
    for four in fours {
        for (found, value) in found.iter_mut().zip(four) {
            *found = nearer(*value, *found);
        }
    }
    // Apart, or the four would have to lie in memory.
    let rest = rest.iter().fold(begin, |found, value| nearer(*value, found));
    found.into_iter().fold(rest, |found, value| nearer(value, found))
}

fn select(values: &[f32], rank: usize, sort: &mut Vec<f32>) -> f32 {
    sort.clear();
    sort.extend(values.iter().copied().filter(|value| *value > f32::NEG_INFINITY));
    *sort.select_nth_unstable_by(rank, f32::total_cmp).1
}

/// An order statistic of whole numbers, in which errors are kept, in a window that moves on by one of them at a time.
///
/// How many lie above it is kept count of, so that while it stands no value is looked at: nine minutes in ten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    at: i16,
    known: u16,
    above: u16,
    /// Above or there.
    from: u16,
}

impl Standing {
    /// That of a window in which nothing is known.
    pub(crate) const NONE: Self = Self {
        at: UNKNOWN,
        known: 0,
        above: 0,
        from: 0,
    };

    /// The window has moved on: this number is in it now, and that one no longer.
    pub(crate) fn turn(&mut self, came: i16, gone: i16) {
        let turned = |count: u16, is: &dyn Fn(i16) -> bool| count + u16::from(is(came)) - u16::from(is(gone));
        self.known = turned(self.known, &|value| value > UNKNOWN);
        self.above = turned(self.above, &|value| value > self.at);
        self.from = turned(self.from, &|value| value >= self.at);
    }

    /// The smallest number of the window with at least `share` of the known ones at or below it; [`UNKNOWN`] of nothing.
    /// `sort` is work space.
    pub(crate) fn seek(&mut self, window: [&[i16]; 2], share: f64, sort: &mut Vec<i16>) -> i16 {
        let [known, above, from] = [self.known, self.above, self.from].map(usize::from);
        let stands = |rank| self.at > UNKNOWN && (known - from..known - above).contains(&rank);
        if !rank(known, share).is_some_and(stands) {
            self.at = seek_whole(window, share, self.at, sort);
            [self.above, self.from] = above_and_from_whole(window, self.at);
        }
        self.at
    }
}

/// [`seek`] of whole numbers; [`UNKNOWN`] is "not known".
fn seek_whole(parts: [&[i16]; 2], share: f64, last: i16, sort: &mut Vec<i16>) -> i16 {
    let known = count_whole(parts, |value| value > UNKNOWN);
    let Some(rank) = rank(known, share) else {
        return UNKNOWN;
    };
    let mut at = last;
    for _ in 0..PASSES {
        if at == UNKNOWN {
            break;
        }
        let [above, from] = above_and_from_whole(parts, at).map(usize::from);
        if known - above <= rank {
            let above = |value, least: i16| least.min(if value > at { value } else { i16::MAX });
            at = whole(parts, i16::MAX, above);
        } else if known - from > rank {
            let below = |value, most: i16| most.max(if value < at { value } else { UNKNOWN });
            at = whole(parts, UNKNOWN, below);
        } else {
            return at;
        }
    }
    let all = parts.into_iter().flatten().copied();
    sort.clear();
    sort.extend(all.filter(|value| *value > UNKNOWN));
    *sort.select_nth_unstable(rank).1
}

/// The whole number that says "not known"; all others lie above it.
pub(crate) const UNKNOWN: i16 = i16::MIN;

/// All values folded, in any order.
fn whole(parts: [&[i16]; 2], begin: i16, fold: impl Fn(i16, i16) -> i16) -> i16 {
    let mut folded = begin;
    for part in parts {
        for value in part {
            folded = fold(*value, folded);
        }
    }
    folded
}

/// Of a day of minutes at most: 16 bits hold it, and eight counts go side by side.
fn count_whole(parts: [&[i16]; 2], is: impl Fn(i16) -> bool) -> usize {
    let count = whole(parts, 0, |value, count| count + i16::from(is(value)));
    usize::try_from(count).unwrap_or(0)
}

fn above_and_from_whole(parts: [&[i16]; 2], at: i16) -> [u16; 2] {
    let (mut above, mut from) = (0_i16, 0_i16);
    for part in parts {
        for value in part {
            above += i16::from(*value > at);
            from += i16::from(*value >= at);
        }
    }
    [above, from].map(|count| u16::try_from(count).unwrap_or(0))
}

/// A share of the known values that `is` holds of; NaN of nothing.
pub(crate) fn share(values: &[f32], is: impl Fn(f32) -> bool) -> f64 {
    let known = count(values, |value| !value.is_nan());
    if known > 0 {
        number(count(values, is)) / number(known)
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_sorting(values: &[f32], share: f64) -> f32 {
        let mut known: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        known.sort_by(f32::total_cmp);
        rank(known.len(), share).map_or(f32::NAN, |rank| known[rank])
    }

    fn same(a: f32, b: f32) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    proptest! {
        #[test]
        fn from_wherever_it_is_looked_for_it_is_what_sorting_finds(
            values in prop::collection::vec(prop_oneof![0.0_f32..9.0, Just(3.0), Just(0.0), Just(f32::NAN)], 0..200),
            shares in prop::collection::vec(0.01..0.999, 1..4),
            from in prop_oneof![-1.0_f32..10.0, Just(3.0), Just(f32::NAN), Just(f32::INFINITY)],
        ) {
            let mut lasts = vec![from; shares.len()];
            seek(&values, &shares, &mut lasts, &mut Vec::new());
            for (share, found) in shares.iter().zip(lasts) {
                prop_assert!(same(found, by_sorting(&values, *share)), "{found} at {share}");
            }
        }

        #[test]
        fn whole_numbers_are_found_in_both_parts(
            values in prop::collection::vec(prop_oneof![-40_i16..40, Just(UNKNOWN), Just(3)], 0..300),
            split in 0_usize..300, share in 0.01..0.999, from in prop_oneof![-50_i16..50, Just(UNKNOWN)],
        ) {
            let (head, tail) = values.split_at(split.min(values.len()));
            let numbers: Vec<f32> = values
                .iter()
                .map(|value| if *value == UNKNOWN { f32::NAN } else { f32::from(*value) })
                .collect();
            let found = seek_whole([head, tail], share, from, &mut Vec::new());
            let found = if found == UNKNOWN { f32::NAN } else { f32::from(found) };
            prop_assert!(same(found + 0.0, by_sorting(&numbers, share) + 0.0));
        }

        #[test]
        fn while_a_window_moves_on_it_is_what_is_found_anew(
            values in prop::collection::vec(prop_oneof![-3_i16..3, -40_i16..40, Just(UNKNOWN)], 40..300),
            share in 0.01..0.999, wide in 1_usize..40, every in 1_usize..4,
        ) {
            let (mut standing, mut sort) = (Standing::NONE, Vec::new());
            let all = [vec![UNKNOWN; wide], values].concat();
            for at in wide..all.len() {
                standing.turn(all[at], all[at - wide]);
                let window = [&all[at + 1 - wide..=at], &[]];
                if at % every == 0 {
                    prop_assert_eq!(standing.seek(window, share, &mut sort), seek_whole(window, share, UNKNOWN, &mut sort));
                }
            }
        }
    }
}
