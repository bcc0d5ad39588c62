//! What a Lease says, and what ours would say. Pure; `now` comes in.

use super::Timing;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use std::time::Duration;
use tokio::time::Instant;

/// Annotation with the head of the decision log.
pub const CHAIN_HEAD: &str = "forewarm.dev/chain-head";

/// Longest time that a lease of another's making may ask us to wait.
const LONGEST: Duration = Duration::from_mins(1);

/// The last state of the Lease that we saw, and since when it has not changed.
#[derive(Debug, Default)]
pub(super) struct Watched {
    last: Option<(Option<LeaseSpec>, Instant)>,
    epoch: u64,
}

/// Whether the Lease may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It carries our name.
    Ours,
    /// Nobody has it, or its holder has let it stand for too long.
    Free,
    /// Another has it, by name; empty where the Lease is not there or names nobody.
    Theirs(String),
}

impl Watched {
    /// Takes in what was read (`None`: no such Lease) and tells whether `id` may take it.
    ///
    /// A claim, and also an empty or a vanished one, must stand unchanged for `timing.lease` of our own clock,
    /// since whoever wiped it may not have been its holder. Two states are free at once: a Lease that was
    /// released in due form, and none at all where none was ever seen.
    pub(super) fn see(&mut self, lease: Option<&Lease>, id: &str, timing: Timing, now: Instant) -> Found {
        let spec = lease.map(|lease| lease.spec.clone().unwrap_or_default());
        self.epoch = self.epoch.max(spec.as_ref().map_or(0, epoch));
        let never_seen = self.last.is_none();
        let since = match &self.last {
            Some((last, since)) if *last == spec => *since,
            _ => now,
        };
        let found = match &spec {
            None if never_seen => Found::Free,
            Some(spec) if holder(spec) == id => Found::Ours,
            Some(spec) if released(spec) => Found::Free,
            spec if now.duration_since(since) >= patience(spec.as_ref(), timing) => Found::Free,
            spec => Found::Theirs(spec.as_ref().map_or("", holder).to_owned()),
        };
        self.last = Some((spec, since));
        found
    }

    /// An epoch that no Lease seen has had.
    pub(super) const fn next_epoch(&self) -> u64 {
        self.epoch.saturating_add(1)
    }
}

/// `lease` with our claim in it; all else in it stays. `taken`: it was not ours before.
pub(super) fn claimed(lease: &Lease, id: &str, epoch: u64, taken: bool, timing: Timing, wall: &MicroTime) -> Lease {
    let mut lease = lease.clone();
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(id.to_owned());
    spec.lease_duration_seconds = Some(i32::try_from(timing.lease.as_secs()).unwrap_or(i32::MAX));
    spec.lease_transitions = Some(i32::try_from(epoch).unwrap_or(i32::MAX));
    spec.renew_time = Some(wall.clone());
    if taken {
        spec.acquire_time = Some(wall.clone());
    }
    lease
}

/// `lease` given up in due form: no holder, and a duration of one second.
pub(super) fn given_up(lease: &Lease) -> Lease {
    let mut lease = lease.clone();
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(String::new());
    spec.lease_duration_seconds = Some(1);
    lease
}

/// The chain head that the Lease anchors.
pub(super) fn anchored(lease: &Lease) -> Option<&String> {
    lease.metadata.annotations.as_ref()?.get(CHAIN_HEAD)
}

/// Whether the Lease carries the name `id`.
pub(super) fn is_held_by(lease: &Lease, id: &str) -> bool {
    lease.spec.as_ref().is_some_and(|spec| holder(spec) == id)
}

fn holder(spec: &LeaseSpec) -> &str {
    spec.holder_identity.as_deref().unwrap_or_default()
}

fn released(spec: &LeaseSpec) -> bool {
    holder(spec).is_empty() && spec.lease_duration_seconds == Some(1)
}

fn epoch(spec: &LeaseSpec) -> u64 {
    spec.lease_transitions.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// What the claim itself asks for, but not less than we ask, nor absurdly long.
fn patience(spec: Option<&LeaseSpec>, timing: Timing) -> Duration {
    let asked = spec
        .and_then(|spec| spec.lease_duration_seconds)
        .and_then(|n| u64::try_from(n).ok())
        .unwrap_or(0);
    Duration::from_secs(asked).min(LONGEST).max(timing.lease)
}
