//! How long a new pod takes to be of use, learned per workload from the pods' own timestamps.
//!
//! A start is counted once, when it is over. Only pods seen on their way count from a watch; in the first list
//! every ready pod's start counts, unless it lost and regained readiness long after its creation.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use forewarm_core::units::Seconds;

use super::FastMap;
use super::pods::Owner;

/// Starts remembered a workload; the 95th percentile of 64 is the fourth longest.
const REMEMBERED: usize = 64;
/// A "start" longer than this is a pod that lost its readiness and found it again.
const LONGEST: i64 = 1800;

/// One pod's start, in seconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The pod's UID: a start counts once.
    pub pod: String,
    /// Created.
    pub created: i64,
    /// Given a node.
    pub scheduled: i64,
    /// Ready: pulled, started and answering its probe.
    pub ready: i64,
}

/// What was learned, by workload.
#[derive(Debug, Default)]
pub struct LeadTimes(Mutex<FastMap<Owner, Starts>>);

/// The last starts of one workload.
#[derive(Debug, Default)]
struct Starts {
    seen: VecDeque<Learned>,
    /// Their 95th percentile, worked out when it changes: it is asked for in every tick.
    p95: Option<Seconds>,
}

#[derive(Debug)]
struct Learned {
    pod: String,
    ready: i64,
    seconds: u32,
}

impl LeadTimes {
    /// Takes in one start. A pod's earliest readiness is the one that counts.
    pub fn learn(&self, owner: &Owner, start: Start) {
        let took = start.ready.saturating_sub(start.created);
        let Ok(seconds) = u32::try_from(took) else { return };
        if took > LONGEST || start.scheduled > start.ready {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(owner) {
            all.insert(owner.clone(), Starts::default());
        }
        if let Some(starts) = all.get_mut(owner) {
            starts.learn(start, seconds);
        }
    }

    /// The 95th percentile of the starts of `owner`, from creation to ready, at least one second (the
    /// timestamps are whole seconds). `None`: no start seen.
    pub fn p95(&self, owner: &Owner) -> Option<Seconds> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(owner)?.p95
    }
}

impl Starts {
    fn learn(&mut self, start: Start, seconds: u32) {
        let Start { pod, ready, .. } = start;
        match self.seen.iter_mut().find(|known| known.pod == pod) {
            Some(known) if ready < known.ready => (known.ready, known.seconds) = (ready, seconds),
            Some(_) => return,
            None => self.seen.push_back(Learned { pod, ready, seconds }),
        }
        if self.seen.len() > REMEMBERED {
            self.seen.pop_front();
        }
        self.p95 = self.percentile();
    }

    fn percentile(&self) -> Option<Seconds> {
        let mut took: Vec<u32> = self.seen.iter().map(|start| start.seconds).collect();
        took.sort_unstable();
        let rank = (took.len() * 95).div_ceil(100).max(1);
        took.get(rank - 1).map(|seconds| Seconds((*seconds).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            namespace: "payments".into(),
            kind: "Deployment".into(),
            name: "orders".into(),
        }
    }

    fn start(pod: &str, took: i64) -> Start {
        Start {
            pod: pod.into(),
            created: 1000,
            scheduled: 1000,
            ready: 1000 + took,
        }
    }

    #[test]
    fn nothing_seen_is_not_zero_seconds() {
        assert_eq!(LeadTimes::default().p95(&owner()), None);
    }

    #[test]
    fn a_start_counts_once_and_by_its_earliest_readiness() {
        let learned = LeadTimes::default();
        learned.learn(&owner(), start("a", 40));
        learned.learn(&owner(), start("a", 900));
        learned.learn(&owner(), start("a", 38));
        assert_eq!(learned.p95(&owner()), Some(Seconds(38)));
    }

    #[test]
    fn the_slow_start_among_twenty_counts_and_the_one_among_forty_does_not() {
        for (starts, expected) in [(19, 90), (40, 5)] {
            let learned = LeadTimes::default();
            learned.learn(&owner(), start("slow", 90));
            (1..starts).for_each(|n| learned.learn(&owner(), start(&format!("p{n}"), 5)));
            assert_eq!(learned.p95(&owner()), Some(Seconds(expected)), "{starts} starts");
        }
    }

    #[test]
    fn a_readiness_regained_after_an_hour_is_no_start() {
        let learned = LeadTimes::default();
        learned.learn(&owner(), start("a", 3600));
        assert_eq!(learned.p95(&owner()), None);
    }
}
