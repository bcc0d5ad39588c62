//! Level: an exponentially weighted mean of the one-minute peaks; its rate is the one that has erred least
//! of late. Pure.

use super::{At, Expert, Guess};
use crate::calibration::Discounted;
use crate::features::Span;

/// Rates a minute: about 20, 5 and 1.5 minutes of memory.
const RATES: [f64; 3] = [0.1, 0.3, 0.6];

/// State: one mean and its error for each rate.
#[derive(Debug, Default)]
pub(super) struct Level {
    means: [Option<f64>; 3],
    errors: [Discounted; 3],
}

impl Level {
    /// The mean with the smallest error so far. `None`: nothing was ever known.
    fn now(&self) -> Option<f64> {
        let error = |place: &usize| self.errors[*place].mean().unwrap_or(f64::INFINITY);
        (0..RATES.len())
            .min_by(|a, b| error(a).total_cmp(&error(b)))
            .and_then(|place| self.means[place])
    }
}

impl Expert for Level {
    fn fold(&mut self, at: &At<'_>) {
        // A gap changes nothing.
        let Some(peak) = at.window.minute(at.minute()) else {
            return;
        };
        for ((mean, error), rate) in self.means.iter_mut().zip(&mut self.errors).zip(RATES) {
            let before = *mean.get_or_insert(peak);
            error.push((peak - before).abs());
            *mean = Some(rate * (peak - before) + before);
        }
    }

    fn guess(&self, at: &At<'_>, _span: Span) -> Option<Guess> {
        // A mean from before a long gap says nothing of now.
        at.base.and(self.now()).map(Guess::of)
    }
}
