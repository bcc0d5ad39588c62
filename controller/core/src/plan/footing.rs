//! Plan: target, verdict on its field and standing in; the floor held (`h`) and the user's own (`u`) out. Pure.

use crate::decision::FieldVerdict;
use crate::observation::{Scaler, Target};
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
        FieldVerdict::Renewed => recorded(target),
        FieldVerdict::Unseen
        | FieldVerdict::Free
        | FieldVerdict::Reset { .. }
        | FieldVerdict::Aside { .. }
        | FieldVerdict::Scaler { .. }
        | FieldVerdict::AtZero
        | FieldVerdict::ScalerPaused { .. }
        | FieldVerdict::Lagging => remembered(target, standing),
    }
}

/// What this process remembers, else what is recorded at the scaler; a template that is not ours is always right.
fn remembered(target: &Target, standing: &Standing) -> Option<UserFloor> {
    match &target.scaler {
        Some(Scaler::One(field)) if !field.annotated => recorded(target).or(standing.user),
        _ => standing.user.or_else(|| recorded(target)),
    }
}

/// The user's own floor as recorded at the scaler.
fn recorded(target: &Target) -> Option<UserFloor> {
    let Some(Scaler::One(field)) = &target.scaler else {
        return None;
    };
    let value = field.worth(field.recorded?);
    let from = UserFloorFrom::TakeOver;
    Some(UserFloor { value, from })
}

/// `max(u, min)`: under this no write of ours goes (R1). At least one pod, but for a scaler's floor, where zero is
/// the scaler's to make.
///
/// Where the policy names a `min`, only a value that a deploy tool set later stands beside it.
pub fn least(policy: &Policy, target: &Target, user: Option<UserFloor>) -> Replicas {
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
    match target.scaler {
        Some(Scaler::One(_)) => own,
        Some(Scaler::Several(_)) | None => own.max(Replicas::ONE),
    }
}

/// The floor we hold (`h`): in Shadow the virtual one, in Enforce the live field.
///
/// A deploy's reset does not change what we hold: the floor held before it is what the guards start from, so it
/// is written again at once, and also when the demand is unknown. It is not written again above `max` (R4).
pub fn held(field: &FieldVerdict, target: &Target, policy: &Policy, standing: &Standing, least: Replicas) -> Replicas {
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
        FieldVerdict::Reset { .. } | FieldVerdict::Renewed => true,
        FieldVerdict::Free => standing.mode == Mode::Enforce && standing.written == Some(live),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::decide::Inputs;
    use crate::observation::WriterKind::Deploy;
    use crate::policy::Mode;
    use crate::sample::inputs;
    use crate::units::Replicas;

    fn held(inputs: &Inputs) -> Option<u32> {
        inputs.decide().held.map(|held| held.0)
    }

    #[test]
    fn after_a_reset_what_was_held_before_it_is_held() {
        let reset = inputs().written_by("helm", Deploy, 2);
        assert_eq!(held(&reset), Some(20));
        let mut failed = reset.clone();
        failed.standing.written = Some(Replicas(2));
        assert_eq!(held(&failed), Some(20), "until it is written");
        let mut lowered = reset;
        lowered.function.policy.floor.max = Replicas(8);
        assert_eq!(held(&lowered), Some(8), "but not above max");
    }

    #[test]
    fn after_a_deploy_of_another_value_that_is_held() {
        assert_eq!(held(&inputs().written_by("helm", Deploy, 5)), Some(5));
    }

    #[test]
    fn in_shadow_the_virtual_floor_is_held_and_at_first_the_live_one() {
        let mut inputs = inputs().written_by("helm", Deploy, 5);
        inputs.function.policy.mode = Mode::Shadow;
        assert_eq!(held(&inputs), Some(20));
        inputs.standing.held = None;
        assert_eq!(held(&inputs), Some(5));
    }

    #[test]
    fn what_was_virtual_is_not_held_in_enforce() {
        let mut inputs = inputs();
        inputs.standing.mode = Mode::Shadow;
        inputs.standing.held = Some(Replicas(60));
        assert_eq!(held(&inputs), Some(20));
    }
}
