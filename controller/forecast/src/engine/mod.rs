//! Engine: the model of one function. One closed minute after the other in, the upper quantile of what comes
//! over each span ahead out. Pure; the same step learns, runs live and replays.
//!
//! ```text
//!   past ─► windows ─► features ─► trees (prior, fleet) ─┐
//!     └───► experts ─► points ──────────────────────────►├─► lane: theta, losses ─► mixture
//!                                                        │       one a quantile
//!                what came of what was said h minutes ago ┘
//! ```

mod column;
mod errors;
mod exp;
mod expert;
mod features;
mod lane;
mod past;
mod record;
mod scratch;
mod seek;
mod span;
mod sums;
mod windows;

pub use column::names;
pub use features::{Base, NAMES, Row, WIDTH};
pub use lane::{Said, pinball};
pub use past::{Past, Series};
pub use scratch::Scratch;
pub use span::{Span, Target};

use crate::tree::{ByQuantile, Forest};
use errors::Errors;
use expert::{At, EXPERTS, Expert, Experts};
use features::day_moves;
use lane::{Guesses, Lane};
pub(crate) use past::{narrow, number, quantile};
use scratch::{Minutes, Room};
use std::collections::VecDeque;
use sums::moves;
use windows::{Seen, Windows};

/// The forests in use. Without any, the experts answer alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Models<'a> {
    /// The shipped one.
    pub prior: Option<&'a ByQuantile>,
    /// The one learned from the cluster's own functions.
    pub fleet: Option<&'a ByQuantile>,
}

/// What came of what was said of one span at one quantile.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Place of the span.
    pub span: usize,
    /// Place of the quantile.
    pub quantile: usize,
    /// The minute at which it was said.
    pub made: i64,
    /// What came.
    pub actual: f64,
    /// What was said.
    pub said: &'a Said,
    /// Points of the experts, in the order of [`expert_names`].
    pub points: &'a [f64],
}

/// Names of the experts.
pub fn expert_names() -> impl Iterator<Item = &'static str> {
    EXPERTS.into_iter()
}

/// The model of one function.
#[derive(Debug)]
pub struct Engine {
    windows: Windows,
    quantiles: Box<[f64]>,
    ahead: Vec<Ahead>,
    has_fleet: bool,
    trailing_peak: Option<f64>,
}

/// One span's part of it.
#[derive(Debug)]
struct Ahead {
    span: Span,
    errors: Errors,
    long: f32,
    /// `None`: only rows of features are wanted.
    experts: Option<Experts>,
    lanes: Vec<Lane>,
    bets: VecDeque<Bet>,
    /// What was said at each minute of the bets, as many as there are lanes.
    said: VecDeque<Said>,
    now: Option<(Row, Base)>,
}

/// What is known at one minute of what was said then, until its span ends.
#[derive(Debug)]
struct Bet {
    made: i64,
    level: f64,
    scale: f64,
    points: [f64; expert::COUNT],
}

impl Engine {
    /// A model that knows nothing, for these spans and quantiles (shares in (0, 1)).
    pub fn new(spans: &[Span], quantiles: &[f64]) -> Self {
        let ahead = |span: &Span| Ahead {
            span: *span,
            errors: Errors::new(),
            long: f32::NAN,
            experts: Some(Experts::new(quantiles)),
            lanes: quantiles.iter().map(|quantile| Lane::new(*quantile)).collect(),
            bets: VecDeque::with_capacity(span.length()),
            said: VecDeque::with_capacity(span.length() * quantiles.len()),
            now: None,
        };
        Self {
            windows: Windows::new(),
            quantiles: quantiles.into(),
            ahead: spans.iter().map(ahead).collect(),
            has_fleet: false,
            trailing_peak: None,
        }
    }

    /// One that only computes rows of features: no experts, nothing said.
    pub fn for_rows(spans: &[Span]) -> Self {
        let mut engine = Self::new(spans, &[]);
        engine.ahead.iter_mut().for_each(|ahead| ahead.experts = None);
        engine
    }

    /// Moves on to minute `t`: scores what was said of the spans that have ended, learns, and says what comes.
    ///
    /// `past` must show nothing later than `t`. `heard` is told of every scored span. Minutes must come in order.
    pub fn step(
        &mut self,
        past: &dyn Past,
        t: i64,
        models: Models<'_>,
        scratch: &mut Scratch,
        mut heard: impl FnMut(Heard<'_>),
    ) {
        if models.fleet.is_some() && !self.has_fleet {
            let lanes = self.ahead.iter_mut().flat_map(|ahead| &mut ahead.lanes);
            lanes.for_each(Lane::welcome_fleet);
        }
        self.has_fleet = models.fleet.is_some();
        std::hint::black_box(self.ahead.iter().map(|ahead| ahead.fetch(t)).sum::<f32>());
        let slow = self.windows.is_slow(t);
        let ahead = self.ahead.iter().map(|ahead| ahead.span.h).max().unwrap_or(0);
        scratch.minutes.read(past, t, ahead, slow);
        let seen = self.windows.fold(t, &scratch.minutes, &mut scratch.room);
        self.trailing_peak = seen.map(|seen| seen.q90_60);
        for (place, ahead) in self.ahead.iter_mut().enumerate() {
            let actual = ahead.span.actual(past, t);
            ahead.settle(t, actual, place, &mut heard);
            ahead.say(
                (past, &self.quantiles),
                (t, actual, slow),
                models,
                seen.as_ref(),
                scratch,
            );
        }
    }

    /// What is said now of one span at one quantile. `None`: nothing, for nothing is known.
    pub fn said(&self, span: usize, quantile: usize) -> Option<&Said> {
        let ahead = &self.ahead[span];
        ahead.now.as_ref()?;
        let newest = ahead.said.len().checked_sub(ahead.lanes.len())?;
        ahead.said.get(newest + quantile)
    }

    /// The row of features of now and the base it is normalised by. `None`: nothing is known.
    pub fn row(&self, span: usize) -> Option<(&Row, &Base)> {
        self.ahead[span].now.as_ref().map(|(row, base)| (row, base))
    }

    /// The trailing peak: nine in ten minutes of the last hour lie at or below. `None`: nothing is known.
    pub fn trailing_peak(&self) -> Option<f64> {
        self.trailing_peak
    }

    /// What the level expert expects of one span. NaN: it cannot say.
    pub(crate) fn level(&self, span: usize) -> f64 {
        let bet = self.ahead[span].bets.back();
        bet.map_or(f64::NAN, |bet| bet.points[column::LEVEL])
    }

    /// Discounted mean loss of each column, by name. `None`: nothing scored yet.
    pub fn losses(&self, span: usize, quantile: usize) -> Vec<(&'static str, Option<f64>)> {
        let lane = &self.ahead[span].lanes[quantile];
        names()
            .enumerate()
            .map(|(place, name)| (name, lane.loss(place)))
            .collect()
    }

    /// Whether the cluster's own forest has lost less than the shipped one. `None`: it is not in use.
    pub(crate) fn fleet_leads(&self, span: usize, quantile: usize) -> Option<bool> {
        self.has_fleet.then(|| self.ahead[span].lanes[quantile].fleet_leads())
    }

    /// How many scored minutes, older ones discounted, one quantile has learned from.
    pub fn weight(&self, span: usize, quantile: usize) -> f64 {
        self.ahead[span].lanes[quantile].weight()
    }

    /// Share of scored spans that lay at or below what was said. `None`: too few scored.
    pub fn coverage(&self, span: usize, quantile: usize) -> Option<f64> {
        self.ahead[span].lanes[quantile].coverage()
    }

    /// Bytes it holds, without the past it reads.
    pub fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.ahead.iter().map(Ahead::bytes).sum::<usize>()
    }
}

impl Ahead {
    /// Reads a number from each place that minute `t` will read from. Their sum says nothing: it is read for what no cache
    /// holds to be fetched at once and not one after the other, which with thousands of functions is a fifth of their time.
    fn fetch(&self, t: i64) -> f32 {
        let bet = self.bets.front().map_or(0.0, |bet| narrow(bet.scale));
        let said = self.said.iter().take(self.lanes.len()).map(Said::fetch).sum::<f32>();
        let lanes = self.lanes.iter().map(Lane::fetch).sum::<f32>();
        let experts = self.experts.iter().flat_map(Experts::all);
        bet + said + lanes + self.errors.fetch() + experts.map(|expert| expert.fetch(t)).sum::<f32>()
    }

    /// Scores the bets whose span has ended; those that a gap leaves without an outcome are dropped.
    fn settle(&mut self, t: i64, actual: f64, place: usize, heard: &mut impl FnMut(Heard<'_>)) {
        let mut error = f64::NAN;
        while self.bets.front().is_some_and(|bet| bet.made + self.span.h <= t) {
            let bet = self.bets.pop_front().expect("there is a front");
            let said = self.said.drain(..self.lanes.len());
            if bet.made + self.span.h < t || actual.is_nan() {
                continue;
            }
            error = (actual - bet.level) / bet.scale;
            for (quantile, (lane, said)) in self.lanes.iter_mut().zip(said).enumerate() {
                heard(Heard {
                    span: place,
                    quantile,
                    made: bet.made,
                    actual,
                    said: &said,
                    points: &bet.points,
                });
                lane.score(&said, actual);
            }
        }
        self.errors.push(error);
    }

    fn say(
        &mut self,
        (past, quantiles): (&dyn Past, &[f64]),
        (t, actual, slow): (i64, f64, bool),
        models: Models<'_>,
        seen: Option<&Seen>,
        scratch: &mut Scratch,
    ) {
        let h = self.span.length();
        let Scratch { minutes, room } = scratch;
        if slow {
            let day = &minutes.day;
            self.long = narrow(moves(&day[h..], &day[..day.len() - h]));
        }
        let errors = self.errors.seen(slow, &mut room.sort_whole);
        let base = seen.map(|seen| Base::of(seen, minutes, h, f64::from(self.long)));
        let (before, day_moves) = (self.span.before(minutes), day_moves(minutes, self.span));
        let Room { sort, targets, .. } = room;
        let at = At {
            past,
            t,
            span: self.span,
            quantiles,
            actual,
            now: f64::from(minutes.last(1, 0)[0]),
            seen,
            base: base.as_ref(),
            before: &before,
            day_moves: &day_moves,
            targets: self.targets(minutes, targets, slow),
            looked: minutes,
            slow,
        };
        for expert in self.experts.iter_mut().flat_map(Experts::all_mut) {
            expert.fold(&at, sort);
        }
        let (Some(base), Some(seen)) = (base, seen) else {
            self.now = None;
            return;
        };
        let mut points = [f64::NAN; expert::COUNT];
        for (point, expert) in points
            .iter_mut()
            .zip(self.experts.iter_mut().flat_map(Experts::all_mut))
        {
            *point = expert.point(&at);
        }
        let row = features::row(minutes, self.span, (&base, seen, errors), (&before, &day_moves));
        for quantile in 0..self.lanes.len() {
            let said = self.lane(quantile, &row, &base, points, models);
            self.said.push_back(said);
        }
        self.bets.push_back(Bet {
            made: t,
            level: base.level,
            scale: base.scale,
            points,
        });
        self.now = Some((row, base));
    }

    /// What the target was over the last hour, and when `slow` over the last day; nothing where no expert asks.
    fn targets<'a>(&self, minutes: &Minutes, room: &'a mut [[Vec<f32>; 2]; 2], slow: bool) -> [&'a [f32]; 2] {
        let [hour, day] = room;
        let asked = self.experts.is_some();
        let all = if asked && slow { minutes.day.as_slice() } else { &[] };
        let newest = minutes.last(if asked { expert::HOUR } else { 0 }, 0);
        [self.span.targets(newest, hour), self.span.targets(all, day)]
    }

    fn lane(&self, quantile: usize, row: &Row, base: &Base, points: [f64; expert::COUNT], models: Models<'_>) -> Said {
        let lane = &self.lanes[quantile];
        let say = |forest: &Forest| base.amount(forest.predict(row));
        let tree = |forests: Option<&ByQuantile>| {
            let nearest = forests.and_then(|forests| forests.nearest(lane.quantile()));
            nearest.map_or(f64::NAN, say)
        };
        let mut owns = [f64::NAN; expert::COUNT];
        for (own, expert) in owns.iter_mut().zip(self.experts.iter().flat_map(Experts::all)) {
            *own = expert.upper(quantile);
        }
        lane.say(
            &Guesses {
                points,
                owns,
                prior: tree(models.prior),
                fleet: tree(models.fleet),
            },
            base,
        )
    }

    fn bytes(&self) -> usize {
        let all = self.experts.iter().flat_map(Experts::all);
        let experts: usize = all.map(Expert::bytes).sum();
        std::mem::size_of::<Self>()
            + experts
            + self.lanes.len() * std::mem::size_of::<Lane>()
            + self.bets.capacity() * std::mem::size_of::<Bet>()
            + self.said.capacity() * std::mem::size_of::<Said>()
    }
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
