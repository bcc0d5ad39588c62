//! Guard rule `trust` (R2, R12): no fall on what is not known, and none before the function has been watched. Pure.

use super::{Check, Context, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    name: "trust",
    check,
};

fn check(context: &Context<'_>) -> Check {
    let unknown = context.wish.reactive.why().is_some();
    // Without a reading nothing says that what is held is enough, so "steady" would claim too much.
    let holds = unknown && context.value <= context.held;
    if holds || (context.falls() && !watched(context)) {
        return Check::Hold;
    }
    Check::Pass
}

/// True when this process has watched the function without a gap, in its present mode, for at least one earlier
/// tick and as long as its memory must reach: the stabilisation window (R6) and the step (R5, also across a
/// crash, since the falls before it are not remembered).
fn watched(context: &Context<'_>) -> bool {
    let policy = &context.function.policy;
    let standing = context.standing;
    let remembered = standing.wishes_span >= policy.scale_down.stabilization
        && standing.falls_span >= policy.scale_down.step
        && standing.mode == policy.mode;
    let span = policy.scale_down.stabilization.max(policy.scale_down.step);
    let now = context.now.mono;
    remembered
        && standing
            .since
            .is_some_and(|since| now > since && now.passed(since, span))
}
