//! One function's model: its window at the minute that has closed in, the answer for the span ahead out.
//! Pure. The same step runs live and in the walk over old data.

mod bet;
mod say;

use crate::calibration::{BandTrack, Track};
use crate::expert::{At, COUNT, EXPERTS, Expert};
use crate::features::Base;
use crate::gate::Gate;
use crate::history::Window;
use crate::recurring::Recurring;
use bet::Bet;
use forewarm_core::forecast::{Band, Distrust, Forecast, Trust};
use forewarm_core::units::{Demand, Percent, Seconds};
use say::Said;
use std::collections::VecDeque;

/// Minutes between two fits while walking over old data: each fit costs as much as hundreds of steps.
const REFIT_WALKING: i64 = 1440;

/// What one function's experts have learned and said.
#[derive(Debug)]
pub(crate) struct Model {
    minute: i64,
    horizon: i64,
    quantile: Percent,
    seed: u64,
    experts: Vec<Box<dyn Expert>>,
    tracks: [Track; COUNT],
    band: BandTrack,
    gate: Gate,
    recurring: Recurring,
    bets: VecDeque<Bet>,
    /// What is said at the present minute.
    said: Result<Said, Distrust>,
}

/// How well each expert has done on one function, for metrics and for whoever asks why.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Mean pinball loss of each expert at the wanted quantile, by name; half-life three days.
    pub losses: Vec<(&'static str, Option<f64>)>,
    /// The expert with the best record.
    pub chosen: &'static str,
    /// Why a baseline answers in its place. `None`: none does.
    pub demoted: Option<Distrust>,
    /// Share of spans whose peak lay at or below what was said.
    pub coverage: Option<f64>,
}

impl Model {
    /// A model that knows nothing, standing at `minute`.
    pub(crate) fn new(minute: i64, quantile: Percent, seed: u64) -> Self {
        Self {
            minute,
            horizon: 1,
            quantile,
            seed,
            experts: EXPERTS.iter().map(|entry| (entry.make)()).collect(),
            tracks: [Track::default(); COUNT],
            band: BandTrack::default(),
            gate: Gate::new(),
            recurring: Recurring::default(),
            bets: VecDeque::new(),
            said: Err(Distrust::TooLittleHistory),
        }
    }

    /// Walks over the minute ring up to the window's end: after it, theta, losses, coverage and gate are what
    /// they would be had the model run all the time.
    pub(crate) fn walk(&mut self, window: &Window<'_>, horizon: i64) {
        let t = window.until();
        let oldest = (window.reach()..t)
            .find(|minute| window.minute(*minute).is_some())
            .unwrap_or(t);
        for minute in oldest..t {
            let day_over = (minute - oldest) % REFIT_WALKING == REFIT_WALKING - 1;
            self.step(&window.at(minute), horizon, &mut if day_over { COUNT } else { 0 });
        }
        self.step(window, horizon, &mut { COUNT });
    }

    /// Moves on to the minute at the window's end: scores what has been said of it, learns from it, and says
    /// what comes. `refits` is how many costly fits may still be made; it is counted down.
    pub(crate) fn step(&mut self, window: &Window<'_>, horizon: i64, refits: &mut usize) {
        self.minute = window.until();
        self.horizon = horizon;
        self.settle_bets(window);
        let at = self.at(window);
        for expert in &mut self.experts {
            expert.fold(&at);
            if *refits > 0 && expert.refit_due(&at) {
                expert.refit(&at);
                *refits -= 1;
            }
        }
        self.gate.settle(&self.tracks, self.quantile);
        self.said = self.say(&at);
    }

    fn at<'a>(&self, window: &Window<'a>) -> At<'a> {
        At {
            window: *window,
            base: Base::of(window, self.horizon),
            horizon: self.horizon,
            quantile: self.quantile,
            seed: self.seed,
        }
    }

    /// Scores the bets whose span has ended and drops them, also those that a gap leaves without an outcome.
    fn settle_bets(&mut self, window: &Window<'_>) {
        while self.bets.front().is_some_and(|bet| bet.last_minute() <= self.minute) {
            let bet = self.bets.pop_front().expect("there is a front");
            self.score(&bet, window);
        }
    }

    fn score(&mut self, bet: &Bet, window: &Window<'_>) {
        if let Some(minute) = window.minute(bet.last_minute()) {
            self.band.score(bet.band, minute);
        }
        let Some(actual) = window.actual(bet.made + 1, bet.last_minute()) else {
            return;
        };
        for (track, stake) in self.tracks.iter_mut().zip(bet.stakes) {
            track.score(stake, actual, self.quantile);
        }
        self.recurring.score(&bet.due, bet.spoken, actual, self.quantile);
        self.gate.score(&bet.said, actual, self.quantile);
    }

    /// The answer as plan reads it.
    pub(crate) fn forecast(&self, horizon: Seconds) -> Forecast {
        self.said
            .and_then(|said| self.trusted(said, horizon))
            .unwrap_or_else(|why| Forecast {
                minute: self.minute,
                horizon,
                quantile: self.quantile,
                ..Forecast::none(why)
            })
    }

    fn trusted(&self, said: Said, horizon: Seconds) -> Result<Forecast, Distrust> {
        let amount = |x: f64| Demand::new(x).ok_or(Distrust::ModelFailed);
        Ok(Forecast {
            trust: Trust::Trusted,
            demoted: said.demoted,
            model: said.name.into(),
            minute: self.minute,
            horizon,
            quantile: self.quantile,
            point: amount(said.point)?,
            upper: amount(said.upper)?,
            expected_now: self.expected_now(),
            coverage: self.gate.coverage().and_then(percent),
        })
    }

    /// The band that was forecast for the minute now running.
    fn expected_now(&self) -> Option<Band> {
        let bet = self
            .bets
            .iter()
            .rev()
            .find(|bet| bet.last_minute() == self.minute + 1)?;
        let (lower, upper) = bet.band;
        Demand::new(lower)
            .zip(Demand::new(upper))
            .map(|(lower, upper)| Band { lower, upper })
    }

    /// Minute it stands at.
    pub(crate) const fn minute(&self) -> i64 {
        self.minute
    }

    /// Quantile it has learned for.
    pub(crate) const fn quantile(&self) -> Percent {
        self.quantile
    }

    /// Records of the experts.
    pub(crate) fn scores(&self) -> Scores {
        let losses = EXPERTS
            .iter()
            .zip(&self.tracks)
            .map(|(entry, track)| (entry.name, track.loss()));
        Scores {
            losses: losses.collect(),
            chosen: EXPERTS[self.gate.chosen()].name,
            demoted: self.gate.demoted(),
            coverage: self.gate.coverage(),
        }
    }
}

/// A share of one as whole percent. `None`: not a share.
fn percent(share: f64) -> Option<Percent> {
    // From float, `as` saturates and maps NaN to 0; std offers no other way.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = (share * 100.0).round() as u8;
    Percent::new(whole)
}

#[cfg(test)]
mod tests;
