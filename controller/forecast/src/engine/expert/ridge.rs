//! Ridge: a linear model of the span ahead on the function's own lags, days and hours, learned as minutes pass.
//! Pure.
//!
//! Normal equations with forgetting (half-life three days) instead of stored rows: 2 kB whatever the history;
//! solved once an hour by linfa's Cholesky. Everything is normalised by the local scale, so that a burst does
//! not outweigh the quiet before it.

mod normal;

use super::super::past::narrow;
use super::super::sums::{mean, mean_of};
use super::{At, Expert};
use normal::{Normal, TERMS};
use std::collections::VecDeque;

/// Minutes between two solutions.
const EVERY: i64 = 60;
/// Weight of minutes learned from before it says anything.
const ENOUGH: f64 = 180.0;
/// A normalised number beyond this must not steer the fit.
const FAR: f64 = 30.0;

#[derive(Debug)]
pub(crate) struct Ridge {
    normal: Normal,
    weights: Option<[f32; TERMS]>,
    solved: i64,
    /// Terms, level and scale of the last minutes, until their spans end.
    waiting: VecDeque<Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    made: i64,
    terms: [f32; TERMS],
    level: f64,
    scale: f64,
}

impl Ridge {
    pub(super) const fn new(_quantiles: &[f64]) -> Self {
        Self {
            normal: Normal::new(),
            weights: None,
            solved: i64::MIN,
            waiting: VecDeque::new(),
        }
    }
}

impl Expert for Ridge {
    fn fold(&mut self, at: &At<'_>, _sort: &mut Vec<f32>) {
        while let Some(due) = self.waiting.front().copied().filter(|row| row.made + at.span.h <= at.t) {
            self.waiting.pop_front();
            if due.made + at.span.h == at.t && !at.actual.is_nan() {
                let target = ((at.actual - due.level) / due.scale).clamp(-FAR, FAR);
                self.normal.learn(&due.terms, narrow(target));
            }
        }
        if at.t.saturating_sub(self.solved) >= EVERY && self.normal.weight() >= ENOUGH {
            self.solved = at.t;
            self.weights = self.normal.solve();
        }
    }

    fn point(&mut self, at: &At<'_>) -> f64 {
        let Some((base, terms)) = at.base.zip(terms(at)) else {
            return f64::NAN;
        };
        self.waiting.push_back(Waiting {
            made: at.t,
            terms,
            level: base.level,
            scale: base.scale,
        });
        let Some(weights) = &self.weights else {
            return f64::NAN;
        };
        let normal: f32 = weights.iter().zip(terms).map(|(weight, term)| weight * term).sum();
        base.amount(f64::from(normal))
    }

    fn fetch(&self, _t: i64) -> f32 {
        let ends = [self.waiting.front(), self.waiting.back()];
        let ends = ends.into_iter().flatten();
        ends.map(|row| row.terms[0] + narrow(row.scale)).sum::<f32>() + self.normal.fetch()
    }

    fn bytes(&self) -> usize {
        self.waiting.capacity() * std::mem::size_of::<Waiting>()
    }
}

/// What it looks at. What is not known stands at the local level, which is zero here.
fn terms(at: &At<'_>) -> Option<[f32; TERMS]> {
    let (base, seen) = at.base.zip(at.seen)?;
    let newest = |ago: usize| f64::from(at.looked.last(1, ago)[0]);
    let z = |amount: f64| {
        let normal = base.normal(amount).clamp(-FAR, FAR);
        narrow(if normal.is_nan() { 0.0 } else { normal })
    };
    let moved = |move_: f64| z(base.level + move_);
    let before = at.before;
    // How far the target lay from the five minutes before it, some hours or days ago.
    let jump = |same: f64, days: usize, lag: i64| same - mean(at.looked.about(days, -lag - 4, 5));
    let of_hours = [(0, 60), (1, 120), (2, 180)].map(|(place, lag)| jump(before.hours[place], 0, lag));
    let of_days = [1, 2, 3].map(|days| jump(before.days[days - 1], days, 0));
    Some([
        1.0,
        z(newest(0)),
        z(newest(1)),
        z(newest(2)),
        z(seen.mean15),
        z(seen.mean60),
        z(seen.ewma[0]),
        z(before.hours[0]),
        moved(mean_of(of_hours)),
        moved(at.day_moves[0]),
        moved(at.day_moves[1]),
        moved(at.day_moves[2]),
        moved(mean_of(of_days)),
        z(before.days[0]),
    ])
}
