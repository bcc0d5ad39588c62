//! Guard rule `ceiling` (R4): no rise above `max`; what is held above a lowered `max` comes down step by step. Pure.

use super::{Check, Context, Rule, slew};

/// The rule.
pub const RULE: Rule = Rule {
    name: "ceiling",
    check,
};

fn check(context: &Context<'_>) -> Check {
    // The user's own floor may lie above `max` and then stays (R1).
    let max = context.function.policy.floor.max.max(context.wish.user);
    // Stronger than stabilisation and brake, so it asks slew itself (R5).
    let reachable = if context.held > max {
        max.max(slew::lowest(context))
    } else {
        max
    };
    if context.value > reachable {
        return Check::Clamp(reachable);
    }
    Check::Pass
}
