use super::*;
use crate::History;
use crate::synthetic::{DAY, MONDAY, history, key};
use forewarm_core::units::Demand;
use proptest::prelude::*;

/// `minutes` of `base`, then the given ones.
fn after(minutes: usize, base: f64, rest: &[f64]) -> History {
    let series: Vec<Option<f64>> = std::iter::repeat_n(base, minutes)
        .chain(rest.iter().copied())
        .map(Some)
        .collect();
    history(&series)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn level_and_scale_by_hand() {
    let past = after(120, 4.0, &[5.0, 6.0, 7.0, 8.0, 9.0]);
    let base = Base::of(&past.window(&key(), MONDAY + 124).unwrap(), 2).unwrap();
    assert!(close(base.level, 7.0));
    // Moves over two minutes: 1 and four times 2 in 120, far less than 0.3 * sqrt(7).
    assert!(close(base.scale, 0.3 * 7.0_f64.sqrt()));
    assert!(close(base.scale_at(100.0), 3.0));
    assert!(close(base.amount(base.normal(12.5)), 12.5));
}

#[test]
fn the_scale_is_what_the_demand_moves_over_the_horizon() {
    let zigzag: Vec<Option<f64>> = (0..200).map(|n| Some(if n % 4 < 2 { 10.0 } else { 30.0 })).collect();
    let past = history(&zigzag);
    let window = past.window(&key(), MONDAY + 199).unwrap();
    assert!(close(Base::of(&window, 2).unwrap().scale, 20.0));
    assert!(close(
        Base::of(&window, 4).unwrap().scale,
        0.3 * Base::of(&window, 4).unwrap().level.sqrt()
    ));
}

#[test]
fn nothing_known_of_a_quarter_of_an_hour_is_no_level() {
    let past = after(20, 4.0, &[]);
    assert!(Base::of(&past.window(&key(), MONDAY + 33).unwrap(), 2).is_some());
    assert!(Base::of(&past.window(&key(), MONDAY + 34).unwrap(), 2).is_none());
}

#[test]
fn a_quantile_is_the_smallest_value_with_enough_at_or_below() {
    for (percent, value) in [(0, 1.0), (10, 1.0), (80, 8.0), (81, 9.0), (100, 10.0)] {
        let mut values: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(
            quantile(&mut values, Percent::new(percent).unwrap()),
            Some(value),
            "{percent} %"
        );
    }
    assert_eq!(quantile(&mut [], Percent::new(80).unwrap()), None);
}

#[test]
fn a_row_by_hand() {
    let past = after(200, 4.0, &[4.0, 4.0, 4.0, 4.0, 16.0]);
    let window = past.window(&key(), MONDAY + 204).unwrap();
    let base = Base { level: 4.0, scale: 2.0 };
    let row = row(&window, &base, Span::over(2));
    let lags_and_trailing = [6.0, 0.0, 0.0, 0.0, 6.0, 6.0, 6.0, 0.4, 0.1, 0.0];
    for (place, expected) in lags_and_trailing.into_iter().enumerate() {
        assert!(close(row[place].unwrap(), expected), "{place}: {:?}", row[place]);
    }
    assert!(close(row[10].unwrap(), 0.0), "an hour ago");
    assert_eq!((row[12], row[14]), (None, None), "neither a day nor a week is known");
    // 00:00 UTC is MONDAY; the span ends 206 minutes later.
    assert!(close(row[17].unwrap(), (206.0 / 1440.0 * std::f64::consts::TAU).sin()));
}

#[test]
fn a_span_a_day_ago_is_read_from_the_minutes_and_a_week_ago_from_the_quarter_hours() {
    let week = usize::try_from(7 * DAY).unwrap();
    let series: Vec<Option<f64>> = (0..week)
        .map(|n| Some(if n % 1440 == 700 { 9.0 } else { 1.0 }))
        .collect();
    let past = history(&series);
    let window = past.window(&key(), MONDAY + 6 * DAY + 698).unwrap();
    assert_eq!(Span::over(2).earlier(&window, DAY, 0), Some(9.0));
    assert_eq!(Span::over(1).earlier(&window, DAY, 0), Some(1.0));
    assert_eq!(Span::over(1).earlier(&window, DAY, 1), Some(9.0));
    assert_eq!(
        Span::over(1).earlier(&window, 6 * DAY, 0),
        Some(9.0),
        "its quarter hour holds the peak"
    );
}

proptest! {
    #[test]
    fn features_at_a_minute_do_not_change_when_later_data_is_appended(
        before in prop::collection::vec(prop::option::of(0.0..1e4), 1..400),
        later in prop::collection::vec(prop::option::of(0.0..1e9), 1..60),
        h in 1_i64..30,
    ) {
        let t = MONDAY + i64::try_from(before.len()).unwrap() - 1;
        let known = |series: &[Option<f64>]| {
            let past = history(series);
            past.window(&key(), t).and_then(|window| {
                let base = Base::of(&window, h)?;
                Some((base, row(&window, &base, Span::over(h))))
            })
        };
        let all: Vec<Option<f64>> = before.iter().chain(&later).copied().collect();
        // The quarter hour in which `t` lies must not show what came after it either.
        if before.iter().any(Option::is_some) {
            prop_assert_eq!(known(&before), known(&all));
        }
    }

    #[test]
    fn r10_features_are_finite_for_any_past(
        series in prop::collection::vec(prop::option::of(prop_oneof![0.0..10.0, 0.0..f64::MAX, Just(0.0)]), 1..300),
        h in 1_i64..=60,
    ) {
        let past = history(&series);
        let t = MONDAY + i64::try_from(series.len()).unwrap() - 1;
        let window = past.window(&key(), t);
        if let Some((window, base)) = window.and_then(|window| Some((window, Base::of(&window, h)?))) {
            prop_assert!(base.level.is_finite() && base.scale.is_finite() && base.scale > 0.0);
            prop_assert!(row(&window, &base, Span::over(h)).iter().flatten().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn an_amount_never_falls_below_zero() {
    let base = Base { level: 1.0, scale: 2.0 };
    assert!(close(base.amount(-5.0), 0.0));
    assert!(Demand::new(base.amount(-5.0)).is_some());
}
