use super::*;
use crate::history::History;
use crate::synthetic::{DAY, MONDAY, Series, history, key};
use forewarm_core::observation::{DemandSample, Reading};
use forewarm_core::units::{Demand, Replicas, Wall};

/// A call at each minute that `calls` names, over `days` days.
fn series(days: i64, calls: impl Fn(i64) -> bool) -> Series {
    (0..days * DAY)
        .map(|minute| Some(if calls(minute) { 1.0 } else { 0.0 }))
        .collect()
}

/// The chance named at each of the last minutes of a series.
fn chances(series: &Series, minutes: i64, h: i64) -> Vec<(i64, f64)> {
    let past = history(series);
    let end = MONDAY + i64::try_from(series.len()).unwrap();
    let mut wake = Wake::default();
    let mut said = Vec::new();
    for t in end - 2000..end {
        wake.fold(&past.window(&key(), t).unwrap(), t, h);
        if t >= end - minutes {
            said.push((t - MONDAY, wake.chance()));
        }
    }
    said
}

#[test]
fn a_timer_is_seen_coming_within_the_horizon_and_not_before() {
    // Every 7 minutes: neither the hour nor the day repeats.
    for (minute, chance) in chances(&series(2, |minute| minute % 7 == 0), 70, 2) {
        let due = (minute + 1) % 7 == 0 || (minute + 2) % 7 == 0;
        assert!(
            (chance - if due { 1.0 } else { 0.0 }).abs() < 1e-6,
            "{minute}: {chance}"
        );
    }
}

#[test]
fn a_daily_call_is_seen_coming_by_the_time_of_day() {
    let said = chances(&series(4, |minute| minute % DAY == 700), DAY, 2);
    let at = |of_day: i64| said.iter().find(|(minute, _)| minute % DAY == of_day).unwrap().1;
    // Of the third day before only the quarter hour is left.
    assert!(at(698) > 0.8 && at(699) > 0.8, "{} {}", at(698), at(699));
    assert!(at(650) < 0.1 && at(720) < 0.1 && at(100) < 0.1);
}

#[test]
fn the_time_of_day_is_known_for_two_weeks() {
    // A call on the fifth to the eighth day before: only the quarter hours know of it.
    let past = history(&series(14, |minute| {
        minute % DAY == 700 && (6..10).contains(&(minute / DAY))
    }));
    let t = MONDAY + 13 * DAY + 699;
    let chance = |t: i64| by_day(&past.window(&key(), t).unwrap(), t, 2);
    let weight = |days: std::ops::RangeInclusive<i32>| days.map(|day| 0.9_f32.powi(day)).sum::<f32>();
    // Thirteen days are known; the four with a call count half, since only their quarter hour is.
    let by_hand = 0.5 * weight(4..=7) / weight(1..=13);
    assert!((chance(t) - by_hand).abs() < 1e-5, "{}, not {by_hand}", chance(t));
    assert!(chance(t - 100) <= 0.0);
}

#[test]
fn a_call_near_the_time_is_a_part_of_a_hit() {
    // One known day before, with a call in minute 700; the span ahead is two minutes.
    let past = history(&series(2, |minute| minute == 700));
    for (first, hit) in [
        (695, 0.0),
        (696, 0.25),
        (697, 0.5),
        (698, 0.75),
        (699, 1.0),
        (700, 1.0),
        (701, 0.75),
        (703, 0.25),
        (704, 0.0),
    ] {
        let t = MONDAY + DAY + first - 1;
        let chance = by_day(&past.window(&key(), t).unwrap(), t, 2);
        assert!((chance - hit).abs() < 1e-6, "{first}: {chance}");
    }
}

#[test]
fn nothing_known_is_no_chance() {
    assert!(Wake::default().chance().abs() < 1e-12);
    let said = chances(&series(2, |_| false), 10, 2);
    assert!(said.iter().all(|(_, chance)| chance.abs() < 1e-12));
}

/// Whether the minutes after each of the last are said to be silent, by a wake that knows the whole series.
fn silences(series: &[Option<f64>], minutes: usize, h: i64) -> Vec<(usize, bool)> {
    let past = history(series);
    let mut wake = Wake::default();
    let said = (0..series.len()).map(|minute| {
        let t = MONDAY + i64::try_from(minute).unwrap();
        wake.fold(&past.window(&key(), t).unwrap(), t, h);
        (minute, wake.silent(t, h))
    });
    said.skip(series.len() - minutes).collect()
}

#[test]
fn a_timer_is_silent_between_its_calls_from_the_fifth_on() {
    for wide in [1, 2] {
        let calls = |minutes: usize| -> Series {
            (0..minutes)
                .map(|minute| Some(if minute % 6 < wide { 1.0 } else { 0.0 }))
                .collect()
        };
        assert!(
            silences(&calls(24), 24, 2).iter().all(|(_, silent)| !silent),
            "four calls"
        );
        for (minute, silent) in silences(&calls(60), 30, 2) {
            let phase = minute % 6;
            assert_eq!(silent, phase + 1 >= wide && phase < 4, "{wide} wide, {minute}");
        }
    }
}

#[test]
fn calls_without_a_timer_and_minutes_that_are_not_known_are_never_silent() {
    let by_chance = [0, 6, 12, 18, 26, 32, 38, 44];
    let calls = |unknown: usize| -> Series {
        let call = |minute| by_chance.contains(&minute);
        let at = |minute| (minute != unknown).then_some(if call(minute) { 1.0 } else { 0.0 });
        (0..50).map(at).collect()
    };
    assert!(
        silences(&calls(50), 24, 2).iter().all(|(_, silent)| !silent),
        "a gap of eight"
    );
    let mut timer: Series = (0..60)
        .map(|minute| Some(if minute % 6 == 0 { 1.0 } else { 0.0 }))
        .collect();
    timer[55] = None;
    let said = silences(&timer, 6, 2);
    assert_eq!(
        said.iter().map(|(_, silent)| *silent).collect::<Vec<_>>(),
        [true, false, false, false, false, false]
    );
}

/// A call of seconds in the mean of a minute: its tail reaches into the next minute and is no call that goes on.
#[test]
fn the_tail_of_a_mean_is_no_call_that_goes_on() {
    let calls: Series = (0..60)
        .map(|minute| {
            Some(match minute % 6 {
                0 => 0.8,
                1 => 0.08,
                _ => 0.0,
            })
        })
        .collect();
    for (minute, silent) in silences(&calls, 30, 2) {
        assert_eq!(silent, minute % 6 < 4, "{minute}");
    }
}

/// No scrape met the last call while it was under way: its minute has no more than the tail of its mean, and is over.
#[test]
fn a_call_that_no_scrape_met_is_over_as_soon_as_the_others() {
    let calls: Series = (0..55)
        .map(|minute| {
            Some(match minute % 6 {
                0 if minute < 54 => 0.8,
                0 | 1 => 0.2,
                _ => 0.0,
            })
        })
        .collect();
    assert_eq!(silences(&calls, 1, 2), [(54, true)]);
}

/// The first calls waited for a pod and took two minutes; the last four took one.
#[test]
fn how_long_the_last_four_calls_took_counts_and_not_what_was_before() {
    let calls: Series = (0..72)
        .map(|minute| {
            let wide = if minute < 36 { 2 } else { 1 };
            Some(if minute % 6 < wide { 1.0 } else { 0.0 })
        })
        .collect();
    let silent_at_once =
        |said: &[(usize, bool)], minute: usize| said.iter().any(|(at, silent)| *at == minute && *silent);
    let said = silences(&calls, 40, 2);
    assert!(!silent_at_once(&said, 54), "one of the last four took two minutes");
    assert!(silent_at_once(&said, 60));
    // The first call that took one minute: the next is due by the period, not by the gap behind the long ones.
    let phases: Vec<_> = silences(&calls[..42], 6, 2).iter().map(|(_, silent)| *silent).collect();
    assert_eq!(phases, [false, true, true, true, false, false]);
}

/// The first tick of a minute may come a second after the call or long after it: the same four minutes are silent.
#[test]
fn whatever_the_phase_of_the_ticks_a_timer_is_silent_for_four_minutes_of_six() {
    for (phase, over) in (0..15).flat_map(|phase| [(phase, 28), (phase, 35), (phase, 55)]) {
        let (mut past, mut wake) = (History::new(), Wake::default());
        // From second 8 of each sixth minute on.
        let busy = |second: i64| if (8..over).contains(&(second % 360)) { 1.0 } else { 0.0 };
        for tick in 0..480_i64 {
            let second = tick * 15 + phase;
            let current = busy(second);
            let peak = (0..60).map(|ago| busy(second - ago)).fold(0.0, f64::max);
            let amount = |amount| Demand::new(amount).unwrap();
            let sample = DemandSample {
                current: amount(current),
                peak: amount(peak),
                unheard: Replicas::ZERO,
            };
            past.extend(&key(), Wall((MONDAY * 60 + second) * 1000), &Reading::Known(sample));
            let closed = second / 60 - 1;
            if second % 60 >= 15 || closed < 0 {
                continue;
            }
            let t = MONDAY + closed;
            wake.fold(&past.window(&key(), t).unwrap(), t, 2);
            if closed >= 60 {
                assert_eq!(
                    wake.silent(t, 2),
                    closed % 6 < 4,
                    "phase {phase} to {over}, minute {closed}"
                );
            }
        }
    }
}
