use super::super::Engine;
use super::super::past::Series;
use super::super::scratch::Scratch;
use super::super::tests::{SPAN, walk};
use super::super::windows::Windows;
use super::*;

/// The features and the base of the last minute, five minutes ahead.
fn seen(values: &[f64]) -> (Row, Base) {
    let engine = walk(Engine::for_rows(&[SPAN]), values, |_| ());
    let (row, base) = engine.row(0).unwrap();
    (*row, *base)
}

fn feature(row: &Row, name: &str) -> f64 {
    f64::from(row[NAMES.iter().position(|known| *known == name).unwrap()])
}

fn near(seen: f64, expected: f64) {
    assert!((seen - expected).abs() < 1e-5, "{seen}, not {expected}");
}

#[test]
fn the_scale_of_silence_is_not_zero() {
    let (row, base) = seen(&[0.0; 300]);
    near(base.scale, 0.03);
    near(base.long, 0.03);
    near(feature(&row, "lv"), 0.03_f64.ln());
    // Without a day that was looked at, as of an engine that has just begun, the long one is the moves, at least as much.
    let (_, base) = seen(&[0.0; 3]);
    near(base.long, 0.03);
}

#[test]
fn the_scale_is_at_least_what_chance_moves() {
    // A steady 4: nothing moves, chance is 0.3 * 2. By the day, though nothing comes now: 0.3 * the root of its mean.
    near(seen(&[4.0; 300]).1.scale, 0.6);
    let mut values = vec![16.0; 1000];
    values.resize(1300, 0.0);
    // The day was last looked at in minute 1290: 1,000 of 1,291 minutes were 16.
    near(seen(&values).1.scale, 0.3 * (16.0 * 1000.0 / 1291.0_f64).sqrt());
}

#[test]
fn a_normalised_amount_and_back() {
    let base = Base {
        level: 3.0,
        scale: 0.5,
        long: 1.0,
        regime: Regime::Called,
        amounts: Amounts::Any,
    };
    near(base.normal(4.0), 2.0);
    near(base.amount(2.0), 4.0);
    // Far away is a million and no more, and there are no amounts below zero.
    near(base.normal(1e9), 1e6);
    near(base.normal(-1e9), -1e6);
    near(base.amount(-100.0), 0.0);
    assert!(base.amount(f64::NAN).is_nan());
}

#[test]
fn the_last_call_is_a_day_ago_at_most() {
    let idle = |minutes: usize| {
        let mut values = vec![0.0; minutes + 1];
        values[0] = 1.0;
        feature(&seen(&values).0, "last") * 60.0
    };
    for (minutes, told) in [(0, 0.0), (1, 1.0), (1439, 1439.0), (1440, 1440.0), (1500, 1440.0)] {
        assert!((idle(minutes) - told).abs() < 1e-3, "{minutes}: {}", idle(minutes));
    }
    // One that was never called is as idle as can be.
    near(feature(&seen(&[0.0; 100]).0, "last"), 24.0);
}

#[test]
fn running_means_begin_with_the_first_minute() {
    let (row, base) = seen(&[8.0, 9.0]);
    for (name, rate) in [("e01", 0.01), ("e03", 0.03), ("e10", 0.1)] {
        near(feature(&row, name) * base.scale + base.level, 8.0 + rate);
    }
}

#[test]
fn after_a_gap_of_five_minutes_the_level_is_that_of_a_quarter_of_an_hour() {
    // The last minutes known are those from 15 to 6 minutes back, a 3 first and 1s after it; before them all is 50.
    let mut values = vec![50.0; 100];
    values.push(3.0);
    values.extend([1.0; 9]);
    values.extend([f64::NAN; 5]);
    near(seen(&values).1.level, 12.0 / 10.0);
}

#[test]
fn a_day_with_parts_of_a_call_has_not_whole_numbers_alone() {
    let amounts = |part: f64| {
        let mut values: Vec<f64> = (0..1500).map(|minute| f64::from(2 + minute % 2)).collect();
        values[300] = part;
        seen(&values).1.amounts
    };
    // One part in the whole day is enough; of a million calls as well, and from four millions on none is seen.
    assert_eq!(amounts(3.0), Amounts::Whole);
    assert_eq!(amounts(2.25), Amounts::Any);
    assert_eq!(amounts(1_000_000.5), Amounts::Any);
    assert_eq!(amounts(16_777_216.0), Amounts::Whole);
    assert_eq!(amounts(f64::NAN), Amounts::Whole);
}

#[test]
fn a_function_is_flat_while_nearly_all_minutes_have_one_amount() {
    // A day of 20s; it was last looked at in minute 1440, since when there may be 59 minutes more.
    let amounts = |change: &dyn Fn(&mut [f64])| {
        let mut values = vec![20.0; 1500];
        change(&mut values);
        seen(&values).1.amounts
    };
    assert_eq!(amounts(&|_| ()), Amounts::Flat);
    assert_eq!(
        amounts(&|values| values.fill(0.0)),
        Amounts::Seldom,
        "silence is not flat"
    );
    assert_eq!(amounts(&|values| values.fill(20.5)), Amounts::Any);
    // Of the day's 1,440 minutes 216 are 15 %: as many others are borne, below and, up to a twentieth, above.
    let others = |count: usize, amount: f64| amounts(&move |values: &mut [f64]| values[200..200 + count].fill(amount));
    assert_eq!(others(216, 19.0), Amounts::Flat);
    assert_eq!(others(217, 19.0), Amounts::Whole);
    assert_eq!(others(72, 21.0), Amounts::Flat);
    // Of the last 240 minutes three may lie above.
    let above = |count: usize| amounts(&move |values: &mut [f64]| values[1270..1270 + count].fill(25.0));
    assert_eq!(above(3), Amounts::Flat);
    assert_eq!(above(4), Amounts::Whole);
    // The mean of the last five minutes: 20.4, 20.6; 18.4 of 20 has stayed, 17.8 has not.
    let now = |amount: f64| amounts(&move |values: &mut [f64]| values[1499] = amount);
    assert_eq!(now(22.0), Amounts::Flat);
    assert_eq!(now(23.0), Amounts::Whole);
    assert_eq!(now(12.0), Amounts::Flat);
    assert_eq!(now(9.0), Amounts::Whole);
}

#[test]
fn one_call_a_minute_is_flat_until_it_is_missed() {
    let amounts = |missed: usize| {
        let mut values = vec![1.0; 1500 - missed];
        values.extend(vec![0.0; missed]);
        seen(&values).1.amounts
    };
    // Of five minutes two without a call leave 0.6, three 0.4.
    assert_eq!(amounts(2), Amounts::Flat);
    assert_eq!(amounts(3), Amounts::Whole);
}

#[test]
fn a_day_whose_minute_of_now_is_a_gap_has_not_moved() {
    let mut values = vec![10.0; 1440 + 700];
    assert!(!feature(&seen(&values).0, "sdavg").is_nan());
    values[699] = f64::NAN;
    assert!(feature(&seen(&values).0, "sdavg").is_nan());
}

/// What the windows tell of the last minute.
fn windows(values: &[f64]) -> Seen {
    let (past, mut scratch) = (Series { first: 0, values }, Scratch::default());
    let t = i64::try_from(values.len()).unwrap() - 1;
    scratch.minutes.read(&past, t, 5, true);
    Windows::new().fold(t, &scratch.minutes, &mut scratch.room).unwrap()
}

#[test]
fn the_means_are_of_a_quarter_of_an_hour_and_of_an_hour() {
    // 0, 1, ..., 99: the last fifteen are 85 to 99, the last sixty 40 to 99.
    let seen = windows(&(0..100).map(f64::from).collect::<Vec<_>>());
    near(seen.mean15, 92.0);
    near(seen.mean60, 69.5);
}

#[test]
fn the_quantiles_are_of_an_hour_and_of_four() {
    // 0, 1, ..., 299: of the last sixty, 240 to 299, 54 lie at or below 293; of the last 240, 60 to 299, 228 at or below 287.
    let seen = windows(&(0..300).map(f64::from).collect::<Vec<_>>());
    near(seen.q90_60, 293.0);
    near(seen.q95_240, 287.0);
}
