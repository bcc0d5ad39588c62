//! Features: a window in, numbers on a common local scale out. Pure; the one place that computes them, for
//! learning and live alike, and only from minutes up to the window's end.
//!
//! All amounts are given as `(a - level) / scale`, so that one set of numbers fits a function of 0.2 and one
//! of 20,000 calls in flight. What is not known is `None`, never a number.

mod row;

pub(crate) use row::{COUNT, Row, row};

use crate::history::Window;
use forewarm_core::units::Percent;

/// Minutes `t+from ..= t+to` that a guess is about, `t` being the window's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First minute ahead, from 1.
    pub from: i64,
    /// Last minute ahead.
    pub to: i64,
}

impl Span {
    /// The whole horizon of `h` minutes.
    pub(crate) const fn over(h: i64) -> Self {
        Self { from: 1, to: h }
    }

    /// The last minute of it alone.
    pub(crate) const fn last(self) -> Self {
        Self {
            from: self.to,
            to: self.to,
        }
    }

    /// Peak of the same minutes `lag` minutes earlier, `slack` minutes wider on both sides. `None`: not known.
    pub(crate) fn earlier(self, window: &Window<'_>, lag: i64, slack: i64) -> Option<f64> {
        let t = window.until();
        window.largest_or_quarter(t + self.from - lag - slack, t + self.to - lag + slack)
    }
}

/// Local level and scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Base {
    /// Mean of the newest five known minutes of the last fifteen.
    pub level: f64,
    /// How much the demand moves over the horizon: the mean of `|y(s) - y(s-h)|` over two hours, at least
    /// `0.3 * sqrt(level)` (whole calls move by chance alone) and 0.03.
    pub scale: f64,
}

impl Base {
    /// At the window's end. `None`: no minute of the last fifteen is known.
    pub(crate) fn of(window: &Window<'_>, h: i64) -> Option<Self> {
        let level = mean(window.recent(15).take(5))?;
        let t = window.until();
        let moves = (t - 119..=t).filter_map(|s| Some((window.minute(s)? - window.minute(s - h)?).abs()));
        Some(Self {
            level,
            scale: least_scale(level).max(mean(moves).unwrap_or(0.0)),
        })
    }

    /// The scale for a guess of `amount`: a foreseen peak moves more than the quiet before it.
    pub(crate) fn scale_at(&self, amount: f64) -> f64 {
        self.scale.max(least_scale(amount))
    }

    /// An amount on the local scale.
    pub(crate) fn normal(&self, amount: f64) -> f64 {
        (amount - self.level) / self.scale
    }

    /// The amount back.
    pub(crate) fn amount(&self, normal: f64) -> f64 {
        normal.mul_add(self.scale, self.level).max(0.0)
    }
}

fn least_scale(amount: f64) -> f64 {
    (0.3 * amount.max(0.0).sqrt()).max(0.03)
}

/// Mean of what there is. `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    (count > 0.0).then(|| sum / count)
}

/// The smallest value with at least `percent` of all at or below it. `None` of nothing.
pub(crate) fn quantile(values: &mut [f64], percent: Percent) -> Option<f64> {
    let rank = (values.len() * usize::from(percent.get())).div_ceil(100).max(1) - 1;
    (rank < values.len()).then(|| *values.select_nth_unstable_by(rank, f64::total_cmp).1)
}

#[cfg(test)]
mod tests;
