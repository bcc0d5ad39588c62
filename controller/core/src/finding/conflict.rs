//! Condition `Conflict`: who else has the floor field, and how to settle it. Pure.

use super::{Said, State, said};
use crate::decide::Function;
use crate::decision::{Decision, FieldVerdict};
use crate::policy::OnConflict;
use crate::standing::AsideWhy;

pub(super) fn conflict(function: &Function, decision: &Decision) -> Said {
    match &decision.field {
        FieldVerdict::Unseen => said(State::Unknown, "TargetUnknown", "The target is not known."),
        FieldVerdict::Scaler { by } => (State::True, "Scaler", scaled(by).into()),
        FieldVerdict::InManifest { by, adopted: true } => (State::True, "Adopted", adopted(by).into()),
        FieldVerdict::InManifest { by, adopted: false } => {
            (State::True, "InManifest", in_manifest(by, function).into())
        }
        FieldVerdict::Aside { by, why } => (State::True, why.label(), aside(by, *why, function).into()),
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::AtZero
        | FieldVerdict::Lagging => said(State::False, "NoConflict", "Nobody else has spec.replicas."),
    }
}

fn scaled(by: &str) -> String {
    format!("{by} moves spec.replicas of the target; delete it or this policy, two scalers of one target fight.")
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
            format!("spec.replicas is {live}, set by {by}; Forewarm keeps off until the policy's spec is edited.")
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
