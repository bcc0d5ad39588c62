//! Calibration: how far above a guess the wanted quantile lies, and how well that went. Guesses and actual
//! peaks in, an upper quantile and its losses out. Pure.
//!
//! `upper = guess + theta * scale`, theta moved after each scored minute so that the wanted share of peaks
//! lies at or below (online quantile tracking). Where the guess itself loses less, it stands as it is: on a
//! series that repeats exact numbers theta would wander below them to force its misses.

use forewarm_core::units::Percent;

/// Weight that a scored minute keeps for the next: half of it after three days, `0.5^(1/4320)`. With one day
/// the last daily peak weighs least just before the next, and the expert that knows it lost to one that fits
/// the quiet minutes a little better.
const KEEP: f64 = 0.999_839_562_135_290_2;
/// The same for half of it after one day, `0.5^(1/1440)`.
const KEEP_DAY: f64 = 0.999_518_763_622_666_2;
/// Theta before anything is scored: the 0.80 quantile of a normal error.
const THETA: f64 = 0.84;
/// Theta's range, in local scales.
const THETA_RANGE: (f64, f64) = (-3.0, 30.0);
/// Smallest and largest move of theta a minute.
const GAIN_RANGE: (f64, f64) = (0.1, 0.4);

/// Pinball loss of an upper quantile: `share` a unit short, `1 - share` a unit over.
pub(crate) fn pinball(actual: f64, upper: f64, share: f64) -> f64 {
    let short = actual - upper;
    if short > 0.0 {
        share * short
    } else {
        (share - 1.0) * short
    }
}

/// A mean over minutes in which older ones count less.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Discounted {
    sum: f64,
    weight: f64,
}

impl Discounted {
    /// Takes in one more, with a half-life of three days.
    pub(crate) fn push(&mut self, value: f64) {
        self.push_keeping(value, KEEP);
    }

    /// Takes in one more, with a half-life of one day: for what was done, which should be forgiven sooner.
    pub(crate) fn push_day(&mut self, value: f64) {
        self.push_keeping(value, KEEP_DAY);
    }

    fn push_keeping(&mut self, value: f64, keep: f64) {
        self.sum = self.sum.mul_add(keep, value);
        self.weight = self.weight.mul_add(keep, 1.0);
    }

    /// The mean. `None` before the first.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// How many scored minutes it stands for.
    pub(crate) const fn weight(&self) -> f64 {
        self.weight
    }
}

/// Theta and the losses of one expert, for one quantile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Track {
    theta: f64,
    scored: f64,
    plain: Discounted,
    moved: Discounted,
}

/// What one expert bet on one span: its guess as it was, and moved by theta.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stake {
    plain: f64,
    moved: f64,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            theta: THETA,
            scored: 0.0,
            plain: Discounted::default(),
            moved: Discounted::default(),
        }
    }
}

impl Track {
    /// What to bet with an upper `guess` at the local `scale`.
    pub(crate) fn stake(&self, guess: f64, scale: f64) -> Stake {
        Stake {
            plain: guess,
            moved: self.theta.mul_add(scale, guess).max(0.0),
        }
    }

    /// The half of the stake that has lost less so far.
    pub(crate) fn upper(&self, stake: Stake) -> f64 {
        if self.moved.mean() < self.plain.mean() {
            stake.moved
        } else {
            stake.plain
        }
    }

    /// Scores a bet and moves theta.
    pub(crate) fn score(&mut self, stake: Stake, actual: f64, quantile: Percent) {
        let share = quantile.share();
        self.plain.push(pinball(actual, stake.plain, share));
        self.moved.push(pinball(actual, stake.moved, share));
        // Zero bet and zero seen says nothing about the spread.
        if actual > 0.0 || stake.moved > 0.0 {
            self.scored += 1.0;
            self.theta = moved(self.theta, self.gain(), actual > stake.moved, 1.0 - share);
        }
    }

    /// Mean pinball loss of what it would have said. `None`: nothing scored yet.
    pub(crate) fn loss(&self) -> Option<f64> {
        self.plain
            .mean()
            .zip(self.moved.mean())
            .map(|(plain, moved)| plain.min(moved))
    }

    /// How many scored minutes the loss stands for.
    pub(crate) const fn weight(&self) -> f64 {
        self.plain.weight()
    }

    fn gain(&self) -> f64 {
        (self.scored + 2.0).sqrt().recip().clamp(GAIN_RANGE.0, GAIN_RANGE.1)
    }
}

/// Theta after a hit or a miss, when `rate` of all may be misses.
fn moved(theta: f64, gain: f64, missed: bool, rate: f64) -> f64 {
    let step = if missed { 1.0 - rate } else { -rate };
    gain.mul_add(step, theta).clamp(THETA_RANGE.0, THETA_RANGE.1)
}

/// The band of single minutes around what is expected: below it and above it lie 5 % each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BandTrack {
    below: f64,
    above: f64,
}

/// Share of minutes outside the band, on each side.
const TAIL: f64 = 0.05;

impl Default for BandTrack {
    fn default() -> Self {
        Self {
            below: 1.64,
            above: 1.64,
        } // the 5 % and 95 % quantiles of a normal error
    }
}

impl BandTrack {
    /// Lower and upper end around two guesses, each with its scale.
    pub(crate) fn band(&self, low: (f64, f64), high: (f64, f64)) -> (f64, f64) {
        (
            self.below.mul_add(-low.1, low.0).max(0.0),
            self.above.mul_add(high.1, high.0),
        )
    }

    /// Scores a band by what came.
    pub(crate) fn score(&mut self, (lower, upper): (f64, f64), actual: f64) {
        self.below = moved(self.below, GAIN_RANGE.0, actual < lower, TAIL).max(0.0);
        self.above = moved(self.above, GAIN_RANGE.0, actual > upper, TAIL).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eighty() -> Percent {
        Percent::new(80).unwrap()
    }

    #[test]
    fn pinball_by_hand() {
        for (actual, upper, loss) in [(10.0, 8.0, 1.6), (8.0, 10.0, 0.4), (5.0, 5.0, 0.0)] {
            assert!(
                (pinball(actual, upper, 0.8) - loss).abs() < 1e-12,
                "{actual} against {upper}"
            );
        }
    }

    #[test]
    fn half_the_weight_is_left_after_three_days() {
        let mut mean = Discounted::default();
        mean.push(1.0);
        (0..4320).for_each(|_| mean.push(0.0));
        assert!((mean.sum - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_miss_lifts_theta_four_times_as_far_as_a_hit_lowers_it_at_eighty_percent() {
        assert!((moved(1.0, 0.1, true, 0.2) - 1.08).abs() < 1e-12);
        assert!((moved(1.0, 0.1, false, 0.2) - 0.98).abs() < 1e-12);
    }

    #[test]
    fn theta_finds_the_wanted_share() {
        // Errors 0, 1, ..., 9 in turn: eight of ten lie at or below 7 to 8.
        let (mut track, mut hits) = (Track::default(), 0);
        for n in 0..4000_u32 {
            let actual = 10.0 + f64::from(n * 7 % 10);
            let stake = track.stake(10.0, 1.0);
            hits += u32::from(n >= 1000 && actual <= stake.moved);
            track.score(stake, actual, eighty());
        }
        assert!((2250..=2550).contains(&hits), "{hits} of 3000");
        assert!(track.moved.mean() < track.plain.mean());
    }

    #[test]
    fn an_exact_guess_is_left_as_it_is() {
        let mut track = Track::default();
        for _ in 0..500 {
            track.score(track.stake(7.0, 1.0), 7.0, eighty());
        }
        assert!((track.upper(track.stake(7.0, 1.0)) - 7.0).abs() < 1e-12);
        assert_eq!(track.loss(), Some(0.0));
    }
}
