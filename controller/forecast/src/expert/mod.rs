//! Experts: what is known at one minute in, a guess of the peak over the span ahead out. Pure.
//!
//! A new expert is a file and a line in [`EXPERTS`]. It says what it would expect; how far above it the
//! wanted quantile lies is tracked outside, and whether it may answer is the gate's matter.

mod level;
mod ridge;
mod seasonal_naive;
mod trailing;

use crate::features::{Base, Span};
use crate::history::Window;
use forewarm_core::units::Percent;

/// What an expert may know at minute `t`, the window's end.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The past.
    pub window: Window<'a>,
    /// Local level and scale. `None`: nothing is known of the last quarter of an hour.
    pub base: Option<Base>,
    /// Minutes ahead that count.
    pub horizon: i64,
    /// The wanted quantile.
    pub quantile: Percent,
    /// The function's own number, to stagger what is costly.
    pub seed: u64,
}

impl At<'_> {
    /// The minute itself.
    pub fn minute(&self) -> i64 {
        self.window.until()
    }
}

/// What an expert expects of a span: amounts, not normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// Its middle.
    pub point: f64,
    /// Its own upper bound; the point where it has none. Calibration starts from here.
    pub upper: f64,
}

impl Guess {
    /// A guess without an upper bound of its own.
    pub(crate) const fn of(point: f64) -> Self {
        Self { point, upper: point }
    }

    /// Both numbers are amounts.
    pub(crate) fn is_sound(&self) -> bool {
        [self.point, self.upper].iter().all(|x| x.is_finite() && *x >= 0.0)
    }
}

/// A small model of one function.
pub trait Expert: std::fmt::Debug + Send + Sync {
    /// Learns from the minute that has just closed; called once a minute, in order.
    fn fold(&mut self, _at: &At<'_>) {}

    /// The peak over `span`. `None`: it cannot say, and the trailing peak is scored in its place.
    fn guess(&self, at: &At<'_>, span: Span) -> Option<Guess>;

    /// Whether it wants its costly learning now.
    fn refit_due(&self, _at: &At<'_>) -> bool {
        false
    }

    /// Does it, bounded in rows and time.
    fn refit(&mut self, _at: &At<'_>) {}
}

/// A line of [`EXPERTS`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Stable name, as it stands in logs and status.
    pub name: &'static str,
    /// A new one that knows nothing.
    pub make: fn() -> Box<dyn Expert>,
}

/// All experts. The first is what the others are measured against, the second answers in their place.
pub const EXPERTS: [Entry; 4] = [
    Entry {
        name: "seasonal-naive",
        make: || Box::new(seasonal_naive::SeasonalNaive::default()),
    },
    Entry {
        name: "trailing-peak",
        make: || Box::new(trailing::TrailingPeak),
    },
    Entry {
        name: "level",
        make: || Box::new(level::Level::default()),
    },
    Entry {
        name: "ridge",
        make: || Box::new(ridge::Ridge::default()),
    },
];

/// How many there are.
pub(crate) const COUNT: usize = EXPERTS.len();
/// Place of seasonal-naive in [`EXPERTS`].
pub(crate) const SEASONAL_NAIVE: usize = 0;
/// Place of the trailing peak in [`EXPERTS`].
pub(crate) const TRAILING: usize = 1;

#[cfg(test)]
mod tests;
