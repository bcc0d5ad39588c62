//! Span: what is forecast, and the same thing earlier. Pure.

use super::past::{Past, largest};

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

impl Span {
    /// First minute ahead that counts.
    pub(crate) const fn from(self) -> i64 {
        match self.target {
            Target::Minute => self.h,
            Target::Peak => 1,
        }
    }

    /// The target as it was `lag` minutes earlier, seen from minute `t`; NaN when nothing of it is known.
    pub(crate) fn earlier(self, past: &dyn Past, t: i64, lag: i64) -> f64 {
        self.wider(past, t, lag, 0)
    }

    /// The same over `slack` minutes more on both sides, as the largest of them.
    pub(crate) fn wider(self, past: &dyn Past, t: i64, lag: i64, slack: i64) -> f64 {
        (t + self.from() - lag - slack..=t + self.h - lag + slack)
            .map(|minute| past.at(minute))
            .fold(f64::NAN, f64::max)
    }

    /// What came of a forecast made `h` minutes before `t`. NaN: not known, or less than three quarters of the
    /// minutes are: one lost minute of five must not stop the scoring, one found must not do.
    pub(crate) fn actual(self, past: &dyn Past, t: i64) -> f64 {
        let mut minutes = [f64::NAN; 60];
        let all = usize::try_from(self.h - self.from() + 1).unwrap_or(1).clamp(1, 60);
        past.copy(t - self.h + self.from(), &mut minutes[..all]);
        let known = minutes[..all].iter().filter(|amount| !amount.is_nan()).count();
        if known * 4 >= all * 3 {
            largest(&minutes[..all])
        } else {
            f64::NAN
        }
    }
}
