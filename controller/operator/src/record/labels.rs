//! The stable words for what became of a step. Pure.

use forewarm_core::outcome::{Fence, Outcome, RefusedKind};

/// Kind of outcome: the variant's name, for metric labels.
pub const fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "Applied",
        Outcome::Shadow => "Shadow",
        Outcome::Conflict => "Conflict",
        Outcome::Refused { .. } => "Refused",
        Outcome::TimedOut => "TimedOut",
        Outcome::Fenced { .. } => "Fenced",
    }
}

/// The outcome, with refusals and fences by their own names, for status, Events and the reader.
pub const fn detail(of: &Outcome) -> &'static str {
    match of {
        Outcome::Refused { kind, .. } => refused(*kind),
        Outcome::Fenced { by } => fence(*by),
        Outcome::Applied | Outcome::Shadow | Outcome::Conflict | Outcome::TimedOut => outcome(of),
    }
}

/// The variant's name.
pub const fn refused(kind: RefusedKind) -> &'static str {
    match kind {
        RefusedKind::PermissionDenied => "PermissionDenied",
        RefusedKind::Invalid => "Invalid",
        RefusedKind::NotFound => "NotFound",
        RefusedKind::ServerError => "ServerError",
        RefusedKind::Unreachable => "Unreachable",
    }
}

/// The variant's name.
pub const fn fence(fence: Fence) -> &'static str {
    match fence {
        Fence::SwitchedOff => "SwitchedOff",
        Fence::LeaseLost => "LeaseLost",
        Fence::ForeignNamespace => "ForeignNamespace",
        Fence::TickFull => "TickFull",
        Fence::NotYetVisible => "NotYetVisible",
        Fence::EarlierStep => "EarlierStep",
        Fence::StaleView => "StaleView",
        Fence::IntentNotPrinted => "IntentNotPrinted",
    }
}
