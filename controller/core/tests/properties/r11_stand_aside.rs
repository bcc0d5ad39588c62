//! R11: what is paused, at zero, or somebody else's is not moved; what a deploy reset is raised again.

use crate::given;
use crate::run::{self, Answer, Event, Moment, Run, calm};
use forewarm_core::decision::{FieldVerdict, Reason, Step, Verdict};
use forewarm_core::observation::{Ownership, Reading, Scaler, Writer, WriterKind};
use forewarm_core::policy::{Mode, OnConflict};
use forewarm_core::standing::AsideWhy;
use forewarm_core::units::{Replicas, Seconds};
use proptest::prelude::*;

proptest! {
    #[test]
    fn r11_a_pause_moves_nothing(inputs in prop_oneof![given::inputs(), given::free_to_move()]) {
        let mut inputs = inputs;
        inputs.function.policy.paused = true;
        prop_assert!(!matches!(inputs.decide().verdict, Verdict::Apply(_)));
    }

    #[test]
    fn r11_a_target_at_zero_is_not_woken(inputs in given::free_to_move()) {
        let mut inputs = inputs;
        if let Reading::Known(target) = &mut inputs.function.observation.target {
            target.floor = Replicas::ZERO;
        }
        prop_assert!(!matches!(inputs.decide().verdict, Verdict::Apply(_)));
    }

    #[test]
    fn r11_a_known_scaler_keeps_its_target(inputs in given::free_to_move()) {
        let mut inputs = inputs;
        if let Reading::Known(target) = &mut inputs.function.observation.target {
            target.scaler = Some(Scaler::Several("HorizontalPodAutoscaler/x".to_owned()));
        }
        prop_assert!(!matches!(inputs.decide().verdict, Verdict::Apply(_)));
    }

    #[test]
    fn r11_a_manifests_line_is_adopted_on_request_and_never_moved(inputs in given::free_to_move()) {
        let mut inputs = inputs;
        inputs.function.policy.mode = Mode::Enforce;
        let mut adopted = false;
        if let Reading::Known(target) = &mut inputs.function.observation.target {
            target.ownership.applied_by = Some("helm".to_owned());
            adopted = target.ownership.adopted;
        }
        let decision = inputs.decide();
        prop_assert_eq!(decision.to(), None);
        let asked = inputs.function.policy.on_conflict == OnConflict::Take && !adopted;
        prop_assert_eq!(decision.reason == Reason::Adopting, asked);
    }

    #[test]
    fn r11_after_a_persons_write_nothing_moves_until_the_policy_is_touched(
        plan in run::plan(), to in run::few(), demands in prop::collection::vec(0..120_u32, 40),
    ) {
        let mut policy = plan.policy;
        policy.mode = Mode::Enforce;
        let mut run = Run::new(policy, plan.live, plan.tracked);
        for demand in demands.iter().take(10) {
            run.live_through(&calm(*demand));
        }
        let ours = run.standing.written == Some(to) || run.standing.replaced == Some(to);
        if ours {
            return Ok(());
        }
        run.live_through(&Moment { event: Some(Event::Person(to)), ..calm(1) });
        for demand in demands.iter().skip(10) {
            run.live_through(&calm(*demand));
            prop_assert_eq!(run.live, to);
        }
        run.policy.generation += 1;
        let tick = run.live_through(&calm(0));
        let accepted = matches!(tick.decision.field, FieldVerdict::TakeOver { .. } | FieldVerdict::Free);
        prop_assert!(accepted, "{:?}", tick.decision.field);
    }

    #[test]
    fn r11_no_tick_moves_a_field_whose_verdict_is_to_keep_off(plan in run::plan()) {
        for tick in Run::of(&plan).ticks() {
            let off = matches!(
                tick.decision.field,
                FieldVerdict::Aside { .. } | FieldVerdict::AtZero | FieldVerdict::Scaler { .. } | FieldVerdict::Lagging
            );
            if off || tick.policy.paused {
                prop_assert_eq!(tick.before, tick.after);
            }
        }
    }

    /// A crash, a lost answer or a late status is never taken for a stranger.
    #[test]
    fn r11_keeps_off_only_after_somebody_else_wrote(plan in run::plan()) {
        let mut disturbed = false;
        for tick in Run::of(&plan).ticks() {
            disturbed |= tick.disturbed;
            let aside = matches!(tick.decision.field, FieldVerdict::Aside { .. });
            prop_assert!(disturbed || !aside, "{:?}", tick.decision.field);
        }
    }
}

/// A run that holds 20 above the user's own 2, and has for long.
fn raised(tracked: bool) -> Run {
    let mut run = Run::new(run::plain_policy(), Replicas(2), tracked);
    for _ in 0..8 {
        run.live_through(&calm(40));
    }
    assert_eq!(run.live, Replicas(20));
    run
}

fn redeployed() -> Moment {
    Moment {
        event: Some(Event::Redeploy),
        ..calm(40)
    }
}

#[test]
fn a_reset_by_a_deploy_is_raised_again_in_the_same_tick() {
    let mut run = raised(true);
    let tick = run.live_through(&redeployed());
    assert_eq!(tick.decision.field, FieldVerdict::Reset { by: "helm".to_owned() });
    assert_eq!(tick.decision.reason, Reason::DeployReset);
    assert_eq!(tick.after, Replicas(20));
}

#[test]
fn a_reset_while_the_demand_is_unknown_is_raised_again_too() {
    let mut run = raised(true);
    let tick = run.live_through(&Moment {
        demand: None,
        ..redeployed()
    });
    assert_eq!(tick.after, Replicas(20));
}

#[test]
fn a_reset_whose_answer_is_lost_is_raised_in_the_next_tick_and_counted_once() {
    for answer in [Answer::Loses, Answer::Fenced, Answer::AppliesSilently] {
        let mut run = raised(true);
        run.live_through(&Moment { answer, ..redeployed() });
        let tick = run.live_through(&calm(40));
        assert_eq!(tick.after, Replicas(20), "{answer:?}");
        assert_eq!(run.standing.resets.len(), 1, "{answer:?}");
    }
}

#[test]
fn the_third_reset_in_ten_minutes_is_left_alone() {
    let mut run = raised(true);
    run.live_through(&redeployed());
    run.live_through(&redeployed());
    let tick = run.live_through(&redeployed());
    let FieldVerdict::Aside { why, .. } = &tick.decision.field else {
        panic!("{:?}", tick.decision.field)
    };
    assert_eq!(*why, AsideWhy::ResetTooOften);
    assert_eq!(tick.after, Replicas(2));
}

#[test]
fn a_third_reset_after_ten_minutes_is_raised_again() {
    let mut run = raised(true);
    run.live_through(&redeployed());
    run.live_through(&redeployed());
    for _ in 0..40 {
        run.live_through(&calm(40));
    }
    assert_eq!(run.live_through(&redeployed()).after, Replicas(20));
}

#[test]
fn a_deploy_that_sets_another_value_sets_the_users_own_floor() {
    let mut run = raised(true);
    let tick = run.live_through(&Moment {
        event: Some(Event::Deploy(Replicas(6))),
        ..calm(40)
    });
    let by = "helm".to_owned();
    assert_eq!(
        tick.decision.field,
        FieldVerdict::NewUserFloor { user: Replicas(6), by }
    );
    assert_eq!(tick.after, Replicas(12), "raised from there, by at most as much again");
    assert_eq!(tick.decision.wish.as_ref().map(|wish| wish.user), Some(Replicas(6)));
}

#[test]
fn what_a_deploy_set_stands_beside_min_and_what_was_found_does_not() {
    let mut policy = run::plain_policy();
    policy.floor.min = Some(Replicas(3));
    let mut run = Run::new(policy, Replicas(9), true);
    let found = run.live_through(&calm(0)).decision.wish.as_ref().map(|wish| wish.user);
    assert_eq!(found, Some(Replicas(3)));
    let deploy = Moment {
        event: Some(Event::Deploy(Replicas(7))),
        ..calm(0)
    };
    let set = run.live_through(&deploy).decision.wish.as_ref().map(|wish| wish.user);
    assert_eq!(set, Some(Replicas(7)));
    let crash = Moment {
        event: Some(Event::Crash { late: false }),
        ..calm(0)
    };
    let kept = run.live_through(&crash).decision.wish.as_ref().map(|wish| wish.user);
    assert_eq!(kept, Some(Replicas(7)));
}

#[test]
fn a_crash_right_after_a_write_is_not_taken_for_a_stranger() {
    for tracked in [true, false] {
        let mut run = Run::new(run::plain_policy(), Replicas(2), tracked);
        run.live_through(&calm(40));
        run.live_through(&calm(40));
        let crash = Moment {
            event: Some(Event::Crash { late: true }),
            ..calm(40)
        };
        let tick = run.live_through(&crash);
        assert_eq!(tick.decision.field, FieldVerdict::Free, "tracked: {tracked}");
        assert!(tick.after > tick.before, "the rise goes on");
    }
}

#[test]
fn a_read_older_than_our_own_write_waits_and_is_no_strangers() {
    let mut run = Run::new(run::plain_policy(), Replicas(2), false);
    run.live_through(&calm(40));
    let written = run.live;
    run.live = Replicas(2);
    let tick = run.live_through(&calm(40));
    assert_eq!(tick.decision.field, FieldVerdict::Lagging);
    assert_eq!(tick.after, Replicas(2));
    run.live = written;
    assert!(run.live_through(&calm(40)).after > written);
}

#[test]
fn the_same_read_after_half_a_minute_is_a_strangers() {
    let mut run = Run::new(run::plain_policy(), Replicas(2), false);
    run.live_through(&calm(40));
    run.live = Replicas(2);
    let tick = run.live_through(&Moment {
        after: Seconds(30),
        ..calm(40)
    });
    let FieldVerdict::Aside { why, .. } = &tick.decision.field else {
        panic!("{:?}", tick.decision.field)
    };
    assert_eq!(*why, AsideWhy::FieldTaken);
}

#[test]
fn in_shadow_the_live_field_moves_freely_and_is_the_users_own() {
    let mut policy = run::plain_policy();
    policy.mode = Mode::Shadow;
    let mut run = Run::new(policy, Replicas(2), true);
    run.live_through(&calm(40));
    let tick = run.live_through(&Moment {
        event: Some(Event::Person(Replicas(7))),
        ..calm(40)
    });
    assert_eq!(tick.decision.field, FieldVerdict::TakeOver { user: Replicas(7) });
    assert_eq!(tick.decision.wish.as_ref().map(|wish| wish.user), Some(Replicas(7)));
    assert!(tick.after > tick.before, "the virtual floor goes on");
    assert_eq!(run.live, Replicas(7));
}

#[test]
fn from_shadow_to_enforce_the_live_field_is_taken_over_and_the_virtual_floor_forgotten() {
    let mut policy = run::plain_policy();
    policy.mode = Mode::Shadow;
    let mut run = Run::new(policy, Replicas(2), true);
    for _ in 0..8 {
        run.live_through(&calm(40));
    }
    let tick = run.live_through(&Moment {
        event: Some(Event::Mode(Mode::Enforce)),
        ..calm(0)
    });
    assert_eq!(tick.decision.held, Some(Replicas(2)));
    assert_eq!(tick.after, Replicas(2), "20 was virtual");
}

#[test]
fn a_manifests_line_in_shadow_is_told_and_in_no_ones_way() {
    let mut policy = run::plain_policy();
    policy.mode = Mode::Shadow;
    let mut run = Run::new(policy, Replicas(2), true);
    let mut inputs = run.live_through(&calm(40)).inputs.clone();
    if let Reading::Known(target) = &mut inputs.function.observation.target {
        let updated_by = Some(Writer {
            name: "kubectl".to_owned(),
            kind: WriterKind::Person,
        });
        target.ownership = Ownership {
            applied_by: Some("helm".to_owned()),
            updated_by,
            ..Ownership::default()
        };
    }
    let decision = inputs.decide();
    let by = "helm".to_owned();
    assert_eq!(decision.field, FieldVerdict::InManifest { by, adopted: false });
    assert_eq!(decision.to(), Some(Replicas(6)));
}

#[test]
fn adoption_is_one_step_that_names_the_live_value() {
    let mut run = Run::new(run::plain_policy(), Replicas(2), true);
    let mut inputs = run.live_through(&calm(40)).inputs.clone();
    inputs.function.policy.on_conflict = OnConflict::Take;
    if let Reading::Known(target) = &mut inputs.function.observation.target {
        target.ownership = Ownership {
            applied_by: Some("helm".to_owned()),
            ..Ownership::default()
        };
    }
    let step = Step::Adopt {
        uid: "6f1c".to_owned(),
        value: Replicas(2),
    };
    assert_eq!(inputs.decide().verdict, Verdict::Apply(vec![step]));
}
