//! Lane: one function, one span, one quantile. Guesses in, an upper quantile of each column and their mixture
//! out; what came in, theta, losses and coverage moved on. Pure.

use super::column::{COLUMNS, COUNT, Source, Tree};
use super::features::Base;
use super::past::narrow;

/// Weight a loss keeps a minute: half after one day.
const KEEP: f64 = 0.999_518_763_622_666_2;
/// Sharpness of the weights: a column that lost 5 % more than the best weighs e^-2 of it.
const SHARP: f64 = 40.0;
/// A column that lost this many times as much as the best is out, however much more it is.
const WORST: f64 = 50.0;
/// Scored minutes at which the weights are half as sharp.
const HALF: f64 = 60.0;
/// Weight before anything is scored, shared by all trees and by all others.
const PRIOR: (f64, f64) = (1.0, 0.3);
/// Smallest and largest move of an expert's theta, its range, and the move of a tree's.
const GAIN: (f64, f64) = (0.1, 0.4);
const RANGE: (f64, f64) = (-3.0, 30.0);
const TREE_GAIN: f64 = 0.02;
const TREE_RANGE: (f64, f64) = (-3.0, 3.0);
/// A column that could not say is scored as the mixture was, and a little more.
const SILENT: f64 = 1.05;

/// What was said of one span at one quantile; NaN where a column could not say.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub(crate) columns: [f64; COUNT],
    /// Place of a column that gave a number that is not finite. `None`: all are sound.
    pub broken: Option<usize>,
    /// The mixture without the cluster's own forest: what a fresh install says.
    pub prior: f64,
    /// The mixture of all columns.
    pub mixture: f64,
}

impl Said {
    /// What one column said, by its place in [`super::column::names`].
    pub fn column(&self, place: usize) -> f64 {
        self.columns[place]
    }
}

/// What a lane starts from at one minute: points of the experts, their own quantiles, the forests' quantiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guesses {
    pub(crate) points: [f64; super::expert::COUNT],
    pub(crate) owns: [f64; super::expert::COUNT],
    pub(crate) prior: f64,
    pub(crate) fleet: f64,
}

/// What one quantile has learned.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    quantile: f64,
    theta: [f32; COUNT],
    scored: [f32; COUNT],
    loss: [f64; COUNT],
    weight: f64,
    covered: f64,
}

/// Pinball loss of an upper quantile: `share` a unit short, `1 - share` a unit over.
pub fn pinball(actual: f64, upper: f64, share: f64) -> f64 {
    let short = actual - upper;
    if short > 0.0 {
        share * short
    } else {
        (share - 1.0) * short
    }
}

impl Lane {
    pub(crate) fn new(quantile: f64) -> Self {
        let start = narrow(start(quantile));
        let theta = COLUMNS.map(|(_, source)| if source.is_tree() { 0.0 } else { start });
        Self {
            quantile,
            theta,
            scored: [0.0; COUNT],
            loss: [0.0; COUNT],
            weight: 0.0,
            covered: 0.0,
        }
    }

    /// A forest learned from the cluster begins with the record of the shipped one: with none it would have to
    /// earn for a day what the other has earned already.
    pub(crate) fn welcome_fleet(&mut self) {
        self.theta[3] = self.theta[1];
        (self.loss[2], self.loss[3]) = (self.loss[0], self.loss[1]);
        self.loss[4] = self.loss[0].min(self.loss[1]);
    }

    /// Whether the cluster's own forest has lost less than the shipped one.
    pub(crate) fn fleet_leads(&self) -> bool {
        self.loss[2].min(self.loss[3]).min(self.loss[4]) < self.loss[0].min(self.loss[1])
    }

    /// The wanted quantile.
    pub(crate) const fn quantile(&self) -> f64 {
        self.quantile
    }

    /// Share of scored spans at or below what was said, recent ones counting more. `None`: fewer than 30.
    pub(crate) fn coverage(&self) -> Option<f64> {
        (self.weight >= 30.0).then(|| self.covered / self.weight)
    }

    /// How many scored minutes the losses stand for.
    pub(crate) const fn weight(&self) -> f64 {
        self.weight
    }

    /// Discounted mean loss of a column.
    pub(crate) fn loss(&self, place: usize) -> Option<f64> {
        (self.weight > 0.0).then(|| self.loss[place] / self.weight)
    }

    /// What each column and the mixtures say.
    pub(crate) fn say(&self, guesses: &Guesses, base: &Base) -> Said {
        let mut columns = [f64::NAN; COUNT];
        let mut broken = None;
        for (place, (_, source)) in COLUMNS.iter().enumerate() {
            let theta = f64::from(self.theta[place]);
            let moved = |point: f64, scale: f64| at_least_zero(point + theta * scale);
            let upper = match *source {
                Source::Tree(tree) => guesses.tree(tree),
                Source::Tracked(tree) => moved(guesses.tree(tree), base.scale),
                Source::Between => f64::midpoint(columns[1], columns[3]),
                Source::Own(expert) => guesses.owns[expert],
                Source::Local(expert) => moved(guesses.points[expert], base.scale),
                Source::Long(expert) => moved(guesses.points[expert], base.long),
            };
            // A number that is not finite is no answer, whoever gave it; NaN is "cannot say".
            if upper.is_finite() {
                columns[place] = upper;
            } else if upper.is_infinite() {
                broken = broken.or(Some(place));
            }
        }
        Said {
            columns,
            broken,
            prior: self.mix(&columns, |source| !source.is_fleet()),
            mixture: self.mix(&columns, |_| true),
        }
    }

    /// Weighted mean by recent loss of the columns that can say; NaN when none can.
    ///
    /// Exponentiated weights `prior * exp(-40 * r * n/(n+60))`, `r` = how much more a column has lost than the best.
    fn mix(&self, columns: &[f64; COUNT], of: impl Fn(Source) -> bool) -> f64 {
        let able = |place: &usize| of(COLUMNS[*place].1) && columns[*place].is_finite();
        let count = |tree: bool| {
            let of_kind = (0..COUNT).filter(|place| able(place) && COLUMNS[*place].1.is_tree() == tree);
            super::past::number(of_kind.count())
        };
        let shares = (PRIOR.0 / count(true), PRIOR.1 / count(false));
        let Some(best) = (0..COUNT)
            .filter(able)
            .min_by(|a, b| self.loss[*a].total_cmp(&self.loss[*b]))
        else {
            return f64::NAN;
        };
        let sharp = SHARP * self.weight / (self.weight + HALF);
        let (mut sum, mut all) = (0.0, 0.0);
        let anchor = columns[best];
        for place in (0..COUNT).filter(able) {
            let prior = if COLUMNS[place].1.is_tree() { shares.0 } else { shares.1 };
            let weight = prior * (-sharp * excess(self.loss[place], self.loss[best])).exp();
            // Around the best one, so that an exact best stays exact.
            sum += weight * (columns[place] - anchor);
            all += weight;
        }
        anchor + sum / all
    }

    /// Learns from what came of what was said.
    pub(crate) fn score(&mut self, said: &Said, actual: f64) {
        let miss = 1.0 - self.quantile;
        let silent = SILENT * pinball(actual, said.mixture, self.quantile);
        self.weight = self.weight * KEEP + 1.0;
        self.covered = self.covered * KEEP + if actual <= said.mixture { 1.0 } else { 0.0 };
        for (place, (_, source)) in COLUMNS.iter().enumerate() {
            let upper = said.columns[place];
            let loss = if upper.is_nan() {
                silent
            } else {
                pinball(actual, upper, self.quantile)
            };
            self.loss[place] = self.loss[place] * KEEP + loss;
            // Zero said and zero seen says nothing about the spread.
            if upper.is_nan() || (actual <= 0.0 && upper <= 0.0) {
                continue;
            }
            let step = if actual > upper { 1.0 - miss } else { -miss };
            let (gain, range) = match source {
                Source::Tracked(_) => (TREE_GAIN, TREE_RANGE),
                Source::Local(_) | Source::Long(_) => (self.gain(place), RANGE),
                Source::Tree(_) | Source::Between | Source::Own(_) => continue,
            };
            let theta = f64::from(self.theta[place]) + gain * step;
            self.theta[place] = narrow(theta.clamp(range.0, range.1));
        }
    }

    fn gain(&mut self, place: usize) -> f64 {
        self.scored[place] += 1.0;
        (f64::from(self.scored[place]) + 2.0)
            .sqrt()
            .recip()
            .clamp(GAIN.0, GAIN.1)
    }
}

impl Guesses {
    fn tree(&self, tree: Tree) -> f64 {
        match tree {
            Tree::Prior => self.prior,
            Tree::Fleet => self.fleet,
        }
    }
}

/// An amount; NaN stays NaN, which `f64::max` would make a zero.
pub(crate) fn at_least_zero(amount: f64) -> f64 {
    if amount < 0.0 { 0.0 } else { amount }
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

/// Theta before anything is scored: about the quantile of a normal error.
fn start(quantile: f64) -> f64 {
    match quantile {
        q if q >= 0.985 => 2.3,
        q if q >= 0.94 => 1.5,
        q if q >= 0.88 => 1.25,
        q if q >= 0.78 => 0.84,
        q if q >= 0.60 => 0.4,
        _ => 0.0,
    }
}
