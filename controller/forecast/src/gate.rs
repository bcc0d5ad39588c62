//! Gate: the experts' records in, who answers out, with the reason when it is not the best of them. Pure.
//!
//! The expert with the lowest recent pinball loss answers. Its answers are scored as they were given: while
//! they have lost more than seasonal-naive would have, or cover too little, the trailing peak stands in,
//! until they have recovered past a second, stricter line.

use crate::calibration::{Discounted, Track, pinball};
use crate::expert::{COUNT, SEASONAL_NAIVE, TRAILING};
use forewarm_core::forecast::Distrust;
use forewarm_core::units::Percent;

/// Scored minutes, the older ones discounted, before an expert may answer.
const ENOUGH: f64 = 60.0;
/// The same before an answer may be demoted.
const ENOUGH_TO_JUDGE: f64 = 120.0;
/// Another expert must lose this much less to take over: 3 %, below which choosing is noise.
const MARGIN: f64 = 0.97;
/// Demoted above this many times the loss of seasonal-naive, promoted again at or below it once.
const WORSE: f64 = 1.05;
/// A loss this small beside the demand is none: 1 % of it, so that an exact rival cannot demote for a rounding.
const SLIGHT: f64 = 0.01;
/// Demoted when coverage is this far below the quantile, promoted again within the smaller distance.
const UNDERCOVERS: (f64, f64) = (0.15, 0.08);

/// What was said of one span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uppers {
    /// By the expert with the best record, demoted or not.
    pub(crate) candidate: f64,
    /// By seasonal-naive.
    pub(crate) naive: f64,
    /// By whoever answered.
    pub(crate) published: f64,
}

/// Who answers for one function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    chosen: usize,
    demoted: Option<Distrust>,
    candidate_loss: Discounted,
    naive_loss: Discounted,
    candidate_covers: Discounted,
    published_covers: Discounted,
    usual: Discounted,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            chosen: TRAILING,
            demoted: Some(Distrust::TooLittleHistory),
            candidate_loss: Discounted::default(),
            naive_loss: Discounted::default(),
            candidate_covers: Discounted::default(),
            published_covers: Discounted::default(),
            usual: Discounted::default(),
        }
    }

    /// Scores what was said of a span that has ended.
    pub(crate) fn score(&mut self, said: &Uppers, actual: f64, quantile: Percent) {
        let covers = |upper: f64| if actual <= upper { 1.0 } else { 0.0 };
        let loss = |upper: f64| pinball(actual, upper, quantile.share());
        self.candidate_loss.push_day(loss(said.candidate));
        self.naive_loss.push_day(loss(said.naive));
        self.candidate_covers.push_day(covers(said.candidate));
        self.published_covers.push_day(covers(said.published));
        self.usual.push_day(actual);
    }

    /// Chooses again by the experts' records.
    pub(crate) fn settle(&mut self, tracks: &[Track; COUNT], quantile: Percent) {
        self.choose(tracks);
        self.demoted = if tracks[self.chosen].weight() < ENOUGH {
            Some(Distrust::TooLittleHistory)
        } else {
            self.worse().or_else(|| self.undercovers(quantile))
        };
    }

    fn choose(&mut self, tracks: &[Track; COUNT]) {
        let loss = |place: usize| {
            tracks[place]
                .loss()
                .filter(|_| tracks[place].weight() >= ENOUGH)
                .unwrap_or(f64::INFINITY)
        };
        let best = (0..COUNT)
            .min_by(|a, b| loss(*a).total_cmp(&loss(*b)))
            .unwrap_or(TRAILING);
        if loss(best) < MARGIN * loss(self.chosen) {
            self.chosen = best;
        }
    }

    fn worse(&self) -> Option<Distrust> {
        let reason = Distrust::WorseThanSeasonalNaive;
        let line = if self.demoted == Some(reason) { 1.0 } else { WORSE };
        let (mine, naive) = self.candidate_loss.mean().zip(self.naive_loss.mean())?;
        let slight = SLIGHT * self.usual.mean().unwrap_or(0.0);
        let another = self.chosen != SEASONAL_NAIVE;
        (another && self.can_judge() && mine > line * naive + slight).then_some(reason)
    }

    fn undercovers(&self, quantile: Percent) -> Option<Distrust> {
        let reason = Distrust::Undercovers;
        let (far, near) = UNDERCOVERS;
        let line = quantile.share() - if self.demoted == Some(reason) { near } else { far };
        (self.can_judge() && self.candidate_covers.mean()? < line).then_some(reason)
    }

    fn can_judge(&self) -> bool {
        self.candidate_loss.weight() >= ENOUGH_TO_JUDGE
    }

    /// The expert with the best record.
    pub(crate) const fn chosen(&self) -> usize {
        self.chosen
    }

    /// The baseline that answers for a demoted expert: seasonal-naive if its record is better than the
    /// trailing peak's, so that a demotion never costs the peak that both of them would have seen coming.
    pub(crate) fn stand_in(&self, tracks: &[Track; COUNT]) -> usize {
        let naive_leads = tracks[SEASONAL_NAIVE].loss() < tracks[TRAILING].loss();
        let known = self.demoted == Some(Distrust::WorseThanSeasonalNaive);
        if known && naive_leads { SEASONAL_NAIVE } else { TRAILING }
    }

    /// Why a baseline answers in its place. `None`: it does not.
    pub(crate) const fn demoted(&self) -> Option<Distrust> {
        self.demoted
    }

    /// Share of scored spans whose peak lay at or below what was said. `None`: fewer than 30 scored.
    pub(crate) fn coverage(&self) -> Option<f64> {
        (self.published_covers.weight() >= 30.0)
            .then(|| self.published_covers.mean())
            .flatten()
    }
}

#[cfg(test)]
mod tests;
