//! Durations: how long each call takes. Two published numbers in, drawn milliseconds out. Pure; seeded.

use crate::random::Random;

/// A lognormal distribution, cut off above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Durations {
    /// Mean and deviation of the logarithm of the milliseconds.
    middle: f64,
    spread: f64,
    longest: f64,
}

impl Durations {
    /// From the median, the mean and the 99th percentile in milliseconds: a lognormal through the first two, cut off
    /// at twice the third. A mean below the median is taken for the median: all calls then take as long.
    pub fn new(median: f64, mean: f64, p99: f64) -> Self {
        let median = median.max(1.0);
        // mean = median * exp(spread^2 / 2)
        let spread = (2.0 * (mean.max(median) / median).ln()).sqrt();
        Self {
            middle: median.ln(),
            spread,
            longest: (2.0 * p99).max(median),
        }
    }

    /// The milliseconds of one call, at least 1.
    pub fn draw(&self, random: &mut Random) -> u64 {
        let millis = self.spread.mul_add(random.normal(), self.middle).exp();
        // From float, `as` saturates; std offers no other way.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = millis.min(self.longest).max(1.0).round() as u64;
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(durations: Durations) -> f64 {
        let mut random = Random::new(3);
        let sum: u64 = (0..20_000).map(|_| durations.draw(&mut random)).sum();
        f64::from(u32::try_from(sum / 20_000).unwrap())
    }

    #[test]
    fn the_mean_is_met() {
        // Spread sqrt(2 ln 1.5) = 0.9: the cut at 40 s takes nothing off.
        assert!((mean(Durations::new(1000.0, 1500.0, 20_000.0)) - 1500.0).abs() < 45.0);
    }

    #[test]
    fn equal_median_and_mean_are_one_duration_and_the_cut_holds() {
        let mut random = Random::new(1);
        assert_eq!(Durations::new(200.0, 150.0, 400.0).draw(&mut random), 200);
        let cut = Durations::new(100.0, 1000.0, 200.0);
        assert!((0..1000).all(|_| cut.draw(&mut random) <= 400));
    }
}
