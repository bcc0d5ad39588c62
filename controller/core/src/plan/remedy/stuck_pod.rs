//! Stuck pods: pods in, the one to replace out. Pure.
//!
//! One at a time (M5), by eviction, so the disruption budget has the last word. A pod that is unready together with
//! its siblings is not stuck: the cause is elsewhere, and a new one would fare no better.

use crate::memory::{MemorySeen, PodSeen};

/// The pod that is stuck while most of its siblings serve. `None`: there is none.
pub fn stuck(seen: &MemorySeen, now: i64) -> Option<&PodSeen> {
    let living = || seen.pods.iter().filter(|pod| pod.ending_since.is_none());
    let (all, ready) = (living().count(), living().filter(|pod| pod.ready).count());
    if ready == 0 || ready.saturating_mul(2) < all {
        return None;
    }
    living()
        .filter(|pod| !pod.ready && now.saturating_sub(pod.since.unwrap_or(pod.created)) >= seen.patience)
        .min_by_key(|pod| (pod.since.unwrap_or(pod.created), &pod.name))
}
