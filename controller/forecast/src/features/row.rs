//! The feature row of one function at one minute. Pure.

use super::{Base, Span, mean, quantile};
use crate::history::Window;
use forewarm_core::units::Percent;
use std::f64::consts::TAU;

/// Features of a row.
pub(crate) const COUNT: usize = 21;

/// One row; what is not known is `None`. Every number is finite.
pub(crate) type Row = [Option<f64>; COUNT];

/// The row at the window's end, for a span ahead.
pub(crate) fn row(window: &Window<'_>, base: &Base, span: Span) -> Row {
    let mut row = [None; COUNT];
    let all = lags(window)
        .into_iter()
        .chain(trailing(window))
        .chain(seasons(window, span));
    let normal = all.map(|amount| amount.map(|amount| base.normal(amount)));
    let known = normal
        .chain(rises(window, base, span))
        .chain(cycles(window.until() + span.to));
    row.iter_mut()
        .zip(known)
        .for_each(|(slot, value)| *slot = value.filter(|value| value.is_finite()));
    row
}

/// The newest minutes.
fn lags(window: &Window<'_>) -> [Option<f64>; 4] {
    [0, 1, 2, 5].map(|ago| window.minute(window.until() - ago))
}

/// Maxima, means and quantiles over 5, 15 and 60 minutes.
fn trailing(window: &Window<'_>) -> [Option<f64>; 6] {
    let mut hour = [0.0; 60];
    let known = fill(&mut hour, window.recent(60));
    let quarter = window.recent(15);
    [
        window.recent(5).reduce(f64::max),
        window.recent(15).reduce(f64::max),
        window.recent(60).reduce(f64::max),
        mean(quarter),
        mean(hour[..known].iter().copied()),
        quantile(&mut hour[..known], Percent::new(90).expect("90 is a percentage")),
    ]
}

/// The peak of the same span an hour, two hours, a day, two days and a week earlier.
fn seasons(window: &Window<'_>, span: Span) -> [Option<f64>; 5] {
    [60, 120, 1440, 2880, 10_080].map(|lag| span.earlier(window, lag, 0))
}

/// By how much that peak lay above its minute then, on today's scale: a season without its level.
fn rises(window: &Window<'_>, base: &Base, span: Span) -> [Option<f64>; 2] {
    [60, 1440].map(|lag| {
        let then = window.minute(window.until() - lag)?;
        Some((span.earlier(window, lag, 0)? - then) / base.scale)
    })
}

/// Where the span's end lies in the day and in the hour, on a circle.
fn cycles(minute: i64) -> [Option<f64>; 4] {
    let turn = |period: i64| TAU * small(minute.rem_euclid(period)) / small(period);
    [turn(1440).sin(), turn(1440).cos(), turn(60).sin(), turn(60).cos()].map(Some)
}

fn small(n: i64) -> f64 {
    f64::from(u16::try_from(n).expect("a part of a day, in minutes"))
}

/// Copies what fits and says how much that was.
fn fill(into: &mut [f64], values: impl Iterator<Item = f64>) -> usize {
    into.iter_mut().zip(values).map(|(slot, value)| *slot = value).count()
}
