//! Plan: target, verdict on its field and standing in; the floor held (`h`) and the user's own (`u`) out. Pure.

use crate::decision::FieldVerdict;
use crate::observation::Target;
use crate::policy::{Mode, Policy};
use crate::standing::{Standing, UserFloor, UserFloorFrom};
use crate::units::Replicas;

/// The user's own floor after `field`: what was found, what a deploy tool set, or what is remembered.
///
/// `None`: nothing is remembered and the field is not ours to take.
pub fn user(field: &FieldVerdict, target: &Target, standing: &Standing) -> Option<UserFloor> {
    match field {
        FieldVerdict::TakeOver { user } => Some(UserFloor {
            value: *user,
            from: UserFloorFrom::TakeOver,
        }),
        FieldVerdict::NewUserFloor { user, .. } => Some(UserFloor {
            value: *user,
            from: UserFloorFrom::Deploy,
        }),
        // The line is in the manifest, so the value is the user's; once the line is deleted, `min` replaces it.
        FieldVerdict::InManifest { .. } => Some(UserFloor {
            value: target.floor,
            from: UserFloorFrom::TakeOver,
        }),
        FieldVerdict::Unseen
        | FieldVerdict::Free
        | FieldVerdict::Reset { .. }
        | FieldVerdict::Aside { .. }
        | FieldVerdict::Scaler { .. }
        | FieldVerdict::AtZero
        | FieldVerdict::Lagging => standing.user,
    }
}

/// `max(u, min)`, at least one pod: under this no write of ours goes (R1).
///
/// Where the policy names a `min`, only a value that a deploy tool set later stands beside it.
pub fn least(policy: &Policy, user: Option<UserFloor>) -> Replicas {
    let own = match (policy.floor.min, user) {
        (None, Some(user)) => user.value,
        (
            Some(min),
            Some(UserFloor {
                value,
                from: UserFloorFrom::Deploy,
            }),
        ) => min.max(value),
        (Some(min), _) => min,
        (None, None) => Replicas::ONE,
    };
    own.max(Replicas::ONE)
}

/// The floor we hold (`h`): in Shadow the virtual one, in Enforce the live field.
///
/// A deploy's reset does not change what we hold: the floor held before it is what the guards start from, so it
/// is written again at once, and also when the demand is unknown. It is not written again above `max` (R4).
pub fn held(
    field: &FieldVerdict,
    target: &Target,
    policy: &Policy,
    standing: &Standing,
    least: Replicas,
) -> Replicas {
    let live = target.floor;
    match (policy.mode, standing.held) {
        (Mode::Shadow, held) => held.unwrap_or(live),
        (Mode::Enforce, Some(held)) if *field == FieldVerdict::Lagging => held,
        (Mode::Enforce, Some(held)) if knocked_down(field, live, standing) => {
            held.min(policy.floor.max.max(least)).max(live)
        }
        (Mode::Enforce, _) => live,
    }
}

/// True when a deploy's reset put the live field under what we hold, now or in a tick whose write failed.
fn knocked_down(field: &FieldVerdict, live: Replicas, standing: &Standing) -> bool {
    match field {
        FieldVerdict::Reset { .. } => true,
        FieldVerdict::Free => standing.mode == Mode::Enforce && standing.written == Some(live),
        _ => false,
    }
}
