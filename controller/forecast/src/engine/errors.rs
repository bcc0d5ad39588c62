//! Own errors: how far what came lay from the level it was forecast at, on the local scale. Pure.

use super::past::{narrow, quantile, upper_quantile};
use super::windows::Scratch;

/// Minutes kept.
const KEPT: usize = 1440;

/// The errors of the last day for one span, and their quantiles as of the last look.
#[derive(Clone, Debug)]
pub(crate) struct Errors {
    ring: Box<[f32]>,
    next: usize,
    day: [f32; 2],
}

/// Their quantiles; NaN is "not known".
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorsSeen {
    pub(crate) q95_240: f64,
    pub(crate) median_day: f64,
    pub(crate) q95_day: f64,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self {
            ring: vec![f32::NAN; KEPT].into_boxed_slice(),
            next: 0,
            day: [f32::NAN; 2],
        }
    }

    /// Takes in the error of this minute; NaN when it is not known.
    pub(crate) fn push(&mut self, error: f64) {
        self.ring[self.next] = narrow(error);
        self.next = (self.next + 1) % KEPT;
    }

    /// The quantiles of now; those of the day are looked at again when `slow`.
    pub(crate) fn seen(&mut self, slow: bool, scratch: &mut Scratch) -> ErrorsSeen {
        let sort = &mut scratch.sort;
        if slow {
            sort.clear();
            sort.extend(self.ring.iter().map(|error| f64::from(*error)));
            sort.retain(|error| !error.is_nan());
            self.day = [0.5, 0.95].map(|share| narrow(quantile(sort, share)));
        }
        let newest = self.next.min(240);
        let (head, tail) = self.ring.split_at(self.next);
        let newest = head[head.len() - newest..]
            .iter()
            .chain(&tail[tail.len() - (240 - newest)..]);
        ErrorsSeen {
            q95_240: upper_quantile(newest.map(|error| f64::from(*error)), 0.95),
            median_day: f64::from(self.day[0]),
            q95_day: f64::from(self.day[1]),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.ring)
    }
}
