//! What may be known at one minute: a view of a function's rings that shows nothing later. Pure.

use super::code::Code;
use super::series::Series;
use super::{MINUTES, QUARTER};

/// The past of one function up to and with minute `until`.
///
/// Everything that learns or forecasts reads through a window, so that the walk over old data and the live
/// run see the same at the same minute: minutes after `until` are `None`, and so are quarter hours that had
/// not ended then.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    series: &'a Series,
    until: i64,
}

impl<'a> Window<'a> {
    pub(super) const fn new(series: &'a Series, until: i64) -> Self {
        Self { series, until }
    }

    /// The newest minute it may show, whether known or not.
    pub const fn until(&self) -> i64 {
        self.until
    }

    /// The same past as it was known at another minute; only for walking over old data.
    pub(crate) const fn at(&self, until: i64) -> Self {
        Self { until, ..*self }
    }

    /// The peak of one minute. `None`: a gap, out of reach, or later than the window.
    pub fn minute(&self, minute: i64) -> Option<f64> {
        (minute <= self.until)
            .then(|| self.series.minutes.get(minute).amount())
            .flatten()
    }

    /// The peaks of the minutes from `from` on; NaN where [`Self::minute`] knows none. Exact.
    pub(crate) fn copy_minutes(&self, from: i64, into: &mut [f32]) {
        let known = usize::try_from(self.until.saturating_sub(from).saturating_add(1)).unwrap_or(0);
        let (seen, later) = into.split_at_mut(known.min(into.len()));
        later.fill(f32::NAN);
        self.series.minutes.copy(from, seen, Code::number);
    }

    /// The largest peak of the quarter hour that holds `minute`, on the same terms.
    pub fn quarter(&self, minute: i64) -> Option<f64> {
        let quarter = minute.div_euclid(QUARTER);
        let ended = quarter.saturating_add(1).saturating_mul(QUARTER).saturating_sub(1) <= self.until;
        ended.then(|| self.series.quarters.get(quarter).amount()).flatten()
    }

    /// The known peaks of the newest `minutes` minutes, newest first.
    pub fn recent(&self, minutes: i64) -> impl Iterator<Item = f64> + use<'a> {
        let window = *self;
        (0..minutes).filter_map(move |ago| window.minute(window.until.saturating_sub(ago)))
    }

    /// The largest known peak of the minutes `from..=to`. `None`: all of them are gaps.
    pub fn largest(&self, from: i64, to: i64) -> Option<f64> {
        (from..=to).filter_map(|minute| self.minute(minute)).reduce(f64::max)
    }

    /// The largest of the quarter hours that hold the minutes `from..=to`. `None`: none of them is known.
    pub(crate) fn largest_quarter(&self, from: i64, to: i64) -> Option<f64> {
        let quarters = from.div_euclid(QUARTER)..=to.div_euclid(QUARTER);
        quarters
            .filter_map(|quarter| self.quarter(quarter.saturating_mul(QUARTER)))
            .reduce(f64::max)
    }

    /// The peak over the minutes `from..=to`, where at least three quarters of them are known: what a
    /// forecast is scored by. One lost minute of five must not stop the scoring, one found must not do.
    pub fn actual(&self, from: i64, to: i64) -> Option<f64> {
        let known = (from..=to)
            .filter(|minute| self.minute(*minute).is_some())
            .fold(0_i64, |n, _| n + 1);
        (known.saturating_mul(4) >= (to - from + 1).saturating_mul(3))
            .then(|| self.largest(from, to))
            .flatten()
    }

    /// How many minutes of this function have been known since its last gap of 74 h; the answer to "is there
    /// enough to begin with".
    pub const fn known(&self) -> u32 {
        self.series.known
    }

    /// The oldest minute that can be known in the minute ring.
    pub(crate) const fn reach(&self) -> i64 {
        self.until.saturating_sub(MINUTES - 1)
    }
}
