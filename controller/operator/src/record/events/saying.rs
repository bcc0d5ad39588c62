//! What there is to say of a function: what was told in, short texts out. Pure.

use crate::record::health::{sentence as told_of, wrong};
use crate::record::named::findings;
use crate::record::status::content::POLICY_INVALID;
use crate::record::{Told, Unusable, ascii, labels};
use forewarm_api::problem::sentence;
use forewarm_core::decision::{Decision, Step, Verdict};
use forewarm_core::finding::{Condition, Finding, State};
use forewarm_core::memory::{MemoryDecision, MemoryReason};
use forewarm_core::outcome::{Fence, Outcome};

/// Longest note, in bytes; the API server takes 1,024.
pub(super) const NOTE: usize = 1000;

/// What one Event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saying {
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) action: &'static str,
    pub(super) note: String,
}

/// What there is to say of one function whose verdict changed.
pub(super) fn of(told: &Told<'_>) -> Vec<Saying> {
    let mut sayings: Vec<Saying> = moved(told).into_iter().collect();
    let found = findings(told);
    sayings.extend(found.iter().filter(|finding| bad(finding)).map(gone_bad));
    sayings
}

/// What there is to say of memory and health: each reason once, what is wrong as a warning.
pub(super) fn health(decision: &MemoryDecision) -> Vec<Saying> {
    let said = decision.said.iter();
    let told = said.filter(|said| wrong(said.reason) || said.reason == MemoryReason::Lowered);
    told.map(|said| Saying {
        warning: wrong(said.reason),
        reason: said.reason.label(),
        action: "Heal",
        note: printable(&told_of(said)),
    })
    .collect()
}

/// A move, or one that failed. Nothing is said of a fence that the next tick passes by itself.
fn moved(told: &Told<'_>) -> Option<Saying> {
    let Verdict::Apply(steps) = &told.decision.verdict else {
        return None;
    };
    let failed = told
        .outcomes
        .iter()
        .position(|outcome| !matches!(outcome, Outcome::Applied | Outcome::Shadow));
    let at = failed.unwrap_or(0);
    let (step, outcome) = (steps.get(at)?, told.outcomes.get(at)?);
    let what = match step {
        Step::SetFloor { from, to, .. } => format!("Floor {from} -> {to}"),
        Step::Adopt { value, .. } => format!("Floor field adopted at {value}"),
        Step::DropClaim { .. } => "Claim on the floor field dropped".to_owned(),
        Step::GiveBack { .. } => "Floor given back".to_owned(),
        Step::Wake { to, .. } => format!("Floor {to} carried out in the scaler's place"),
    };
    let action = match step {
        Step::SetFloor { .. } => "SetFloor",
        Step::Adopt { .. } => "Adopt",
        Step::DropClaim { .. } => "DropClaim",
        Step::GiveBack { .. } => "GiveBack",
        Step::Wake { .. } => "Wake",
    };
    let reason = told.decision.reason.label();
    let said = |warning, reason, note: String| {
        Some(Saying {
            warning,
            reason,
            action,
            note: printable(&note),
        })
    };
    match outcome {
        Outcome::Applied => said(false, reason, format!("{what}: {}.", because(told))),
        Outcome::Shadow => said(
            false,
            reason,
            format!("{what} (Shadow, nothing written): {}.", because(told)),
        ),
        Outcome::Refused { message, .. } => {
            said(true, labels::detail(outcome), format!("{what} was refused: {message}"))
        }
        Outcome::TimedOut => said(
            true,
            labels::detail(outcome),
            format!("{what} was not answered in time."),
        ),
        Outcome::Fenced {
            by: by @ (Fence::SwitchedOff | Fence::ForeignNamespace),
        } => said(true, labels::fence(*by), format!("{what} was not sent.")),
        Outcome::Conflict | Outcome::Fenced { .. } => None,
    }
}

/// What a move rests on.
fn because(told: &Told<'_>) -> String {
    let Decision {
        reason,
        wish,
        counterfactual,
        ..
    } = told.decision;
    let forecast = &told.function.forecast;
    let wished = wish
        .as_ref()
        .map_or_else(String::new, |wish| format!(", wished {}", wish.to));
    let reactive = counterfactual
        .known()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let (quantile, upper, horizon) = (forecast.quantile.get(), forecast.upper.get(), forecast.horizon.0);
    let forecast = forecast.trusted().map_or_else(
        || "forecast not trusted".to_owned(),
        |_| format!("p{quantile} {upper:.0} in {horizon} s by {}", forecast.model),
    );
    format!("{}{wished}, {forecast}, reactive {reactive}", reason.label())
}

/// A condition in a state that somebody should see.
fn bad(finding: &Finding) -> bool {
    match finding.condition {
        Condition::Ready | Condition::MetricsTrusted => finding.state == State::False,
        Condition::Conflict | Condition::CapacityLimited | Condition::Backpressure | Condition::Anomalous => {
            finding.state == State::True
        }
        Condition::Active | Condition::ForecastTrusted => false,
    }
}

fn gone_bad(finding: &Finding) -> Saying {
    let note = printable(&finding.message);
    Saying {
        warning: true,
        reason: finding.reason,
        action: "Decide",
        note,
    }
}

pub(super) fn complaint(bad: &Unusable<'_>) -> Saying {
    Saying {
        warning: true,
        reason: POLICY_INVALID,
        action: "Parse",
        note: printable(&sentence(bad.problems)),
    }
}

/// Cut to [`NOTE`] bytes, and nothing in it that a terminal would act upon.
pub(super) fn printable(text: &str) -> String {
    let mut note: String = text
        .chars()
        .map(|c| if ascii::is_unprintable(c) { '\u{fffd}' } else { c })
        .collect();
    while note.len() > NOTE {
        note.pop();
    }
    note
}
