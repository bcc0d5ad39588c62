//! Visit: one request's book-keeping, from its arrival to its end, whichever end it takes.

use std::time::{Duration, Instant};

use crate::metrics::Metrics;

/// What nginx logs for a client that closed the connection before its answer.
const CLIENT_LEFT: u16 = 499;

/// A request in flight. Dropped before [`Visit::end`] it counts as left by its client: the HTTP
/// server drops the work of a closed connection.
#[derive(Debug)]
pub struct Visit<'a> {
    metrics: &'a Metrics,
    arrived: Instant,
    waited: Option<Duration>,
    code: u16,
}

impl<'a> Visit<'a> {
    /// The request is here and waits.
    pub fn arrive(metrics: &'a Metrics, arrived: Instant) -> Self {
        metrics.inflight.enter();
        Self {
            metrics,
            arrived,
            waited: None,
            code: CLIENT_LEFT,
        }
    }

    /// The request has its slot. Returns how long it waited for it.
    pub fn begin(&mut self) -> Duration {
        let waited = self.arrived.elapsed();
        self.waited = Some(waited);
        waited
    }

    /// The request is answered with `code`.
    pub fn end(mut self, code: u16) {
        self.code = code;
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        // Who left while queued still waited: without these the longest waits would be missing.
        let waited = self.waited.unwrap_or_else(|| self.arrived.elapsed());
        self.metrics.queued(waited);
        self.metrics.took(self.arrived.elapsed());
        self.metrics.ended(self.code);
        self.metrics.inflight.leave();
    }
}
