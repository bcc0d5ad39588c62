//! History: what each function's demand was, minute by minute. Readings and backfilled points in, a
//! [`Window`] of the past out. Memory only, no I/O.
//!
//! Two rings a function: 74 h of one-minute peaks and 15 days of quarter hours (the largest of their minutes). A
//! gap stays a gap: nothing is interpolated, carried on or taken for zero.

mod code;
mod ring;
mod series;
mod window;

pub use window::Window;

use foldhash::quality::RandomState;
use forewarm_core::observation::{DemandSample, Reading};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Demand, Wall};
use series::Series;
use std::collections::HashMap;

/// Minutes kept at one-minute resolution: three days for the daily lags and two hours to stand on.
pub const MINUTES: i64 = 74 * 60;
/// Quarter hours kept: two weeks, and a day for the weekly lag to stand on.
pub const QUARTERS: i64 = 15 * 96;
/// Minutes of a quarter hour.
pub(crate) const QUARTER: i64 = 15;

/// The past of the fleet, bounded: about 11.8 kB a function, whatever comes in.
#[derive(Debug, Default)]
pub struct History {
    functions: HashMap<FunctionKey, Series, RandomState>,
}

impl History {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one tick's reading of one function.
    ///
    /// The samples of a minute are folded by maximum; the minute closes when a later one begins, also when
    /// that is known only from an `Unknown`. A minute without a known sample stays a gap. A reading from an
    /// earlier minute than the running one (a clock set back) is dropped.
    pub fn extend(&mut self, key: &FunctionKey, wall: Wall, reading: &Reading<DemandSample>) {
        match (self.functions.get_mut(key), reading) {
            (Some(series), _) => series.extend(wall, reading.known()),
            // Rings are allocated at the first known sample: a function that never reports costs nothing.
            (None, Reading::Known(sample)) => {
                let mut series = Series::new();
                series.extend(wall, Some(sample));
                self.functions.insert(key.clone(), series);
            }
            (None, Reading::Unknown(_)) => {}
        }
    }

    /// Merges points read from the past, `(minute since 1970 UTC, peak of that minute)`.
    ///
    /// Points of one minute are folded by maximum, so order and repetition make no difference; a minute
    /// that was measured live is never touched, nor one at or after the running minute. Points older than
    /// the minute ring go to the quarter hours.
    pub fn backfill(&mut self, key: &FunctionKey, points: impl IntoIterator<Item = (i64, Demand)>) {
        let mut points = points.into_iter().peekable();
        if points.peek().is_none() {
            return;
        }
        self.functions
            .entry(key.clone())
            .or_insert_with(Series::new)
            .backfill(points);
    }

    /// Merges quarter hours read from the past, `(its first minute since 1970 UTC, largest of its one-minute peaks)`.
    /// Quarters whose minutes are in the minute ring are left out: those say more.
    pub fn backfill_quarters(&mut self, key: &FunctionKey, quarters: impl IntoIterator<Item = (i64, Demand)>) {
        let mut quarters = quarters.into_iter().peekable();
        if quarters.peek().is_none() {
            return;
        }
        self.functions
            .entry(key.clone())
            .or_insert_with(Series::new)
            .backfill_quarters(quarters);
    }

    /// The past of one function up to and with minute `until`. `None`: nothing was ever known of it.
    pub fn window(&self, key: &FunctionKey, until: i64) -> Option<Window<'_>> {
        self.functions.get(key).map(|series| series.window(until))
    }

    /// The newest closed minute with a known peak. `None`: there is none.
    pub fn newest(&self, key: &FunctionKey) -> Option<i64> {
        self.functions.get(key).and_then(Series::newest)
    }

    /// Drops every function that `keep` does not name.
    pub fn forget(&mut self, keep: impl Fn(&FunctionKey) -> bool) {
        self.functions.retain(|key, _| keep(key));
    }

    /// Functions with at least one point.
    pub fn len(&self) -> usize {
        self.functions.len()
    }

    /// True when nothing is known of any function.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// Bytes held by the rings, computed from their capacities; names and map are not counted.
    pub fn bytes(&self) -> usize {
        self.functions.values().map(Series::bytes).sum()
    }
}

#[cfg(test)]
mod tests;
