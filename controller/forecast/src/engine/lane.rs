//! Lane: one function, one span, one quantile. Guesses in, an upper quantile of each column and their mixture
//! out; what came in, theta, losses and coverage moved on. Pure.

use super::column::{COLUMNS, COUNT, SEASONAL, Source, TRAILING_DAY, Tree};
use super::features::{Amounts, Base, Regime};
use super::past::narrow;
use super::record::Record;
use super::windows::is_near;

/// Weight that coverage keeps a minute: half after one day.
const KEEP: f64 = 0.999_518_763_622_666_2;
/// Smallest and largest move of an expert's theta, its range, and the move of a tree's.
const GAIN: (f64, f64) = (0.1, 0.4);
const RANGE: (f64, f64) = (-3.0, 30.0);
/// The least move where the scale is the root of the point, which changes less.
const ROOT_GAIN: f64 = 0.05;
/// The least move where the scale is that of the whole day, which hardly changes.
const LONG_GAIN: f64 = 0.03;
const TREE_GAIN: f64 = 0.02;
const TREE_RANGE: (f64, f64) = (-3.0, 3.0);
/// Half a call.
const HALF: f64 = 0.5;
/// A column that could not say is scored as the mixture was, and a little more.
const SILENT: f64 = 1.05;

/// What was said of one span at one quantile; NaN where a column could not say.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub(crate) columns: [f32; COUNT],
    /// Place of a column that gave a number that is not finite. `None`: all are sound.
    pub broken: Option<u8>,
    /// The mixture without the cluster's own forest: what a fresh install says.
    pub prior: f64,
    /// The mixture of all columns.
    pub mixture: f64,
    /// Both mixtures, by the record of the day and by the short one.
    by: [[f64; 2]; 2],
    regime: Regime,
}

impl Said {
    /// What one column said, by its place in [`super::column::names`].
    pub fn column(&self, place: usize) -> f64 {
        f64::from(self.columns[place])
    }

    /// See [`super::Ahead::fetch`].
    pub(super) fn fetch(&self) -> f32 {
        self.columns[0] + narrow(self.mixture)
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
    scored: [u16; COUNT],
    record: Record,
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
            scored: [0; COUNT],
            record: Record::default(),
            covered: 0.0,
        }
    }

    /// A forest learned from the cluster begins with the record of the shipped one: with none it would have to
    /// earn for a day what the other has earned already.
    pub(crate) fn welcome_fleet(&mut self) {
        self.theta[3] = self.theta[1];
        self.record.inherit(2, &[0]);
        self.record.inherit(3, &[1]);
        self.record.inherit(4, &[0, 1]);
    }

    /// Whether the cluster's own forest has lost less than the shipped one.
    pub(crate) fn fleet_leads(&self) -> bool {
        self.least(&[2, 3, 4]) < self.least(&[0, 1])
    }

    fn least(&self, places: &[usize]) -> f64 {
        let lost = places.iter().map(|place| self.record.lost(*place));
        lost.fold(f64::INFINITY, f64::min)
    }

    /// See [`super::Ahead::fetch`].
    pub(super) fn fetch(&self) -> f32 {
        self.theta[0] + f32::from(self.scored[0]) + self.record.fetch()
    }

    /// The wanted quantile.
    pub(crate) const fn quantile(&self) -> f64 {
        self.quantile
    }

    /// Share of scored spans at or below what was said, recent ones counting more. `None`: fewer than 30.
    pub(crate) fn coverage(&self) -> Option<f64> {
        let weight = self.record.weight();
        (weight >= 30.0).then(|| self.covered / weight)
    }

    /// How many scored minutes the losses stand for.
    pub(crate) fn weight(&self) -> f64 {
        self.record.weight()
    }

    /// Discounted mean loss of a column.
    pub(crate) fn loss(&self, place: usize) -> Option<f64> {
        let weight = self.record.weight();
        (weight > 0.0).then(|| self.record.lost(place) / weight)
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
                Source::Root(expert) => moved(guesses.points[expert], guesses.points[expert].max(1.0).sqrt()),
            };
            // A number that is not finite is no answer, whoever gave it; NaN is "cannot say".
            if upper.is_finite() {
                columns[place] = upper;
            } else if upper.is_infinite() {
                broken = broken.or(u8::try_from(place).ok());
            }
        }
        let mixed = self.record.mix(&columns, base.regime);
        let [prior, mixture] =
            mixed.map(|mixed| self.answer(mixed.both, columns[TRAILING_DAY], guesses.points[SEASONAL], base));
        let mut narrowed = [f32::NAN; COUNT];
        for (narrowed, column) in narrowed.iter_mut().zip(columns) {
            *narrowed = narrow(column);
        }
        Said {
            columns: narrowed,
            broken,
            prior,
            mixture,
            by: mixed.map(|mixed| mixed.by),
            regime: base.regime,
        }
    }

    /// What is said: the mixture as far as it can come. Of a flat function the quantile of its day: what little comes above
    /// it and did not come at this time before has no order that a day of minutes would tell, and whoever followed it was
    /// always late. `seasonal`: what came at this time before; where that is more, or the day's quantile is another amount
    /// than its minutes have, as that of long spans may be, the mixture is heard.
    fn answer(&self, mixture: f64, of_day: f64, seasonal: f64, base: &Base) -> f64 {
        let comes = seasonal > of_day + HALF;
        if base.amounts == Amounts::Flat && is_near(base.level, of_day) && !comes {
            of_day
        } else {
            self.possible(mixture, base.amounts)
        }
    }

    /// What can come, near an amount; NaN of NaN.
    ///
    /// There is no half a call, and where most minutes have none a half says "one or none". Elsewhere a part below a half
    /// is left out: among whole numbers as many lie at or below 2 as at or below 2.4, so it covers no more and only costs.
    /// The rest of a part stays, since two for 1.6 would cover more than was asked for.
    fn possible(&self, amount: f64, amounts: Amounts) -> f64 {
        let whole = amount.floor();
        match amounts {
            Amounts::Whole | Amounts::Flat if amount - whole < HALF => whole,
            Amounts::Any | Amounts::Whole | Amounts::Flat => amount,
            Amounts::Seldom => (amount + 1.0 - self.up_from()).floor(),
        }
    }

    /// The part of a call from which it is one: a half up to the 0.8 quantile, as a pod is held from half a call on; less
    /// for a higher one, to which a call too few is dearer.
    fn up_from(&self) -> f64 {
        HALF - (self.quantile - 0.8).max(0.0)
    }

    /// Learns from what came of what was said.
    pub(crate) fn score(&mut self, said: &Said, actual: f64) {
        let miss = 1.0 - self.quantile;
        let lost = |upper: f64| pinball(actual, upper, self.quantile);
        let silent = narrow(SILENT * lost(said.mixture));
        let (came, up, down) = (narrow(actual), narrow(self.quantile), narrow(-miss));
        let mut losses = [silent; COUNT];
        for (loss, upper) in losses.iter_mut().zip(said.columns) {
            let short = came - upper;
            let lost = short * if short > 0.0 { up } else { down };
            *loss = if upper.is_nan() { *loss } else { lost };
        }
        let by = said.by.map(|by| by.map(lost));
        self.record.push(said.regime, &losses, by);
        self.covered = self.covered * KEEP + if actual <= said.mixture { 1.0 } else { 0.0 };
        for (place, (_, source)) in COLUMNS.iter().enumerate() {
            let upper = said.column(place);
            // Zero said and zero seen says nothing about the spread.
            if upper.is_nan() || (actual <= 0.0 && upper <= 0.0) {
                continue;
            }
            let step = if actual > upper { 1.0 - miss } else { -miss };
            let (gain, range) = match source {
                Source::Tracked(_) => (TREE_GAIN, TREE_RANGE),
                Source::Local(_) => (self.gain(place, GAIN.0), RANGE),
                Source::Long(_) => (self.gain(place, LONG_GAIN), RANGE),
                Source::Root(_) => (self.gain(place, ROOT_GAIN), RANGE),
                Source::Tree(_) | Source::Between | Source::Own(_) => continue,
            };
            let theta = f64::from(self.theta[place]) + gain * step;
            self.theta[place] = narrow(theta.clamp(range.0, range.1));
        }
    }

    fn gain(&mut self, place: usize, least: f64) -> f64 {
        self.scored[place] = self.scored[place].saturating_add(1);
        let scored = f64::from(self.scored[place]) + 2.0;
        // From here on the root is small enough: most minutes need none.
        if scored * least * least >= 1.0 {
            return least;
        }
        scored.sqrt().recip().clamp(least, GAIN.1)
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

#[cfg(test)]
mod tests;
