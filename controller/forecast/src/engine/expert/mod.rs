//! Experts: nearly free models of one function, each a file and its lines in [`super::column::COLUMNS`]. What
//! is known at one minute in, a guess of the span ahead out. Pure.
//!
//! An expert says what it would expect; how far above it the wanted quantile lies is tracked outside, so that
//! it is scored only on minutes that came after it learned.

mod holt_winters;
mod level;
mod ridge;
mod seasonal_naive;
mod trailing;

pub(crate) use trailing::HOUR;

use super::features::Base;
use super::past::Past;
use super::scratch::Minutes;
use super::span::{Before, Span};
use super::windows::Seen;

/// What an expert may know at minute `t`.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) past: &'a dyn Past,
    pub(crate) t: i64,
    /// What is forecast.
    pub(crate) span: Span,
    /// What came of the span that has just ended; NaN when it is not known.
    pub(crate) actual: f64,
    /// The newest minute; NaN when it is a gap.
    pub(crate) now: f64,
    pub(crate) seen: Option<&'a Seen>,
    pub(crate) base: Option<&'a Base>,
    /// What the target was hours and days ago.
    pub(crate) before: &'a Before,
    /// How the same time moved on the three days before.
    pub(crate) day_moves: &'a [f64; 3],
    /// What the target was over the last hour, and over the last day when `slow`; minus infinity: not known.
    pub(crate) targets: [&'a [f32]; 2],
    /// The last hours, and the last day when `slow`.
    pub(crate) looked: &'a Minutes,
    /// Whether the whole day may be looked at in this minute.
    pub(crate) slow: bool,
}

/// A small model of one function and one span.
pub(crate) trait Expert: std::fmt::Debug + Send + Sync {
    /// Learns from minute `t` and from the span that ended with it; called once a minute, in order.
    ///
    /// `sort`: work space.
    fn fold(&mut self, at: &At<'_>, sort: &mut Vec<f32>);

    /// The middle of what it expects. NaN: it cannot say.
    fn point(&mut self, _at: &At<'_>) -> f64 {
        f64::NAN
    }

    /// Its own upper quantile, by place among the wanted ones. NaN: it has none.
    fn upper(&self, _place: usize) -> f64 {
        f64::NAN
    }

    /// Bytes held outside the box.
    fn bytes(&self) -> usize;
}

/// A new expert that knows nothing, for a span and the wanted quantiles.
pub(crate) type Make = fn(Span, &[f64]) -> Box<dyn Expert>;

/// All of them; columns name them by place.
pub(crate) const EXPERTS: [(&str, Make); 8] = [
    ("trailing-day", trailing::day),
    ("trailing-hour", trailing::hour),
    ("level", level::make),
    ("holt-winters", holt_winters::make),
    ("seasonal-naive", seasonal_naive::make),
    ("ridge", ridge::make),
    ("trailing-half-hour", trailing::half_hour),
    ("trailing-ten-minutes", trailing::ten_minutes),
];

/// How many there are.
pub(crate) const COUNT: usize = EXPERTS.len();

/// The last guesses of several variants, to score each when its span has ended.
#[derive(Debug)]
struct Trials<const N: usize> {
    guesses: std::collections::VecDeque<[f32; N]>,
    errors: [f64; N],
}

impl<const N: usize> Trials<N> {
    /// Weight an error keeps a minute: half after one day.
    const KEEP: f64 = 0.999_518_763_622_666_2;

    fn new() -> Self {
        Self {
            guesses: std::collections::VecDeque::new(),
            errors: [0.0; N],
        }
    }

    /// Scores what was guessed of the span that has ended, made `h` minutes ago.
    fn score(&mut self, actual: f64, h: i64) {
        while i64::try_from(self.guesses.len()).is_ok_and(|held| held > h) {
            self.guesses.pop_front();
        }
        let due = i64::try_from(self.guesses.len()).is_ok_and(|held| held == h);
        let Some(guesses) = self.guesses.front().filter(|_| due && !actual.is_nan()) else {
            return;
        };
        for (error, guess) in self.errors.iter_mut().zip(guesses) {
            let missed = (actual - f64::from(*guess)).abs();
            if !missed.is_nan() {
                *error = *error * Self::KEEP + missed;
            }
        }
    }

    /// Remembers this minute's guesses; one call a minute.
    fn push(&mut self, guesses: [f32; N]) {
        self.guesses.push_back(guesses);
    }

    /// What the variant that has erred least has guessed last; NaN before the first guess.
    fn guess(&self) -> f64 {
        let last = self.guesses.back();
        last.map_or(f64::NAN, |guesses| f64::from(guesses[self.best()]))
    }

    /// Place of the variant that has erred least.
    fn best(&self) -> usize {
        (0..N)
            .min_by(|a, b| self.errors[*a].total_cmp(&self.errors[*b]))
            .unwrap_or(0)
    }

    fn bytes(&self) -> usize {
        self.guesses.capacity() * std::mem::size_of::<[f32; N]>()
    }
}
