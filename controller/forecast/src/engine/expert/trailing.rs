//! Trailing quantile: the wanted quantile of what the target was over the last day, hour or less. Pure.

use super::super::past::{peaks, quantiles};
use super::super::span::{Span, Target};
use super::super::windows::DAY;
use super::{At, Expert};

/// Minutes looked back on by the shorter ones: a burst is over before it shows in the quantile of an hour.
const HOUR: usize = 60;
const HALF_HOUR: usize = 30;
const TEN_MINUTES: usize = 10;

/// Over the last `N` minutes.
#[derive(Debug)]
struct Trailing<const N: usize> {
    shares: Vec<f64>,
    uppers: Vec<f64>,
}

fn trailing<const N: usize>(quantiles: &[f64]) -> Box<dyn Expert> {
    Box::new(Trailing::<N> {
        shares: quantiles.to_vec(),
        uppers: vec![f64::NAN; quantiles.len()],
    })
}

/// Over the last day, looked at again every ten minutes.
pub(super) fn day(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<DAY>(quantiles)
}

/// Over the last hour.
pub(super) fn hour(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<HOUR>(quantiles)
}

/// Over the last half hour.
pub(super) fn half_hour(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<HALF_HOUR>(quantiles)
}

/// Over the last ten minutes; it cannot say where the span is longer.
pub(super) fn ten_minutes(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<TEN_MINUTES>(quantiles)
}

impl<const N: usize> Trailing<N> {
    fn look(&mut self, minutes: &[f64], span: Span) {
        let mut room = [0.0; N];
        let targets = targets_of(&mut room, minutes, span);
        quantiles(targets, &self.shares, &mut self.uppers);
    }
}

impl<const N: usize> Expert for Trailing<N> {
    fn fold(&mut self, at: &At<'_>) {
        if N < DAY {
            self.look(at.scratch.last(N, 0), at.span);
        } else if at.slow {
            self.look(&at.scratch.day, at.span);
        }
    }

    fn upper(&self, place: usize) -> f64 {
        self.uppers[place]
    }

    fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + 16 * self.shares.len()
    }
}

/// What the target was over these minutes, where known: they themselves, or the peak of each run of `h`.
fn targets_of<'a>(room: &'a mut [f64], minutes: &[f64], span: Span) -> &'a mut [f64] {
    room.copy_from_slice(minutes);
    let run = match span.target {
        Target::Minute => 1,
        Target::Peak => usize::try_from(span.h).unwrap_or(1),
    };
    let all = peaks(room, run);
    let mut known = 0;
    for place in 0..all.len() {
        let amount = all[place];
        all[known] = amount;
        known += usize::from(!amount.is_nan());
    }
    &mut all[..known]
}
