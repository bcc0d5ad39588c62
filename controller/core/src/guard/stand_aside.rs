//! Guard rule `stand_aside` (R11): what is paused, or somebody else's, is not moved. Pure; the last word.

use super::{Check, Context, Rule};
use crate::decision::FieldVerdict;
use crate::policy::Mode;

/// The rule.
pub const RULE: Rule = Rule {
    name: "stand_aside",
    check,
};

fn check(context: &Context<'_>) -> Check {
    let policy = &context.function.policy;
    if policy.paused || taken(context.field, policy.mode) {
        Check::Hold
    } else {
        Check::Pass
    }
}

/// True when the field is not ours to move. A manifest's line is in the way of writing only, so the virtual
/// floor of Shadow goes on beside it.
fn taken(field: &FieldVerdict, mode: Mode) -> bool {
    match field {
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::Renewed
        | FieldVerdict::NewUserFloor { .. } => false,
        FieldVerdict::InManifest { .. } => mode == Mode::Enforce,
        FieldVerdict::Unseen
        | FieldVerdict::Aside { .. }
        | FieldVerdict::Scaler { .. }
        | FieldVerdict::AtZero
        | FieldVerdict::ScalerPaused { .. }
        | FieldVerdict::Lagging => true,
    }
}
