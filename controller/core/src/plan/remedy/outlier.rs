//! Outliers: pods and how each serves in, those unlike their siblings out. Pure.
//!
//! A pod is held against the median of its siblings, and how far they lie apart (median absolute deviation, Iglewicz and
//! Hoaglin 1993): both stay what they are when a sibling is odd as well. Missing data is never an outlier: a pod of which
//! too little is known is neither judged nor judged by. Where more than one in four is odd, the cause is elsewhere.

use super::crash_loop;
use crate::memory::{MemorySeen, PodSeen};
use serde::{Deserialize, Serialize};

/// Fewer siblings say nothing.
pub const SIBLINGS: usize = 3;
/// Fewer calls than twenty a minute say nothing, in thousandths a second.
pub const ENOUGH_MILLI: u64 = 333;
/// A value must be more than so many times the siblings' median.
const TIMES: u64 = 3;
/// And so many deviations above it: six standard deviations where they are normal (6 x 1.4826).
const DEVIATIONS: u64 = 9;

/// What a pod is held against its siblings by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Measure {
    /// Failed calls, of a thousand.
    Errors,
    /// How long a call takes, in microseconds.
    Latency,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 2] = [Self::Errors, Self::Latency];

    /// A smaller difference matters to nobody: a tenth of the calls, 50 ms.
    pub const fn least(self) -> u64 {
        match self {
            Self::Errors => 100,
            Self::Latency => 50_000,
        }
    }

    /// The pod's value. `None`: not known, or of too few calls.
    fn of(self, pod: &PodSeen) -> Option<u64> {
        let served = pod.served.filter(|served| served.calls_milli >= ENOUGH_MILLI)?;
        match self {
            Self::Errors => served.failed_permille,
            Self::Latency => served.latency_micros,
        }
    }
}

/// A pod unlike its siblings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier<'a> {
    /// The pod.
    pub pod: &'a PodSeen,
    /// By what.
    pub measure: Measure,
    /// Its value.
    pub own: u64,
    /// The median of its siblings.
    pub siblings: u64,
}

/// The pods that are unlike their siblings now, in the pods' order. None during a rollout, while the newest revision
/// fails, and while the world may be seen in part (F1).
pub fn outliers(seen: &MemorySeen, now: i64) -> Vec<Outlier<'_>> {
    let revision = seen.pods.first().and_then(|pod| pod.revision.as_ref());
    let one_revision = revision.is_some() && seen.pods.iter().all(|pod| pod.revision.as_ref() == revision);
    if !one_revision || seen.world_vanished || crash_loop::failing(seen).is_some() {
        return Vec::new();
    }
    let serves = |pod: &&PodSeen| pod.ready && pod.ending_since.is_none();
    let living: Vec<&PodSeen> = seen.pods.iter().filter(serves).collect();
    let found: Vec<Outlier<'_>> = living.iter().filter_map(|pod| judge(pod, &living)).collect();
    if found.len().saturating_mul(4) > living.len() {
        return Vec::new();
    }
    // A pod that has only begun to serve may still be warming up. It counts above, where it speaks for another cause.
    let settled = |one: &Outlier<'_>| now.saturating_sub(one.pod.since.unwrap_or(now)) >= seen.patience;
    found.into_iter().filter(settled).collect()
}

/// The first measure by which the pod is an outlier.
fn judge<'a>(pod: &'a PodSeen, living: &[&PodSeen]) -> Option<Outlier<'a>> {
    Measure::ALL
        .into_iter()
        .find_map(|measure| unlike(measure, pod, living))
}

/// The pod, where it is unlike those of `living` that are not itself by that measure. `None`: it is like them, or too
/// little is known of it or of them.
pub(crate) fn unlike<'a>(measure: Measure, pod: &'a PodSeen, living: &[&PodSeen]) -> Option<Outlier<'a>> {
    let own = measure.of(pod)?;
    let siblings = living.iter().filter(|other| other.uid != pod.uid);
    let values: Vec<u64> = siblings.filter_map(|other| measure.of(other)).collect();
    if values.len() < SIBLINGS {
        return None;
    }
    let middle = median(values.clone())?;
    (own > line(&values, middle, measure.least())).then_some(Outlier {
        pod,
        measure,
        own,
        siblings: middle,
    })
}

/// The highest value that is still like `values`, whose median is `middle`.
pub(crate) fn line(values: &[u64], middle: u64, least: u64) -> u64 {
    let apart = median(values.iter().map(|value| value.abs_diff(middle)).collect()).unwrap_or(u64::MAX);
    middle
        .saturating_mul(TIMES)
        .max(middle.saturating_add(apart.saturating_mul(DEVIATIONS)))
        .max(middle.saturating_add(least))
}

/// The median, of an even number the larger of the middle two. `None`: there are no values.
pub(crate) fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len().div_euclid(2)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_three_times_the_median_nine_deviations_and_the_least_difference_above_it() {
        assert_eq!(median(vec![3, 1, 2]), Some(2));
        assert_eq!(median(vec![4, 1, 2, 3]), Some(3));
        assert_eq!(median(Vec::new()), None);
        assert_eq!(line(&[100, 100, 100], 100, 50), 300, "three times");
        assert_eq!(line(&[1, 1, 1], 1, 50), 51, "the least difference");
        assert_eq!(line(&[100, 200, 300, 400], 300, 50), 300 + 9 * 100, "their own spread");
        assert_eq!(line(&[u64::MAX, 0, 5], 5, 50), 55, "one odd sibling moves nothing");
    }
}
