//! What a decision means to the reader of a policy's status: function and decision in, one finding a condition
//! out. Pure.
//!
//! A message names the field, its value and the fix. It holds no number that changes by itself (an age, a
//! demand), so that an unchanged state never rewrites the status.

mod anomaly;
mod capacity;
mod conflict;
#[cfg(test)]
mod tests;
mod words;

use crate::decide::Function;
use crate::decision::{Decision, FieldVerdict};
use crate::forecast::{Distrust, Trust};
use crate::observation::{FloorField, Reading, Scaler, Why};
use crate::policy::{ForecastMode, Mode};
use crate::units::Replicas;
use anomaly::anomalous;
use capacity::{backpressure, capacity_limited};
use conflict::conflict;
use std::borrow::Cow;
use words::{distrust, fix};

/// The conditions of a policy's status, by their types there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Everything a decision needs is there.
    Ready,
    /// The floor field is moved when a decision says so.
    Active,
    /// The forecast may raise the floor.
    ForecastTrusted,
    /// The demand is known.
    MetricsTrusted,
    /// Somebody else has the floor field. Its normal state is false.
    Conflict,
    /// The cluster does not take as many pods as are wished for. Its normal state is false.
    CapacityLimited,
    /// A backlog needs more pods than the ceiling allows. Its normal state is false.
    Backpressure,
    /// Something lies far outside its own band. Its normal state is false.
    Anomalous,
}

impl Condition {
    /// The variant's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Active => "Active",
            Self::ForecastTrusted => "ForecastTrusted",
            Self::MetricsTrusted => "MetricsTrusted",
            Self::Conflict => "Conflict",
            Self::CapacityLimited => "CapacityLimited",
            Self::Backpressure => "Backpressure",
            Self::Anomalous => "Anomalous",
        }
    }
}

/// The state of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody knows yet.
    Unknown,
}

impl State {
    /// The word of the Kubernetes API.
    pub const fn label(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// One condition with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which one.
    pub condition: Condition,
    /// Its state.
    pub state: State,
    /// Why, in one stable word.
    pub reason: &'static str,
    /// Why, in one sentence, and the fix where there is one.
    pub message: Cow<'static, str>,
}

type Said = (State, &'static str, Cow<'static, str>);

/// What `decision` means for each condition, in the order of [`Condition`].
pub fn findings(function: &Function, decision: &Decision) -> [Finding; 8] {
    [
        finding(Condition::Ready, ready(function)),
        finding(Condition::Active, active(function, &decision.field)),
        finding(Condition::ForecastTrusted, forecast_trusted(function)),
        finding(Condition::MetricsTrusted, metrics_trusted(function)),
        finding(Condition::Conflict, conflict(function, decision)),
        finding(Condition::CapacityLimited, capacity_limited(function, decision)),
        finding(Condition::Backpressure, backpressure(function, decision)),
        finding(Condition::Anomalous, anomalous(function)),
    ]
}

/// The reasons of the conditions that change while the verdict stays: pods that found no node are gone, a ceiling
/// begins to bind, an anomaly begins or ends, or a scaler's own settings are others. Of two ticks with the same verdict they say whether the conditions are still the same.
pub fn limits(function: &Function, decision: &Decision) -> [&'static str; 4] {
    [
        active(function, &decision.field).1,
        capacity_limited(function, decision).1,
        backpressure(function, decision).1,
        anomalous(function).1,
    ]
}

fn finding(condition: Condition, (state, reason, message): Said) -> Finding {
    Finding {
        condition,
        state,
        reason,
        message,
    }
}

fn said(state: State, reason: &'static str, message: &'static str) -> Said {
    (state, reason, Cow::Borrowed(message))
}

fn ready(function: &Function) -> Said {
    let observation = &function.observation;
    match (&observation.target, &observation.demand) {
        (Reading::Unknown(why), _) | (_, Reading::Unknown(why @ Why::ProfileUnusable)) => unreadable(why),
        _ if function.policy.per_replica.is_none() => unreadable(&Why::PerReplicaUnknown),
        _ => said(
            State::True,
            "Deciding",
            "The target is known and what one replica can serve is set.",
        ),
    }
}

/// A state in which no decision can be made: for good until somebody acts, or for now.
fn unreadable(why: &Why) -> Said {
    let state = match why {
        Why::NotYetRead | Why::TargetStale => State::Unknown,
        _ => State::False,
    };
    said(state, why.label(), fix(why))
}

fn active(function: &Function, field: &FieldVerdict) -> Said {
    if function.policy.paused {
        return said(
            State::False,
            "Paused",
            "A pause is set on the policy or its namespace; nothing moves.",
        );
    }
    if function.policy.mode == Mode::Shadow {
        return said(
            State::False,
            "Shadow",
            "Decisions are made and logged, nothing is written; set mode: Enforce.",
        );
    }
    let place = place(function);
    let off = || format!("Somebody else has {place}; condition Conflict names who, and the fix.").into();
    match field {
        FieldVerdict::Unseen => said(State::Unknown, "TargetUnknown", "The target is not known."),
        FieldVerdict::AtZero => said(
            State::False,
            "AtZero",
            "The target has 0 replicas, a pause made by hand; scale it up to go on.",
        ),
        FieldVerdict::ScalerPaused { by } => {
            let message = format!("{by} is paused by its own annotation; take that off to go on.");
            (State::False, "ScalerPaused", message.into())
        }
        FieldVerdict::InManifest { .. } => (State::False, "InManifest", off()),
        FieldVerdict::Aside { why, .. } => (State::False, why.label(), off()),
        FieldVerdict::Scaler { .. } => (State::False, "Scaler", off()),
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::Renewed
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::Lagging => enforcing(function, &place),
    }
}

fn enforcing(function: &Function, place: &str) -> Said {
    let (reason, message) = match idle(function) {
        None => ("Enforcing", format!("Decisions are written to {place}.")),
        Some(idle) => {
            let message = format!(
                "Decisions are written to {place}, which counts only while a trigger is active: spec.idleReplicaCount is {}, \
                 and an idle target is kept there; delete that line to have pods before the load comes.",
                idle.0
            );
            ("EnforcingUnlessIdle", message)
        }
    };
    (State::True, reason, message.into())
}

/// What the target's scaler keeps an idle target at, whatever its floor.
fn idle(function: &Function) -> Option<Replicas> {
    match function.observation.target.known()?.scaler.as_ref()? {
        Scaler::One(field) => field.idle,
        Scaler::Several(_) => None,
    }
}

/// The field that a floor is written to, with the scaler that has it.
fn place(function: &Function) -> Cow<'_, str> {
    match function
        .observation
        .target
        .known()
        .and_then(|target| target.scaler.as_ref())
    {
        Some(Scaler::One(FloorField { scaler, field, .. })) => format!("{field} of {scaler}").into(),
        _ => "spec.replicas".into(),
    }
}

fn forecast_trusted(function: &Function) -> Said {
    if function.policy.forecast == ForecastMode::Off {
        return said(
            State::False,
            "SwitchedOff",
            "forecast.mode is Off; the forecast is made and scored only.",
        );
    }
    match (&function.forecast.trust, function.forecast.demoted) {
        (Trust::Trusted, None) => {
            let model = &function.forecast.model;
            (
                State::True,
                "Trusted",
                format!("Model {model} may raise the floor.").into(),
            )
        }
        (Trust::Trusted, Some(why)) => {
            let stands_in = &function.forecast.model;
            let message = format!("{} {stands_in} may raise the floor in its place.", distrust(why));
            (measured(why), why.label(), message.into())
        }
        (Trust::Untrusted(why), _) => said(measured(*why), why.label(), distrust(*why)),
    }
}

/// False where the models were scored and lost, unknown where there was nothing to score.
const fn measured(why: Distrust) -> State {
    match why {
        Distrust::TooLittleHistory => State::Unknown,
        Distrust::WorseThanSeasonalNaive
        | Distrust::WorseThanTrailingPeak
        | Distrust::Undercovers
        | Distrust::ModelFailed
        | Distrust::HistoryStale => State::False,
    }
}

fn metrics_trusted(function: &Function) -> Said {
    match &function.observation.demand {
        Reading::Known(_) => said(State::True, "Known", "The demand is known."),
        Reading::Unknown(why) => {
            let state = if *why == Why::NotYetRead {
                State::Unknown
            } else {
                State::False
            };
            let message = format!("{} Nothing is lowered until the demand is known.", fix(why));
            (state, why.label(), message.into())
        }
    }
}
