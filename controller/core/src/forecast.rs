//! What the forecast crate hands to plan: demand, never pods.

use crate::units::{Demand, Percent, Seconds};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The forecast of one function at one closed minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Whether it may raise the floor, and if not, why.
    pub trust: Trust,
    /// Why a baseline (trailing peak, seasonal-naive) answers in place of a better model. `None`: none does.
    #[serde(default)]
    pub demoted: Option<Distrust>,
    /// The model that answers, by its stable name (`seasonal-naive`, `trailing-peak`, ...). Empty: none.
    pub model: Cow<'static, str>,
    /// Minute since 1970 UTC that it was made for; everything up to it was known.
    pub minute: i64,
    /// Span it covers, from now: lead time + tick + one step.
    pub horizon: Seconds,
    /// The quantile that `upper` is, in percent.
    pub quantile: Percent,
    /// Median of the peak in-flight count over the horizon.
    pub point: Demand,
    /// The upper quantile of the peak in-flight count over the horizon.
    pub upper: Demand,
    /// The band (5 % and 95 %) that was forecast one horizon ago for the present minute: tells an expected
    /// fall from a surprise (F1). `None`: nothing was forecast then.
    pub expected_now: Option<Band>,
    /// Share of past minutes in which the actual peak lay at or below `upper`. `None`: too few scored yet.
    pub coverage: Option<Percent>,
}

/// A lower and an upper quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The lower one.
    pub lower: Demand,
    /// The upper one.
    pub upper: Demand,
}

/// Whether a forecast may raise the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// It may.
    Trusted,
    /// It may not; the trailing peak, if there is one, arrives as a trusted forecast of its own name.
    Untrusted(Distrust),
}

/// Why a forecast is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distrust {
    /// Fewer closed minutes than any model needs.
    TooLittleHistory,
    /// Every model lost to seasonal-naive over the scored window.
    WorseThanSeasonalNaive,
    /// Every model lost to the trailing peak over the scored window.
    WorseThanTrailingPeak,
    /// The actual peaks lie above the upper quantile too often.
    Undercovers,
    /// A model returned something that is not finite, or nothing.
    ModelFailed,
    /// The newest closed minute is too old to forecast from.
    HistoryStale,
}

impl Distrust {
    /// The variant's name, for conditions and metric labels.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooLittleHistory => "TooLittleHistory",
            Self::WorseThanSeasonalNaive => "WorseThanSeasonalNaive",
            Self::WorseThanTrailingPeak => "WorseThanTrailingPeak",
            Self::Undercovers => "Undercovers",
            Self::ModelFailed => "ModelFailed",
            Self::HistoryStale => "HistoryStale",
        }
    }
}

impl Forecast {
    /// The forecast of a function of which nothing is known yet.
    pub fn none(why: Distrust) -> Self {
        Self {
            trust: Trust::Untrusted(why),
            demoted: None,
            model: Cow::Borrowed(""),
            minute: 0,
            horizon: Seconds(0),
            quantile: Percent::new(80).expect("80 is a percentage"),
            point: Demand::ZERO,
            upper: Demand::ZERO,
            expected_now: None,
            coverage: None,
        }
    }

    /// The forecast of a function that nobody has said anything of yet, or that the last computation lost.
    pub fn missing() -> Self {
        Self::none(Distrust::ModelFailed)
    }

    /// The upper quantile, only where it may raise a floor.
    pub fn trusted(&self) -> Option<Demand> {
        (self.trust == Trust::Trusted).then_some(self.upper)
    }
}
