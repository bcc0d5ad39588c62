//! R12: too little standing lowers nothing: after a start, a gap, a change of mode.

use crate::given;
use crate::run::{self, Event, Moment, Run, calm};
use forewarm_core::policy::Mode;
use forewarm_core::standing::Standing;
use forewarm_core::units::{Mono, Replicas, Seconds};
use proptest::prelude::*;

/// A run that holds 20 and may come down, but wants no less yet.
fn raised() -> Run {
    let mut run = Run::new(run::plain_policy(), Replicas(2), true);
    for _ in 0..30 {
        run.live_through(&calm(40));
    }
    assert_eq!(run.live, Replicas(20));
    run
}

/// Ticks of no demand until the first fall.
fn ticks_to_fall(run: &mut Run) -> usize {
    (1..100)
        .find(|_| run.live_through(&calm(0)).decision.falls())
        .expect("it comes down in the end")
}

proptest! {
    #[test]
    fn r12_a_function_just_met_or_restored_is_not_lowered(
        inputs in prop_oneof![given::inputs(), given::free_to_move()], met in any::<bool>(),
    ) {
        let mut inputs = inputs;
        let Standing { user, held, aside, mode, .. } = inputs.standing.clone();
        inputs.standing = if met { Standing::default() } else { Standing::restored(user, held, aside, mode) };
        prop_assert!(!inputs.decide().falls());
    }

    #[test]
    fn r12_nothing_is_lowered_before_the_windows_have_been_watched(plan in run::plan()) {
        let mut since: Option<Mono> = None;
        let mut mode = None;
        let mut known_at: Option<Mono> = None;
        for tick in Run::of(&plan).ticks() {
            let known = tick.inputs.function.observation.demand.known().is_some();
            let gap = known_at.is_none_or(|at| tick.now.since(at) > 60_000);
            if tick.first || mode != Some(tick.policy.mode) || (!known && gap) {
                since = None;
            }
            let span = tick.policy.scale_down.stabilization.max(tick.policy.scale_down.step);
            let watched = since.is_some_and(|since| tick.now > since && tick.now.passed(since, span));
            prop_assert!(watched || !tick.decision.falls(), "{:?}", tick.decision);
            if known {
                known_at = Some(tick.now);
            }
            if known || !gap {
                since = since.or(Some(tick.now));
            }
            mode = Some(tick.policy.mode);
        }
    }

    #[test]
    fn r12_the_first_decision_after_being_away_is_one_step(inputs in given::free_to_move()) {
        let mut inputs = inputs;
        let Standing { user, held, aside, mode, .. } = inputs.standing.clone();
        inputs.standing = Standing::restored(user, held, aside, mode);
        let decision = inputs.decide();
        let (Some(to), Some(held)) = (decision.to(), decision.held) else { return Ok(()) };
        prop_assert!(to <= held.plus(held.max(Replicas(4))).max(given::owed(&inputs, &decision)));
    }
}

#[test]
fn without_a_disturbance_the_floor_falls_after_the_window() {
    assert_eq!(ticks_to_fall(&mut raised()), 21, "300 s are 20 ticks");
}

#[test]
fn after_a_crash_the_window_is_watched_anew() {
    let mut run = raised();
    run.live_through(&Moment {
        event: Some(Event::Crash { late: false }),
        ..calm(0)
    });
    assert_eq!(ticks_to_fall(&mut run), 20);
}

#[test]
fn after_an_outage_of_the_metrics_the_window_is_watched_anew() {
    let mut run = raised();
    for _ in 0..40 {
        run.live_through(&Moment {
            demand: None,
            ..calm(0)
        });
    }
    assert_eq!(run.live, Replicas(20));
    assert_eq!(ticks_to_fall(&mut run), 21);
}

#[test]
fn a_gap_of_less_than_a_step_hides_nothing() {
    let mut run = raised();
    run.live_through(&calm(0));
    for _ in 0..3 {
        run.live_through(&Moment {
            demand: None,
            ..calm(0)
        });
    }
    assert_eq!(ticks_to_fall(&mut run), 17, "the four ticks before count");
}

#[test]
fn the_first_enforcing_ticks_only_raise() {
    let mut policy = run::plain_policy();
    policy.mode = Mode::Shadow;
    policy.floor.min = Some(Replicas(2));
    let mut run = Run::new(policy, Replicas(20), true);
    for _ in 0..60 {
        run.live_through(&calm(0));
    }
    run.live_through(&Moment {
        event: Some(Event::Mode(Mode::Enforce)),
        ..calm(0)
    });
    assert_eq!(ticks_to_fall(&mut run), 20);
}

#[test]
fn a_longer_window_is_watched_in_full_before_anything_falls() {
    let mut run = raised();
    for _ in 0..20 {
        run.live_through(&calm(0));
    }
    run.live_through(&Moment {
        event: Some(Event::Window(Seconds(600))),
        ..calm(0)
    });
    assert_eq!(ticks_to_fall(&mut run), 40);
}
