//! What became of the writes of statuses: the server's answers in, counts out. No I/O.

use forewarm_core::policy::FunctionKey;

/// What became of the writes of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Accepted.
    pub written: u64,
    /// The policy has changed meanwhile, or is gone: made anew from the next look.
    pub outdated: u64,
    /// Refused for another reason.
    pub refused: u64,
    /// No answer in time.
    pub unanswered: u64,
    /// Left for the next tick.
    pub waiting: u64,
}

/// What became of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Written,
    Outdated,
    Refused,
    None,
}

/// What the server's answer to one write means.
pub(super) fn judge(key: &FunctionKey, answer: Result<(), kube::Error>) -> Answer {
    match answer {
        Ok(()) => Answer::Written,
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Answer::Outdated,
        Err(kube::Error::Api(status)) => {
            tracing::warn!(function = %key, code = status.code, reason = %status.reason, "Status was refused.");
            Answer::Refused
        }
        Err(error) => {
            tracing::warn!(function = %key, error = &error as &dyn std::error::Error, "Status was not answered.");
            Answer::None
        }
    }
}

/// Counts the answers.
pub(super) fn tally<'a>(answers: impl Iterator<Item = &'a Answer>) -> Written {
    answers.fold(Written::default(), |mut sum, answer| {
        match answer {
            Answer::Written => sum.written += 1,
            Answer::Outdated => sum.outdated += 1,
            Answer::Refused => sum.refused += 1,
            Answer::None => sum.unanswered += 1,
        }
        sum
    })
}
