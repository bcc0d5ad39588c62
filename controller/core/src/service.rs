//! How calls are served: rate, failures and latency, as metrics tell them. Whole numbers, so that a decision made from
//! them is the same wherever it is made again.

use crate::units::Demand;
use serde::{Deserialize, Serialize};

/// How a pod, or a function, serves. Each part is there only where it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Calls that ended, in thousandths a second.
    pub calls_milli: u64,
    /// Of a thousand calls, those that failed; at most 1,000. `None`: not known, nor is it without calls.
    pub failed_permille: Option<u64>,
    /// How long a call takes, in microseconds. `None`: not known, nor is it without calls.
    pub latency_micros: Option<u64>,
}

impl Served {
    /// From what metrics gave: calls a second, failed calls a second, seconds a call. `None` where the rate is not an
    /// amount; a part that is none, or of a function without calls, is not known.
    pub fn of(calls: f64, failed: Option<f64>, latency: Option<f64>) -> Option<Self> {
        let calls_milli = whole(calls * 1000.0)?;
        let some = calls_milli > 0;
        let share = |failed: f64| whole(failed / calls * 1000.0).map(|share| share.min(1000));
        Some(Self {
            calls_milli,
            failed_permille: failed.filter(|_| some).and_then(share),
            latency_micros: latency
                .filter(|_| some)
                .and_then(|seconds| whole(seconds * 1_000_000.0)),
        })
    }
}

/// How a function serves, held against its own past. `Default`: nobody asks, or nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Failed calls of a thousand. `None`: not known.
    pub errors: Option<Banded>,
    /// Microseconds a call takes. `None`: not known.
    pub latency: Option<Banded>,
    /// The profile asks, and one of its questions was not answered.
    pub unanswered: bool,
}

/// A value and the band it is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banded {
    /// The value.
    pub now: u64,
    /// Upper edge of its band. `None`: too little is known for one.
    pub upper: Option<u64>,
}

impl Banded {
    /// True above the band.
    pub fn is_above(self) -> bool {
        self.upper.is_some_and(|upper| self.now > upper)
    }
}

impl Service {
    /// True while failures or latency lie above their own band.
    pub fn worse(&self) -> bool {
        [self.errors, self.latency].into_iter().flatten().any(Banded::is_above)
    }
}

/// What has lain far outside its own band for a while, with the edge it is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Anomaly {
    /// More demand than the forecast's band a horizon ago.
    DemandAboveBand {
        /// The edge, in the profile's unit.
        upper: Demand,
    },
    /// Less.
    DemandBelowBand {
        /// The edge, in the profile's unit.
        lower: Demand,
    },
    /// More failed calls.
    ErrorsAboveBand {
        /// The edge, of a thousand calls.
        upper_permille: u64,
    },
    /// Calls take longer.
    LatencyAboveBand {
        /// The edge, in microseconds.
        upper_micros: u64,
    },
}

impl Anomaly {
    /// The variant's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::DemandAboveBand { .. } => "DemandAboveBand",
            Self::DemandBelowBand { .. } => "DemandBelowBand",
            Self::ErrorsAboveBand { .. } => "ErrorsAboveBand",
            Self::LatencyAboveBand { .. } => "LatencyAboveBand",
        }
    }
}

/// The nearest whole number. `None` for NaN, infinite and negative numbers, and from 2^53 on.
fn whole(amount: f64) -> Option<u64> {
    let rounded = amount.round();
    // The cast is exact within these bounds.
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (amount >= 0.0 && rounded < 9.0e15).then_some(rounded as u64)
}

#[cfg(test)]
mod tests {
    use super::Served;

    #[test]
    fn what_is_no_amount_is_not_known_and_is_never_zero() {
        let good = Served::of(2.0, Some(0.5), Some(0.0125)).unwrap();
        assert_eq!(
            (good.calls_milli, good.failed_permille, good.latency_micros),
            (2000, Some(250), Some(12_500))
        );
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert_eq!(Served::of(bad, Some(0.0), Some(0.0)), None);
            let part = Served::of(1.0, Some(bad), Some(bad)).unwrap();
            assert_eq!((part.failed_permille, part.latency_micros), (None, None), "{bad}");
        }
        let idle = Served::of(0.0, Some(0.0), Some(f64::NAN)).unwrap();
        assert_eq!(
            (idle.failed_permille, idle.latency_micros),
            (None, None),
            "no calls, no share"
        );
        assert_eq!(Served::of(1.0, Some(2.0), None).unwrap().failed_permille, Some(1000));
    }
}
