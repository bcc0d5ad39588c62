//! What became of a step. Made in apply, folded into the standing, told by record.

use serde::{Deserialize, Serialize};

/// What became of one step of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The API server accepted it.
    Applied,
    /// Shadow: not sent; the virtual floor moves.
    Shadow,
    /// The field or the object was no longer as decided upon: read again, decide again next tick.
    Conflict,
    /// Refused with a reason (validation, admission, permission).
    Refused {
        /// `PermissionDenied`, `Invalid`, `NotFound`, `ServerError`.
        kind: RefusedKind,
        /// The server's words, cut to 256 characters.
        message: String,
    },
    /// No answer within the deadline: it may or may not have happened; the next read tells.
    TimedOut,
    /// Not sent: another step before it did not succeed, or the gate was closed.
    Fenced {
        /// Which gate.
        by: Fence,
    },
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusedKind {
    /// 401 or 403 without causes: the namespace is not enrolled.
    PermissionDenied,
    /// 422 with causes: validation, or an admission rail.
    Invalid,
    /// 404.
    NotFound,
    /// Anything else the server said.
    ServerError,
    /// The connection failed.
    Unreachable,
}

/// Why a step was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fence {
    /// The switch `ConfigMap` stops all writes, or could not be read.
    SwitchedOff,
    /// The lease is not ours, or its term ends before the request could.
    LeaseLost,
    /// The namespace of the write is not the policy's (W4): a bug, caught.
    ForeignNamespace,
    /// More differences than one tick may write; the next tick goes on.
    TickFull,
    /// An earlier own write to the object is not yet visible (W5).
    NotYetVisible,
    /// A step before this one did not succeed.
    EarlierStep,
    /// A fall, decided on a view of the target that is older than 60 s (W6).
    StaleView,
    /// The decision log did not take the intent's line (A1).
    IntentNotPrinted,
}
