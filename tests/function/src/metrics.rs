//! Metrics: counts in, one exposition out.
//!
//! A scrape resets the peak, so it belongs to one scraper: whoever else reads `/metrics` takes the
//! peak away from it.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::inflight::InFlight;

/// Media type of [`Metrics::scrape`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// In seconds. 0.05 is a bound because a request that waits longer counts as late.
const QUEUE_BUCKETS: [f64; 14] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Label of `function_requests_total`: the HTTP status, or 499 for a client that left.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    code: u16,
}

/// Everything that `/metrics` shows.
#[derive(Debug)]
pub struct Metrics {
    /// The two in-flight gauges.
    pub inflight: Arc<InFlight>,
    requests: Family<Outcome, Counter>,
    errors: Counter,
    queue: Histogram,
    took: Histogram,
    registry: Registry,
    /// Rendered once: a page of 100,000 lines is asked for again and again.
    further: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::with_further(0)
    }
}

impl Metrics {
    /// Metrics beside which the page shows so many further series of one constant gauge.
    pub fn with_further(series: u32) -> Self {
        let inflight = Arc::<InFlight>::default();
        let requests = Family::<Outcome, Counter>::default();
        let errors = Counter::default();
        let queue = Histogram::new(QUEUE_BUCKETS);
        let took = Histogram::new(QUEUE_BUCKETS);
        // Present from the first scrape on: a counter that is born at 1 shows no rate.
        drop(requests.get_or_create(&Outcome { code: 200 }));

        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(&inflight)));
        registry.register("function_requests", "Requests ended", requests.clone());
        registry.register("function_errors", "Requests answered with a 5xx", errors.clone());
        registry.register("function_queue_seconds", "Wait for a slot", queue.clone());
        registry.register("function_request_seconds", "From arrival to end", took.clone());
        Self {
            inflight,
            requests,
            errors,
            queue,
            took,
            registry,
            further: further(series),
        }
    }

    /// Counts a request that ended with `code`.
    pub fn ended(&self, code: u16) {
        self.requests.get_or_create(&Outcome { code }).inc();
        if code >= 500 {
            self.errors.inc();
        }
    }

    /// Records how long a request took, its wait included.
    pub fn took(&self, took: Duration) {
        self.took.observe(took.as_secs_f64());
    }

    /// Records how long a request waited for its slot.
    pub fn queued(&self, wait: Duration) {
        self.queue.observe(wait.as_secs_f64());
    }

    /// The `OpenMetrics` text of this moment; the in-flight peak starts anew.
    pub fn scrape(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode_registry(&mut page, &self.registry)?;
        page.push_str(&self.further);
        text::encode_eof(&mut page)?;
        Ok(page)
    }
}

/// So many series of `function_further`; nothing at all for none.
fn further(series: u32) -> String {
    (0..series).fold(String::new(), |mut page, number| {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "function_further{{series=\"{number}\"}} 1");
        page
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_before_the_first_request() {
        let page = Metrics::default().scrape().unwrap();
        for line in [
            "function_inflight_requests 0",
            "function_inflight_requests_peak 0",
            "function_requests_total{code=\"200\"} 0",
            "function_errors_total 0",
            "function_queue_seconds_count 0",
            "function_request_seconds_count 0",
            "function_queue_seconds_bucket{le=\"0.05\"} 0",
        ] {
            assert!(page.lines().any(|l| l == line), "no {line:?} in\n{page}");
        }
    }

    #[test]
    fn further_series_come_before_the_end_of_the_page() {
        let page = Metrics::with_further(2).scrape().unwrap();
        let end = "function_further{series=\"0\"} 1\nfunction_further{series=\"1\"} 1\n# EOF\n";
        assert!(page.ends_with(end), "{page}");
        assert!(!Metrics::default().scrape().unwrap().contains("further"));
    }
}
