//! R6: what comes down stays at or above the largest wish of the stabilisation window.

use crate::run::{self, Run, Tick};
use forewarm_core::units::Replicas;
use proptest::prelude::*;

/// The largest wish of the window before the last of `ticks` and in it, as far as `max` now allows.
fn largest_wish(ticks: &[Tick]) -> Replicas {
    let Some(last) = ticks.last() else {
        return Replicas::ZERO;
    };
    let window = last.policy.scale_down.stabilization.millis();
    let recent = ticks.iter().rev().take_while(|tick| last.now.since(tick.now) <= window);
    let wishes = recent
        .filter_map(|tick| tick.decision.wish.as_ref())
        .map(|wish| wish.to);
    let most = last.policy.floor.max.max(last.owed);
    wishes.max().unwrap_or(Replicas::ZERO).min(most)
}

proptest! {
    #[test]
    fn r6_a_fall_stays_above_every_recent_wish_also_across_crashes(plan in run::plan()) {
        let ticks = Run::of(&plan).ticks();
        for (number, tick) in ticks.iter().enumerate() {
            if tick.decision.falls() {
                let least = largest_wish(&ticks[..=number]);
                prop_assert!(tick.after >= least.min(tick.before), "{} under {least}", tick.after);
            }
        }
    }

    #[test]
    fn r6_the_memory_of_wishes_is_bounded(plan in run::plan(), demands in prop::collection::vec(0..5000_u32, 200)) {
        let mut policy = plan.policy;
        policy.scale_down.stabilization = forewarm_core::units::Seconds(3600);
        let mut run = Run::new(policy, plan.live, plan.tracked);
        let mut demands = demands;
        demands.sort_unstable();
        for demand in demands.into_iter().rev() {
            run.live_through(&run::calm(demand));
            prop_assert!(run.standing.wishes.len() <= forewarm_core::standing::Standing::MAX_WISHES);
        }
        let ticks = run.ticks();
        let last = ticks.last().expect("there were demands");
        prop_assert!(last.after >= largest_wish(&ticks).min(last.before));
    }
}
