//! What a decision means to the reader of a policy's status: function and decision in, one finding a condition
//! out. Pure.
//!
//! A message names the field, its value and the fix. It holds no number that changes by itself (an age, a
//! demand), so that an unchanged state never rewrites the status.

use crate::decide::Function;
use crate::decision::{Decision, FieldVerdict};
use crate::forecast::{Distrust, Trust};
use crate::observation::{Reading, Why};
use crate::policy::{ForecastMode, Mode, OnConflict};
use crate::standing::AsideWhy;
use std::borrow::Cow;

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
pub fn findings(function: &Function, decision: &Decision) -> [Finding; 5] {
    [
        finding(Condition::Ready, ready(function)),
        finding(Condition::Active, active(function, &decision.field)),
        finding(Condition::ForecastTrusted, forecast_trusted(function)),
        finding(Condition::MetricsTrusted, metrics_trusted(function)),
        finding(Condition::Conflict, conflict(function, decision)),
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
        (Reading::Unknown(why), _) | (_, Reading::Unknown(why @ Why::ProfileUnusable)) => {
            unreadable(why)
        }
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
    match field {
        FieldVerdict::Unseen => said(State::Unknown, "TargetUnknown", "The target is not known."),
        FieldVerdict::AtZero => said(
            State::False,
            "AtZero",
            "spec.replicas is 0, a pause made by hand; scale the target up to go on.",
        ),
        FieldVerdict::InManifest { .. } => said(State::False, "InManifest", KEPT_OFF),
        FieldVerdict::Aside { why, .. } => said(State::False, why.label(), KEPT_OFF),
        FieldVerdict::Scaler { .. } => said(State::False, "Scaler", KEPT_OFF),
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::Lagging => said(
            State::True,
            "Enforcing",
            "Decisions are written to spec.replicas.",
        ),
    }
}

const KEPT_OFF: &str =
    "Somebody else has spec.replicas; condition Conflict names who, and the fix.";

fn forecast_trusted(function: &Function) -> Said {
    if function.policy.forecast == ForecastMode::Off {
        return said(
            State::False,
            "SwitchedOff",
            "forecast.mode is Off; the forecast is made and scored only.",
        );
    }
    match &function.forecast.trust {
        Trust::Trusted => {
            let model = &function.forecast.model;
            (
                State::True,
                "Trusted",
                format!("Model {model} may raise the floor.").into(),
            )
        }
        Trust::Untrusted(why) => {
            let unmeasured = *why == Distrust::TooLittleHistory;
            let state = if unmeasured {
                State::Unknown
            } else {
                State::False
            };
            said(state, why.label(), distrust(*why))
        }
    }
}

const fn distrust(why: Distrust) -> &'static str {
    match why {
        Distrust::TooLittleHistory => {
            "There is too little history to forecast from; it grows by itself."
        }
        Distrust::WorseThanSeasonalNaive => "No model beats seasonal-naive over the scored window.",
        Distrust::Undercovers => "The actual peaks lie above the forecast quantile too often.",
        Distrust::ModelFailed => "A model gave no finite number.",
        Distrust::HistoryStale => "The newest closed minute is too old to forecast from.",
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

fn conflict(function: &Function, decision: &Decision) -> Said {
    match &decision.field {
        FieldVerdict::Unseen => said(State::Unknown, "TargetUnknown", "The target is not known."),
        FieldVerdict::Scaler { by } => (State::True, "Scaler", scaled(by).into()),
        FieldVerdict::InManifest { by, adopted: true } => {
            (State::True, "Adopted", adopted(by).into())
        }
        FieldVerdict::InManifest { by, adopted: false } => {
            (State::True, "InManifest", in_manifest(by, function).into())
        }
        FieldVerdict::Aside { by, why } => {
            (State::True, why.label(), aside(by, *why, function).into())
        }
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::AtZero
        | FieldVerdict::Lagging => {
            said(State::False, "NoConflict", "Nobody else has spec.replicas.")
        }
    }
}

fn scaled(by: &str) -> String {
    format!(
        "{by} moves spec.replicas of the target; delete it or this policy, two scalers of one target fight."
    )
}

fn adopted(by: &str) -> String {
    format!(
        "Manager {by} and Forewarm both own spec.replicas; delete line `replicas` from the manifest of {by} now, and Enforce opens."
    )
}

/// Deleted before the adoption, the line takes the value with it: the server falls back to 1.
fn in_manifest(by: &str, function: &Function) -> String {
    let live = live(function);
    let fix = match function.policy.on_conflict {
        OnConflict::StandAside => "set onConflict: Take to adopt it",
        OnConflict::Take => "it is adopted as soon as mode is Enforce",
    };
    format!(
        "Manager {by} owns spec.replicas ({live}); {fix}, then delete line `replicas` once this says Adopted, not before."
    )
}

fn aside(by: &str, why: AsideWhy, function: &Function) -> String {
    let live = live(function);
    match why {
        AsideWhy::FieldTaken => {
            format!(
                "spec.replicas is {live}, set by {by}; Forewarm keeps off until the policy's spec is edited."
            )
        }
        AsideWhy::ResetTooOften => format!(
            "{by} set spec.replicas back to {live} three times in ten minutes; delete line `replicas` from its manifest, then edit the policy's spec."
        ),
    }
}

fn live(function: &Function) -> String {
    function
        .observation
        .target
        .known()
        .map_or_else(String::new, |target| target.floor.to_string())
}

/// What is wrong with a reading, and what to do about it.
const fn fix(why: &Why) -> &'static str {
    match why {
        Why::NotYetRead => "Nothing was read yet.",
        Why::Absent => {
            "The source has no series for this function; check the profile's query and join labels."
        }
        Why::Stale { .. } => {
            "The newest sample is older than the profile allows; check that the pods are scraped."
        }
        Why::NotANumber => "The source gave NaN; check the profile's query for a division by zero.",
        Why::Infinite => {
            "The source gave an infinite value; check the profile's query for a division by zero."
        }
        Why::Negative => "The source gave a value below zero; check the profile's query.",
        Why::WrongShape => {
            "The answer lacks the labels to join by, or has a series twice; check the profile's query."
        }
        Why::Incomplete { .. } => {
            "Fewer pods report than are ready; check that all of them are scraped."
        }
        Why::ImplausibleJump { .. } => "The value jumped too far to be believed at first sight.",
        Why::SourceDown => "The metrics source does not answer.",
        Why::QueryFailed => "The metrics source refused the profile's query.",
        Why::PartialAnswer => "The metrics source warned that its answer may lack series.",
        Why::TooLarge => {
            "The answer to the profile's query is larger than the cap; aggregate it in the query."
        }
        Why::ProfileUnusable => {
            "The demand profile does not exist or cannot be used; set demand.profile to one that is Ready."
        }
        Why::PerReplicaUnknown => "What one replica can serve is not known; set demand.perReplica.",
        Why::TargetMissing => {
            "The target does not exist in the policy's namespace; create it, or a policy for another."
        }
        Why::TargetStale => "The watch of the target is too old to decide from.",
        Why::KindNotListed => {
            "The target's kind is not listed; ask the platform team to list it in the chart's values."
        }
    }
}
