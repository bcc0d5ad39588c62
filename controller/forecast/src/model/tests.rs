//! Walks forward over series made by rule: seven days of history, then the eighth, minute by minute.

use super::*;
use crate::calibration::pinball;
use crate::expert::{Guess, SEASONAL_NAIVE, TRAILING};
use crate::features::Span;
use crate::synthetic::{DAY, MONDAY, Series, constant, diurnal, gappy, history, key, peak_at, peaked, shifted, sparse};

const WEEK: i64 = 7 * DAY;
const H: i64 = 2;

fn eighty() -> Percent {
    Percent::new(80).unwrap()
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
    let mut model = Model::new(0, eighty(), 7);
    model.walk(&past.window(&key(), MONDAY + WEEK - 1).unwrap(), H);
    let mut said = Vec::new();
    for (minute, peak) in (MONDAY + WEEK..).zip(&series[week..]) {
        let amount = peak.and_then(Demand::new);
        past.backfill(&key(), amount.map(|amount| (minute, amount)));
        model.step(&past.window(&key(), minute).unwrap(), H, &mut { 1 });
        if let Some(bet) = model.bets.back().filter(|bet| bet.made == minute) {
            let naive = model.tracks[SEASONAL_NAIVE].upper(bet.stakes[SEASONAL_NAIVE]);
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
                published: bet.said.published,
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
    crate::features::mean(covered.map(|hit| if hit { 1.0 } else { 0.0 })).unwrap()
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
        let told = model.scores().coverage.unwrap();
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
    let mut model = Model::new(0, eighty(), 7);
    // The last minute of the peak has closed; the fall comes in the next one.
    model.walk(&past.window(&key(), MONDAY + WEEK + peak_at(DAY) + 9).unwrap(), H);
    let band = model.forecast(Seconds(120)).expected_now.unwrap();
    assert!(band.lower.get() < 10.0 && band.upper.get() > 3.0, "{band:?}");
}

#[test]
fn a_walk_twice_gives_the_same_forecast() {
    let past = history(&gappy(8, 5));
    let walked = || {
        let mut model = Model::new(0, eighty(), 7);
        model.walk(&past.window(&key(), MONDAY + WEEK).unwrap(), H);
        model.forecast(Seconds(120))
    };
    assert_eq!(walked(), walked());
}

/// Says what no amount can be.
#[derive(Debug)]
struct Broken(f64);

impl Expert for Broken {
    fn guess(&self, _at: &At<'_>, _span: Span) -> Option<Guess> {
        Some(Guess {
            point: self.0,
            upper: self.0,
        })
    }
}

#[test]
fn an_expert_that_fails_is_named_and_the_trailing_peak_answers() {
    let past = history(&peaked(4, 1, 60, 5, (3.0, 40.0)));
    let minute = MONDAY + 3 * DAY;
    for wrong in [f64::NAN, f64::INFINITY, -1.0] {
        let mut model = Model::new(0, eighty(), 7);
        model.walk(&past.window(&key(), minute).unwrap(), H);
        assert_eq!(model.forecast(Seconds(120)).demoted, None);
        let chosen = model.gate.chosen();
        assert_ne!(chosen, TRAILING);
        model.experts[chosen] = Box::new(Broken(wrong));
        model.step(&past.window(&key(), minute + 1).unwrap(), H, &mut 0);
        let forecast = model.forecast(Seconds(120));
        assert_eq!(
            (forecast.model.as_ref(), forecast.demoted),
            ("trailing-peak", Some(Distrust::ModelFailed))
        );
        model.experts[TRAILING] = Box::new(Broken(wrong));
        model.step(&past.window(&key(), minute + 2).unwrap(), H, &mut 0);
        assert_eq!(
            model.forecast(Seconds(120)).trust,
            Trust::Untrusted(Distrust::ModelFailed)
        );
    }
}
