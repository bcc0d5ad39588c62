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
