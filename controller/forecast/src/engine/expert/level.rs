//! Level: an exponentially weighted mean; its rate is the one that has erred least of late. Pure.

use super::super::past::narrow;
use super::{At, Expert, Trials};

/// Rates a minute: about 100, 33, 10, 3 and 1.5 minutes of memory.
const RATES: [f64; 5] = [0.01, 0.03, 0.1, 0.3, 0.6];

#[derive(Debug)]
pub(crate) struct Level {
    means: [f32; 5],
    trials: Trials<5>,
}

impl Level {
    pub(super) const fn new(_quantiles: &[f64]) -> Self {
        Self {
            means: [f32::NAN; 5],
            trials: Trials::new(),
        }
    }
}

impl Expert for Level {
    fn fold(&mut self, at: &At<'_>, _sort: &mut Vec<f32>) {
        self.trials.score(at.actual, at.span.h);
        // A gap changes nothing.
        if !at.now.is_nan() {
            for (mean, rate) in self.means.iter_mut().zip(RATES) {
                let before = if mean.is_nan() { at.now } else { f64::from(*mean) };
                *mean = narrow(before + rate * (at.now - before));
            }
        }
        self.trials.push(self.means);
    }

    fn point(&mut self, _at: &At<'_>) -> f64 {
        self.trials.guess()
    }

    fn fetch(&self, _t: i64) -> f32 {
        self.trials.fetch()
    }

    fn bytes(&self) -> usize {
        self.trials.bytes()
    }
}
