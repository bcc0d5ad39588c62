//! What was said at one minute, kept until the outcome is known. Pure.

use crate::calibration::Stake;
use crate::expert::COUNT;
use crate::gate::Uppers;
use crate::recurring::Due;

/// What was said of the span `made+1 ..= made+horizon`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bet {
    /// The minute it was said at.
    pub(super) made: i64,
    /// Minutes of the span.
    pub(super) horizon: i64,
    /// By each expert.
    pub(super) stakes: [Stake; COUNT],
    /// By those whom the gate compares.
    pub(super) said: Uppers,
    /// By whoever answered, before what recurs was heard.
    pub(super) spoken: f64,
    /// What recurs.
    pub(super) due: Due,
    /// The band of the span's last minute.
    pub(super) band: (f64, f64),
}

impl Bet {
    /// The last minute of its span.
    pub(super) const fn last_minute(&self) -> i64 {
        self.made + self.horizon
    }
}
