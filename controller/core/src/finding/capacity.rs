//! Conditions `CapacityLimited` and `Backpressure`: what the cluster or the ceiling does not let a function have. Pure.

use super::{Said, State, said};
use crate::decide::Function;
use crate::decision::Decision;
use crate::guard::capacity::{RULE, within_quota};
use crate::observation::Reading;
use crate::units::Replicas;

pub(super) fn capacity_limited(function: &Function, decision: &Decision) -> Said {
    let capacity = &function.observation.capacity;
    let clamped = decision.clamps.iter().find(|clamp| clamp.rule == RULE.name);
    let exhausted = |to: Replicas| decision.held.and_then(|held| within_quota(capacity, held)) == Some(to);
    match clamped {
        _ if capacity.stuck > Replicas::ZERO => said(
            State::True,
            "Unschedulable",
            "Pods find no node for longer than a start takes: the floor comes back to what can run and is tried again later; see their Events, add nodes or lower floor.max.",
        ),
        Some(clamp) if exhausted(clamp.to) => said(
            State::True,
            "QuotaExhausted",
            "A ResourceQuota of the namespace lets no more pods exist; raise it or lower floor.max.",
        ),
        Some(_) => said(
            State::True,
            "TriedAgainLater",
            "Pods found no node a while ago; more is tried again after a wait that doubles each time, up to half an hour.",
        ),
        None => said(State::False, "NotLimited", "The cluster takes what is wished for."),
    }
}

pub(super) fn backpressure(function: &Function, decision: &Decision) -> Said {
    if !function.observation.backlog {
        return said(State::False, "NoBacklog", "The demand is not a backlog.");
    }
    let Some(wish) = &decision.wish else {
        return said(State::Unknown, "TargetUnknown", "The target is not known.");
    };
    let most = function.policy.floor.max.max(wish.user);
    match &wish.reactive {
        Reading::Known(need) if *need > most => said(
            State::True,
            "CeilingBinds",
            "The backlog cannot be worked off in the profile's spec.drainSeconds below floor.max and the scaler's maximum; raise them, or slow down what fills it.",
        ),
        Reading::Known(_) => said(State::False, "Drains", "The backlog can be worked off in time."),
        Reading::Unknown(why) => said(State::Unknown, why.label(), "The backlog is not known."),
    }
}

#[cfg(test)]
mod tests {
    use super::{backpressure, capacity_limited};
    use crate::decide::Inputs;
    use crate::finding::{State, limits};
    use crate::observation::{Reading, Why};
    use crate::sample::inputs;
    use crate::standing::Full;
    use crate::units::Replicas;

    /// A backlog for which so many calls' worth of pods are needed now; 100 pods are the ceiling.
    fn backlog(demand: f64) -> Inputs {
        let mut inputs = inputs().demand(demand);
        inputs.function.observation.backlog = true;
        inputs
    }

    fn pressed(inputs: &Inputs) -> (State, &'static str) {
        let (state, reason, _) = backpressure(&inputs.function, &inputs.decide());
        (state, reason)
    }

    #[test]
    fn a_backlog_that_needs_more_than_the_ceiling_says_so() {
        assert_eq!(pressed(&inputs().demand(1e6)), (State::False, "NoBacklog"));
        assert_eq!(pressed(&backlog(10.0)), (State::False, "Drains"));
        assert_eq!(pressed(&backlog(1e6)), (State::True, "CeilingBinds"));
        let mut lowered = backlog(60.0);
        assert_eq!(pressed(&lowered), (State::False, "Drains"));
        lowered.function.policy.floor.max = Replicas(3);
        assert_eq!(pressed(&lowered), (State::True, "CeilingBinds"));
        let mut blind = backlog(10.0);
        blind.function.observation.demand = Reading::Unknown(Why::SourceDown);
        assert_eq!(pressed(&blind), (State::Unknown, "SourceDown"));
    }

    #[test]
    fn once_the_pods_that_found_no_node_are_gone_the_condition_says_what_is_waited_for() {
        let mut inputs = inputs().demand(80.0).wished(10, 40);
        (inputs.function.observation.capacity.placed, inputs.standing.full) = (
            Replicas(20),
            Some(Full {
                most: Replicas(20),
                at: inputs.now.mono,
                tries: 1,
            }),
        );
        let said = |inputs: &Inputs| {
            let decision = inputs.decide();
            let (state, reason, _) = capacity_limited(&inputs.function, &decision);
            assert_eq!(limits(&inputs.function, &decision)[1], reason);
            (state, reason)
        };
        assert_eq!(said(&inputs), (State::True, "TriedAgainLater"));
        inputs.function.observation.capacity.stuck = Replicas(2);
        assert_eq!(said(&inputs), (State::True, "Unschedulable"));
        inputs.function.observation.capacity.stuck = Replicas::ZERO;
        inputs.standing.full = None;
        assert_eq!(said(&inputs), (State::False, "NotLimited"));
    }
}
