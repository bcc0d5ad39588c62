//! How a container's memory follows its pod's load, as measured, and what the load that is forecast will need. Pure.

use crate::units::{Bytes, Demand, Percent};
use serde::{Deserialize, Serialize};

/// A line through the minutes of one container: `base + per_call x load`, the load being the calls in flight a ready pod
/// (or what else the profile counts), the memory being the worst pod's working set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadFit {
    /// Working set without any load.
    pub base: Bytes,
    /// What one more call a pod adds.
    pub per_call: Bytes,
    /// Standard deviation of the minutes about the line.
    pub spread: Bytes,
    /// Share of the working set's variance that the line explains, rounded down.
    pub explained: Percent,
    /// Minutes it rests on, older ones counting less.
    pub minutes: u32,
    /// Largest load a pod among them.
    pub most: Demand,
    /// The load a pod is forecast to have. `None`: no forecast is trusted, or no pod is ready.
    pub expected: Option<Demand>,
}

impl LoadFit {
    /// So many times the largest load that was seen are followed: beyond it nobody knows whether the line goes on.
    const BEYOND: f64 = 2.0;
    /// Standard deviations above the line: 98 of 100 minutes lie below, where they scatter normally.
    const SPREADS: u32 = 200;

    /// The working set to be ready for. `None`: no load is expected.
    pub fn needs(&self) -> Option<Bytes> {
        let load = self.expected?.get().min(self.most.get() * Self::BEYOND);
        let calls = Bytes::of(load * 1000.0)?;
        let followed = self.per_call.times(calls, Bytes(1000));
        Some(self.base.plus(followed).plus(self.spread.percent_up(Self::SPREADS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(expected: Option<f64>) -> LoadFit {
        LoadFit {
            base: Bytes::mib(30),
            per_call: Bytes::mib(8),
            spread: Bytes::mib(1),
            explained: Percent::new(90).expect("a percentage"),
            minutes: 60,
            most: Demand::new(5.0).expect("an amount"),
            expected: expected.and_then(Demand::new),
        }
    }

    #[test]
    fn the_line_is_followed_to_twice_the_largest_load_that_was_seen() {
        assert_eq!(fit(Some(0.0)).needs(), Some(Bytes::mib(32)));
        assert_eq!(fit(Some(2.5)).needs(), Some(Bytes::mib(52)));
        assert_eq!(fit(Some(10.0)).needs(), Some(Bytes::mib(112)));
        assert_eq!(fit(Some(1e9)).needs(), Some(Bytes::mib(112)));
        assert_eq!(fit(None).needs(), None, "nothing is expected");
    }
}
