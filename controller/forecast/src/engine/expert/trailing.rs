//! Trailing quantile: the wanted quantile of what the target was over the last day or hour. Pure.

use super::super::past::{peaks, quantiles};
use super::super::span::{Span, Target};
use super::super::windows::DAY;
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

impl Trailing {
    /// Looks at the last `N` minutes.
    fn look<const N: usize>(&mut self, minutes: &[f64], span: Span) {
        let mut room = [0.0; N];
        let targets = targets_of(&mut room, minutes, span);
        quantiles(targets, &self.shares, &mut self.uppers);
    }
}

impl Expert for Trailing {
    fn fold(&mut self, at: &At<'_>) {
        if !self.day {
            self.look::<HOUR>(at.scratch.last(HOUR, 0), at.span);
        } else if at.slow {
            self.look::<DAY>(&at.scratch.day, at.span);
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
