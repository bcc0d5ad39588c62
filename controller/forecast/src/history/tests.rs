use super::*;
use forewarm_core::observation::Why;
use proptest::prelude::*;

const NOON: i64 = 29_461_680;

fn key() -> FunctionKey {
    FunctionKey {
        namespace: "payments".into(),
        name: "fraud-scorer".into(),
    }
}

fn demand(amount: f64) -> Demand {
    Demand::new(amount).unwrap()
}

fn known(current: f64, peak: f64) -> Reading<DemandSample> {
    Reading::Known(DemandSample {
        current: demand(current),
        peak: demand(peak),
        unheard: forewarm_core::units::Replicas::ZERO,
    })
}

/// Second `second` after noon.
fn at(second: i64) -> Wall {
    Wall(NOON * 60_000 + second * 1000)
}

fn minutes(history: &History, range: std::ops::Range<i64>) -> Vec<Option<f64>> {
    let window = history.window(&key(), NOON + 100_000).unwrap();
    range.map(|minute| window.minute(NOON + minute)).collect()
}

#[test]
fn the_samples_of_a_minute_are_folded_by_maximum_and_close_with_the_next() {
    let mut history = History::new();
    for (second, amount) in [(5, 3.0), (20, 7.0), (35, 4.0), (50, 2.0)] {
        history.extend(&key(), at(second), &known(amount, amount));
    }
    assert_eq!(history.newest(&key()), None);
    history.extend(&key(), at(65), &known(1.0, 1.0));
    assert_eq!(history.newest(&key()), Some(NOON));
    assert_eq!(minutes(&history, 0..2), [Some(7.0), None]);
}

#[test]
fn a_look_back_counts_for_the_minute_in_which_most_of_it_lies() {
    let mut history = History::new();
    history.extend(&key(), at(50), &known(1.0, 5.0)); // 12:00: it looks back to 11:59:50
    history.extend(&key(), at(65), &known(1.0, 9.0)); // looks back to 12:00:05
    history.extend(&key(), at(110), &known(2.0, 2.0));
    history.extend(&key(), at(125), &known(0.0, 2.0));
    assert_eq!(minutes(&history, -1..2), [None, Some(9.0), Some(2.0)]);
}

/// A call that began a second before the first tick of its minute.
#[test]
fn a_call_of_now_is_not_one_of_the_minute_before() {
    let mut history = History::new();
    for (second, current, peak) in [
        (39, 0.0, 0.0),
        (54, 0.0, 0.0),
        (69, 1.0, 1.0),
        (84, 1.0, 1.0),
        (99, 0.0, 1.0),
        (129, 0.0, 0.0),
    ] {
        history.extend(&key(), at(second), &known(current, peak));
    }
    assert_eq!(minutes(&history, 0..2), [Some(0.0), Some(1.0)]);
    let mut rare = History::new();
    rare.extend(&key(), at(-10), &known(0.0, 0.0));
    rare.extend(
        &key(),
        at(5),
        &Reading::Unknown(forewarm_core::observation::Why::SourceDown),
    );
    rare.extend(&key(), at(65), &known(1.0, 1.0));
    rare.extend(&key(), at(125), &known(0.0, 0.0));
    assert_eq!(minutes(&rare, 0..1), [Some(1.0)], "all that is known of the minute");
}

#[test]
fn an_unknown_minute_stays_a_gap_and_closes_the_one_before() {
    let mut history = History::new();
    history.extend(&key(), at(50), &known(4.0, 4.0));
    history.extend(&key(), at(70), &Reading::Unknown(Why::SourceDown));
    assert_eq!(minutes(&history, 0..1), [Some(4.0)]);
    history.extend(&key(), at(170), &known(6.0, 6.0));
    history.extend(&key(), at(230), &known(6.0, 6.0));
    assert_eq!(minutes(&history, 0..3), [Some(4.0), None, Some(6.0)]);
}

#[test]
fn a_function_that_never_reported_costs_nothing() {
    let mut history = History::new();
    history.extend(&key(), at(0), &Reading::Unknown(Why::NotYetRead));
    history.backfill(&key(), []);
    assert_eq!((history.len(), history.bytes()), (0, 0));
    assert!(history.window(&key(), NOON).is_none());
}

#[test]
fn a_clock_set_back_by_a_little_is_dropped() {
    let mut history = History::new();
    history.extend(&key(), at(130), &known(4.0, 4.0));
    history.extend(&key(), at(10), &known(100.0, 100.0));
    history.extend(&key(), at(200), &known(4.0, 4.0));
    assert_eq!(minutes(&history, 0..3), [None, None, Some(4.0)]);
}

#[test]
fn a_reading_from_far_ahead_does_not_silence_the_function() {
    let mut history = History::new();
    history.backfill(&key(), [(NOON - 5, demand(2.0)), (NOON + 600, demand(8.0))]);
    history.extend(&key(), at(50), &known(4.0, 4.0));
    history.extend(&key(), at(65 + 3000), &known(9.0, 9.0));
    history.extend(&key(), at(125 + 3000), &known(9.0, 9.0));
    for second in [110, 125, 170, 185] {
        history.extend(&key(), at(second), &known(5.0, 5.0));
    }
    assert_eq!(history.newest(&key()), Some(NOON + 2));
    assert_eq!(
        minutes(&history, -5..4),
        [Some(2.0), None, None, None, None, Some(4.0), Some(5.0), Some(5.0), None]
    );
    assert_eq!(minutes(&history, 600..601), [None]);
}

#[test]
fn backfill_never_touches_what_was_measured_live() {
    let mut history = History::new();
    history.extend(&key(), at(50), &known(4.0, 4.0));
    history.extend(&key(), at(65), &known(4.0, 4.0));
    history.backfill(&key(), (-2..3).map(|minute| (NOON + minute, demand(9.0))));
    history.extend(&key(), at(125), &known(4.0, 4.0));
    assert_eq!(
        minutes(&history, -2..3),
        [Some(9.0), Some(9.0), Some(4.0), Some(4.0), None]
    );
}

#[test]
fn half_a_minute_seen_after_a_start_does_not_hide_a_larger_backfilled_peak() {
    for live_first in [true, false] {
        let mut history = History::new();
        let fill = |history: &mut History| history.backfill(&key(), [(NOON, demand(9.0))]);
        if !live_first {
            fill(&mut history);
        }
        history.extend(&key(), at(20), &known(3.0, 3.0));
        history.extend(&key(), at(130), &known(3.0, 3.0));
        fill(&mut history);
        assert_eq!(minutes(&history, 0..1), [Some(9.0)]);
    }
}

#[test]
fn quarter_hours_have_the_largest_of_their_known_minutes() {
    let mut history = History::new();
    history.backfill(
        &key(),
        [(NOON, demand(2.0)), (NOON + 3, demand(6.0)), (NOON + 14, demand(4.0))],
    );
    let window = |until| history.window(&key(), until).unwrap();
    assert_eq!(window(NOON + 14).quarter(NOON + 7), Some(6.0));
    assert_eq!(window(NOON + 13).quarter(NOON + 7), None, "it has not ended then");
    assert_eq!(window(NOON + 40).quarter(NOON + 15), None);
}

#[test]
fn a_quarter_hour_whose_minutes_were_lost_is_kept_as_it_was_read() {
    let mut history = History::new();
    history.backfill(&key(), [(NOON - 1, demand(2.0)), (NOON + 100, demand(2.0))]);
    history.backfill_quarters(&key(), [(NOON + 15, demand(9.0)), (NOON + 90, demand(9.0))]);
    let window = history.window(&key(), NOON + 200).unwrap();
    assert_eq!(
        (window.quarter(NOON + 15), window.quarter(NOON + 90)),
        (Some(9.0), Some(2.0))
    );
    assert_eq!(window.minute(NOON + 15), None);
}

#[test]
fn a_week_ago_is_in_the_quarter_hours_when_the_minutes_are_gone() {
    let mut history = History::new();
    history.backfill(
        &key(),
        (NOON - 14 * 1440..NOON).map(|minute| (minute, demand(if minute % 60 == 20 { 8.0 } else { 2.0 }))),
    );
    let window = history.window(&key(), NOON - 1).unwrap();
    let week = NOON - 7 * 1440;
    assert_eq!(window.minute(week + 20), None);
    assert_eq!(window.quarter(week + 20), Some(8.0));
    assert_eq!(window.largest_quarter(week + 46, week + 48), Some(2.0));
    assert_eq!(window.largest_quarter(week + 13, week + 15), Some(8.0), "two quarters");
    assert_eq!(window.largest_quarter(NOON - 16 * 1440, NOON - 16 * 1440), None);
}

#[test]
fn a_function_has_two_full_rings_in_12_kilobytes() {
    let mut history = History::new();
    history.backfill(&key(), [(NOON, demand(1.0))]);
    assert_eq!(history.bytes(), 444 * 2 + 160 * 2, "a young one in two pieces");
    for minute in NOON - 15 * 1440..NOON + 20 * 1440 {
        history.backfill(&key(), [(minute, demand(1.0))]);
    }
    assert_eq!(history.bytes(), 4440 * 2 + 1440 * 2);
}

#[test]
fn functions_that_are_gone_are_forgotten() {
    let mut history = History::new();
    history.backfill(&key(), [(NOON, demand(1.0))]);
    history.forget(|_| false);
    assert!(history.is_empty());
}

fn points() -> impl Strategy<Value = Vec<(i64, Demand)>> {
    let minute = prop_oneof![NOON - 30..NOON + 30, NOON - 30_000..NOON + 30_000, any::<i64>()];
    let amount = prop_oneof![0.0..100.0, Just(0.0), 0.0..f64::MAX].prop_map(demand);
    prop::collection::vec((minute, amount), 0..60)
}

proptest! {
    #[test]
    fn backfill_is_total_idempotent_and_knows_no_order(points in points(), swap in any::<prop::sample::Index>()) {
        let filled = |rounds: &[&[(i64, Demand)]]| {
            let mut history = History::new();
            for points in rounds {
                history.backfill(&key(), points.iter().copied());
            }
            history
        };
        let (left, right) = points.split_at(if points.is_empty() { 0 } else { swap.index(points.len()) });
        let once = filled(&[&points]);
        let newest = once.newest(&key()).unwrap_or(0);
        for other in [filled(&[&points, &points]), filled(&[left, right]), filled(&[right, left])] {
            let view = |history: &History| history.window(&key(), newest).map(|window| {
                let minutes: Vec<_> = (0..MINUTES).map(|ago| window.minute(newest.saturating_sub(ago))).collect();
                let largest: Vec<_> = (1..QUARTERS)
                    .map(|ago| window.quarter(newest.saturating_sub(ago * QUARTER)))
                    .collect();
                (minutes, largest)
            });
            prop_assert_eq!(view(&other), view(&once));
        }
    }

    #[test]
    fn r2_a_gap_is_never_a_number(readings in prop::collection::vec(prop::option::of(0.0..50.0), 1..200)) {
        let mut history = History::new();
        for (second, reading) in (0..).step_by(15).zip(&readings) {
            let reading = reading.map_or(Reading::Unknown(Why::Absent), |amount| known(amount, amount));
            history.extend(&key(), at(second), &reading);
        }
        for (minute, samples) in readings.chunks(4).enumerate() {
            let kept = history.window(&key(), NOON + 1000)
                .and_then(|window| window.minute(NOON + i64::try_from(minute).unwrap()));
            // A sample looks back into the minute before it, so that one may have a value without its own.
            let next = readings.get(minute * 4 + 4).copied().flatten();
            let seen = samples.iter().flatten().copied().chain(next).reduce(f64::max);
            prop_assert!(kept.is_none() || seen.is_some(), "a number out of nothing");
            prop_assert!(kept.zip(seen).is_none_or(|(kept, seen)| kept <= seen * (1.0 + 1.0 / 256.0)));
        }
    }
}

#[test]
fn quarters_read_from_the_past_fill_the_long_ring_and_never_the_short_one() {
    let mut history = History::new();
    history.backfill(&key(), [(NOON, demand(1.0))]);
    let week_ago = (NOON - 7 * 1440) / 15 * 15;
    history.backfill_quarters(&key(), [(week_ago, demand(9.0)), (NOON / 15 * 15, demand(8.0))]);
    let window = history.window(&key(), NOON + 20).unwrap();
    assert_eq!(window.quarter(week_ago), Some(9.0));
    assert_eq!(window.minute(week_ago), None);
    // the newest quarter is known by its minutes, which say one call in flight
    assert_eq!(window.quarter(NOON / 15 * 15), Some(1.0));
}

proptest! {
    #[test]
    fn a_copy_of_minutes_is_what_they_are_one_by_one(
        points in prop::collection::vec((0_i64..6000, 0_u32..50), 0..300),
        until in -10_i64..6100,
        from in -2000_i64..6100,
        length in 0_usize..1600,
    ) {
        let mut history = History::new();
        history.backfill(&key(), points.iter().map(|(minute, calls)| (NOON + minute, demand(f64::from(*calls)))));
        let Some(window) = history.window(&key(), NOON + until) else { return Ok(()) };
        let mut copied = vec![0.0_f32; length];
        window.copy_minutes(NOON + from, &mut copied);
        for (minute, copied) in (NOON + from..).zip(copied) {
            prop_assert_eq!(Some(f64::from(copied)).filter(|copied| !copied.is_nan()), window.minute(minute));
        }
    }
}
