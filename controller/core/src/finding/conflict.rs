//! Condition `Conflict`: who else has the floor field, and how to settle it. Pure.

use super::{Said, State, place, said};
use crate::decide::Function;
use crate::decision::{Decision, FieldVerdict};
use crate::observation::Scaler;
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
        FieldVerdict::Reset { by } => floor_in_manifest(by, function),
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Renewed
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::AtZero
        | FieldVerdict::ScalerPaused { .. }
        | FieldVerdict::Lagging => match applier(function) {
            Some(by) => floor_in_manifest(by, function),
            None => nobody(function),
        },
    }
}

fn nobody(function: &Function) -> Said {
    (
        State::False,
        "NoConflict",
        format!("Nobody else has {}.", place(function)).into(),
    )
}

/// Who has the floor line of a scaler in a server-side manifest.
fn applier(function: &Function) -> Option<&str> {
    let target = function.observation.target.known()?;
    target.scaler.as_ref()?;
    target.ownership.applied_by.as_deref()
}

/// No conflict: every deploy succeeds, and sets the floor back for one tick.
fn floor_in_manifest(by: &str, function: &Function) -> Said {
    let target = function.observation.target.known();
    if !matches!(target.map(|target| &target.scaler), Some(Some(Scaler::One(_)))) {
        return nobody(function);
    }
    let place = place(function);
    let message = format!(
        "The manifest of {by} has {place}: each deploy sets it back for one tick; delete the line now that Forewarm holds it, not before."
    );
    (State::False, "FloorInManifest", message.into())
}

fn scaled(by: &str) -> String {
    format!(
        "{by} scales the target and its floor is not ours to move; leave one scaler that Forewarm knows, or delete this policy."
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
            let place = place(function);
            format!("{place} is {live}, set by {by}; Forewarm keeps off until the policy's spec is edited.")
        }
        AsideWhy::ResetTooOften => {
            let place = place(function);
            format!(
                "{by} set {place} back to {live} three times in ten minutes; delete the line from its manifest, then edit the policy's spec."
            )
        }
    }
}

fn live(function: &Function) -> String {
    function
        .observation
        .target
        .known()
        .map_or_else(String::new, |target| target.floor.to_string())
}
