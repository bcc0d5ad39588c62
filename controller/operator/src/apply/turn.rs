//! One tick's allowance: so many requests, begun within so long.

use super::Limits;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::Instant;

/// What is left of a tick's allowance.
#[derive(Debug)]
pub(super) struct Turn {
    left: AtomicUsize,
    until: Instant,
}

impl Turn {
    /// A whole allowance, from now.
    pub(super) fn begin(limits: Limits) -> Self {
        Self {
            left: AtomicUsize::new(limits.requests),
            until: Instant::now() + limits.within,
        }
    }

    /// Takes one request from it. False: none is left, or it is too late.
    pub(super) fn take(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        Instant::now() < self.until
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
    }
}
