//! Stuck pods: pods in, the one to replace out, and those that do not end. Pure.
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

/// The pods that should be gone for longer than patience reaches, by name. They are told of and left alone: an eviction does
/// nothing to what is deleted already, and to take a pod out of the API server by force may leave it running on a node
/// that nobody hears from, beside its replacement.
pub fn terminating(seen: &MemorySeen, now: i64) -> impl Iterator<Item = &PodSeen> {
    let over = move |until: i64| now.saturating_sub(until) >= seen.patience;
    seen.pods.iter().filter(move |pod| pod.ending_since.is_some_and(over))
}
