//! Our own harm: a decrease is a trial; worse than before, and it is taken back. Pure.
//!
//! It is taken back before the first kill: as soon as a working set eats into the margin that was left above the
//! largest use of eight days, which no pod had done before.

use crate::memory::{ContainerSeen, ContainerStanding, MemorySeen, Trial};
use crate::units::{Bytes, Percent};

/// How long a decrease is watched, in seconds.
pub const WATCHED: i64 = 86_400;
/// After a decrease that did harm nothing is lowered for so long, in seconds.
pub const BACK_OFF: i64 = 7 * 86_400;

/// The trial of a decrease that begins now.
pub fn begin(seen: &MemorySeen, name: &str, from: crate::memory::Amounts, now: i64) -> Trial {
    Trial {
        from,
        since: now,
        restarts: restarts(seen, name),
        ready: ready(seen),
    }
}

/// Judges the trial that is under way: true when the decrease did harm and is taken back. One that did none for a
/// day is over.
pub fn judge(standing: &mut ContainerStanding, seen: &MemorySeen, name: &str, margin: Percent, now: i64) -> bool {
    let (Some(trial), Some(held)) = (standing.trial, standing.held) else {
        return false;
    };
    let killed = standing.last_oom >= trial.since;
    let restarted = restarts(seen, name) > trial.restarts;
    let fewer = ready(seen) < trial.ready.min(u32::try_from(seen.pods.len()).unwrap_or(u32::MAX));
    // Where the request of live pods alone came down, the limit has its margin as before.
    let tight = held != trial.from
        && held
            .size()
            .is_some_and(|size| largest(seen, name) > Some(line(size, margin)));
    if killed || tight || (restarted && fewer) {
        standing.held = Some(trial.from);
        standing.plateau = None;
        standing.trial = None;
        standing.no_decrease_until = now.saturating_add(BACK_OFF);
        return true;
    }
    if now.saturating_sub(trial.since) >= WATCHED {
        standing.trial = None;
    }
    false
}

/// The use at which the margin begins to be eaten: `size / (1 + margin)`.
fn line(size: Bytes, margin: Percent) -> Bytes {
    size.times(Bytes(100), Bytes(u64::from(margin.get()).saturating_add(100)))
}

fn containers<'a>(seen: &'a MemorySeen, name: &'a str) -> impl Iterator<Item = &'a ContainerSeen> {
    seen.pods.iter().filter_map(move |pod| pod.containers.get(name))
}

fn restarts(seen: &MemorySeen, name: &str) -> u64 {
    containers(seen, name)
        .map(|container| u64::from(container.restarts))
        .fold(0, u64::saturating_add)
}

fn ready(seen: &MemorySeen) -> u32 {
    u32::try_from(seen.pods.iter().filter(|pod| pod.ready).count()).unwrap_or(u32::MAX)
}

fn largest(seen: &MemorySeen, name: &str) -> Option<Bytes> {
    containers(seen, name)
        .filter_map(|container| container.working_set.known().copied())
        .max()
}
