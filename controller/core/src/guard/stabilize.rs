//! Guard rule `stabilize` (R6): what is held never falls below the largest wish of the stabilisation window. Pure.

use super::{Check, Context, Rule};
use crate::units::Replicas;

/// The rule.
pub const RULE: Rule = Rule {
    name: "stabilize",
    check,
};

fn check(context: &Context<'_>) -> Check {
    let least = largest_wish(context).min(context.held);
    if context.falls() && context.value < least {
        return Check::Clamp(least);
    }
    Check::Pass
}

/// The largest wish of the window; no pod where none is remembered.
fn largest_wish(context: &Context<'_>) -> Replicas {
    let window = context.function.policy.scale_down.stabilization;
    let recent = context
        .standing
        .wishes
        .iter()
        .filter(|wish| context.now.mono.since(wish.at) <= window.millis());
    recent
        .map(|wish| wish.floor)
        .max()
        .unwrap_or(Replicas::ZERO)
}
