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
    recent.map(|wish| wish.floor).max().unwrap_or(Replicas::ZERO)
}

#[cfg(test)]
mod tests {
    use crate::sample::inputs;

    #[test]
    fn the_largest_wish_of_the_window_holds_the_floor() {
        assert_eq!(inputs().wished(299, 18).value(), 18);
        assert_eq!(
            inputs().wished(300, 18).wished(20, 17).value(),
            18,
            "the window's end belongs to it"
        );
        assert_eq!(
            inputs().wished(301, 18).value(),
            16,
            "older wishes do not; slew lets 4 of 20 go"
        );
        assert_eq!(inputs().wished(10, 50).value(), 20, "a wish never raises what is held");
    }

    #[test]
    fn a_rise_is_no_business_of_stabilisation() {
        assert_eq!(
            inputs().wished(10, 50).demand(44.0).decide().rules(),
            Vec::<&str>::new()
        );
    }
}
