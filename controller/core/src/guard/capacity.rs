//! Guard rule `capacity` (R4): no floor above what the cluster can take. Pure.
//!
//! A floor whose pods find no node warms nothing, and beside a scaler it may stop a rollout: Knative takes a revision
//! for unreachable. So what is held comes back to the pods that have a node, and more is tried again later, each time
//! after a longer wait. A quota is counted before the write.

use super::{Check, Context, Rule, slew};
use crate::observation::Capacity;
use crate::standing::Full;
use crate::units::Replicas;

/// The rule.
pub const RULE: Rule = Rule {
    name: "capacity",
    check,
};

fn check(context: &Context<'_>) -> Check {
    let Some(most) = most(context) else {
        return Check::Pass;
    };
    // The user's own floor stays (R1). Stronger than stabilisation, so it asks slew itself (R5).
    let most = most.max(context.wish.user);
    let reachable = if context.held > most {
        most.max(slew::lowest(context))
    } else {
        most
    };
    if context.value > reachable {
        return Check::Clamp(reachable);
    }
    Check::Pass
}

/// Pods that can be had now. `None`: nothing is known to be in the way.
fn most(context: &Context<'_>) -> Option<Replicas> {
    let Capacity { placed, stuck, .. } = context.function.observation.capacity;
    let waits = |full: Full| full.waits(context.now.mono).then(|| full.most.max(placed));
    let nodes = match stuck {
        Replicas::ZERO => context.standing.full.and_then(waits),
        _ => Some(placed),
    };
    match (
        nodes,
        within_quota(&context.function.observation.capacity, context.held),
    ) {
        (Some(nodes), Some(quota)) => Some(nodes.min(quota)),
        (nodes, quota) => nodes.or(quota),
    }
}

/// Pods up to which a quota lets the floor rise from `held`. `None`: no quota says.
///
/// It bounds what is added and takes nothing away: a pod that is ending counts in it to its end, so what is left of it
/// may look smaller than what is held.
pub fn within_quota(capacity: &Capacity, held: Replicas) -> Option<Replicas> {
    capacity.quota.map(|quota| quota.max(capacity.placed).max(held))
}

#[cfg(test)]
mod tests {
    use crate::decide::Inputs;
    use crate::decision::{Reason, Verdict};
    use crate::observation::{Capacity, Reading, Why};
    use crate::outcome::Outcome;
    use crate::sample::inputs;
    use crate::standing::Full;
    use crate::units::{Mono, Replicas, Seconds};

    /// 20 pods are held and 40 wished for; `placed` of them have a node.
    fn cramped(placed: u32, stuck: u32) -> Inputs {
        let mut inputs = inputs().demand(80.0).wished(10, 40);
        inputs.function.observation.capacity = Capacity {
            placed: Replicas(placed),
            stuck: Replicas(stuck),
            quota: None,
        };
        inputs
    }

    fn full(mut inputs: Inputs, most: u32, ago: u64, tries: u32) -> Inputs {
        inputs.standing.full = Some(Full {
            most: Replicas(most),
            at: Mono(inputs.now.mono.0.saturating_sub(ago.saturating_mul(1000))),
            tries,
        });
        inputs
    }

    #[test]
    fn what_is_held_comes_back_to_the_pods_that_have_a_node_by_slew_and_against_stabilisation() {
        let decision = cramped(18, 2).decide();
        assert_eq!(decision.to(), Some(Replicas(18)));
        assert_eq!(decision.reason, Reason::CapacityLimited);
        assert_eq!(cramped(4, 16).value(), 16, "a fifth of 20 at a time");
        assert_eq!(cramped(20, 3).decide().verdict, Verdict::Hold("capacity".into()));
        assert_eq!(cramped(20, 0).value(), 40, "nothing is in the way");
    }

    #[test]
    fn the_users_own_floor_and_missing_data_are_stronger() {
        let mut asked = cramped(4, 16);
        asked.function.policy.floor.min = Some(Replicas(20));
        assert_eq!(asked.value(), 20);
        let mut blind = cramped(4, 16);
        blind.function.observation.demand = Reading::Unknown(Why::SourceDown);
        assert_eq!(blind.value(), 20);
    }

    #[test]
    fn more_is_tried_again_after_a_wait_that_doubles() {
        assert_eq!(full(cramped(20, 0), 20, 59, 1).value(), 20);
        assert_eq!(full(cramped(20, 0), 20, 60, 1).value(), 40);
        assert_eq!(full(cramped(20, 0), 20, 119, 2).value(), 20);
        assert_eq!(
            full(cramped(25, 0), 20, 59, 1).value(),
            25,
            "what has a node since is kept"
        );
        let wait = |tries| {
            let (most, at) = (Replicas(1), Mono(0));
            Full { most, at, tries }.back_off()
        };
        let waits = [1, 2, 5, 6, 7, u32::MAX].map(wait);
        assert_eq!(waits, [60, 120, 960, 1800, 1800, 1800].map(Seconds));
    }

    #[test]
    fn a_quota_is_counted_before_the_write_and_takes_nothing_away() {
        let mut inputs = cramped(20, 0);
        inputs.function.observation.capacity.quota = Some(Replicas(23));
        let decision = inputs.decide();
        assert_eq!(decision.to(), Some(Replicas(23)));
        assert_eq!(decision.rules(), ["capacity"]);
        inputs.function.observation.capacity.quota = Some(Replicas(3));
        assert_eq!(inputs.value(), 20);
        // A rollout: five of the twenty are ending, and the quota has no room for others yet.
        let mut rollout = cramped(15, 0);
        rollout.function.observation.capacity.quota = Some(Replicas(15));
        assert_eq!(rollout.value(), 20);
    }

    #[test]
    fn attempts_are_counted_one_by_one_and_forgotten_once_more_pods_have_a_node() {
        let fold = |inputs: &Inputs| {
            let decision = inputs.decide();
            let next = inputs
                .standing
                .fold(&inputs.function, &decision, &[Outcome::Applied], inputs.now);
            next.full.map(|full| (full.most.0, full.at.0, full.tries))
        };
        let now = inputs().now.mono.0;
        assert_eq!(fold(&cramped(20, 0)), None);
        assert_eq!(fold(&cramped(18, 2)), Some((18, now, 1)));
        assert_eq!(
            fold(&full(cramped(18, 1), 18, 15, 1)),
            Some((18, now, 1)),
            "still the same attempt"
        );
        assert_eq!(fold(&full(cramped(18, 2), 18, 90, 1)), Some((18, now, 2)));
        assert_eq!(
            fold(&full(cramped(18, 0), 18, 90, 1)),
            Some((18, now.saturating_sub(90_000), 1)),
            "not tried yet"
        );
        assert_eq!(fold(&full(cramped(20, 0), 18, 90, 1)), None, "it worked");
        let mut later = full(cramped(18, 0), 18, 90, 3);
        later.now.mono = Mono(now.saturating_add(3_600_000));
        assert_eq!(fold(&later), None, "long ago");
    }
}
