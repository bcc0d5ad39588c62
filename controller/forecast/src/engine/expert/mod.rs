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
use super::scratch::{DAY, Minutes};
use super::span::{Before, Span};
use super::windows::Seen;
use holt_winters::HoltWinters;
use level::Level;
use ridge::Ridge;
use seasonal_naive::SeasonalNaive;
use trailing::{HALF_HOUR, TEN_MINUTES, Trailing};

/// What an expert may know at minute `t`.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) past: &'a dyn Past,
    pub(crate) t: i64,
    /// What is forecast.
    pub(crate) span: Span,
    /// The wanted quantiles.
    pub(crate) quantiles: &'a [f64],
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

    /// Reads a number from each place outside of itself that minute `t` will read from; see [`super::Ahead::fetch`].
    fn fetch(&self, _t: i64) -> f32 {
        0.0
    }

    /// Bytes held outside of itself.
    fn bytes(&self) -> usize;
}

/// Defines [`Experts`], all of them with their names and what makes one that knows nothing, for the wanted quantiles.
///
/// They lie beside each other and not in a box each: with thousands of functions nothing of one is left in a cache since
/// its last minute, and a minute costs as much for what it fetches as for what it computes.
macro_rules! experts {
    ($($field:ident, $name:literal: $kind:ty = $make:expr;)*) => {
        /// All experts of one span.
        #[derive(Debug)]
        pub(crate) struct Experts {
            $($field: $kind,)*
        }

        /// Their names, in the order of [`Experts::all`].
        pub(crate) const EXPERTS: [&str; [$($name),*].len()] = [$($name),*];

        impl Experts {
            pub(crate) fn new(quantiles: &[f64]) -> Self {
                Self {
                    $($field: $make(quantiles),)*
                }
            }

            pub(crate) fn all(&self) -> [&dyn Expert; COUNT] {
                [$(&self.$field),*]
            }

            pub(crate) fn all_mut(&mut self) -> [&mut dyn Expert; COUNT] {
                [$(&mut self.$field),*]
            }
        }
    };
}

// Columns name them by place.
experts! {
    trailing_day, "trailing-day": Trailing<DAY> = Trailing::new;
    trailing_hour, "trailing-hour": Trailing<HOUR> = Trailing::new;
    level, "level": Level = Level::new;
    holt_winters, "holt-winters": HoltWinters = HoltWinters::new;
    seasonal_naive, "seasonal-naive": SeasonalNaive = SeasonalNaive::new;
    ridge, "ridge": Ridge = Ridge::new;
    trailing_half_hour, "trailing-half-hour": Trailing<HALF_HOUR> = Trailing::new;
    trailing_ten_minutes, "trailing-ten-minutes": Trailing<TEN_MINUTES> = Trailing::new;
}

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

    const fn new() -> Self {
        Self {
            guesses: std::collections::VecDeque::new(),
            errors: [0.0; N],
        }
    }

    /// See [`Expert::fetch`].
    fn fetch(&self) -> f32 {
        let ends = [self.guesses.front(), self.guesses.back()];
        ends.into_iter().flatten().map(|guesses| guesses[0]).sum()
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
