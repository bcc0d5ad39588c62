//! The lease of our own: one replica acts at a time. A `Lease` object in, a [`Term`] out; its own task and its own
//! connection.
//!
//! After client-go's elector: the Lease is replaced under its resource version, and how long another's claim
//! has stood is measured on our own monotonic clock alone, never by comparing wall clocks. A term ends 10 s
//! after the start of the last renewal that succeeded, whether or not anybody notices; others wait for 15 s.
//!
//! At each renewal the head of the decision log goes into an annotation, which anchors the log.

mod claim;
mod elector;

#[cfg(test)]
mod tests;

pub use claim::CHAIN_HEAD;
pub use elector::Elector;

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// What we have of the lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// The lease's number of transitions at our taking it: grows with each leader. 0: never held.
    pub epoch: u64,
    /// End of the term, unless it is renewed. `None`: not held.
    pub valid_until: Option<Instant>,
}

impl Term {
    /// What is left of the term; zero when it is not held or over.
    pub fn left(&self, now: Instant) -> Duration {
        self.valid_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Whether it is surely ours at `now`.
    pub fn held(&self, now: Instant) -> bool {
        !self.left(now).is_zero()
    }
}

/// The lease as the rest of the process sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leadership {
    /// The term, renewed about every two seconds while it is held.
    pub term: watch::Receiver<Term>,
    taken: Arc<Notify>,
}

impl Leadership {
    /// Waits until the lease is taken: time for a tick at once. A taking that nobody waited for is not lost.
    pub async fn taken(&self) {
        self.taken.notified().await;
    }

    /// Whether the lease is surely ours now.
    pub fn held(&self) -> bool {
        self.term.borrow().held(Instant::now())
    }
}

/// Times of the election; how the clocks of two replicas may differ in rate is `lease / renew`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long another's claim must stand unchanged before it may be taken.
    pub lease: Duration,
    /// How long after the start of a renewal the term ends.
    pub renew: Duration,
    /// Pause between tries.
    pub retry: Duration,
    /// Deadline of one call.
    pub call: Duration,
}

impl Default for Timing {
    /// 15, 10 and 2 s as client-go, 2 s a call: two tries that hang and one that does not fit into a term.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            lease: seconds(15),
            renew: seconds(10),
            retry: seconds(2),
            call: seconds(2),
        }
    }
}
