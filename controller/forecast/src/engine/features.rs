//! Features: what the windows and the past say at minute `t` about one span ahead, as numbers on a common local
//! scale. Pure; the one place that computes them, for learning, live and replay.
//!
//! Amounts are given as `(a - level) / scale`, so that one set of numbers fits a function of 0.2 and one of
//! 20,000 calls a minute. What is not known is NaN, never a number.

use super::errors::ErrorsSeen;
use super::lane::at_least_zero;
use super::past::{minutes, narrow};
use super::scratch::Minutes;
use super::span::{Before, Span};
use super::sums::{mean, mean_of, moves};
use super::windows::Seen;

/// Features of one row: 26 about the past, then the minutes ahead.
pub const WIDTH: usize = 27;
/// Names of the features, in the order of the row.
pub const NAMES: [&str; WIDTH] = [
    "lag0", "e01", "e03", "e10", "mn15", "mx15", "mx60", "mx240", "q90_60", "q95_240", "q95_1440", "rq240", "rm1440",
    "rq1440", "y60", "pm5", "pm15", "pm60", "sdavg", "dmax3", "last", "nz60", "nz1440", "lb", "lv", "lvb", "h",
];
/// A normalised number beyond this says "far away" and no more.
const FAR: f64 = 1e6;

/// A row of features.
pub type Row = [f32; WIDTH];

/// Local level and scales of one span.
#[derive(Clone, Copy, Debug)]
pub struct Base {
    /// Mean of the last five minutes.
    pub level: f64,
    /// How much the demand moves over the span: mean of `|y(s) - y(s-h)|` over two hours, at least
    /// `0.3 * sqrt(max(level, mean of the day))` (whole calls move by chance alone) and 0.03.
    pub scale: f64,
    /// The same over a day, at least 0.03.
    pub long: f64,
    /// What the function is doing now.
    pub regime: Regime,
    /// What amounts the last day had.
    pub amounts: Amounts,
}

/// What a function is doing, by when it was called last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// In the newest minute.
    Called,
    /// In the five before it.
    Paused,
    /// Within the hour.
    Quiet,
    /// Longer ago.
    Asleep,
}

impl Regime {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// Its place among them.
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Called => 0,
            Self::Paused => 1,
            Self::Quiet => 2,
            Self::Asleep => 3,
        }
    }

    fn of(seen: &Seen) -> Self {
        match seen {
            seen if seen.level > 0.0 && seen.idle <= 0.0 => Self::Called,
            seen if seen.level > 0.0 => Self::Paused,
            seen if seen.idle < 60.0 => Self::Quiet,
            _ => Self::Asleep,
        }
    }
}

/// What amounts a function has, and so what an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amounts {
    /// Not all of them whole numbers, or nothing is known.
    Any,
    /// Whole numbers.
    Whole,
    /// Whole numbers, in fewer than one minute in seven.
    Seldom,
    /// One whole number, nearly always.
    Flat,
}

/// Share of the minutes of a day with a call below which a function is silent for the most part.
const SILENT: f64 = 0.15;

impl Amounts {
    fn of(seen: &Seen) -> Self {
        match seen {
            seen if !seen.whole => Self::Any,
            seen if seen.flat => Self::Flat,
            seen if seen.busy_day < SILENT => Self::Seldom,
            _ => Self::Whole,
        }
    }
}

impl Base {
    pub(crate) fn of(seen: &Seen, looked: &Minutes, h: usize, long: f64) -> Self {
        let moves = moves(looked.last(120, 0), looked.last(120, h));
        let chance = 0.3 * seen.level.max(seen.day_mean).max(0.0).sqrt();
        Self {
            level: seen.level,
            scale: moves.max(chance).max(0.03),
            long: if long.is_nan() { moves.max(0.03) } else { long.max(0.03) },
            regime: Regime::of(seen),
            amounts: Amounts::of(seen),
        }
    }

    /// An amount on the local scale.
    pub(crate) fn normal(&self, amount: f64) -> f64 {
        ((amount - self.level) / self.scale).clamp(-FAR, FAR)
    }

    /// The amount back, at least zero; NaN of NaN.
    pub fn amount(&self, normal: f64) -> f64 {
        at_least_zero(self.level + normal * self.scale)
    }
}

/// The row of now. `moved`: [`day_moves`] of this span.
pub(crate) fn row(
    looked: &Minutes,
    span: Span,
    (base, seen, errors): (&Base, &Seen, ErrorsSeen),
    (before, moved): (&Before, &[f64; 3]),
) -> Row {
    let z = |amount: f64| base.normal(amount);
    let Base { level, scale, .. } = *base;
    let [e01, e03, e10] = seen.ewma;
    let row = [
        z(seen.now),
        z(e01),
        z(e03),
        z(e10),
        z(seen.min15),
        z(seen.max15),
        z(seen.max60),
        z(seen.max240),
        z(seen.q90_60),
        z(seen.q95_240),
        z(seen.q95_day),
        errors.q95_240,
        errors.median_day,
        errors.q95_day,
        z(before.hours[0]),
        z(timer(looked, span, 5)),
        z(timer(looked, span, 15)),
        z(mean_of(before.hours)),
        z(seen.mean15 + mean_of(*moved)),
        z(day_peaks(looked, span)),
        seen.idle / 60.0,
        seen.busy60,
        seen.busy_day,
        (level + 0.01).ln(),
        scale.ln(),
        ((scale + 0.01) / (level.sqrt() + 0.1)).ln(),
        minutes(span.h),
    ];
    row.map(narrow)
}

/// Mean of the target one, two and three periods back, the first period that ends by now.
fn timer(looked: &Minutes, span: Span, period: i64) -> f64 {
    let first = period * (span.h + period - 1).div_euclid(period);
    mean_of([0, 1, 2].map(|back| span.earlier(looked, 0, first + back * period)))
}

/// How the same time moved on each of the three days before: how far the target lay from the quarter hour before it,
/// smoothed over eleven minutes.
pub(crate) fn day_moves(looked: &Minutes, span: Span) -> [f64; 3] {
    [1, 2, 3].map(|days| {
        if looked.about(days, 0, 1)[0].is_nan() {
            return f64::NAN;
        }
        mean(looked.about(days, span.h - 5, 11)) - mean(looked.about(days, -14, 15))
    })
}

/// Mean over the three days before of the largest within two minutes of the target.
fn day_peaks(looked: &Minutes, span: Span) -> f64 {
    mean_of([1, 2, 3].map(|days| span.wider(looked, days, 2)))
}

#[cfg(test)]
mod tests;
