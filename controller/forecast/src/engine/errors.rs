//! Own errors: how far what came lay from the level it was forecast at, on the local scale. Pure.

use super::past::{narrow, quantile, upper_quantile};
use super::windows::Scratch;

/// Minutes kept.
const KEPT: usize = 1440;

/// The errors of the last day for one span, and their quantiles as of the last look.
#[derive(Clone, Debug)]
pub(crate) struct Errors {
    ring: Box<[Short]>,
    next: usize,
    day: [f32; 2],
}

/// The upper half of a single-precision number, rounded to nearest: to one part in 256, which is more than a quantile
/// of noisy errors is worth, at half the memory.
#[derive(Clone, Copy, Debug)]
struct Short(u16);

impl Short {
    /// Not known: the upper half of a NaN.
    const GAP: Self = Self(0x7fc0);

    fn of(error: f64) -> Self {
        if error.is_nan() {
            return Self::GAP;
        }
        let half = narrow(error).to_bits().saturating_add(0x8000) >> 16;
        u16::try_from(half).map_or(Self::GAP, Self)
    }

    fn amount(self) -> f64 {
        f64::from(f32::from_bits(u32::from(self.0) << 16))
    }
}

/// Their quantiles; NaN is "not known".
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorsSeen {
    pub(crate) q95_240: f64,
    pub(crate) median_day: f64,
    pub(crate) q95_day: f64,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self {
            ring: vec![Short::GAP; KEPT].into_boxed_slice(),
            next: 0,
            day: [f32::NAN; 2],
        }
    }

    /// Takes in the error of this minute; NaN when it is not known.
    pub(crate) fn push(&mut self, error: f64) {
        self.ring[self.next] = Short::of(error);
        self.next = (self.next + 1) % KEPT;
    }

    /// The quantiles of now; those of the day are looked at again when `slow`.
    pub(crate) fn seen(&mut self, slow: bool, scratch: &mut Scratch) -> ErrorsSeen {
        let sort = &mut scratch.sort;
        if slow {
            sort.clear();
            sort.extend(self.ring.iter().map(|error| error.amount()));
            sort.retain(|error| !error.is_nan());
            self.day = [0.5, 0.95].map(|share| narrow(quantile(sort, share)));
        }
        let newest = self.next.min(240);
        let (head, tail) = self.ring.split_at(self.next);
        let newest = head[head.len() - newest..]
            .iter()
            .chain(&tail[tail.len() - (240 - newest)..]);
        ErrorsSeen {
            q95_240: upper_quantile(newest.map(|error| error.amount()), 0.95),
            median_day: f64::from(self.day[0]),
            q95_day: f64::from(self.day[1]),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.ring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_is_near_and_a_gap_stays_one() {
        for (given, kept) in [
            (0.0, 0.0),
            (1.0, 1.0),
            (-2.5, -2.5),
            // Seven bits of mantissa: 3.3 = 1.65 * 2 lies nearest to (1 + 83 / 128) * 2.
            (3.3, 3.296_875),
            (1000.0, 1000.0),
            (1003.0, 1004.0),
            (-1e9, -998_244_352.0),
        ] {
            let seen = Short::of(given).amount();
            assert!((seen - kept).abs() < 1e-9, "{given}: {seen}, not {kept}");
        }
        assert!(Short::of(f64::NAN).amount().is_nan() && Short::GAP.amount().is_nan());
    }

    #[test]
    fn the_quantiles_are_those_of_the_day_and_of_four_hours() {
        let (mut errors, mut scratch) = (Errors::new(), Scratch::default());
        // 1,200 minutes of an error of 1, then 240 of 2 to 3 in steps of a fourth.
        for _ in 0..1200 {
            errors.push(1.0);
        }
        for minute in 0..240 {
            errors.push([2.0, 2.25, 2.5, 2.75, 3.0][minute % 5]);
        }
        let seen = errors.seen(true, &mut scratch);
        // Of 240 the 228th in order is a 3; of 1,440 the 720th a 1 and the 1,368th, of which 72 lie above, a 2.75.
        for (seen, by_hand) in [(seen.q95_240, 3.0), (seen.median_day, 1.0), (seen.q95_day, 2.75)] {
            assert!((seen - by_hand).abs() < 1e-9, "{seen}, not {by_hand}");
        }
    }
}
