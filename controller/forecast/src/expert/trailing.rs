//! Trailing peak: a high quantile of the last hour's one-minute peaks. Keeps no state, so it always answers
//! while the history is fresh: the fallback. Pure.

use super::{At, Expert, Guess};
use crate::features::{Span, quantile};
use forewarm_core::units::Percent;

/// Minutes looked back.
const MINUTES: i64 = 60;

/// No state.
#[derive(Debug, Default)]
pub(super) struct TrailingPeak;

impl Expert for TrailingPeak {
    fn guess(&self, at: &At<'_>, _span: Span) -> Option<Guess> {
        let mut peaks: Vec<f64> = at.window.recent(MINUTES).collect();
        let upper = quantile(&mut peaks, one_minute(at.quantile))?;
        let half = Percent::new(50).expect("50 is a percentage");
        Some(Guess {
            point: quantile(&mut peaks, half)?,
            upper,
        })
    }
}

/// The quantile of one-minute peaks that stands for `wanted` of a span: half way to 100 %, since the span
/// holds several minutes. 80 gives 90, the fallback of the floor rule (0.20x the waits at 12 s of lead time).
fn one_minute(wanted: Percent) -> Percent {
    Percent::new(wanted.get().midpoint(100)).expect("the middle of two percentages is one")
}
