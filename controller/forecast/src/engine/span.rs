//! Span: what is forecast, and the same thing earlier. Pure.

use super::past::Past;
use super::scratch::Minutes;
use super::sums::{larger, largest};

/// What is forecast of the minutes ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The amount of the last of them: calls in minute `t+h`.
    Minute,
    /// The largest of them: the peak over `t+1..=t+h`.
    Peak,
}

/// A forecast's target and how many minutes ahead it looks, 1 to 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What of them.
    pub target: Target,
    /// Minutes ahead.
    pub h: i64,
}

/// What the target was at the same time before; NaN where nothing of it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) hours: [f64; 3],
    pub(crate) days: [f64; 3],
}

impl Span {
    /// First minute ahead that counts.
    pub(crate) const fn from(self) -> i64 {
        match self.target {
            Target::Minute => self.h,
            Target::Peak => 1,
        }
    }

    /// Minutes from a forecast to the end of its span.
    pub(crate) fn length(self) -> usize {
        usize::try_from(self.h).unwrap_or(1)
    }

    /// How many minutes ahead count.
    fn count(self) -> usize {
        usize::try_from(self.h - self.from() + 1).unwrap_or(1).clamp(1, 60)
    }

    /// The target as it was `lag` minutes before this time `days` days ago; NaN when nothing of it is known. Without days
    /// the lag must be at least `h`, and at most four hours.
    pub(crate) fn earlier(self, looked: &Minutes, days: usize, lag: i64) -> f64 {
        largest(looked.about(days, self.from() - lag, self.count()))
    }

    /// The target an hour, two and three ago, and one day, two and three ago.
    pub(crate) fn before(self, looked: &Minutes) -> Before {
        Before {
            hours: [60, 120, 180].map(|lag| self.earlier(looked, 0, lag)),
            days: [1, 2, 3].map(|days| self.earlier(looked, days, 0)),
        }
    }

    /// The same `days` days ago and over `slack` minutes more on both sides, as the largest of them.
    pub(crate) fn wider(self, looked: &Minutes, days: usize, slack: u8) -> f64 {
        let more = 2 * usize::from(slack);
        largest(looked.about(days, self.from() - i64::from(slack), self.count() + more))
    }

    /// What the target was over these minutes: they themselves, or the peak of each run of `h`; minus infinity where it is
    /// not known. As many as there are runs; `room` is work space.
    pub(crate) fn targets<'a>(self, looked: &[f32], room: &'a mut [Vec<f32>; 2]) -> &'a [f32] {
        let run = match self.target {
            Target::Minute => 1,
            Target::Peak => self.length(),
        };
        let [all, doubled] = room;
        all.clear();
        all.extend(looked.iter().map(|amount| larger(*amount, f32::NEG_INFINITY)));
        let mut wide = 1;
        while wide < run {
            let step = wide.min(run - wide);
            doubled.clear();
            let later = all.get(step..).unwrap_or_default();
            doubled.extend(all.iter().zip(later).map(|(a, b)| larger(*a, *b)));
            std::mem::swap(all, doubled);
            wide += step;
        }
        all
    }

    /// What came of a forecast made `h` minutes before `t`. NaN: not known, or less than three quarters of the
    /// minutes are: one lost minute of five must not stop the scoring, one found must not do.
    pub(crate) fn actual(self, past: &dyn Past, t: i64) -> f64 {
        let mut minutes = [f32::NAN; 60];
        let all = self.count();
        past.copy(t - self.h + self.from(), &mut minutes[..all]);
        let known = minutes[..all].iter().filter(|amount| !amount.is_nan()).count();
        if known * 4 >= all * 3 {
            largest(&minutes[..all])
        } else {
            f64::NAN
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // amounts as they were given
mod tests {
    use super::super::past::Series;
    use super::super::scratch::Scratch;
    use super::*;

    const fn span(target: Target, h: i64) -> Span {
        Span { target, h }
    }

    #[test]
    fn the_same_minute_of_three_days() {
        let values: Vec<f64> = (0..5000).map(f64::from).collect();
        let (past, mut scratch) = (
            Series {
                first: 0,
                values: &values,
            },
            Scratch::default(),
        );
        scratch.minutes.read(&past, 4900, 5, true);
        let before = span(Target::Minute, 5).before(&scratch.minutes);
        assert_eq!(before.days, [3465.0, 2025.0, 585.0]);
        assert_eq!(before.hours, [4845.0, 4785.0, 4725.0]);
    }

    #[test]
    fn a_peak_is_that_of_each_run_and_a_minute_is_itself() {
        let (looked, mut room) = ([1.0, 5.0, 2.0, 4.0, 3.0], [Vec::new(), Vec::new()]);
        assert_eq!(span(Target::Minute, 3).targets(&looked, &mut room), looked);
        assert_eq!(span(Target::Peak, 3).targets(&looked, &mut room), [5.0, 5.0, 4.0]);
    }

    #[test]
    fn three_of_four_minutes_are_enough_and_two_are_not() {
        let actual = |values: [f64; 5]| {
            span(Target::Peak, 4).actual(
                &Series {
                    first: 0,
                    values: &values,
                },
                4,
            )
        };
        let gap = f64::NAN;
        assert_eq!(actual([9.0, 1.0, 3.0, gap, 2.0]), 3.0);
        assert!(actual([9.0, 1.0, gap, gap, 2.0]).is_nan());
    }
}
