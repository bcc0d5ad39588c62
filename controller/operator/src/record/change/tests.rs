//! Sequences of verdicts, and which of them are told.

use super::*;
use crate::record::sample::{Sample, hold, rise, steady};
use forewarm_core::decision::Clamp;
use forewarm_core::observation::{Reading, Why};
use forewarm_core::outcome::{Fence, Outcome, RefusedKind};

/// Tells one tick after another, 15 s apart; which of them were news.
fn news(ticks: Vec<Sample>) -> Vec<bool> {
    let mut last = Last::default();
    let tell = |(tick, sample): (u64, Sample)| {
        let (seen, now) = (Seen::of(&sample.told()), Mono(tick * 15_000));
        let news = material(&last, &seen, now);
        if news {
            last.told(seen, now);
        } else {
            last.passed_over(seen);
        }
        news
    };
    (0..).zip(ticks).map(tell).collect()
}

fn applied(from: u32, to: u32) -> Sample {
    Sample::new(rise(from, to)).outcome(Outcome::Applied)
}

#[test]
fn while_demand_wobbles_under_one_verdict_nothing_is_told() {
    let wobble = [7, 9, 4, 8].map(|wished| Sample::new(hold("stabilize", 12, wished)).demand(f64::from(wished)));
    assert_eq!(news(wobble.into()), [true, false, false, false]);
    let wobble = [3.0, 2.5, 2.9].map(|demand| Sample::new(steady(2)).demand(demand));
    assert_eq!(news(wobble.into()), [true, false, false]);
}

#[test]
fn a_suppressed_change_is_told_when_its_rule_or_its_direction_changes() {
    let ticks = vec![
        Sample::new(hold("stabilize", 12, 7)),
        Sample::new(hold("slew", 12, 7)),
        Sample::new(hold("slew", 12, 30)),
        Sample::new(hold("slew", 12, 31)),
    ];
    assert_eq!(news(ticks), [true, true, true, false]);
}

#[test]
fn a_verdict_that_comes_and_goes_is_told_once_in_five_minutes() {
    let ticks: Vec<Sample> = (0..45)
        .map(|tick| {
            Sample::new(if tick % 2 == 0 {
                steady(12)
            } else {
                hold("stabilize", 12, 11)
            })
        })
        .collect();
    let told: Vec<usize> = news(ticks)
        .iter()
        .enumerate()
        .filter_map(|(at, news)| news.then_some(at))
        .collect();
    // 300 s are 20 ticks.
    assert_eq!(told, [0, 1, 20, 21, 40, 41]);
}

#[test]
fn a_verdict_that_lasts_is_told_once() {
    let told = news((0..1000).map(|_| Sample::new(hold("trust", 12, 2))).collect());
    assert_eq!(told.iter().filter(|news| **news).count(), 1);
}

#[test]
fn every_move_is_told_and_the_quiet_after_it_is_not() {
    let ticks = vec![
        applied(2, 12),
        Sample::new(steady(12)),
        applied(12, 10),
        Sample::new(steady(10)),
        applied(10, 12),
        Sample::new(steady(12)),
        Sample::new(steady(2)),
    ];
    assert_eq!(news(ticks), [true, false, true, false, true, false, true]);
}

#[test]
fn a_ramp_down_is_one_line_a_step() {
    let step = |from, to| {
        let mut fall = rise(from, to);
        fall.wish.as_mut().unwrap().to = Replicas(2);
        fall.clamps = vec![Clamp {
            rule: "slew".into(),
            from: Replicas(2),
            to: Replicas(to),
        }];
        Sample::new(fall).outcome(Outcome::Shadow)
    };
    let wait = |held| Sample::new(hold("slew", held, 2));
    let ticks = vec![
        step(12, 9),
        wait(9),
        wait(9),
        step(9, 7),
        wait(7),
        Sample::new(hold("trust", 7, 2)),
    ];
    assert_eq!(news(ticks), [true, false, false, true, false, true]);
}

#[test]
fn waiting_for_our_own_write_to_show_is_no_news() {
    let mut lagging = hold("stand_aside", 2, 12);
    lagging.field = FieldVerdict::Lagging;
    assert_eq!(
        news(vec![applied(2, 12), Sample::new(lagging), Sample::new(steady(12))]),
        [true, false, false]
    );
}

#[test]
fn a_write_that_keeps_failing_is_told_once_and_its_success_too() {
    let refused = || {
        let message = "no".to_owned();
        Sample::new(rise(2, 12)).outcome(Outcome::Refused {
            kind: RefusedKind::PermissionDenied,
            message,
        })
    };
    let fenced = || Sample::new(rise(2, 12)).outcome(Outcome::Fenced { by: Fence::SwitchedOff });
    let ticks = vec![refused(), refused(), fenced(), fenced(), applied(2, 12)];
    assert_eq!(news(ticks), [true, false, true, false, true]);
}

#[test]
fn a_change_of_trust_mode_or_pause_is_told() {
    let unknown = |why| Sample::new(steady(2)).demand_reading(Reading::Unknown(why));
    let ticks = vec![
        Sample::new(steady(2)),
        unknown(Why::SourceDown),
        unknown(Why::Stale { age: Seconds(61) }),
        unknown(Why::Stale { age: Seconds(76) }),
        Sample::new(steady(2)).distrust(Distrust::ModelFailed),
        Sample::new(steady(2)).demoted(Distrust::Undercovers),
        Sample::new(steady(2)).mode(Mode::Enforce),
        Sample::new(steady(2)).paused(),
    ];
    assert_eq!(news(ticks), [true, true, true, false, true, true, true, true]);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut last = Last::default();
    for n in 0..100 {
        last.told(Seen::of(&Sample::new(steady(n)).told()), Mono(0));
    }
    assert_eq!(last.told.len(), REMEMBERED);
}
