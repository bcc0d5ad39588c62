//! Slots: requests in, one of `CONCURRENCY` permits out, first in, first out.

use std::num::NonZeroU32;

use tokio::sync::{Semaphore, SemaphorePermit};

/// The right to work; the slot is free again when this is dropped.
pub type Slot<'a> = SemaphorePermit<'a>;

/// A fixed number of slots behind a FIFO queue; shut until [`Slots::open`].
#[derive(Debug)]
pub struct Slots {
    // Tokio's semaphore is fair: permits go out in the order in which they were asked for.
    permits: Semaphore,
    count: NonZeroU32,
}

impl Slots {
    /// `count` slots, none of them to be had yet.
    pub fn shut(count: NonZeroU32) -> Self {
        Self {
            permits: Semaphore::new(0),
            count,
        }
    }

    /// Lets the queue in. To be called once: each call adds `count` slots.
    pub fn open(&self) {
        self.permits.add_permits(self.count.get() as usize);
    }

    /// Waits for a slot behind all who asked before.
    pub async fn take(&self) -> Slot<'_> {
        self.permits.acquire().await.expect("the semaphore is never closed")
    }
}
