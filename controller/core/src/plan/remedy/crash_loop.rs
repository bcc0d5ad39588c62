//! The crash-loop breaker: pods in, the failing revision and its cause out. Pure.
//!
//! A revision fails when its newest pods cannot come up. The guard rule of the same name then holds the floor: more
//! replicas of it would only fail as well, while the good revision's pods go on serving.

use crate::memory::{Crash, MemorySeen, PodSeen};
use serde::{Deserialize, Serialize};

/// A revision whose pods fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The revision. Empty: not known.
    pub revision: String,
    /// Why.
    pub cause: Crash,
    /// How many of its pods.
    pub pods: u32,
}

/// The newest revision, where its pods fail: its newest pod does, and either none of its pods is ready or at least
/// two fail. `None`: it comes up, or it has no pod.
pub fn failing(seen: &MemorySeen) -> Option<Failing> {
    let newest = seen.pods.iter().max_by_key(|pod| (pod.created, &pod.name))?;
    let revision = &newest.revision;
    let cause = crash(newest)?;
    let same = || seen.pods.iter().filter(|pod| pod.revision == *revision);
    let failing = same().filter(|pod| crash(pod).is_some()).count();
    let ready = same().filter(|pod| pod.ready).count();
    (ready == 0 || failing >= 2).then(|| Failing {
        revision: revision.clone().unwrap_or_default(),
        cause,
        pods: u32::try_from(failing).unwrap_or(u32::MAX),
    })
}

/// Why a pod fails; `None`: it does not, or serves.
fn crash(pod: &PodSeen) -> Option<Crash> {
    if pod.ready || pod.ending_since.is_some() {
        return None;
    }
    pod.containers.values().find_map(|container| container.crash)
}
