//! Walk: one function's engine over its minutes, each scored as it ends.

use super::classical;
use super::methods::Methods;
use super::score::{Scores, usual};
use super::traces::Function;
use forewarm_forecast::engine::{Engine, Heard, Models, Scratch, Series, Span, expert_names, pinball};

/// Minutes before the scored ones that a walk begins at: what is older has no weight left.
const BEFORE: usize = 10_080;

/// What to walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) spans: &'a [Span],
    pub(crate) quantiles: &'a [f64],
    pub(crate) models: Models<'a>,
    /// Minutes of history before the scored ones; `None`: all.
    pub(crate) history: Option<usize>,
    /// Scored minutes at most; `None`: all.
    pub(crate) scored: Option<usize>,
    /// Whether the classical forecasters walk along.
    pub(crate) classical: bool,
}

/// Walks one function.
pub(crate) fn walk(function: &Function, walk: Walk<'_>, methods: &Methods) -> Scores {
    let Walk { spans, quantiles, .. } = walk;
    let mut scores = Scores::new(spans.len(), quantiles.len(), methods.count());
    let warmup = function.warmup.min(function.calls.len());
    scores.usual = usual(&function.calls[..warmup]);
    let end = walk.scored.map_or(function.calls.len(), |scored| {
        (warmup + scored).min(function.calls.len())
    });
    scores.calls = function.calls[warmup..end].iter().sum();
    if scores.calls <= 0.0 {
        return scores;
    }
    let first = warmup.saturating_sub(walk.history.unwrap_or(BEFORE));
    let values = &function.calls[first..end];
    let mut engine = Engine::new(spans, quantiles);
    let mut scratch = Scratch::default();
    for (place, minute) in (first..end).enumerate() {
        let past = Series {
            first: 0,
            values: &values[..=place],
        };
        let scoring = minute >= warmup;
        let models = Models {
            fleet: walk.models.fleet.filter(|_| minute + 1 >= warmup),
            ..walk.models
        };
        engine.step(
            &past,
            i64::try_from(place).unwrap_or(0),
            models,
            &mut scratch,
            |heard| {
                if scoring {
                    ours(&mut scores, &heard, quantiles, methods);
                }
            },
        );
    }
    if walk.classical {
        let horizons: Vec<i64> = spans.iter().map(|span| span.h).collect();
        classical::score(function, &horizons, quantiles, methods, &mut scores);
    }
    scores
}

fn ours(scores: &mut Scores, heard: &Heard<'_>, quantiles: &[f64], methods: &Methods) {
    let share = quantiles[heard.quantile];
    let mut add = |method: usize, upper: f64| {
        // An expert that cannot say yet is scored as the mixture in its place.
        let upper = if upper.is_nan() { heard.said.prior } else { upper };
        let loss = pinball(heard.actual, upper, share);
        scores
            .cell(heard.span, heard.quantile, method)
            .add(loss, heard.actual <= upper);
    };
    add(methods.prior(), heard.said.prior);
    add(methods.mixture(), heard.said.mixture);
    for column in 0..methods.columns() {
        add(column, heard.said.column(column));
    }
    if heard.quantile == 0 {
        for (expert, point) in expert_names().zip(heard.points) {
            let method = methods.names.iter().position(|name| name == expert);
            if let Some(method) = method.filter(|_| point.is_finite()) {
                scores.point(heard.span, method).add((heard.actual - point).abs(), true);
            }
        }
    }
}
