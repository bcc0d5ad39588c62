//! Trailing quantile: the wanted quantile of what the target was over the last day or hour. Pure.

use super::super::past::{largest, quantile};
use super::super::span::{Span, Target};
use super::{At, Expert};

/// Minutes looked back on by the shorter one.
const HOUR: usize = 60;

#[derive(Debug)]
struct Trailing {
    shares: Vec<f64>,
    uppers: Vec<f64>,
    day: bool,
}

fn trailing(quantiles: &[f64], day: bool) -> Box<dyn Expert> {
    Box::new(Trailing {
        shares: quantiles.to_vec(),
        uppers: vec![f64::NAN; quantiles.len()],
        day,
    })
}

/// Over the last day, looked at again every ten minutes.
pub(super) fn day(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing(quantiles, true)
}

/// Over the last hour.
pub(super) fn hour(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing(quantiles, false)
}

impl Expert for Trailing {
    fn fold(&mut self, at: &At<'_>) {
        if self.day && !at.slow {
            return;
        }
        let minutes = if self.day {
            &at.scratch.day[..]
        } else {
            at.scratch.last(HOUR, 0)
        };
        let mut targets = targets(minutes, at.span);
        for (upper, share) in self.uppers.iter_mut().zip(&self.shares) {
            *upper = quantile(&mut targets, *share);
        }
    }

    fn upper(&self, place: usize) -> f64 {
        self.uppers[place]
    }

    fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + 16 * self.shares.len()
    }
}

/// What the target was over these minutes: they themselves, or the peak of each run of `h`.
fn targets(minutes: &[f64], span: Span) -> Vec<f64> {
    let known = |amount: &f64| !amount.is_nan();
    let run = usize::try_from(span.h).unwrap_or(1);
    if span.target == Target::Minute || run <= 1 {
        return minutes.iter().copied().filter(known).collect();
    }
    minutes.windows(run).map(largest).filter(known).collect()
}
