use super::*;
use crate::engine::{Engine, Models, Scratch, Span, Target};
use crate::synthetic::{DAY, MONDAY, Series, history, key, peaked};

const SPAN: Span = Span {
    target: Target::Peak,
    h: 2,
};
const NONE: Due = [None, None];

fn due_at(series: &Series, minute: i64) -> Due {
    // The ring ends with the minute asked of: it then holds three days before it.
    let past = history(&series[..=usize::try_from(minute).unwrap()]);
    let window = past.window(&key(), MONDAY + minute).unwrap();
    let mut engine = Engine::for_rows(&[SPAN]);
    engine.step(
        &window,
        window.until(),
        Models::default(),
        &mut Scratch::default(),
        |_| {},
    );
    due(&window, engine.row(0).unwrap().1, 2)
}

/// Level 2 and, on the given days, 40 from minute 600 for five minutes.
fn days(peaks: &[bool]) -> Series {
    let day = |peak: bool| {
        (0..DAY).map(move |minute| {
            Some(if peak && (600..605).contains(&minute) {
                40.0
            } else {
                2.0
            })
        })
    };
    peaks.iter().flat_map(|peak| day(*peak)).collect()
}

#[test]
fn a_peak_on_two_of_three_days_is_due() {
    for (peaks, expected) in [
        ([true, true, true, false], Some(40.0)),
        ([true, false, true, false], Some(40.0)),
        ([true, false, false, false], None),
        ([false, false, true, false], None),
        ([false, false, false, false], None),
    ] {
        assert_eq!(due_at(&days(&peaks), 3 * DAY + 597), [None, expected], "{peaks:?}");
    }
}

#[test]
fn it_is_due_from_a_minute_before_the_span_reaches_it_to_a_minute_after_it_is_over() {
    let series = days(&[true, true, true, false]);
    for (minute, is_due) in [(596, false), (597, true), (598, true), (604, true), (605, false)] {
        assert_eq!(due_at(&series, 3 * DAY + minute)[1].is_some(), is_due, "{minute}");
    }
}

#[test]
fn an_hourly_peak_is_due_by_the_hour() {
    let series = peaked(1, 3, 60, 3, (1.0, 30.0));
    assert!(due_at(&series, 12 * 60 + 38)[0].is_some_and(|peak| peak > 15.0));
    assert_eq!(due_at(&series, 12 * 60 + 20), NONE);
}

#[test]
fn it_is_heard_only_while_it_has_paid() {
    let eighty = Percent::new(80).unwrap();
    let due = [None, Some(40.0)];
    let mut recurring = Recurring::default();
    assert!(
        (recurring.raise(&due, 5.0) - 5.0).abs() < 1e-12,
        "nothing is known of it"
    );
    recurring.score(&due, 5.0, 38.0, eighty); // missed by 33: it would have saved 26
    assert!((recurring.raise(&due, 5.0) - 40.0).abs() < 1e-12);
    assert!((recurring.raise(&due, 50.0) - 50.0).abs() < 1e-12, "it may only raise");
    (0..5).for_each(|_| recurring.score(&due, 5.0, 5.0, eighty)); // 7 lost each time
    assert!((recurring.raise(&due, 5.0) - 5.0).abs() < 1e-12);
}
