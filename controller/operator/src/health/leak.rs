//! Whether a container's working set grows steadily through its life: samples in, yes or no out. Pure.

use forewarm_core::units::{Bytes, Mono, Seconds};
use std::collections::HashMap;

/// Samples kept a container: when full, every other one is dropped.
const KEPT: usize = 32;
/// Fewer different samples say nothing.
const FEWEST: usize = 4;
/// A life shorter than so many ticks may still be a start-up.
const TICKS: u32 = 20;

/// What is remembered of every container in sight.
#[derive(Debug, Default)]
pub(super) struct Leaks {
    lives: HashMap<(String, String), Life>,
    tick: Seconds,
}

#[derive(Debug, Default)]
struct Life {
    restarts: u32,
    samples: Vec<(Mono, Bytes)>,
    before: bool,
    seen: Mono,
}

impl Leaks {
    /// None yet; `tick`: how often samples come.
    pub(super) fn new(tick: Seconds) -> Self {
        Self {
            lives: HashMap::new(),
            tick,
        }
    }

    /// A sample of a container of the pod with that identity; whether it leaks, or its life before this one did.
    pub(super) fn sample(&mut self, uid: &str, container: &str, restarts: u32, used: Option<Bytes>, now: Mono) -> bool {
        let span = Seconds(self.tick.0.saturating_mul(TICKS));
        let life = self.lives.entry((uid.to_owned(), container.to_owned())).or_default();
        life.seen = now;
        if restarts != life.restarts {
            let ended = life.samples.last().map_or(now, |(at, _)| *at);
            life.before = grows(&life.samples, ended, span) || (life.before && life.samples.len() < FEWEST);
            life.restarts = restarts;
            life.samples.clear();
        }
        if let Some(used) = used.filter(|used| life.samples.last().is_none_or(|(_, last)| last != used)) {
            if life.samples.len() >= KEPT {
                let mut place = 0;
                life.samples.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
            }
            life.samples.push((now, used));
        }
        life.before || grows(&life.samples, now, span)
    }

    /// Drops what was not seen for an hour.
    pub(super) fn forget(&mut self, now: Mono) {
        self.lives.retain(|_, life| !now.passed(life.seen, Seconds(3600)));
    }
}

/// Four of five changes up, over at least `span` until `now`, by at least a quarter, and on to the end: the second half
/// of the time brought more than half of what the first did. The half is one of time, since samples are thinned out
/// from the past and one that changes nothing is not kept.
fn grows(samples: &[(Mono, Bytes)], now: Mono, span: Seconds) -> bool {
    let (Some((begun, first)), Some((_, last))) = (samples.first(), samples.last()) else {
        return false;
    };
    let changes = samples.windows(2).filter(|pair| pair[1].1 > pair[0].1).count();
    let steady = changes * 5 >= (samples.len() - 1) * 4;
    let half = begun.0 + now.0.saturating_sub(begun.0) / 2;
    let middle = samples
        .iter()
        .rev()
        .find(|(at, _)| at.0 <= half)
        .map_or(*first, |(_, used)| *used);
    let goes_on = last.0 > middle.0 + (middle.0.saturating_sub(first.0)) / 2;
    samples.len() >= FEWEST && now.passed(*begun, span) && steady && last.0 >= first.0 + first.0 / 4 && goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaks(sizes: impl Iterator<Item = u64>) -> bool {
        let mut leaks = Leaks::new(Seconds(15));
        let sample = |(at, mib): (usize, u64)| {
            let now = Mono(u64::try_from(at).unwrap() * 15_000);
            leaks.sample("u", "app", 0, Some(Bytes::mib(mib)), now)
        };
        sizes.enumerate().map(sample).last().unwrap()
    }

    #[test]
    fn steady_growth_is_a_leak_and_a_plateau_or_a_saw_is_none() {
        assert!(leaks((0..100).map(|at| 50 + at)));
        assert!(!leaks((0..100).map(|at| 50 + at.min(20))), "a plateau");
        assert!(!leaks((0..100).map(|at| 50 + at % 10)), "a saw");
        assert!(!leaks((0..10).map(|at| 50 + 10 * at)), "a start-up");
    }

    #[test]
    fn the_life_before_a_restart_counts() {
        let mut leaks = Leaks::new(Seconds(15));
        for at in 0..40 {
            leaks.sample("u", "app", 0, Some(Bytes::mib(50 + at)), Mono(at * 15_000));
        }
        assert!(leaks.sample("u", "app", 1, Some(Bytes::mib(50)), Mono(700_000)));
    }
}
