use super::*;
use crate::synthetic::{DAY, MONDAY, Series, history, key};

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
    assert!(at(698) > 0.9 && at(699) > 0.9, "{} {}", at(698), at(699));
    assert!(at(650) < 0.1 && at(720) < 0.1 && at(100) < 0.1);
}

#[test]
fn nothing_known_is_no_chance() {
    assert!(Wake::default().chance().abs() < 1e-12);
    let said = chances(&series(2, |_| false), 10, 2);
    assert!(said.iter().all(|(_, chance)| chance.abs() < 1e-12));
}
