//! Memory at birth: what newborn pods are to get instead of their template's. Pure.

use super::seen::{Amounts, MemorySeen, PodSeen};
use super::standing::Refused;
use serde::{Deserialize, Serialize};

/// A pod that no node takes for longer than this may be too large for all of them, in seconds.
const UNPLACED: i64 = 60;

/// What a newborn pod gets for one container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    /// What its template gives it. A pod that comes with anything else is of another template and keeps its own.
    pub own: Amounts,
    /// What it gets instead.
    pub amounts: Amounts,
}

/// What a newborn may get of `held`: a pod that may not exist, or that fits nowhere, serves nobody.
///
/// Not what a node has refused, or finds no node now: then the largest size that a live pod has. Not what a
/// `LimitRange` or a quota refuses: then as much as they let it have. Never less than the smaller of `own` and `held`,
/// but for a `LimitRange`'s least.
pub(super) fn bearable(
    name: &str,
    own: Amounts,
    held: Amounts,
    seen: &MemorySeen,
    refusals: &[Refused],
    now: i64,
) -> Amounts {
    let refused = |r: &Refused| r.container == name && Some(r.size) <= held.size();
    let waits = |pod: &PodSeen| {
        pod.unplaced_since
            .is_some_and(|since| now.saturating_sub(since) >= UNPLACED)
    };
    let as_large = |pod: &PodSeen| {
        pod.containers
            .get(name)
            .is_some_and(|found| found.spec.size() >= held.size())
    };
    let unplaced = held.size() > own.size() && seen.pods.iter().any(|pod| waits(pod) && as_large(pod));
    if unplaced || refusals.iter().any(refused) {
        let living = seen.pods.iter().filter_map(|pod| pod.containers.get(name)?.actual);
        return living.chain([own]).max_by_key(|amounts| amounts.size()).unwrap_or(own);
    }
    allowed(own, held, seen)
}

fn allowed(own: Amounts, held: Amounts, seen: &MemorySeen) -> Amounts {
    let (Some(base), Some(size)) = (own.size(), held.size()) else {
        return own;
    };
    let spared = seen.spare.map(|spare| base.plus(spare));
    let most = [seen.allowed_most, spared].into_iter().flatten().min();
    let to = most.map_or(size, |most| size.min(most.max(base.min(size))));
    let to = if to == size { held } else { own.sized(to) };
    // The least goes for the request too, which is the smaller of the two.
    let small = |least| to.request.or(to.limit) < Some(least);
    if seen.allowed_least.is_some_and(small) { own } else { to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{ContainerSeen, Resize};
    use crate::observation::{Reading, Why};
    use crate::units::Bytes;
    use std::collections::BTreeMap;

    fn seen() -> MemorySeen {
        MemorySeen {
            template: BTreeMap::new(),
            go_limits: BTreeMap::new(),
            default_container: None,
            pods: Vec::new(),
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

    const fn mib(mib: u64) -> Amounts {
        Amounts::both(Bytes::mib(mib))
    }

    #[test]
    fn a_quota_or_a_limit_range_leaves_what_it_has_and_takes_nothing_from_the_templates_own() {
        let quota = |spare: Option<u64>| MemorySeen {
            spare: spare.map(Bytes::mib),
            ..seen()
        };
        let born = |seen: &MemorySeen| bearable("app", mib(64), mib(256), seen, &[], 0);
        assert_eq!(born(&quota(None)), mib(256), "no quota says");
        assert_eq!(born(&quota(Some(300))), mib(256));
        assert_eq!(born(&quota(Some(36))), mib(100));
        assert_eq!(born(&quota(Some(0))), mib(64));
        let range = |most: u64| MemorySeen {
            allowed_most: Some(Bytes::mib(most)),
            ..seen()
        };
        assert_eq!(born(&range(128)), mib(128));
        assert_eq!(born(&range(32)), mib(64), "its own is refused anyway");
        assert_eq!(
            bearable("app", mib(64), mib(48), &quota(Some(0)), &[], 0),
            mib(48),
            "less is no more"
        );
    }

    #[test]
    fn what_finds_no_node_is_not_born_again() {
        let pod = |unplaced_since: Option<i64>, actual: Option<Amounts>| PodSeen {
            name: "f-0".into(),
            uid: "u".into(),
            revision: None,
            ready: false,
            since: None,
            created: 0,
            ending_since: None,
            unplaced_since,
            resize: Resize::Done,
            served: None,
            containers: BTreeMap::from([(
                "app".to_owned(),
                ContainerSeen {
                    spec: actual.unwrap_or(mib(256)),
                    actual,
                    working_set: Reading::Unknown(Why::Absent),
                    restarts: 0,
                    leaking: false,
                    restarts_on_resize: false,
                    crash: None,
                    started: None,
                    go_limit: None,
                },
            )]),
        };
        let born =
            |pods: Vec<PodSeen>, now| bearable("app", mib(64), mib(256), &MemorySeen { pods, ..seen() }, &[], now);
        let waiting = || pod(Some(100), None);
        assert_eq!(born(vec![waiting()], 159), mib(256), "a node may be on its way");
        assert_eq!(born(vec![waiting()], 160), mib(64));
        assert_eq!(
            born(vec![waiting(), pod(None, Some(mib(128)))], 160),
            mib(128),
            "as much as one has"
        );
        assert_eq!(
            born(vec![pod(None, Some(mib(128)))], 160),
            mib(256),
            "nobody waits any more"
        );
    }

    #[test]
    fn a_limit_ranges_least_keeps_a_pod_from_being_born_too_small() {
        let range = MemorySeen {
            allowed_least: Some(Bytes::mib(60)),
            ..seen()
        };
        assert_eq!(bearable("app", mib(64), mib(48), &range, &[], 0), mib(64));
        let uneven = Amounts {
            request: Some(Bytes::mib(50)),
            limit: Some(Bytes::mib(100)),
        };
        assert_eq!(
            bearable("app", mib(64), uneven, &range, &[], 0),
            mib(64),
            "the request counts too"
        );
    }
}
