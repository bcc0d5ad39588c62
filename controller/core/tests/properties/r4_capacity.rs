//! R4: no raise passes what the cluster is known to take, what runs and the user's own floor are left alone, and more
//! is tried again, seldom.

use crate::given::{self, owed};
use crate::run::{self, Run, Tick, calm};
use forewarm_core::observation::Capacity;
use forewarm_core::policy::Mode;
use forewarm_core::standing::Full;
use forewarm_core::units::Replicas;
use proptest::prelude::*;

/// Ticks of 15 s in an hour and a half: two of the longest waits and more.
const LONG: usize = 360;

proptest! {
    #[test]
    fn r4_a_clamp_for_capacity_leaves_what_runs_and_the_users_own(inputs in given::free_to_move(), capacity in given::capacity()) {
        let free = inputs.decide();
        let mut inputs = inputs;
        inputs.function.observation.capacity = capacity;
        let decision = inputs.decide();
        let (Some(value), Some(unclamped)) = (given::val(&decision), given::val(&free)) else { return Ok(()) };
        let Capacity { placed, stuck, quota } = capacity;
        prop_assert!(value <= unclamped, "a limit raises nothing");
        prop_assert!(value >= unclamped.min(placed.max(owed(&inputs, &decision))), "{decision:?}");
        if stuck == Replicas::ZERO && inputs.standing.full.is_none() && let Some(held) = decision.held {
            prop_assert!(value >= unclamped.min(held), "a quota takes nothing away: {decision:?}");
        }
        let most = match (stuck, quota) {
            (Replicas::ZERO, None) => return Ok(()),
            (Replicas::ZERO, Some(quota)) => quota.max(placed),
            (_, quota) => quota.map_or(placed, |quota| quota.max(placed).min(placed)),
        };
        if decision.to() > decision.held {
            prop_assert!(value <= most.max(owed(&inputs, &decision)), "{decision:?}");
        }
    }

    #[test]
    fn r4_in_a_full_cluster_the_floor_comes_to_what_runs_and_more_is_tried_seldom(
        policy in run::policy(), room in 1..40_u32, demand in 0..150_u32,
    ) {
        let mut run = Run::new(policy, Replicas(2), true);
        run.room = Replicas(room);
        let enforce = run.policy.mode == Mode::Enforce;
        for _ in 0..LONG {
            let owed_before = run.standing.clone();
            let tick = run.live_through(&calm(demand)).clone();
            if tick.after < tick.before {
                let least = tick.inputs.function.observation.capacity.placed.max(tick.owed);
                let wish = tick.decision.wish.as_ref().map(|wish| wish.to);
                prop_assert!(Some(tick.after) >= wish.min(Some(least)), "{:?} {owed_before:?}", tick.decision);
            }
        }
        let ticks = run.ticks();
        if enforce {
            prop_assert!(attempts(&ticks) <= 10, "{} attempts in 90 minutes", attempts(&ticks));
        }
    }

    #[test]
    fn r4_once_there_is_room_the_wish_is_reached(policy in run::policy(), room in 1..40_u32, demand in 0..150_u32) {
        let mut run = Run::new(policy, Replicas(2), true);
        run.room = Replicas(room);
        for _ in 0..LONG {
            run.live_through(&calm(demand));
        }
        run.room = Replicas(u32::MAX);
        let longest = usize::try_from(Full::LONGEST.0 / 15).expect("a few");
        for _ in 0..longest + 420 {
            run.live_through(&calm(demand));
        }
        let tick = run.live_through(&calm(demand));
        prop_assert_eq!(Some(tick.after), tick.decision.wish.as_ref().map(|wish| wish.to));
    }
}

/// Times the floor began to rise above what has a node.
fn attempts(ticks: &[Tick]) -> usize {
    let above = |tick: &Tick, floor: Replicas| floor > tick.inputs.function.observation.capacity.placed.max(tick.owed);
    ticks
        .iter()
        .filter(|tick| above(tick, tick.after) && !above(tick, tick.before))
        .count()
}
