use super::*;
use crate::History;
use crate::synthetic::{DAY, MONDAY, Series, constant, diurnal, history, key, peak_at, peaked};

const H: i64 = 2;

fn at(past: &History, minute: i64) -> At<'_> {
    let window = past.window(&key(), MONDAY + minute).unwrap();
    let quantile = Percent::new(80).unwrap();
    At {
        window,
        base: Base::of(&window, H),
        horizon: H,
        quantile,
        seed: 1,
    }
}

fn made(name: &str) -> Box<dyn Expert> {
    (EXPERTS.iter().find(|entry| entry.name == name).unwrap().make)()
}

/// An expert that has seen all minutes of a series, and its guess of the span after it.
fn taught(name: &str, series: &Series) -> Option<Guess> {
    let (past, mut expert) = (history(series), made(name));
    let newest = i64::try_from(series.len()).unwrap() - 1;
    (0..=newest).for_each(|minute| expert.fold(&at(&past, minute)));
    let now = at(&past, newest);
    if expert.refit_due(&now) {
        expert.refit(&now);
    }
    expert.guess(&now, Span::over(H))
}

#[test]
fn the_baselines_stand_where_the_gate_looks_for_them() {
    assert_eq!(EXPERTS[SEASONAL_NAIVE].name, "seasonal-naive");
    assert_eq!(EXPERTS[TRAILING].name, "trailing-peak");
}

#[test]
fn the_trailing_peak_is_nine_tenths_of_the_last_hour_for_eighty_percent() {
    let hour: Series = (1..=60).map(|n| Some(f64::from(n))).collect();
    assert_eq!(
        taught("trailing-peak", &hour),
        Some(Guess {
            point: 30.0,
            upper: 54.0
        })
    );
}

#[test]
fn the_trailing_peak_answers_from_one_minute_and_not_from_none() {
    let past = history(&[Some(3.0)]);
    let expert = made("trailing-peak");
    assert_eq!(
        expert.guess(&at(&past, 59), Span::over(H)),
        Some(Guess { point: 3.0, upper: 3.0 })
    );
    assert_eq!(expert.guess(&at(&past, 60), Span::over(H)), None);
}

#[test]
fn the_level_is_an_exponential_mean() {
    // 8, then 10 twice: the fast rate errs least, 8 -> 9.2 -> 9.68.
    let guess = taught("level", &vec![Some(8.0), Some(10.0), Some(10.0)]).unwrap();
    assert!((guess.point - 9.68).abs() < 1e-9, "{guess:?}");
}

#[test]
fn a_gap_does_not_move_the_level() {
    let with_gap = taught("level", &vec![Some(8.0), Some(10.0), None, Some(10.0)]).unwrap();
    assert!((with_gap.point - 9.68).abs() < 1e-9, "{with_gap:?}");
}

#[test]
fn seasonal_naive_finds_the_hour_and_the_day() {
    for period in [60, DAY] {
        let series = peaked(4, 1, period, 5, (2.0, 30.0));
        let rise = usize::try_from(3 * DAY + peak_at(period)).unwrap();
        let before = taught("seasonal-naive", &series[..rise - 1].to_vec()).unwrap();
        let early = taught("seasonal-naive", &series[..rise - 4].to_vec()).unwrap();
        assert!(
            before.point > 15.0 && early.point < 15.0,
            "{period}: {before:?}, {early:?}"
        );
    }
}

#[test]
fn seasonal_naive_looks_another_season_back_over_a_gap() {
    let mut series = peaked(3, 1, DAY, 5, (2.0, 30.0));
    let rise = usize::try_from(DAY + peak_at(DAY)).unwrap();
    // The whole of yesterday around the peak is lost, quarter hours too.
    series[rise - 60..rise + 60].fill(None);
    series.truncate(rise + 1440 - 1);
    assert!(taught("seasonal-naive", &series).unwrap().point > 15.0);
}

#[test]
fn the_ridge_learns_a_daily_wave_better_than_the_last_value() {
    let series = diurnal(4, 9);
    let (past, mut ridge) = (history(&series), made("ridge"));
    let noon = 3 * DAY;
    ridge.refit(&at(&past, noon));
    let (mut ridge_error, mut last_error) = (0.0, 0.0);
    for minute in noon..noon + 600 {
        let now = at(&past, minute);
        let actual = past
            .window(&key(), MONDAY + minute + H)
            .unwrap()
            .largest(MONDAY + minute + 1, MONDAY + minute + H);
        let guess = ridge.guess(&now, Span::over(H)).unwrap().point;
        ridge_error += (guess - actual.unwrap()).abs();
        last_error += (now.window.minute(MONDAY + minute).unwrap() - actual.unwrap()).abs();
    }
    assert!(
        ridge_error < 0.8 * last_error,
        "{ridge_error:.0} against {last_error:.0}"
    );
}

#[test]
fn the_ridge_says_nothing_without_rows_or_for_another_horizon() {
    assert_eq!(taught("ridge", &constant(4, 3.0)[..100].to_vec()), None);
    let past = history(&diurnal(4, 9));
    let mut ridge = made("ridge");
    ridge.refit(&at(&past, 3 * DAY));
    let other = At {
        horizon: 5,
        ..at(&past, 3 * DAY)
    };
    assert_eq!(ridge.guess(&other, Span::over(5)), None);
    assert!(ridge.refit_due(&other));
}

#[test]
fn the_ridge_stays_finite_on_a_series_that_never_moves_or_moves_absurdly() {
    let absurd: Series = constant(4, 1.0)
        .iter()
        .enumerate()
        .map(|(n, one)| if n % 97 == 0 { Some(1e300) } else { *one })
        .collect();
    for series in [constant(4, 0.0), constant(4, 7.0), absurd] {
        let guess = taught("ridge", &series).unwrap();
        assert!(guess.is_sound(), "{guess:?}");
    }
}

#[test]
fn a_refit_comes_every_six_hours_at_the_function_s_own_minute() {
    let past = history(&diurnal(3, 9));
    let due = |seed: u64| {
        let mut ridge = made("ridge");
        let own = |minute| At {
            seed,
            ..at(&past, minute)
        };
        (2 * DAY..3 * DAY)
            .filter(|minute| {
                let due = ridge.refit_due(&own(*minute));
                if due {
                    ridge.refit(&own(*minute));
                }
                due
            })
            .collect::<Vec<_>>()
    };
    let (one, other) = (due(1), due(100));
    assert_eq!(one.len(), 5, "the first, and four a day");
    assert!(one[1..].windows(2).all(|pair| pair[1] - pair[0] == 360));
    assert_eq!((one[1] - other[1]).rem_euclid(360), 99);
}
