//! Walks forward over series made by rule: seven days of history, then the eighth, minute by minute.

use super::*;
use crate::engine::pinball;
use crate::prior;
use crate::synthetic::{DAY, MONDAY, Series, constant, diurnal, gappy, history, key, peak_at, peaked, shifted, sparse};

const WEEK: i64 = 7 * DAY;
const H: i64 = 2;

fn new() -> Model {
    let percent = |percent| Percent::new(percent).unwrap();
    let purpose = Purpose {
        horizon: H,
        quantile: percent(80),
        wake_from: percent(10),
    };
    Model::new(0, purpose)
}

fn walk(model: &mut Model, window: &Window<'_>) {
    model.walk(window, models(), &mut Scratch::default(), |_, _| {});
}

fn models() -> Models<'static> {
    Models {
        prior: Some(prior::peak()),
        fleet: None,
    }
}

/// One minute of the eighth day.
struct Said {
    minute: i64,
    published: f64,
    naive: f64,
    actual: Option<f64>,
}

/// The eighth day of a series, forecast from what was known at each minute.
fn eighth_day(series: &Series) -> (Model, Vec<Said>) {
    let week = usize::try_from(WEEK).unwrap();
    let mut past = history(&series[..week]);
    let mut model = new();
    walk(&mut model, &past.window(&key(), MONDAY + WEEK - 1).unwrap());
    let mut scratch = Scratch::default();
    let mut said = Vec::new();
    for (minute, peak) in (MONDAY + WEEK..).zip(&series[week..]) {
        let amount = peak.and_then(Demand::new);
        past.backfill(&key(), amount.map(|amount| (minute, amount)));
        model.step(&past.window(&key(), minute).unwrap(), models(), &mut scratch);
        if let Some(bet) = model.bets.back().filter(|bet| bet.made == minute) {
            let naive = bet.uppers.naive;
            let from = usize::try_from(minute + 1 - MONDAY).unwrap();
            let span = series.get(from..from + 2).unwrap_or(&[]);
            let actual = span
                .iter()
                .copied()
                .reduce(|a, b| Some(a?.max(b?)))
                .flatten()
                .filter(|_| span.len() == 2);
            said.push(Said {
                minute: minute - MONDAY - WEEK,
                published: bet.uppers.published,
                naive,
                actual,
            });
        }
    }
    (model, said)
}

fn losses(said: &[Said]) -> (f64, f64) {
    said.iter()
        .filter_map(|said| Some((said, said.actual?)))
        .fold((0.0, 0.0), |(mine, naive), (said, actual)| {
            (
                mine + pinball(actual, said.published, 0.8),
                naive + pinball(actual, said.naive, 0.8),
            )
        })
}

fn coverage(said: &[Said]) -> f64 {
    let covered = said.iter().filter_map(|said| Some(said.actual? <= said.published));
    {
        let hits: Vec<f64> = covered.map(|hit| if hit { 1.0 } else { 0.0 }).collect();
        hits.iter().sum::<f64>() / crate::engine::number(hits.len())
    }
}

/// The series that every claim below is made on.
fn series(seed: u64) -> Vec<(&'static str, Series)> {
    vec![
        ("diurnal", diurnal(8, seed)),
        ("daily peak", peaked(8, seed, DAY, 10, (3.0, 40.0))),
        ("hourly peak", peaked(8, seed, 60, 5, (3.0, 40.0))),
        ("constant", constant(8, 20.0)),
        ("sparse", sparse(8, seed)),
        ("level shift", shifted(8, seed)),
        ("gaps", gappy(8, seed)),
    ]
}

#[test]
fn the_gated_answer_is_not_worse_than_seasonal_naive() {
    for (name, series) in series(1) {
        let (mine, naive) = losses(&eighth_day(&series).1);
        assert!(mine <= naive * 1.02, "{name}: {mine:.1} against {naive:.1}");
    }
}

#[test]
fn a_recurring_peak_is_forecast_the_whole_horizon_before_it_comes() {
    for (period, wide, levels) in [
        (DAY, 10, (3.0, 40.0)),
        (60, 5, (3.0, 40.0)),
        (DAY, 5, (10.0, 40.0)),
        (60, 20, (0.0, 20.0)),
    ] {
        let (_, said) = eighth_day(&peaked(8, 2, period, wide, levels));
        let rise = peak_at(period) + (DAY / 2) / period * period;
        let before = said.iter().find(|said| said.minute == rise - H).unwrap();
        assert!(
            before.published > f64::midpoint(levels.0, levels.1),
            "{period} min: {}",
            before.published
        );
        let quiet = said.iter().find(|said| said.minute == rise - 3 * H).unwrap();
        assert!(
            quiet.published < f64::midpoint(levels.0, levels.1),
            "{period} min, too early: {}",
            quiet.published
        );
    }
}

#[test]
fn a_recurring_peak_is_let_go_after_it() {
    for (period, wide) in [(DAY, 10), (60, 5)] {
        let (_, said) = eighth_day(&peaked(8, 3, period, wide, (3.0, 40.0)));
        let end = peak_at(period) + (DAY / 2) / period * period + wide;
        let after = said.iter().find(|said| said.minute == end + 10).unwrap();
        assert!(after.published < 20.0, "{period} min: {}", after.published);
    }
}

#[test]
fn eighty_percent_covers_about_eighty_percent() {
    for seed in [1, 2] {
        let (model, said) = eighth_day(&diurnal(8, seed));
        let seen = coverage(&said);
        assert!((0.7..=0.97).contains(&seen), "{seen}");
        let told = model.gate.coverage().unwrap();
        assert!((told - seen).abs() < 0.05, "told {told}, seen {seen}");
    }
}

#[test]
fn a_constant_series_is_never_under_forecast() {
    for level in [0.0, 0.3, 1.0, 20.0, 3000.5, 1e300] {
        let (_, said) = eighth_day(&constant(8, level));
        // The largest amount that 16 bits hold stands for what is above it.
        assert!(said.iter().all(|said| said.published >= level.min(1.7e13)), "{level}");
        assert!(said.iter().all(|said| said.published <= level * 1.01), "{level}");
    }
}

#[test]
fn the_band_of_a_minute_expects_the_fall_after_a_daily_peak() {
    let series = peaked(8, 1, DAY, 10, (3.0, 40.0));
    let minutes = usize::try_from(WEEK + peak_at(DAY) + 10).unwrap();
    let past = history(&series[..minutes]);
    let mut model = new();
    // The last minute of the peak has closed; the fall comes in the next one.
    walk(
        &mut model,
        &past.window(&key(), MONDAY + WEEK + peak_at(DAY) + 9).unwrap(),
    );
    let band = model.forecast(Seconds(120)).expected_now.unwrap();
    assert!(band.lower.get() < 10.0 && band.upper.get() > 3.0, "{band:?}");
}

#[test]
fn a_walk_twice_gives_the_same_forecast() {
    let past = history(&gappy(8, 5));
    let walked = || {
        let mut model = new();
        walk(&mut model, &past.window(&key(), MONDAY + WEEK).unwrap());
        model.forecast(Seconds(120))
    };
    assert_eq!(walked(), walked());
}

/// The model of a function with a peak of `wide` minutes in every `period`, `minutes` of whose past are known, when
/// the peak begins `h` minutes from now, that is at minute `begins` after Monday.
fn before_the_peak(period: i64, wide: i64, begins: i64, minutes: i64) -> Model {
    let mut stream = crate::synthetic::Stream(u64::try_from(begins).unwrap());
    let closed = begins - H;
    let peak = |minute: i64| {
        let high = (minute - begins).rem_euclid(period) < wide;
        Demand::new(stream.poisson(if high { 40.0 } else { 3.0 })).map(|peak| (MONDAY + minute, peak))
    };
    let mut past = crate::History::new();
    past.backfill(&key(), (closed + 1 - minutes..=closed).filter_map(peak));
    let mut model = new();
    walk(&mut model, &past.window(&key(), MONDAY + closed).unwrap());
    model
}

/// A peak once came late that began at a full hour: the quarter hours of the days before said that there was one, and
/// silenced what knew when. So every minute of the hour is tried, and pasts that end within any hour of the ring.
#[test]
fn a_recurring_peak_is_seen_coming_at_every_minute_of_the_hour_from_every_length_of_past() {
    let day = |hours: i64| (DAY, 10, hours * 60);
    let hour = |hours: i64| (60, 5, hours * 60);
    let pasts = [day(52), day(73), day(74), day(7 * 24), hour(9), hour(33), hour(7 * 24)];
    for phase in 0..60 {
        for (period, wide, minutes) in pasts {
            let begins = WEEK + 18 * 60 + phase;
            let model = before_the_peak(period, wide, begins, minutes + phase % 7);
            let said = model.said.unwrap();
            assert!(
                said.upper > 25.0,
                "{period} min at :{phase:02}, {minutes} min known: {said:?}"
            );
        }
    }
}

#[test]
fn a_floor_without_a_model_answers_where_the_mixture_may_not_or_cannot() {
    let (naive, trailing) = ((SEASONAL_NAIVE, 7.0), (TRAILING_PEAK, 8.0));
    for (demoted, mixture, (name, upper), why) in [
        (None, Some(9.0), (MIXTURE, 9.0), None),
        (None, None, trailing, Some(Distrust::ModelFailed)),
        (
            Some(Distrust::WorseThanSeasonalNaive),
            Some(9.0),
            naive,
            Some(Distrust::WorseThanSeasonalNaive),
        ),
        (
            Some(Distrust::WorseThanTrailingPeak),
            Some(9.0),
            trailing,
            Some(Distrust::WorseThanTrailingPeak),
        ),
        (Some(Distrust::Undercovers), None, trailing, Some(Distrust::Undercovers)),
    ] {
        assert_eq!(speaker(demoted, mixture, 7.0, 8.0), (name, upper, why));
    }
}

/// Level 3, and 40 for ten minutes from the given minute of each day on.
fn daily(peaks: &[i64]) -> Series {
    let mut stream = crate::synthetic::Stream(4);
    let mut day = |at: i64| -> Vec<Option<f64>> {
        let high = |minute: i64| (at..at + 10).contains(&minute);
        (0..DAY)
            .map(|minute| Some(stream.poisson(if high(minute) { 40.0 } else { 3.0 })))
            .collect()
    };
    peaks.iter().flat_map(|at| day(*at)).collect()
}

#[test]
fn when_the_clocks_change_the_daily_peak_is_found_at_its_new_hour() {
    let (summer, winter) = (960, 900);
    let (_, said) = eighth_day(&daily(&[
        summer, summer, summer, summer, winter, winter, winter, winter,
    ]));
    let at = |minute: i64| said.iter().find(|said| said.minute == minute).unwrap().published;
    assert!(at(winter - H) > 25.0, "{}", at(winter - H));
    assert!(
        at(summer - H) < 25.0,
        "nothing came there on three days: {}",
        at(summer - H)
    );
}

#[test]
fn a_demand_that_starts_anew_is_followed_within_the_hour() {
    // A restart: the old level, a gap, a tenth of it; then ten times the old one.
    let (old, week) = (Some(50.0), usize::try_from(WEEK).unwrap());
    let mut series: Series = vec![old; week];
    series.extend([vec![None; 10], vec![Some(5.0); 710], vec![Some(500.0); 720]].concat());
    let (_, said) = eighth_day(&series);
    let at = |minute: i64| said.iter().find(|said| said.minute == minute).unwrap().published;
    assert!(at(10) >= 5.0 && at(80) < 25.0, "{} {}", at(10), at(80));
    assert!(at(725) >= 450.0, "the sixth minute of it: {}", at(725));
}
