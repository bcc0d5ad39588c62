//! Own errors: how far what came lay from the level it was forecast at, on the local scale. Pure.

use super::past::narrow;
use super::seek::{Standing, UNKNOWN};

/// Minutes kept, and those of the shorter look.
const KEPT: usize = 1440;
const NEWEST: usize = 240;

/// The errors of the last day for one span, and their quantiles as of the last look: of four hours and of the day.
#[derive(Clone, Debug)]
pub(crate) struct Errors {
    ring: [Short; KEPT],
    next: usize,
    newest: Standing,
    day: [Standing; 2],
    /// Those of the day as of the last look.
    looked: [Short; 2],
}

/// The upper half of a single-precision number, rounded to nearest: to one part in 256, which is more than a quantile
/// of noisy errors is worth, at half the memory. Kept as a whole number that is ordered as the errors are.
type Short = i16;

fn short(error: f64) -> Short {
    if error.is_nan() {
        return UNKNOWN;
    }
    let half = narrow(error).to_bits().saturating_add(0x8000) >> 16;
    u16::try_from(half).map_or(UNKNOWN, |half| turned(half.cast_signed()))
}

fn amount(short: Short) -> f64 {
    if short == UNKNOWN {
        return f64::NAN;
    }
    f64::from(f32::from_bits(u32::from(turned(short).cast_unsigned()) << 16))
}

/// Below zero the digits count downwards.
const fn turned(half: i16) -> i16 {
    if half < 0 { half ^ 0x7fff } else { half }
}

/// Their quantiles; NaN is "not known".
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorsSeen {
    pub(crate) q95_240: f64,
    pub(crate) median_day: f64,
    pub(crate) q95_day: f64,
}

impl Errors {
    pub(crate) const fn new() -> Self {
        Self {
            ring: [UNKNOWN; KEPT],
            next: 0,
            newest: Standing::NONE,
            day: [Standing::NONE; 2],
            looked: [UNKNOWN; 2],
        }
    }

    /// See [`super::Ahead::fetch`].
    pub(crate) fn fetch(&self) -> f32 {
        f32::from(self.ring[self.next]) + f32::from(self.ring[(self.next + KEPT - NEWEST) % KEPT])
    }

    /// Takes in the error of this minute; NaN when it is not known.
    pub(crate) fn push(&mut self, error: f64) {
        let came = short(error);
        self.newest.turn(came, self.ring[(self.next + KEPT - NEWEST) % KEPT]);
        let gone = std::mem::replace(&mut self.ring[self.next], came);
        self.day.iter_mut().for_each(|day| day.turn(came, gone));
        self.next = (self.next + 1) % KEPT;
    }

    /// The quantiles of now; those of the day are looked at again when `slow`.
    pub(crate) fn seen(&mut self, slow: bool, sort: &mut Vec<i16>) -> ErrorsSeen {
        let (head, tail) = self.ring.split_at(self.next);
        if slow {
            for ((looked, day), share) in self.looked.iter_mut().zip(&mut self.day).zip([0.5, 0.95]) {
                *looked = day.seek([head, tail], share, sort);
            }
        }
        let newest = self.next.min(NEWEST);
        let parts = [&head[head.len() - newest..], &tail[tail.len() - (NEWEST - newest)..]];
        ErrorsSeen {
            q95_240: amount(self.newest.seek(parts, 0.95, sort)),
            median_day: amount(self.looked[0]),
            q95_day: amount(self.looked[1]),
        }
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
            let seen = amount(short(given));
            assert!((seen - kept).abs() < 1e-9, "{given}: {seen}, not {kept}");
        }
        assert!(amount(short(f64::NAN)).is_nan());
    }

    #[test]
    fn the_quantiles_are_those_of_the_day_and_of_four_hours() {
        let (mut errors, mut sort) = (Errors::new(), Vec::new());
        // 1,200 minutes of an error of 1, then 240 of 2 to 3 in steps of a fourth.
        for _ in 0..1200 {
            errors.push(1.0);
        }
        for minute in 0..240 {
            errors.push([2.0, 2.25, 2.5, 2.75, 3.0][minute % 5]);
        }
        let seen = errors.seen(true, &mut sort);
        // Of 240 the 228th in order is a 3; of 1,440 the 720th a 1 and the 1,368th, of which 72 lie above, a 2.75.
        for (seen, by_hand) in [(seen.q95_240, 3.0), (seen.median_day, 1.0), (seen.q95_day, 2.75)] {
            assert!((seen - by_hand).abs() < 1e-9, "{seen}, not {by_hand}");
        }
    }
}
