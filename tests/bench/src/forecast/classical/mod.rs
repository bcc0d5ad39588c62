//! Classical: the forecasters that ours is measured against. A series in, each one's point and upper quantiles
//! out, minute by minute; points from what was known a horizon earlier.
//!
//! Source: the project's benchmark description, section 4: point, plus the trailing quantile of its own residuals
//! (three days, or twelve hours where one day is all there is), additive or scaled by the root of the point,
//! whichever has lost less over the same window.

mod points;
mod residual;
mod ridge;

use super::methods::Methods;
use super::score::Scores;
use super::traces::Function;
use forewarm_forecast::engine::pinball;

/// Their names, in the order of their points.
pub(crate) const NAMES: [&str; 6] = ["zero", "naive", "seasonal-naive", "ewma", "holt-winters", "ridge"];
/// Minutes of a day.
pub(crate) const DAY: usize = 1440;

/// What depends on how long the series is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Season in minutes.
    pub(crate) season: usize,
    /// Minutes of residuals looked back on.
    pub(crate) window: usize,
    /// Minutes between two looks at them.
    pub(crate) every: usize,
    /// Minutes between two fits of the ridge.
    pub(crate) refit: usize,
}

impl Shape {
    pub(crate) fn of(minutes: usize) -> Self {
        if minutes > DAY {
            Self {
                season: DAY,
                window: 3 * DAY,
                every: 30,
                refit: DAY,
            }
        } else {
            Self {
                season: 60,
                window: DAY / 2,
                every: 5,
                refit: 120,
            }
        }
    }
}

/// Scores all of them on one function's minutes from its warm-up on.
pub(crate) fn score(function: &Function, horizons: &[i64], quantiles: &[f64], methods: &Methods, scores: &mut Scores) {
    let calls = &function.calls;
    let shape = Shape::of(calls.len());
    let warmup = function.warmup.min(calls.len());
    for (place, horizon) in horizons.iter().enumerate() {
        let h = usize::try_from(*horizon).unwrap_or(1);
        let all: [Vec<f64>; 6] = [
            vec![0.0; calls.len()],
            points::naive(calls, h),
            points::seasonal(calls, shape.season),
            points::ewma(calls, h, warmup),
            points::holt_winters(calls, h, warmup, shape.season),
            ridge::points(calls, h, warmup, shape),
        ];
        for (method, points) in methods.classical().zip(&all) {
            let mut hear = |minute: usize, uppers: &[f64]| {
                if minute < warmup {
                    return;
                }
                let actual = calls[minute];
                for (quantile, (upper, share)) in uppers.iter().zip(quantiles).enumerate() {
                    let loss = pinball(actual, *upper, *share);
                    scores.cell(place, quantile, method).add(loss, actual <= *upper);
                }
                scores.point(place, method).add((actual - points[minute]).abs(), true);
            };
            residual::uppers(calls, points, h, quantiles, shape, &mut hear);
        }
    }
}

/// A count as a number.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
