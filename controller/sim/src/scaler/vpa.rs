//! The vertical pod autoscaler's recommender for memory, v1.7.1, re-stated from its source: one peak a container and
//! aggregation interval (24 h by default), in a histogram whose weights halve each 24 h; the 90th percentile with a
//! safety margin of 15 %, at least 250 MiB; the out-of-memory bump of 1.2 and at least 100 MiB.
//!
//! Exact constants: `model/aggregations_config.go`, `util/histogram_options.go`, `logic/recommender.go`. Left out: the
//! confidence interval, which moves the bounds and not the target. [`Recommender::scaled`] lets all intervals pass
//! faster, for series that are shorter than its eight days.

use std::collections::BTreeMap;

/// The first bucket ends here, in bytes.
const FIRST: f64 = 1e7;
/// Each bucket is so much larger than the one before.
const GROWTH: f64 = 1.05;
/// Percentile of the target.
const TARGET: f64 = 0.9;
/// Above the percentile.
const MARGIN: f64 = 1.15;
/// No pod is recommended less, in bytes.
const LEAST: f64 = 250.0 * 1024.0 * 1024.0;
/// What a kill adds at least, in bytes.
const BUMP: f64 = 100.0 * 1024.0 * 1024.0;
/// What a kill multiplies by.
const BUMP_RATIO: f64 = 1.2;
/// Intervals that are kept.
const INTERVALS: i64 = 8;

/// Recommends the memory of one container of one workload.
#[derive(Clone, Debug)]
pub struct Recommender {
    interval: f64,
    half_life: f64,
    /// Peak of each interval, by its number: the largest of all pods' samples, kills included.
    peaks: BTreeMap<i64, f64>,
}

impl Default for Recommender {
    /// Intervals and half-life of 24 h.
    fn default() -> Self {
        Self::scaled(1.0)
    }
}

impl Recommender {
    /// One for which a day takes `1 / factor` of a day.
    pub const fn scaled(factor: f64) -> Self {
        let day = 86_400.0 / factor;
        Self {
            interval: day,
            half_life: day,
            peaks: BTreeMap::new(),
        }
    }

    /// A working set at `second`, in bytes.
    pub fn sample(&mut self, second: f64, bytes: f64) {
        let interval = self.interval_of(second);
        let peak = self.peaks.entry(interval).or_insert(bytes);
        *peak = peak.max(bytes);
        self.peaks.retain(|at, _| *at > interval - INTERVALS);
    }

    /// A kill at `second` of a container that requested `requested` bytes and was last seen at `used`.
    pub fn killed(&mut self, second: f64, requested: f64, used: f64) {
        let had = requested.max(used);
        self.sample(second, (had + BUMP).max(had * BUMP_RATIO));
    }

    /// The recommended request, in bytes. `None`: no sample yet, so no recommendation.
    pub fn target(&self, second: f64) -> Option<f64> {
        let weights: Vec<(i64, f64)> = self
            .peaks
            .iter()
            .map(|(at, peak)| (bucket(*peak), self.weight(*at, second)))
            .collect();
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut buckets: BTreeMap<i64, f64> = BTreeMap::new();
        for (bucket, weight) in weights {
            *buckets.entry(bucket).or_default() += weight;
        }
        let mut sum = 0.0;
        let found = buckets.iter().find(|(_, weight)| {
            sum += **weight;
            sum >= TARGET * total
        });
        found.map(|(bucket, _)| (end(*bucket) * MARGIN).max(LEAST))
    }

    fn weight(&self, interval: i64, second: f64) -> f64 {
        let age = float(self.interval_of(second) - interval) * self.interval;
        0.5_f64.powf(age / self.half_life)
    }

    fn interval_of(&self, second: f64) -> i64 {
        whole(second / self.interval)
    }
}

/// Number of the bucket that `bytes` falls into.
fn bucket(bytes: f64) -> i64 {
    if bytes < FIRST {
        return 0;
    }
    whole((bytes * (GROWTH - 1.0) / FIRST + 1.0).ln() / GROWTH.ln())
}

/// Where a bucket ends.
fn end(bucket: i64) -> f64 {
    FIRST * (GROWTH.powf(float(bucket) + 1.0) - 1.0) / (GROWTH - 1.0)
}

#[allow(clippy::cast_possible_truncation)]
const fn whole(x: f64) -> i64 {
    x.floor() as i64
}

#[allow(clippy::cast_precision_loss)]
const fn float(x: i64) -> f64 {
    x as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1024.0 * 1024.0;

    #[test]
    fn buckets_grow_by_a_twentieth_and_the_percentile_is_a_buckets_end() {
        assert_eq!((bucket(1.0), bucket(1.01 * FIRST), bucket(2.06 * FIRST)), (0, 1, 2));
        assert!((end(0) - FIRST).abs() < 1.0 && (end(1) - 2.05 * FIRST).abs() < 1.0);
        let mut vpa = Recommender::default();
        vpa.sample(0.0, 1000.0 * MIB);
        let target = vpa.target(0.0).expect("there is a sample") / MIB;
        assert!((1150.0..1150.0 * 1.06).contains(&target), "{target}");
    }

    #[test]
    fn nothing_below_250_mib_and_nothing_without_a_sample() {
        let mut vpa = Recommender::default();
        assert_eq!(vpa.target(0.0), None);
        vpa.sample(0.0, MIB);
        assert_eq!(vpa.target(0.0), Some(LEAST));
    }

    #[test]
    fn a_kill_adds_a_fifth_or_100_mib_and_old_peaks_fade() {
        let mut vpa = Recommender::default();
        vpa.killed(0.0, 1000.0 * MIB, 900.0 * MIB);
        let after = vpa.target(0.0).expect("a kill is a sample") / MIB;
        assert!((1200.0 * 1.15..1200.0 * 1.15 * 1.06).contains(&after), "{after}");
        for day in 1..9_u32 {
            vpa.sample(f64::from(day) * 86_400.0, 300.0 * MIB);
        }
        let later = vpa.target(8.0 * 86_400.0).expect("samples") / MIB;
        assert!(later < 400.0, "{later}");
    }
}
