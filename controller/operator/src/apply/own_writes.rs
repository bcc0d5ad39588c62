//! Our own last write to each object, until the watch shows it (W5). Memory only.

use forewarm_core::units::Replicas;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// After this long a write that the watch has not shown may be followed by another, on a live look.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest time that a write is remembered: its object has gone.
const MEMORY: Duration = Duration::from_hours(1);

/// What the last own write to an object means for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Free,
    /// The view may lack it: look at the object first.
    AfterLook,
    /// The view lacks it: wait.
    Wait,
}

/// Last own writes by UID.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    writes: Mutex<HashMap<String, OwnWrite>>,
}

#[derive(Clone, Copy, Debug)]
struct OwnWrite {
    to: Replicas,
    at: Instant,
    version: Option<u64>,
    /// The server said yes; otherwise it may or may not have happened.
    certain: bool,
}

impl OwnWrites {
    /// Remembers a write that was accepted; `version` is the object's resource version after it.
    pub(super) fn accepted(&self, uid: &str, to: Replicas, version: Option<u64>) {
        self.put(
            uid,
            OwnWrite {
                to,
                at: Instant::now(),
                version,
                certain: true,
            },
        );
    }

    /// Remembers that an accepted write was followed by one that moved nothing: the watch must show that one, too.
    pub(super) fn touched(&self, uid: &str, version: Option<u64>) {
        if let Some(write) = self.lock().get_mut(uid) {
            write.version = write.version.max(version);
        }
    }

    /// Remembers a write that may have happened.
    pub(super) fn uncertain(&self, uid: &str, to: Replicas) {
        self.put(
            uid,
            OwnWrite {
                to,
                at: Instant::now(),
                version: None,
                certain: false,
            },
        );
    }

    /// The watch shows `floor` at `version`. Later versions have larger numbers; where one is not a number,
    /// only the value itself tells.
    pub(super) fn seen(&self, uid: &str, floor: Replicas, version: &str) {
        let mut writes = self.lock();
        let Some(write) = writes.get(uid) else { return };
        let visible = match (version.parse::<u64>(), write.version) {
            (Ok(seen), Some(written)) => seen >= written,
            _ => floor == write.to,
        };
        if visible {
            writes.remove(uid);
        }
    }

    /// The value of an accepted write that the watch does not show yet. `None`: there is none, or it has not been
    /// shown for so long that the watch is believed.
    pub(super) fn unseen(&self, uid: &str) -> Option<Replicas> {
        let writes = self.lock();
        let write = writes.get(uid)?;
        (write.certain && write.at.elapsed() < PATIENCE).then_some(write.to)
    }

    /// What the next write to the object must do first. A write that may have happened needs no patience: the
    /// look tells, and should it still be under way, one of the two fails its test of the field.
    pub(super) fn next(&self, uid: &str) -> Next {
        match self.lock().get(uid) {
            None => Next::Free,
            Some(write) if !write.certain || write.at.elapsed() >= PATIENCE => Next::AfterLook,
            Some(_) => Next::Wait,
        }
    }

    fn put(&self, uid: &str, write: OwnWrite) {
        let mut writes = self.lock();
        writes.retain(|_, write| write.at.elapsed() < MEMORY);
        writes.insert(uid.to_owned(), write);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, OwnWrite>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_accepted_write_waits_until_it_is_visible() {
        let own = OwnWrites::default();
        assert_eq!(own.next("u"), Next::Free);
        own.accepted("u", Replicas(5), Some(10));
        own.seen("u", Replicas(3), "9");
        assert_eq!(own.next("u"), Next::Wait, "an older version");
        assert_eq!(own.unseen("u"), Some(Replicas(5)));
        own.seen("other", Replicas(5), "10");
        assert_eq!(own.next("u"), Next::Wait, "another object");
        own.seen("u", Replicas(3), "11");
        assert_eq!(own.next("u"), Next::Free, "a later version, whatever it holds");
        assert_eq!(own.unseen("u"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn without_numbers_only_the_value_tells() {
        let own = OwnWrites::default();
        own.accepted("u", Replicas(5), None);
        own.seen("u", Replicas(3), "99");
        assert_eq!(own.next("u"), Next::Wait);
        own.seen("u", Replicas(5), "garbage");
        assert_eq!(own.next("u"), Next::Free);
    }

    #[tokio::test(start_paused = true)]
    async fn after_thirty_seconds_a_look_is_enough() {
        let own = OwnWrites::default();
        own.accepted("u", Replicas(5), Some(10));
        tokio::time::advance(Duration::from_secs(29)).await;
        assert_eq!(own.next("u"), Next::Wait);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(own.next("u"), Next::AfterLook);
        assert_eq!(own.unseen("u"), None, "the watch is believed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_may_have_happened_needs_a_look_at_once() {
        let own = OwnWrites::default();
        own.uncertain("u", Replicas(5));
        assert_eq!(own.next("u"), Next::AfterLook);
        assert_eq!(own.unseen("u"), None, "nobody knows");
        own.seen("u", Replicas(5), "11");
        assert_eq!(own.next("u"), Next::Free);
    }

    #[tokio::test(start_paused = true)]
    async fn objects_that_went_are_forgotten() {
        let own = OwnWrites::default();
        own.accepted("gone", Replicas(5), Some(1));
        tokio::time::advance(MEMORY).await;
        own.accepted("u", Replicas(5), Some(2));
        assert_eq!(own.lock().len(), 1);
    }
}
