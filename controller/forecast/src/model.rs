//! One function's model, live: its window at the minute that has closed in, the answer for the span ahead out.
//! Pure. The same step runs live and in the walk over old data.

mod band;

use crate::engine::{Base, Engine, Heard, Models, Scratch, Span, Target};
use crate::gate::{Gate, Uppers};
use crate::history::Window;
use crate::recurring::{self, Recurring};
use crate::wake::Wake;
use band::Bands;
use forewarm_core::forecast::{Distrust, Forecast, Trust};
use forewarm_core::units::{Demand, Percent, Seconds};
use std::collections::VecDeque;

/// Minutes of the past that a walk goes over: losses count half after a day, and the daily season needs one to
/// begin.
const WALK: i64 = 2160;
/// Stable names of what may answer beside the columns of the mixture.
const MIXTURE: &str = "mixture";
const TRAILING_PEAK: &str = "trailing-peak";
const SEASONAL_NAIVE: &str = "seasonal-naive";

/// What one function has learned and said.
#[derive(Debug)]
pub(crate) struct Model {
    minute: i64,
    span: Span,
    quantile: Percent,
    wake_from: Percent,
    engine: Engine,
    gate: Gate,
    recurring: Recurring,
    wake: Wake,
    bands: Bands,
    bets: VecDeque<Bet>,
    said: Result<Said, Distrust>,
}

/// What was said of the span after `made`, beside what the engine keeps.
#[derive(Clone, Copy, Debug)]
struct Bet {
    made: i64,
    uppers: Uppers,
    spoken: f64,
    due: recurring::Due,
}

/// The answer.
#[derive(Clone, Copy, Debug)]
struct Said {
    name: &'static str,
    demoted: Option<Distrust>,
    point: f64,
    upper: f64,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purpose {
    /// Minutes ahead.
    pub(crate) horizon: i64,
    /// The wanted quantile.
    pub(crate) quantile: Percent,
    /// The chance of any call from which one pod is held.
    pub(crate) wake_from: Percent,
}

impl Model {
    /// A model that knows nothing, standing at `minute`.
    pub(crate) fn new(minute: i64, purpose: Purpose) -> Self {
        let span = Span {
            target: Target::Peak,
            h: purpose.horizon,
        };
        // 0 and 100 % are no quantiles; the nearest that a pinball loss has.
        let share = purpose.quantile.share().clamp(0.005, 0.995);
        Self {
            minute,
            span,
            quantile: purpose.quantile,
            wake_from: purpose.wake_from,
            engine: Engine::new(&[span], &[share, 0.5]),
            gate: Gate::new(),
            recurring: Recurring::default(),
            wake: Wake::default(),
            bands: Bands::default(),
            bets: VecDeque::new(),
            said: Err(Distrust::TooLittleHistory),
        }
    }

    /// Walks over the last day and a half up to the window's end: after it, theta, losses, coverage and gate are
    /// what they would be had the model run all the time. `each` is told of every minute.
    pub(crate) fn walk(
        &mut self,
        window: &Window<'_>,
        models: Models<'_>,
        scratch: &mut Scratch,
        mut each: impl FnMut(&Self, &Window<'_>),
    ) {
        let t = window.until();
        let oldest = (window.reach().max(t.saturating_sub(WALK))..t)
            .find(|minute| window.minute(*minute).is_some())
            .unwrap_or(t);
        self.wake.begin(window, oldest);
        for minute in oldest..=t {
            let window = window.at(minute);
            self.step(&window, models, scratch);
            each(self, &window);
        }
    }

    /// Moves on to the minute at the window's end: scores what has been said of it, learns from it, and says what
    /// comes.
    pub(crate) fn step(&mut self, window: &Window<'_>, models: Models<'_>, scratch: &mut Scratch) {
        self.minute = window.until();
        self.bands.settle(window, self.minute);
        self.wake.fold(window, self.minute, self.span.h);
        let (gate, recurring) = (&mut self.gate, &mut self.recurring);
        let (bets, quantile) = (&mut self.bets, self.quantile);
        let hear = |heard: Heard<'_>| {
            while bets.front().is_some_and(|bet| bet.made < heard.made) {
                bets.pop_front();
            }
            if let Some(bet) = bets.front().filter(|bet| heard.quantile == 0 && bet.made == heard.made) {
                recurring.score(&bet.due, bet.spoken, heard.actual, quantile);
                gate.score(&bet.uppers, heard.actual, quantile);
            }
        };
        self.engine.step(window, self.minute, models, scratch, hear);
        self.gate.settle(self.quantile);
        self.said = self.say(window);
    }

    fn say(&mut self, window: &Window<'_>) -> Result<Said, Distrust> {
        let (_, base) = self.engine.row(0).ok_or(Distrust::HistoryStale)?;
        let base = *base;
        let trailing = self.engine.trailing_peak().ok_or(Distrust::HistoryStale)?;
        let said = |quantile| self.engine.said(0, quantile).map(|said| said.mixture);
        let mixture = said(0).filter(|upper| upper.is_finite());
        let naive = self.seasonal(window).unwrap_or(trailing);
        let speaker = speaker(self.gate.demoted(), mixture, naive, trailing);
        let due = recurring::due(window, &base, self.span.h);
        let raised = |upper: f64| self.recurring.raise(&due, upper);
        let uppers = Uppers {
            candidate: raised(mixture.unwrap_or(trailing)),
            naive,
            trailing,
            published: raised(speaker.1),
        };
        let point = said(1).filter(|point| point.is_finite()).unwrap_or(trailing);
        self.bands.bet(window, &base, self.engine.level(0), self.span.h);
        self.bets.push_back(Bet {
            made: self.minute,
            uppers,
            spoken: speaker.1,
            due,
        });
        Ok(self.answer(speaker, uppers, point))
    }

    /// What is published: raised by what recurs, and to one call where one is likely to come; none between the calls of
    /// a timer.
    fn answer(&self, speaker: Speaker, uppers: Uppers, point: f64) -> Said {
        let (name, spoken, demoted) = speaker;
        let recurs = uppers.published > spoken;
        let wakes = uppers.published < 1.0 && self.wake.chance() >= self.wake_from.share() && self.wake.chance() > 0.0;
        let silent = !wakes && !recurs && self.wake.silent(self.minute, self.span.h);
        let upper = match () {
            () if wakes => 1.0,
            () if silent => 0.0,
            () => uppers.published,
        };
        let name = match () {
            () if wakes || silent => Wake::NAME,
            () if recurs => recurring::NAME,
            () => name,
        };
        Said {
            name,
            demoted,
            point: point.min(upper),
            upper,
        }
    }

    /// The same span a day ago, an hour ago where there is no such day.
    fn seasonal(&self, window: &Window<'_>) -> Option<f64> {
        let t = self.minute;
        [1440, 60]
            .into_iter()
            .find_map(|season| window.largest(t + 1 - season, t + self.span.h - season))
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
            expected_now: self.bands.expected(self.minute + 1),
            coverage: self.gate.coverage().and_then(percent),
        })
    }

    /// Whether the fleet's forest has lost less than the shipped one. `None`: not judged.
    pub(crate) fn fleet_leads(&self) -> Option<bool> {
        self.engine.fleet_leads(0, 0)
    }

    /// Minute it stands at.
    pub(crate) const fn minute(&self) -> i64 {
        self.minute
    }

    /// Quantile it has learned for.
    pub(crate) const fn quantile(&self) -> Percent {
        self.quantile
    }

    /// True when it has learned for this purpose.
    pub(crate) fn serves(&self, purpose: Purpose) -> bool {
        let Purpose {
            horizon,
            quantile,
            wake_from,
        } = purpose;
        self.span.h == horizon && self.quantile == quantile && self.wake_from == wake_from
    }

    /// The engine, to learn from.
    pub(crate) const fn engine(&self) -> (&Engine, Span) {
        (&self.engine, self.span)
    }

    /// A column that has just given a number that is not finite; it was left out. `None`: all are sound.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        let place = self.engine.said(0, 0)?.broken?;
        crate::engine::names().nth(usize::from(place))
    }

    /// Bytes it holds, without the history.
    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.engine.bytes() + self.bands.bytes() + self.bets.capacity() * size::<Bet>()
    }
}

/// Who answers, with what, and why it is not the mixture.
type Speaker = (&'static str, f64, Option<Distrust>);

/// The mixture unless the gate has demoted it or nothing in it is finite.
fn speaker(demoted: Option<Distrust>, mixture: Option<f64>, naive: f64, trailing: f64) -> Speaker {
    match (demoted, mixture) {
        (None, Some(mixture)) => (MIXTURE, mixture, None),
        (None, None) => (TRAILING_PEAK, trailing, Some(Distrust::ModelFailed)),
        (Some(why), _) if why == Distrust::WorseThanSeasonalNaive => (SEASONAL_NAIVE, naive, Some(why)),
        (Some(why), _) => (TRAILING_PEAK, trailing, Some(why)),
    }
}

const fn size<T>() -> usize {
    std::mem::size_of::<T>()
}

/// The scale for a guess of `amount`: a foreseen peak moves more than the quiet before it.
fn scale_at(base: &Base, amount: f64) -> f64 {
    base.scale.max(0.3 * amount.max(0.0).sqrt())
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
