//! A raise of the floor as a trial: pods in, those that came lately held against those that were there, out. Pure.
//!
//! What would convict a raise by the function as a whole (more failures, more latency than before) convicts the load that
//! asked for it as well, and to hold the floor then would turn a rush into an outage. So only the pods that came are judged,
//! by what they do while the others serve; and by failures, not by latency: a pod that is slow yet takes load off the others.

use super::crash_loop::Failing;
use super::outlier::{Measure, unlike};
use crate::memory::{ContainerSeen, Crash, PodSeen};

/// Pods made within this time came lately, in seconds; so a hold ends by itself, and another raise is tried.
const LATELY: i64 = 900;
/// So many restarts within that time are no start that had to wait for something.
const RESTARTS: u32 = 2;
/// Fewer new pods say nothing: one that does badly is the stuck pods' and the outliers' to tell.
const FEWEST: usize = 2;

/// The revision of the newest pods, where more than half of the pods that came lately do worse than those that were there:
/// restarted twice, not ready for `patience` seconds, or failing far more calls. `None`: they do not, too few came or were
/// there, or more than one in four of those that were there is not ready either: the cause is elsewhere.
pub fn worse(pods: &[PodSeen], patience: i64, now: i64) -> Option<Failing> {
    let tried = pods.iter().filter(|pod| is_tried(pod));
    let (came, there): (Vec<&PodSeen>, Vec<&PodSeen>) = tried.partition(|pod| lately(pod, patience, now));
    if came.len() < FEWEST || there.is_empty() {
        return None;
    }
    let down = there.iter().filter(|pod| !pod.ready).count();
    if down.saturating_mul(4) > there.len() {
        return None;
    }
    let bad = came.iter().filter(|pod| does_badly(pod, &there, patience, now)).count();
    let newest = came.iter().max_by_key(|pod| (pod.created, &pod.name))?;
    (bad >= FEWEST && bad.saturating_mul(2) > came.len()).then(|| Failing {
        revision: newest.revision.clone().unwrap_or_default(),
        cause: Crash::WorseThanSiblings,
        pods: u32::try_from(bad).unwrap_or(u32::MAX),
    })
}

/// Whether there is anything to judge at all, which most of the time there is not.
pub fn concerns<'a>(pods: impl Iterator<Item = &'a PodSeen>, patience: i64, now: i64) -> bool {
    let (mut came, mut there) = (0_usize, 0_usize);
    for pod in pods.filter(|pod| is_tried(pod)) {
        let count = if lately(pod, patience, now) {
            &mut came
        } else {
            &mut there
        };
        *count = count.saturating_add(1);
    }
    came >= FEWEST && there > 0
}

/// Until when a pod created at `created` has come lately, both in seconds since 1970 UTC.
pub fn came_until(created: i64, patience: i64) -> i64 {
    created.saturating_add(LATELY.max(patience.saturating_mul(2)))
}

/// A pod without a node has not been tried: that is the capacity rule's.
fn is_tried(pod: &PodSeen) -> bool {
    pod.ending_since.is_none() && pod.unplaced_since.is_none()
}

fn lately(pod: &PodSeen, patience: i64, now: i64) -> bool {
    now < came_until(pod.created, patience)
}

fn does_badly(pod: &PodSeen, there: &[&PodSeen], patience: i64, now: i64) -> bool {
    let restarted = pod.containers.values().any(|found| found.restarts >= RESTARTS);
    let lasts = now.saturating_sub(pod.since.unwrap_or(pod.created)) >= patience;
    let fails = || {
        let same = there.iter().copied().filter(|other| other.revision == pod.revision);
        let siblings: Vec<&PodSeen> = same.collect();
        unlike(Measure::Errors, pod, &siblings).is_some()
    };
    restarted
        || (lasts
            && if pod.ready {
                fails()
            } else {
                has_run(pod, patience, now)
            })
}

/// All its containers have run for `patience` seconds, or one fails: an image that is still pulled has not been tried.
fn has_run(pod: &PodSeen, patience: i64, now: i64) -> bool {
    let ran = |found: &ContainerSeen| found.started.is_some_and(|at| now.saturating_sub(at) >= patience);
    pod.containers.values().any(|found| found.crash.is_some()) || pod.containers.values().all(ran)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Amounts, Resize};
    use crate::observation::{Reading, Why};
    use crate::service::Served;
    use std::collections::BTreeMap;

    const NOW: i64 = 10_000;
    const PATIENCE: i64 = 300;

    fn pod(at: usize, age: i64) -> PodSeen {
        let container = ContainerSeen {
            spec: Amounts::default(),
            actual: None,
            working_set: Reading::Unknown(Why::Absent),
            restarts: 0,
            leaking: false,
            restarts_on_resize: false,
            crash: None,
            started: Some(NOW.saturating_sub(age).saturating_add(5)),
            go_limit: None,
        };
        PodSeen {
            name: format!("f-{at}"),
            uid: format!("u-{at}"),
            revision: Some("7c9f".into()),
            ready: true,
            since: Some(NOW.saturating_sub(age).saturating_add(10)),
            created: NOW.saturating_sub(age),
            ending_since: None,
            unplaced_since: None,
            resize: Resize::Done,
            containers: BTreeMap::from([("app".to_owned(), container)]),
            served: None,
        }
    }

    /// Four that were there for an hour, and so many that came `age` seconds ago, changed by `change`.
    fn pods(came: usize, age: i64, change: impl Fn(usize, &mut PodSeen)) -> Vec<PodSeen> {
        let mut pods: Vec<PodSeen> = (0..4).map(|at| pod(at, 3600)).collect();
        pods.extend((0..came).map(|at| {
            let mut one = pod(at.saturating_add(4), age);
            change(at, &mut one);
            one
        }));
        pods
    }

    fn judged(pods: &[PodSeen]) -> Option<u32> {
        let found = worse(pods, PATIENCE, NOW);
        assert!(found.is_none() || concerns(pods.iter(), PATIENCE, NOW));
        found.map(|failing| failing.pods)
    }

    fn unready(_: usize, pod: &mut PodSeen) {
        (pod.ready, pod.since) = (false, None);
    }

    fn restarted(_: usize, pod: &mut PodSeen) {
        pod.containers.get_mut("app").unwrap().restarts = RESTARTS;
    }

    fn fails(permille: u64) -> Served {
        Served {
            calls_milli: 5000,
            failed_permille: Some(permille),
            latency_micros: Some(1000),
        }
    }

    #[test]
    fn pods_that_came_lately_and_do_well_or_have_had_no_time_yet_convict_nothing() {
        assert_eq!(judged(&pods(4, 400, |_, _| {})), None);
        assert_eq!(judged(&pods(4, 299, unready)), None, "still starting");
        assert_eq!(judged(&pods(1, 400, unready)), None, "one is not the raise");
        assert_eq!(judged(&pods(4, 3000, unready)), None, "they have been there");
        assert_eq!(judged(&[]), None);
    }

    #[test]
    fn more_than_half_that_do_worse_convict_the_raise_that_brought_them() {
        assert_eq!(judged(&pods(4, 400, unready)), Some(4), "never ready, without a crash");
        assert_eq!(
            judged(&pods(4, 60, restarted)),
            Some(4),
            "ready now, between two crashes"
        );
        let half = |at: usize, pod: &mut PodSeen| {
            if at < 2 {
                unready(at, pod);
            }
        };
        assert_eq!(judged(&pods(4, 400, half)), None);
        assert_eq!(judged(&pods(3, 400, half)), Some(2));
    }

    #[test]
    fn failures_count_against_those_that_were_there_and_a_rush_that_fails_everywhere_does_not() {
        let failing = |own: u64, others: u64| {
            let mut pods = pods(4, 400, |_, pod| pod.served = Some(fails(own)));
            for pod in pods.iter_mut().take(4) {
                pod.served = Some(fails(others));
            }
            judged(&pods)
        };
        assert_eq!(failing(400, 2), Some(4));
        assert_eq!(failing(400, 380), None, "all are overloaded: more pods help");
        let mut alone = pods(4, 400, |_, pod| pod.served = Some(fails(400)));
        assert_eq!(judged(&alone), None, "nothing is known of the others");
        alone.iter_mut().take(1).for_each(|pod| pod.served = Some(fails(0)));
        assert_eq!(judged(&alone), None);
    }

    #[test]
    fn where_the_others_are_not_well_or_no_node_was_found_the_cause_is_elsewhere() {
        let mut all = pods(4, 400, unready);
        for pod in all.iter_mut().take(2) {
            pod.ready = false;
        }
        assert_eq!(judged(&all), None);
        let pulled = |at: usize, pod: &mut PodSeen| {
            unready(at, pod);
            for found in pod.containers.values_mut() {
                found.started = None;
            }
        };
        assert_eq!(judged(&pods(4, 400, pulled)), None, "their image is still pulled");
        let refused = |at: usize, pod: &mut PodSeen| {
            pulled(at, pod);
            for found in pod.containers.values_mut() {
                found.crash = Some(Crash::ImagePull);
            }
        };
        assert_eq!(judged(&pods(4, 400, refused)), Some(4));
        let waiting = pods(4, 400, |at, pod| {
            unready(at, pod);
            pod.unplaced_since = Some(9_610);
        });
        assert_eq!(judged(&waiting), None);
    }
}
