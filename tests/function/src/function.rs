//! Function: what all requests of this process share.

use std::sync::Mutex;
use std::time::Instant;

use crate::ballast::Ballast;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::phase::{Life, Phase};
use crate::query::Query;
use crate::slots::Slots;

/// The state of one process.
#[derive(Debug)]
pub struct Function {
    /// Flags and environment.
    pub config: Config,
    /// When the process started.
    pub born: Instant,
    /// Starting, ready or draining.
    pub life: Life,
    /// Where requests queue.
    pub slots: Slots,
    /// What `/become` has made of it: every request's overrides from then on.
    pub becomes: Mutex<Query>,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

impl Function {
    /// A function that is starting: its slots are shut.
    pub fn new(config: Config, born: Instant) -> Self {
        Self {
            life: Life::default(),
            slots: Slots::shut(config.concurrency),
            metrics: Metrics::with_further(config.further_series),
            becomes: Mutex::default(),
            config,
            born,
        }
    }

    /// Touches the ballast, sits out the rest of `STARTUP_MS` and opens the slots.
    ///
    /// Returns the ballast, to be kept. Errors when there is no address space for it.
    pub async fn start(&self) -> anyhow::Result<Ballast> {
        let mib = self.config.memory_mib;
        // On a thread of its own: a gigabyte takes a good part of a second, and SIGTERM must get through.
        let ballast = tokio::task::spawn_blocking(move || Ballast::fill(mib)).await??;
        tokio::time::sleep_until((self.born + self.config.startup).into()).await;
        self.slots.open();
        self.life.advance(Phase::Ready);
        Ok(ballast)
    }
}
