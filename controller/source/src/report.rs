//! What one tick's questions came to: a reading a function, and how each profile's questions went. Pure.

use crate::ask::Asked;
use crate::error::SourceError;
use crate::service::{ServedBy, ServiceAsked};
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::policy::FunctionKey;
use std::collections::BTreeMap;
use std::time::Duration;

/// What one tick's questions came to.
#[derive(Debug, Default)]
pub struct Readings {
    /// Demand of every member, in their order.
    pub demand: Vec<Reading<DemandSample>>,
    /// How calls are served, of the members whose profile asks for it.
    pub served: BTreeMap<FunctionKey, ServedBy>,
    /// State of every profile in use, by name.
    pub profiles: BTreeMap<String, ProfileState>,
}

/// How the questions of one profile went, for metrics and conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileState {
    /// Why one of the questions has no answer: without demand, no function of this profile has one. `None`: all have.
    pub failed: Option<Failure>,
    /// Series in the answer.
    pub series: usize,
    /// Of them, those of no function of this profile.
    pub foreign: usize,
    /// Bytes of all its answers, decompressed.
    pub bytes: usize,
    /// From the first question to the last answer joined.
    pub took: Duration,
}

/// Why a profile could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The reason its functions have.
    pub why: Why,
    /// At most 200 characters that name what happened and, where there is one, the fix; safe to show.
    pub text: String,
}

impl ProfileState {
    pub(crate) fn of(asked: &Result<Asked, SourceError>) -> Self {
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => {
                return Self {
                    failed: Some(error.into()),
                    ..Self::default()
                };
            }
        };
        let errors = [
            asked.current.as_ref().err(),
            asked.peak.as_ref().and_then(|p| p.as_ref().err()),
            asked.up_error.as_ref(),
            asked.service.as_ref().and_then(ServiceAsked::error),
        ];
        let (series, foreign) = asked.current.as_ref().map_or((0, 0), |j| (j.series, j.foreign));
        Self {
            failed: errors.into_iter().flatten().next().map(Failure::from),
            series,
            foreign,
            bytes: asked.bytes,
            took: asked.took,
        }
    }
}

impl From<&SourceError> for Failure {
    fn from(error: &SourceError) -> Self {
        Self {
            why: error.why(),
            text: crate::error::cut(&error.to_string(), None),
        }
    }
}
