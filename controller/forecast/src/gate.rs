//! Gate: the records of the mixture and of two floors without a model in, who answers out, with the reason when it
//! is not the mixture. Pure.
//!
//! Answers are scored as they were given: while the mixture's have lost more than the better of seasonal-naive and
//! the trailing peak would have, that floor stands in; while they cover too little, the trailing peak does; until
//! they have recovered past a second, stricter line.

use crate::engine::pinball;
use forewarm_core::forecast::Distrust;
use forewarm_core::units::Percent;

/// Scored minutes, the older ones discounted, before the mixture may answer.
const ENOUGH: f64 = 30.0;
/// The same before an answer may be demoted.
const ENOUGH_TO_JUDGE: f64 = 120.0;
/// Demoted above this many times the loss of the better floor, promoted again at or below it once.
const WORSE: f64 = 1.05;
/// A loss this small beside the demand is none: 1 % of it, so that an exact rival cannot demote for a rounding.
const SLIGHT: f64 = 0.01;
/// Demoted when coverage is this far below the quantile, promoted again within the smaller distance.
const UNDERCOVERS: (f64, f64) = (0.15, 0.08);
/// Weight that a scored minute keeps for the next: half of it after one day, `0.5^(1/1440)`.
const KEEP: f64 = 0.999_518_763_622_666_2;

/// What was said of one span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uppers {
    /// By the mixture, demoted or not.
    pub(crate) candidate: f64,
    /// By seasonal-naive.
    pub(crate) naive: f64,
    /// By the trailing peak.
    pub(crate) trailing: f64,
    /// By whoever answered.
    pub(crate) published: f64,
}

/// Discounted sums over the scored minutes.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    weight: f64,
    candidate: f64,
    naive: f64,
    trailing: f64,
    candidate_covers: f64,
    published_covers: f64,
    usual: f64,
}

/// Who answers for one function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    demoted: Option<Distrust>,
    sums: Sums,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            demoted: Some(Distrust::TooLittleHistory),
            sums: Sums::default(),
        }
    }

    /// Scores what was said of a span that has ended.
    pub(crate) fn score(&mut self, said: &Uppers, actual: f64, quantile: Percent) {
        let covers = |upper: f64| if actual <= upper { 1.0 } else { 0.0 };
        let loss = |upper: f64| pinball(actual, upper, quantile.share());
        let add = |sum: &mut f64, value: f64| *sum = *sum * KEEP + value;
        let sums = &mut self.sums;
        add(&mut sums.weight, 1.0);
        add(&mut sums.candidate, loss(said.candidate));
        add(&mut sums.naive, loss(said.naive));
        add(&mut sums.trailing, loss(said.trailing));
        add(&mut sums.candidate_covers, covers(said.candidate));
        add(&mut sums.published_covers, covers(said.published));
        add(&mut sums.usual, actual);
    }

    /// Chooses again by the records.
    pub(crate) fn settle(&mut self, quantile: Percent) {
        self.demoted = if self.sums.weight < ENOUGH {
            Some(Distrust::TooLittleHistory)
        } else {
            self.worse().or_else(|| self.undercovers(quantile))
        };
    }

    /// Worse than the floor that has lost less.
    fn worse(&self) -> Option<Distrust> {
        let Sums { naive, trailing, .. } = self.sums;
        let (reason, floor) = if naive < trailing {
            (Distrust::WorseThanSeasonalNaive, naive)
        } else {
            (Distrust::WorseThanTrailingPeak, trailing)
        };
        let lost = [Distrust::WorseThanSeasonalNaive, Distrust::WorseThanTrailingPeak].map(Some);
        let line = if lost.contains(&self.demoted) { 1.0 } else { WORSE };
        let worse = self.sums.candidate > line * floor + SLIGHT * self.sums.usual;
        (self.can_judge() && worse).then_some(reason)
    }

    fn undercovers(&self, quantile: Percent) -> Option<Distrust> {
        let reason = Distrust::Undercovers;
        let (far, near) = UNDERCOVERS;
        let line = quantile.share() - if self.demoted == Some(reason) { near } else { far };
        (self.can_judge() && self.sums.candidate_covers / self.sums.weight < line).then_some(reason)
    }

    fn can_judge(&self) -> bool {
        self.sums.weight >= ENOUGH_TO_JUDGE
    }

    /// Why a floor without a model answers in place of the mixture. `None`: it does not.
    pub(crate) const fn demoted(&self) -> Option<Distrust> {
        self.demoted
    }

    /// Share of scored spans whose peak lay at or below what was said. `None`: fewer than 30 scored.
    pub(crate) fn coverage(&self) -> Option<f64> {
        (self.sums.weight >= 30.0).then(|| self.sums.published_covers / self.sums.weight)
    }
}

#[cfg(test)]
mod tests;
