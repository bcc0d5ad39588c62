//! Guard rule `ceiling` (R4): no rise above `max`; what is held above a lowered `max` comes down step by step. Pure.

use super::{Check, Context, Rule, slew};

/// The rule.
pub const RULE: Rule = Rule { name: "ceiling", check };

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

#[cfg(test)]
mod tests {
    use crate::decide::{Fleet, Inputs};
    use crate::decision::Reason;
    use crate::observation::{Reading, Why};
    use crate::sample::inputs;
    use crate::units::Replicas;

    fn lowered() -> Inputs {
        let mut inputs = inputs().wished(10, 20).demand(100.0);
        inputs.function.policy.floor.max = Replicas(6);
        inputs
    }

    #[test]
    fn a_lowered_max_is_come_down_to_by_slew_against_stabilisation_and_brake() {
        let inputs = Inputs {
            fleet: Fleet {
                world_vanished: true,
                ..Fleet::default()
            },
            ..lowered()
        };
        let decision = inputs.decide();
        assert_eq!(decision.to(), Some(Replicas(16)));
        assert_eq!(decision.reason, Reason::LoweredMax);
        assert_eq!(decision.rules(), ["stabilize", "ceiling"]);
    }

    #[test]
    fn a_lowered_max_waits_for_data() {
        let mut inputs = lowered();
        inputs.function.observation.demand = Reading::Unknown(Why::SourceDown);
        assert_eq!(inputs.value(), 20);
    }

    #[test]
    fn the_users_own_floor_above_max_stays() {
        let mut inputs = lowered();
        if let Some(user) = &mut inputs.standing.user {
            user.value = Replicas(18);
        }
        assert_eq!(inputs.value(), 18);
        assert_eq!(inputs.demand(0.0).value(), 18);
    }
}
