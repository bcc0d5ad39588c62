//! Record: what each column has lost of late, and the mixtures that follow from it. Pure.
//!
//! Two memories: one of a day, apart for each [`Regime`], since who is good in a burst need not be good in silence;
//! and one of an hour, for what has just changed. Each gives a mixture; the two are weighed by what they have lost.

use super::column::{COLUMNS, COUNT};
use super::exp;
use super::features::Regime;
use super::past::narrow;

/// Weight a loss keeps a minute: half after one day, half after one hour.
const KEEP: f64 = 0.999_518_763_622_666_2;
const KEEP_SHORT: f64 = 0.988_514_020_352_896_2;
/// Sharpness of the weights: a column that lost 5 % more than the best weighs e^-2 of it, a mixture e^-5.
const SHARP: f64 = 40.0;
const SHARP_BLEND: f64 = 100.0;
/// A column that lost this many times as much as the best is out, however much more it is.
const WORST: f64 = 50.0;
/// Scored minutes at which the weights are half as sharp, and those that the mean of all regimes is worth in one.
const HALF: f64 = 60.0;
const SHARED: f64 = 60.0;
/// Weight before anything is scored, shared by all trees and by all others.
const PRIOR: (f64, f64) = (1.0, 0.3);

/// Discounted losses and the scored minutes they stand for.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    weight: f32,
    loss: [f32; COUNT],
}

/// The losses of one lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    day: Tally,
    regimes: [Tally; Regime::COUNT],
    hour: Tally,
    /// Of the mixture by the day and by the hour, without and with the cluster's own forest.
    blends: [[f32; 2]; 2],
}

/// What the record makes of the columns: the mixture by the day, by the hour, and of both; NaN where none can say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixed {
    pub(super) by: [f64; 2],
    pub(super) both: f64,
}

/// Which columns are mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Those of a fresh install.
    Prior,
    /// All.
    All,
}

impl Of {
    const fn place(self) -> usize {
        match self {
            Self::Prior => 0,
            Self::All => 1,
        }
    }
}

impl Tally {
    fn push(&mut self, keep: f64, losses: &[f64; COUNT]) {
        self.weight = narrow(f64::from(self.weight) * keep + 1.0);
        for (sum, loss) in self.loss.iter_mut().zip(losses) {
            *sum = narrow(f64::from(*sum) * keep + loss);
        }
    }

    fn mean(&self, place: usize) -> f64 {
        if self.weight > 0.0 {
            f64::from(self.loss[place]) / f64::from(self.weight)
        } else {
            0.0
        }
    }
}

impl Record {
    /// The mixtures of the columns that can say: of those of a fresh install, and of all.
    pub(super) fn mix(&self, columns: &[f64; COUNT], regime: Regime) -> [Mixed; 2] {
        let here = &self.regimes[regime.place()];
        let (mut in_regime, mut in_hour) = ([0.0; COUNT], [0.0; COUNT]);
        for place in 0..COUNT {
            in_regime[place] = f64::from(here.loss[place]) + SHARED * self.day.mean(place);
            in_hour[place] = f64::from(self.hour.loss[place]);
        }
        let scored = f64::from(self.day.weight).min(f64::from(here.weight) + SHARED);
        let by_day = mixtures(columns, &in_regime, scored);
        let by_hour = mixtures(columns, &in_hour, f64::from(self.hour.weight));
        [Of::Prior, Of::All].map(|of| self.blend(of, [by_day[of.place()], by_hour[of.place()]]))
    }

    /// Both mixtures, weighed by what they have lost.
    fn blend(&self, of: Of, by: [f64; 2]) -> Mixed {
        let lost = self.blends[of.place()].map(f64::from);
        let best = usize::from(lost[1] < lost[0]);
        let other = (-sharpness(SHARP_BLEND, f64::from(self.day.weight)) * excess(lost[1 - best], lost[best])).exp();
        let both = by[best] + (by[1 - best] - by[best]) * other / (1.0 + other);
        Mixed { by, both }
    }

    /// Takes in what every column and both mixtures, without and with the cluster's own forest, have lost.
    pub(super) fn push(&mut self, regime: Regime, losses: &[f64; COUNT], blends: [[f64; 2]; 2]) {
        self.day.push(KEEP, losses);
        self.regimes[regime.place()].push(KEEP, losses);
        self.hour.push(KEEP_SHORT, losses);
        for (sum, loss) in self.blends.iter_mut().flatten().zip(blends.iter().flatten()) {
            *sum = narrow(f64::from(*sum) * KEEP + loss);
        }
    }

    /// Gives one column the losses of others, the least of them in each memory.
    pub(super) fn inherit(&mut self, place: usize, from: &[usize]) {
        let tallies = [&mut self.day, &mut self.hour].into_iter().chain(&mut self.regimes);
        for tally in tallies {
            let least = from.iter().map(|from| tally.loss[*from]).reduce(f32::min);
            tally.loss[place] = least.unwrap_or(tally.loss[place]);
        }
        self.blends[Of::All.place()] = self.blends[Of::Prior.place()];
    }

    /// Discounted sum of a column's losses over the last day.
    pub(super) fn lost(&self, place: usize) -> f64 {
        f64::from(self.day.loss[place])
    }

    /// Scored minutes the losses of the day stand for.
    pub(super) fn weight(&self) -> f64 {
        f64::from(self.day.weight)
    }
}

/// Weighted means by recent loss of the columns that can say, of a fresh install and of all; NaN when none can.
///
/// Exponentiated weights `prior * exp(-40 * r * n/(n+60))`, `r` = how much more a column has lost than the best, `n` =
/// the scored minutes.
fn mixtures(columns: &[f64; COUNT], lost: &[f64; COUNT], scored: f64) -> [f64; 2] {
    let sharp = sharpness(SHARP, scored);
    let [of_prior, of_all] = ABLE.map(|able| best(columns, lost, &able));
    let Some(of_all) = of_all else {
        return [f64::NAN; 2];
    };
    let for_all = decays(lost, of_all, sharp);
    let all = mean(columns, of_all, &for_all, &ABLE[1]);
    let prior = match of_prior {
        None => f64::NAN,
        // Most often the best is the same, and the decays, which cost most, are so too.
        Some(best) if best == of_all => mean(columns, best, &for_all, &ABLE[0]),
        Some(best) => mean(columns, best, &decays(lost, best, sharp), &ABLE[0]),
    };
    [prior, all]
}

/// Of the columns that can say the one that has lost least. `None`: none can.
fn best(columns: &[f64; COUNT], lost: &[f64; COUNT], able: &[bool; COUNT]) -> Option<usize> {
    let mut best = None;
    for place in 0..COUNT {
        if able[place] && columns[place].is_finite() && best.is_none_or(|best: usize| lost[place] < lost[best]) {
            best = Some(place);
        }
    }
    best
}

/// What is left of each column's weight after what it has lost more than the best.
fn decays(lost: &[f64; COUNT], best: usize, sharp: f64) -> [f64; COUNT] {
    let mut exponents = [0.0; COUNT];
    for place in 0..COUNT {
        exponents[place] = -sharp * excess(lost[place], lost[best]);
    }
    exp::of(exponents)
}

/// Weighted mean of the able columns, trees and others sharing their weight before anything is scored.
fn mean(columns: &[f64; COUNT], best: usize, decays: &[f64; COUNT], able: &[bool; COUNT]) -> f64 {
    let mut says = [0.0; COUNT];
    let (mut trees, mut others) = (0.0, 0.0);
    for place in 0..COUNT {
        says[place] = one(able[place] && columns[place].is_finite());
        trees += says[place] * TREES[place];
        others += says[place] * (1.0 - TREES[place]);
    }
    let (tree, other) = (PRIOR.0 / trees, PRIOR.1 / others);
    let (mut sum, mut all) = (0.0, 0.0);
    let anchor = columns[best];
    for place in 0..COUNT {
        if says[place] > 0.0 {
            let weight = decays[place] * if TREES[place] > 0.0 { tree } else { other };
            // Around the best one, so that an exact best stays exact.
            sum += weight * (columns[place] - anchor);
            all += weight;
        }
    }
    anchor + sum / all
}

/// Which columns are mixed, by [`Of`].
const ABLE: [[bool; COUNT]; 2] = {
    let mut able = [[true; COUNT]; 2];
    let mut place = 0;
    while place < COUNT {
        able[0][place] = !COLUMNS[place].1.is_fleet();
        place += 1;
    }
    able
};

/// One where a column needs a forest.
const TREES: [f64; COUNT] = {
    let mut trees = [0.0; COUNT];
    let mut place = 0;
    while place < COUNT {
        trees[place] = one(COLUMNS[place].1.is_tree());
        place += 1;
    }
    trees
};

const fn one(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

fn sharpness(full: f64, scored: f64) -> f64 {
    full * scored / (scored + HALF)
}

/// How much more than the best, as a share of it.
fn excess(loss: f64, best: f64) -> f64 {
    if best > 0.0 {
        (loss / best - 1.0).min(WORST)
    } else if loss > 0.0 {
        WORST
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
