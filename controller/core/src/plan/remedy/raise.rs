//! A raise of live pods' memory as a trial: pods that were raised held against those that were not, or against their own
//! time before. Pure.
//!
//! A raise was needed, so it is not undone: less would be a decrease without its eight days. Where it did harm, no more of
//! it follows for a while. A kill for memory is no harm of a raise: the ladder answers it.

use super::outlier::{Measure, unlike};
use crate::memory::{Before, ContainerStanding, MemorySeen, PodSeen, Raise, Resize};
use std::collections::BTreeSet;

/// How long a pod is watched after its raise, and must have been well before it, in seconds.
pub const WATCHED: i64 = 600;
/// After a raise that did harm live pods keep what they have for so long, in seconds.
pub const BACK_OFF: i64 = 3600;
/// A pod may be unready for so long after its raise, in seconds, where the resize restarts nothing.
const GRACE: i64 = 60;
/// A write and its effect are seen after this long, in seconds.
const VISIBLE: i64 = 30;

/// Notes that these pods, by identity, are raised now. The first raise notes how all the others are, too.
pub fn begin(standing: &mut ContainerStanding, seen: &MemorySeen, name: &str, raised: &[String], now: i64) {
    if raised.is_empty() {
        return;
    }
    let watch = standing.raise.get_or_insert_with(Raise::default);
    let there: BTreeSet<&str> = seen.pods.iter().map(|pod| pod.uid.as_str()).collect();
    watch.pods.retain(|uid, _| there.contains(uid.as_str()));
    for pod in &seen.pods {
        let Some(found) = pod.containers.get(name) else {
            continue;
        };
        let well = pod.ready && now.saturating_sub(pod.since.unwrap_or(now)) >= WATCHED;
        let before = watch.pods.entry(pod.uid.clone()).or_insert(Before {
            restarts: found.restarts,
            well,
            raised_at: None,
        });
        if raised.contains(&pod.uid) {
            (before.restarts, before.well, before.raised_at) = (found.restarts, well, Some(now));
        }
    }
}

/// A raise of that pod was refused: it is one of those that were not raised.
pub fn refused(standing: &mut ContainerStanding, uid: &str) {
    if let Some(before) = standing.raise.as_mut().and_then(|watch| watch.pods.get_mut(uid)) {
        before.raised_at = None;
    }
}

/// Judges the raise under watch: true when it did harm, and no other one follows for [`BACK_OFF`].
///
/// Harm: more than half of the raised pods that were well for ten minutes before have restarted since (once more than
/// the resize itself does), are not ready, or serve unlike those that were not raised; and fewer in proportion of those
/// that were not, where there are any, else of at least two.
pub fn judge(standing: &mut ContainerStanding, seen: &MemorySeen, name: &str, now: i64) -> bool {
    let Some(watch) = &standing.raise else { return false };
    let times = || watch.pods.values().filter_map(|before| before.raised_at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        standing.raise = None;
        return false;
    };
    let is_raised = |pod: &PodSeen| {
        watch
            .pods
            .get(&pod.uid)
            .is_some_and(|before| before.raised_at.is_some())
    };
    let living = || seen.pods.iter().filter(|pod| pod.ending_since.is_none());
    let others: Vec<&PodSeen> = living().filter(|pod| !is_raised(pod)).collect();
    let mut raised = Count::default();
    let mut spared = Count::default();
    for pod in living() {
        let Some(before) = watch.pods.get(&pod.uid).filter(|before| before.well) else {
            continue;
        };
        let harmed = is_harmed(pod, name, before, first, seen, now);
        match before.raised_at {
            // The node has not carried it out: so far the pod is as it was.
            Some(_) if pod.resize == Resize::Done => {
                let unlike = Measure::ALL.into_iter().any(|by| unlike(by, pod, &others).is_some());
                raised.add(harmed || unlike);
            }
            _ => spared.add(harmed),
        }
    }
    if raised.is_worse_than(spared) {
        standing.raise = None;
        standing.no_raise_until = now.saturating_add(BACK_OFF);
        return true;
    }
    if now.saturating_sub(last) >= WATCHED.max(seen.patience.saturating_mul(2)) {
        standing.raise = None;
    }
    false
}

/// A pod that was raised has yet to show that it came through: where a resize restarts, the next one waits for it.
pub fn is_under_way(standing: &ContainerStanding, seen: &MemorySeen, now: i64) -> bool {
    let Some(watch) = &standing.raise else { return false };
    let waits = |pod: &PodSeen| {
        let at = watch.pods.get(&pod.uid).and_then(|before| before.raised_at);
        at.is_some_and(|at| now.saturating_sub(at) < VISIBLE || !pod.ready || pod.resize != Resize::Done)
    };
    seen.pods.iter().any(waits)
}

/// Whether a pod does worse than before.
fn is_harmed(pod: &PodSeen, name: &str, before: &Before, first: i64, seen: &MemorySeen, now: i64) -> bool {
    let Some(found) = pod.containers.get(name) else {
        return false;
    };
    let at = before.raised_at.unwrap_or(first);
    let own = |pod_: &str, container: &str| pod_ == pod.name && container == name;
    if seen
        .ooms
        .iter()
        .any(|kill| kill.at >= at && own(&kill.pod, &kill.container))
    {
        return false;
    }
    let restarts = found.restarts_on_resize && before.raised_at.is_some();
    let grace = if restarts { seen.patience } else { GRACE };
    let down = !pod.ready && now.saturating_sub(at) >= grace;
    down || found.restarts > before.restarts.saturating_add(u32::from(restarts))
}

/// Pods, and how many of them are harmed.
#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    harmed: usize,
}

impl Count {
    fn add(&mut self, harmed: bool) {
        self.all = self.all.saturating_add(1);
        self.harmed = self.harmed.saturating_add(usize::from(harmed));
    }

    fn is_worse_than(self, other: Self) -> bool {
        let most = self.harmed.saturating_mul(2) > self.all;
        let fewer = other.harmed.saturating_mul(self.all) < self.harmed.saturating_mul(other.all);
        most && if other.all == 0 { self.harmed >= 2 } else { fewer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Amounts, ContainerSeen, Oom};
    use crate::observation::{Reading, Why};
    use crate::units::Bytes;
    use std::collections::BTreeMap;

    const NOW: i64 = 100_000;
    const APP: &str = "app";

    /// Four pods, ready for an hour.
    fn seen() -> MemorySeen {
        let pod = |at: u8| PodSeen {
            name: format!("f-{at}"),
            uid: format!("u-{at}"),
            revision: None,
            ready: true,
            since: Some(96_400),
            created: 96_000,
            ending_since: None,
            unplaced_since: None,
            resize: Resize::Done,
            containers: BTreeMap::from([(
                APP.to_owned(),
                ContainerSeen {
                    spec: Amounts::both(Bytes::mib(64)),
                    actual: None,
                    working_set: Reading::Unknown(Why::Absent),
                    restarts: 3,
                    started: None,
                    leaking: false,
                    restarts_on_resize: false,
                    crash: None,
                    go_limit: None,
                },
            )]),
            served: None,
        };
        MemorySeen {
            template: BTreeMap::new(),
            go_limits: BTreeMap::new(),
            default_container: None,
            pods: (0..4).map(pod).collect(),
            past: BTreeMap::new(),
            revision: None,
            loads: BTreeMap::new(),
            node_most: None,
            allowed_least: None,
            allowed_most: None,
            spare: None,
            lowers_in_place: true,
            conflict: None,
            births: None,
            patience: 300,
            ooms: Vec::new(),
            world_vanished: false,
            worse: None,
        }
    }

    /// Whether a raise of the first `raised` pods is convicted two minutes later, when the first `restarted` have
    /// restarted.
    fn convicted(raised: usize, restarted: usize, change: impl Fn(&mut MemorySeen)) -> bool {
        let (mut sight, mut standing) = (seen(), ContainerStanding::default());
        let uids: Vec<String> = sight.pods.iter().take(raised).map(|pod| pod.uid.clone()).collect();
        begin(&mut standing, &sight, APP, &uids, NOW);
        for pod in sight.pods.iter_mut().take(restarted) {
            for found in pod.containers.values_mut() {
                found.restarts = 4;
            }
        }
        change(&mut sight);
        let later = NOW.saturating_add(120);
        let judged = judge(&mut standing, &sight, APP, later);
        assert_eq!(judged, standing.no_raise_until == later.saturating_add(BACK_OFF));
        judged
    }

    #[test]
    fn more_than_half_of_the_raised_and_fewer_of_the_others_convict() {
        let plain = |raised, restarted| convicted(raised, restarted, |_| {});
        assert!(!plain(4, 0) && !plain(4, 2));
        assert!(plain(4, 3), "nobody is left to compare with, but their own time before");
        assert!(plain(1, 1), "the other three did not");
        assert!(!plain(1, 4), "the others did as well: the cause is elsewhere");
        assert!(!plain(3, 4));
        assert!(!plain(0, 4), "nothing was raised");
    }

    #[test]
    fn kills_restarts_that_were_asked_for_and_pods_that_were_not_well_before_convict_nothing() {
        let killed = |sight: &mut MemorySeen| {
            let kill = |pod: &PodSeen| Oom {
                pod: pod.name.clone(),
                container: APP.to_owned(),
                size: Bytes::mib(64),
                at: NOW.saturating_add(60),
                leaking: false,
            };
            sight.ooms = sight.pods.iter().map(kill).collect();
        };
        assert!(!convicted(4, 4, killed));
        let asked = |sight: &mut MemorySeen| {
            for found in sight.pods.iter_mut().flat_map(|pod| pod.containers.values_mut()) {
                found.restarts_on_resize = true;
            }
        };
        assert!(!convicted(1, 1, asked));
        let down = |sight: &mut MemorySeen| sight.pods.iter_mut().for_each(|pod| pod.ready = false);
        assert!(convicted(4, 0, down), "unready for two minutes, where nothing restarts");
        let mut standing = ContainerStanding::default();
        let mut young = seen();
        young.pods.iter_mut().for_each(|pod| pod.since = Some(99_900));
        let uids: Vec<String> = young.pods.iter().map(|pod| pod.uid.clone()).collect();
        begin(&mut standing, &young, APP, &uids, NOW);
        down(&mut young);
        assert!(!judge(&mut standing, &young, APP, NOW.saturating_add(120)));
    }

    #[test]
    fn a_raise_that_was_refused_is_none_and_one_that_did_no_harm_is_over() {
        let (sight, mut standing) = (seen(), ContainerStanding::default());
        begin(&mut standing, &sight, APP, &["u-0".to_owned()], NOW);
        assert!(is_under_way(&standing, &sight, NOW) && !is_under_way(&standing, &sight, NOW.saturating_add(30)));
        assert!(!judge(&mut standing, &sight, APP, NOW.saturating_add(WATCHED)) && standing.raise.is_none());
        begin(&mut standing, &sight, APP, &["u-0".to_owned()], NOW);
        refused(&mut standing, "u-0");
        assert!(!judge(&mut standing, &sight, APP, NOW) && standing.raise.is_none());
    }
}
