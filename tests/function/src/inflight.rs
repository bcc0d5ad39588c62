//! In-flight: arrivals and departures in, the present count and its peak since the last scrape out.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// Requests in flight, running and queued, with their peak since the last scrape.
///
/// One lock over both numbers, not two atomics: between the two steps of a reset a burst could come
/// and go unseen.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<Level>);

/// A count and the highest it has been since the last scrape; `peak >= now` always.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Requests in flight at this moment.
    pub now: u32,
    /// Highest `now` since the last scrape, that moment included.
    pub peak: u32,
}

impl InFlight {
    /// One request more; returns how many there are with it.
    pub fn enter(&self) -> u32 {
        let mut level = self.lock();
        level.now += 1;
        level.peak = level.peak.max(level.now);
        level.now
    }

    /// One request less.
    pub fn leave(&self) {
        self.lock().now -= 1;
    }

    /// The level of the interval that ends here; the next one starts with its peak at the present count.
    pub fn scrape(&self) -> Level {
        let mut level = self.lock();
        let seen = *level;
        level.peak = level.now;
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Level> {
        // The guarded steps cannot panic half-way, so a poisoned level is still a true one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for InFlight {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Level { now, peak } = self.scrape();
        let gauges = [
            ("function_inflight_requests", "Requests running or queued.", now),
            (
                "function_inflight_requests_peak",
                "Most requests running or queued since the last scrape, which resets it.",
                peak,
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_burst_between_two_scrapes_is_seen_once() {
        let inflight = InFlight::default();
        (0..50).for_each(|_| _ = inflight.enter());
        (0..47).for_each(|_| inflight.leave());
        assert_eq!(inflight.scrape(), Level { now: 3, peak: 50 });
        assert_eq!(inflight.scrape(), Level { now: 3, peak: 3 });
    }

    /// The law behind the peak: whatever level an arrival made, some scrape reports it.
    #[test]
    fn no_scrape_however_timed_loses_the_highest_level() {
        let inflight = InFlight::default();
        let done = AtomicBool::new(false);
        let (reached, scraped) = thread::scope(|scope| {
            let scraper = scope.spawn(|| {
                let mut highest = 0;
                while !done.load(Ordering::Acquire) {
                    let level = inflight.scrape();
                    assert!(level.peak >= level.now);
                    highest = highest.max(level.peak);
                }
                highest.max(inflight.scrape().peak)
            });
            let visitors: Vec<_> = (0..4).map(|_| scope.spawn(|| busy(&inflight))).collect();
            let reached = visitors.into_iter().map(|v| v.join().unwrap()).max();
            done.store(true, Ordering::Release);
            (reached.unwrap(), scraper.join().unwrap())
        });
        assert_eq!(scraped, reached);
        assert_eq!(inflight.scrape(), Level { now: 0, peak: 0 });
    }

    fn busy(inflight: &InFlight) -> u32 {
        let visit = |_| {
            let level = inflight.enter();
            inflight.leave();
            level
        };
        (0..20_000).map(visit).max().unwrap()
    }
}
