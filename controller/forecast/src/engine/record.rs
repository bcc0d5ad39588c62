//! Record: what each column has lost of late, and the mixtures that follow from it. Pure.
//!
//! Two memories: one of a day, apart for each [`Regime`], since who is good in a burst need not be good in silence;
//! and a short one of half an hour, for what has just changed. Each gives a mixture; the two are weighed by what they have lost.

use super::column::{COLUMNS, COUNT};
use super::exp;
use super::features::Regime;
use super::past::narrow;

/// Weight a loss keeps a minute: half after one day, half after half an hour.
const KEEP: f32 = 0.999_518_76;
const KEEP_SHORT: f32 = 0.977_16;
/// Sharpness of the weights: a column that lost 5 % more than the best of the day weighs e^-3 of it, of the last half
/// hour, of which there is less to go by, e^-2, and a mixture e^-5.
const SHARP: f32 = 60.0;
const SHARP_SHORT: f32 = 40.0;
const SHARP_BLEND: f32 = 100.0;
/// A column that lost this many times as much as the best is out, however much more it is.
const WORST: f32 = 50.0;
/// Scored minutes at which the weights are half as sharp, and those that the mean of all regimes is worth in one.
const HALF: f32 = 60.0;
const SHARED: f32 = 60.0;
/// Weight before anything is scored, shared by all trees and by all others.
const PRIOR: (f32, f32) = (1.0, 0.3);

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
    short: Tally,
    /// Of the mixture by the day and by the short memory, without and with the cluster's own forest.
    blends: [[f32; 2]; 2],
}

/// What the record makes of the columns: the mixture by the day, by the short memory, and of both; NaN where none can say.
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
    fn push(&mut self, keep: f32, losses: &[f32; COUNT]) {
        self.weight = self.weight * keep + 1.0;
        for (sum, loss) in self.loss.iter_mut().zip(losses) {
            *sum = *sum * keep + loss;
        }
    }
}

impl Record {
    /// The mixtures of the columns that can say: of those of a fresh install, and of all.
    pub(super) fn mix(&self, columns: &[f64; COUNT], regime: Regime) -> [Mixed; 2] {
        let (day, here) = (&self.day, &self.regimes[regime.place()]);
        let shared = if day.weight > 0.0 { SHARED / day.weight } else { 0.0 };
        let mut in_regime = here.loss;
        for (loss, of_day) in in_regime.iter_mut().zip(day.loss) {
            *loss += shared * of_day;
        }
        let scored = day.weight.min(here.weight + SHARED);
        let able = columns.map(f64::is_finite);
        let by_day = mixtures(columns, &able, &in_regime, sharpness(SHARP, scored));
        let sharp = sharpness(SHARP_SHORT, self.short.weight);
        let by_short = mixtures(columns, &able, &self.short.loss, sharp);
        [Of::Prior, Of::All].map(|of| self.blend(of, [by_day[of.place()], by_short[of.place()]]))
    }

    /// Both mixtures, weighed by what they have lost.
    fn blend(&self, of: Of, by: [f64; 2]) -> Mixed {
        let lost = self.blends[of.place()];
        let best = usize::from(lost[1] < lost[0]);
        let [other] = exp::of([-sharpness(SHARP_BLEND, self.day.weight) * excess(lost[1 - best], lost[best])]);
        let both = by[best] + (by[1 - best] - by[best]) * f64::from(other / (1.0 + other));
        Mixed { by, both }
    }

    /// Takes in what every column and both mixtures, without and with the cluster's own forest, have lost.
    pub(super) fn push(&mut self, regime: Regime, losses: &[f32; COUNT], blends: [[f64; 2]; 2]) {
        self.day.push(KEEP, losses);
        self.regimes[regime.place()].push(KEEP, losses);
        self.short.push(KEEP_SHORT, losses);
        for (sum, loss) in self.blends.iter_mut().flatten().zip(blends.iter().flatten()) {
            *sum = *sum * KEEP + narrow(*loss);
        }
    }

    /// Gives one column the losses of others, the least of them in each memory.
    pub(super) fn inherit(&mut self, place: usize, from: &[usize]) {
        let tallies = [&mut self.day, &mut self.short].into_iter().chain(&mut self.regimes);
        for tally in tallies {
            let least = from.iter().map(|from| tally.loss[*from]).reduce(f32::min);
            tally.loss[place] = least.unwrap_or(tally.loss[place]);
        }
        self.blends[Of::All.place()] = self.blends[Of::Prior.place()];
    }

    /// See [`super::Ahead::fetch`].
    pub(super) fn fetch(&self) -> f32 {
        let tallies = [&self.day, &self.short].into_iter().chain(&self.regimes);
        tallies.map(|tally| tally.loss[0]).sum()
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
/// Exponentiated weights `prior * exp(-sharp * r)`, `r` = how much more a column has lost than the best.
fn mixtures(columns: &[f64; COUNT], able: &[bool; COUNT], lost: &[f32; COUNT], sharp: f32) -> [f64; 2] {
    let of_fresh = best([0..FLEET.start, FLEET.end..COUNT].into_iter().flatten(), able, lost);
    let of_all = best(of_fresh.into_iter().chain(FLEET), able, lost);
    let Some(of_all) = of_all else {
        return [f64::NAN; 2];
    };
    let weighed = Weighed::of(columns, able, of_all, decays(lost, of_all, sharp));
    let all = weighed.mean(FLEET.end);
    let fresh = match of_fresh {
        None => f64::NAN,
        // Most often the best is the same, and the decays, which cost most, are so too.
        Some(best) if best == of_all => weighed.mean(FLEET.start),
        Some(best) => Weighed::of(columns, able, best, decays(lost, best, sharp)).mean(FLEET.start),
    };
    [fresh, all]
}

/// Of these columns the one that can say and has lost least. `None`: none can.
fn best(of: impl Iterator<Item = usize>, able: &[bool; COUNT], lost: &[f32; COUNT]) -> Option<usize> {
    let mut best = None;
    for place in of {
        if able[place] && best.is_none_or(|best: usize| lost[place] < lost[best]) {
            best = Some(place);
        }
    }
    best
}

/// What is left of each column's weight after what it has lost more than the best.
fn decays(lost: &[f32; COUNT], best: usize, sharp: f32) -> [f32; COUNT] {
    let least = lost[best];
    if least <= 0.0 {
        return exp::of(lost.map(|lost| -sharp * excess(lost, least)));
    }
    let by = sharp / least;
    let mut exponents = [0.0; COUNT];
    for place in 0..COUNT {
        let more = by * (lost[place] - least);
        exponents[place] = -if more < sharp * WORST { more } else { sharp * WORST };
    }
    exp::of(exponents)
}

/// Columns and their weights, around the best one, so that an exact best stays exact.
struct Weighed {
    anchor: f64,
    weights: [f32; COUNT],
    /// Weight times distance from the best.
    moves: [f32; COUNT],
}

impl Weighed {
    fn of(columns: &[f64; COUNT], able: &[bool; COUNT], best: usize, decays: [f32; COUNT]) -> Self {
        let anchor = columns[best];
        let (mut weights, mut moves) = ([0.0; COUNT], [0.0; COUNT]);
        for place in 0..COUNT {
            let weight = if able[place] { decays[place] } else { 0.0 };
            let away = if able[place] { columns[place] - anchor } else { 0.0 };
            weights[place] = weight;
            moves[place] = weight * narrow(away);
        }
        Self { anchor, weights, moves }
    }

    /// The mean of the trees before place `end` and of all others, both sharing their weight before anything is scored.
    fn mean(&self, end: usize) -> f64 {
        let says = |of: &[f32]| f32::from(of.iter().map(|weight| u8::from(*weight > 0.0)).sum::<u8>()).max(1.0);
        let (trees, others) = (&self.weights[..end], &self.weights[FLEET.end..]);
        let (tree, other) = (PRIOR.0 / says(trees), PRIOR.1 / says(others));
        let sum = |trees: &[f32], others: &[f32]| tree * trees.iter().sum::<f32>() + other * others.iter().sum::<f32>();
        let moved = sum(&self.moves[..end], &self.moves[FLEET.end..]);
        self.anchor + f64::from(moved / sum(trees, others))
    }
}

/// Places of the columns that need the cluster's own forest: after those of the shipped one, before all others.
const FLEET: std::ops::Range<usize> = {
    let (mut start, mut end, mut place) = (COUNT, 0, 0);
    while place < COUNT {
        let source = COLUMNS[place].1;
        if source.is_fleet() {
            start = if end == 0 { place } else { start };
            end = place + 1;
        }
        assert!(source.is_fleet() || source.is_tree() == (end == 0), "in this order");
        place += 1;
    }
    start..end
};

/// Less sharp while few minutes are scored: `full * n/(n+60)`.
fn sharpness(full: f32, scored: f32) -> f32 {
    full * scored / (scored + HALF)
}

/// How much more than the best, as a share of it.
fn excess(loss: f32, best: f32) -> f32 {
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
