//! Guard rule `floor` (R1): never under the user's own floor and the policy's `min`. Pure.

use super::{Check, Context, Rule};

/// The rule.
pub const RULE: Rule = Rule { name: "floor", check };

fn check(context: &Context<'_>) -> Check {
    if context.value < context.wish.user {
        Check::Clamp(context.wish.user)
    } else {
        Check::Pass
    }
}

#[cfg(test)]
mod tests {
    use crate::observation::{Reading, Why};
    use crate::sample::inputs;
    use crate::units::Replicas;

    #[test]
    fn a_min_far_above_what_is_held_passes_slew_and_missing_data() {
        let mut inputs = inputs();
        inputs.function.policy.floor.min = Some(Replicas(90));
        inputs.function.observation.demand = Reading::Unknown(Why::SourceDown);
        let decision = inputs.decide();
        assert_eq!(decision.to(), Some(Replicas(90)));
        assert_eq!(decision.rules(), ["slew", "floor"]);
    }
}
