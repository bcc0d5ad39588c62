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
            Target::Peak => usize::try_from(self.h).unwrap_or(1),
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
