//! Apply: intents in, outcomes out. The gate in here holds the only mutating client.

use crate::target::TargetRef;
use forewarm_core::decision::Step;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::{FunctionKey, Mode};

/// The steps decided for one function, with all that a write needs to name.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The function.
    pub key: FunctionKey,
    /// What is written to.
    pub target: TargetRef,
    /// Shadow intents are answered with [`Outcome::Shadow`] and send nothing.
    pub mode: Mode,
    /// The decision's id (a ULID); `<id>.<step>.<attempt>` goes along as `Audit-ID`.
    pub decision: String,
    /// In order; a later step only after the earlier one succeeded.
    pub steps: Vec<Step>,
}

/// What became of one intent: an outcome a step, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The function.
    pub key: FunctionKey,
    /// One a step.
    pub outcomes: Vec<Outcome>,
}
