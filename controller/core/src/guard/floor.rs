//! Guard rule `floor` (R1): never under the user's own floor and the policy's `min`. Pure.

use super::{Check, Context, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    name: "floor",
    check,
};

fn check(context: &Context<'_>) -> Check {
    if context.value < context.wish.user {
        Check::Clamp(context.wish.user)
    } else {
        Check::Pass
    }
}
