//! F1: how many functions come down at a time.

use crate::fleet::{Crowd, CrowdTick, key};
use forewarm_core::decide::World;
use forewarm_core::decision::Verdict;
use forewarm_core::policy::{FunctionKey, Mode};
use forewarm_core::units::{Mono, Replicas, Seconds};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// `max(5, 20 % of targets)`.
fn limit(targets: usize) -> usize {
    (targets / 5).max(5)
}

/// Ramps begun, counted from outside: a fall begins one when the function has not fallen for a step (60 s) and a
/// tick, since a ramp once begun falls every step.
#[derive(Default)]
struct Ramps {
    fell_at: BTreeMap<FunctionKey, Mono>,
    begun: Vec<Mono>,
}

impl Ramps {
    fn count(&mut self, tick: &CrowdTick, now: Mono) -> usize {
        for key in tick.fell() {
            let before = self.fell_at.insert(key, now);
            if before.is_none_or(|at| now.since(at) > 75_000) {
                self.begun.push(now);
            }
        }
        self.begun.iter().filter(|at| !now.passed(**at, Seconds(300))).count()
    }
}

fn drops() -> impl Strategy<Value = Vec<(usize, usize, u32)>> {
    prop::collection::vec((0..120_usize, 0..40_usize, 0..50_u32), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn f1_few_ramps_begin_within_any_five_minutes(
        count in 1..40_usize, stabilization in prop::sample::select(vec![0, 60, 300]), drops in drops(),
    ) {
        let mut crowd = Crowd::of(count, Mode::Enforce, Seconds(stabilization));
        let mut ramps = Ramps::default();
        for number in 0..120 {
            for (_, who, calls) in drops.iter().filter(|(when, ..)| *when == number) {
                crowd.demand(&key(who % count), *calls);
                crowd.expect_quiet(&key(who % count));
            }
            let tick = crowd.tick(World::default());
            let begun = ramps.count(&tick, crowd.now);
            prop_assert!(begun <= limit(count), "{begun} of {count} in tick {number}");
        }
    }

    #[test]
    fn f1_a_crowd_that_nothing_expected_is_held(
        count in 1..40_usize, quiet in 0..40_usize, expected in 0..40_usize,
    ) {
        let mut crowd = Crowd::of(count, Mode::Enforce, Seconds(300));
        for number in 0..count.min(quiet) {
            crowd.demand(&key(number), 0);
            if number < expected {
                crowd.expect_quiet(&key(number));
            }
        }
        for number in 0..60 {
            let tick = crowd.tick(World::default());
            let surprised = |keys: Vec<FunctionKey>| {
                let surprises = keys.into_iter().filter(|at| !(0..expected).any(|number| key(number) == *at));
                surprises.count()
            };
            if surprised(tick.wanted.clone()) > limit(count) {
                prop_assert_eq!(surprised(tick.fell()), 0, "tick {}", number);
            }
        }
    }

    #[test]
    fn f1_no_function_comes_down_in_a_world_that_has_vanished(
        count in 1..40_usize, before in 0..100_u32, now in 0..100_u32, of_targets in any::<bool>(),
    ) {
        let mut crowd = Crowd::of(count, Mode::Enforce, Seconds(300));
        for number in 0..count.min(3) {
            crowd.demand(&key(number), 0);
            crowd.expect_quiet(&key(number));
        }
        let world = if of_targets {
            World { targets_before: before, targets_now: now, ..World::default() }
        } else {
            World { policies_before: before, policies_now: now, ..World::default() }
        };
        let lost = before.saturating_sub(now);
        let vanished = lost > 5 && 2 * lost > before;
        let fell: usize = (0..30).map(|_| crowd.tick(world).fell().len()).sum();
        prop_assert_eq!(fell == 0, vanished, "{} falls", fell);
    }

    #[test]
    fn f1_the_brake_never_holds_a_rise(count in 6..40_usize) {
        let mut crowd = Crowd::of(count, Mode::Enforce, Seconds(300));
        for number in 0..count {
            crowd.demand(&key(number), 80);
        }
        let world = World { policies_before: 100, ..World::default() };
        let tick = crowd.tick(world);
        prop_assert!(tick.decided.values().all(|decided| decided.decision.to() == Some(Replicas(40))));
    }
}

#[test]
fn a_crowd_that_was_expected_comes_down_a_few_at_a_time() {
    let mut crowd = Crowd::of(20, Mode::Enforce, Seconds(300));
    for number in 0..20 {
        crowd.demand(&key(number), 0);
        crowd.expect_quiet(&key(number));
    }
    let fell: Vec<_> = (0..90).map(|_| crowd.tick(World::default()).fell().len()).collect();
    assert_eq!(
        fell.iter().position(|fell| *fell > 0),
        Some(20),
        "after the window of 300 s"
    );
    assert_eq!(fell[20], 5);
    let lowered = crowd.functions.values().filter(|function| {
        function
            .observation
            .target
            .known()
            .is_some_and(|target| target.floor < Replicas(20))
    });
    assert_eq!(lowered.count(), 20, "in the end all of them");
}

#[test]
fn functions_in_shadow_take_no_places_from_functions_in_enforce() {
    let mut crowd = Crowd::of(20, Mode::Shadow, Seconds(300));
    let enforced = Crowd::of(4, Mode::Enforce, Seconds(300));
    for number in 0..20 {
        crowd.demand(&key(number), 0);
    }
    for (number, (at, function)) in enforced.functions.iter().enumerate() {
        let name = key(100 + number);
        crowd.functions.insert(name.clone(), function.clone());
        crowd.standing.insert(name.clone(), enforced.standing[at].clone());
        crowd.demand(&name, 0);
    }
    let fell: Vec<_> = (0..30).map(|_| crowd.tick(World::default()).fell()).collect();
    let shadow = |keys: &Vec<FunctionKey>| keys.iter().filter(|at| &*at.name < "0100").count();
    assert_eq!(
        fell.iter().map(shadow).sum::<usize>(),
        0,
        "20 unexpected of 20 are held"
    );
    assert!(fell.iter().any(|keys| keys.len() == 4), "4 of 4 are not");
}

#[test]
fn what_the_brake_holds_says_so() {
    let mut crowd = Crowd::of(10, Mode::Enforce, Seconds(0));
    for number in 0..10 {
        crowd.demand(&key(number), 0);
    }
    let tick = crowd.tick(World::default());
    for decided in tick.decided.values() {
        assert_eq!(decided.decision.verdict, Verdict::Hold("brake".into()));
        assert_eq!(decided.fleet.unexpected_falls, 10);
    }
}
