//! The fleet's forecasts: history and requests in, one [`Forecast`] a function out. Memory only.
//!
//! A function's forecast is computed when a minute has closed and read from memory until the next one does.

use crate::history::{History, Window};
use crate::horizon::{horizon, horizon_minutes};
use crate::model::{Model, Scores};
use crate::seed;
use forewarm_core::forecast::{Distrust, Forecast};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Percent, Seconds, Wall};
use std::collections::{BTreeMap, HashMap};

/// Known minutes below which nothing is said.
const FEWEST: u32 = 30;
/// Minutes the newest known one may be older than the newest closed one: two lost scrapes are no reason to
/// forget a forecast, five minutes are.
const STALE: i64 = 5;
/// Minutes that are made up for one by one after a pause; past them the model is walked anew.
const CATCH_UP: i64 = 30;

/// Bounds of the costly work in one call of [`Forecaster::at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Shifts what is staggered by function name.
    pub seed: u64,
    /// Functions whose model may be walked anew in one call; the others have the trailing peak until then. A
    /// walk over a full history takes about 15 ms.
    pub walks_per_call: usize,
    /// Ridge fits in one call. 10,000 functions every 360 minutes are 28 a minute.
    pub refits_per_call: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            walks_per_call: 100,
            refits_per_call: 200,
        }
    }
}

/// What is asked about one function.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The function.
    pub key: &'a FunctionKey,
    /// How long a new pod takes to be of use.
    pub lead_time: Seconds,
    /// The wanted quantile; [`crate::quantile_for`] gives the default.
    pub quantile: Percent,
}

/// The models of the fleet.
#[derive(Debug, Default)]
pub struct Forecaster {
    config: Config,
    functions: HashMap<FunctionKey, Known>,
}

/// One function's model and its last answer.
#[derive(Debug)]
struct Known {
    model: Model,
    answer: Forecast,
    /// It has seen the past minute by minute; else it has only begun.
    walked: bool,
}

/// What is left of the costly work of one call.
struct Budget {
    walks: usize,
    refits: usize,
}

impl Forecaster {
    /// A forecaster that knows no function.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            functions: HashMap::new(),
        }
    }

    /// The forecast of every requested function, from what had closed when the minute of `now` began.
    ///
    /// `history` must have taken in this tick's readings before. A function without enough history gets
    /// an untrusted forecast with the reason. Costs a look-up a function while no minute has closed.
    pub fn at<'a>(
        &mut self,
        history: &History,
        requests: impl IntoIterator<Item = Request<'a>>,
        now: Wall,
        tick: Seconds,
    ) -> BTreeMap<FunctionKey, Forecast> {
        let mut budget = Budget {
            walks: self.config.walks_per_call,
            refits: self.config.refits_per_call,
        };
        let closed = now.minute() - 1;
        let one = |request: Request<'a>| {
            (
                request.key.clone(),
                self.one(history, request, closed, tick, &mut budget),
            )
        };
        requests.into_iter().map(one).collect()
    }

    /// Walks one function's model over its history now, without the bound of [`Self::at`]: after a backfill,
    /// so that the first forecast is calibrated. Does nothing where there is too little history.
    pub fn warm(&mut self, history: &History, request: Request<'_>, now: Wall, tick: Seconds) {
        if let Ok(window) = usable(history, request.key, now.minute() - 1) {
            self.begin(&window, request, tick, true);
        }
    }

    /// Drops every function that `keep` does not name.
    pub fn forget(&mut self, keep: impl Fn(&FunctionKey) -> bool) {
        self.functions.retain(|key, _| keep(key));
    }

    /// How well the experts have done on one function. `None`: it has no model yet.
    pub fn scores(&self, key: &FunctionKey) -> Option<Scores> {
        self.functions.get(key).map(|known| known.model.scores())
    }

    fn one(
        &mut self,
        history: &History,
        request: Request<'_>,
        closed: i64,
        tick: Seconds,
        budget: &mut Budget,
    ) -> Forecast {
        let known = self
            .functions
            .get(request.key)
            .filter(|known| known.model.quantile() == request.quantile);
        if let Some(known) = known.filter(|known| known.model.minute() == closed) {
            return known.answer.clone();
        }
        match usable(history, request.key, closed) {
            Ok(window) => self.compute(&window, request, tick, budget),
            Err(why) => Forecast {
                minute: closed,
                horizon: horizon(request.lead_time, tick),
                quantile: request.quantile,
                ..Forecast::none(why)
            },
        }
    }

    fn compute(&mut self, window: &Window<'_>, request: Request<'_>, tick: Seconds, budget: &mut Budget) -> Forecast {
        if let Some(known) = self
            .functions
            .get_mut(request.key)
            .filter(|known| known.can_catch_up(window, request))
        {
            known.catch_up(window, request, tick, &mut budget.refits);
            return known.answer.clone();
        }
        let walk = budget.walks > 0;
        budget.walks = budget.walks.saturating_sub(1);
        self.begin(window, request, tick, walk)
    }

    /// A new model: walked over the past, or one that knows only the trailing peak until its turn comes.
    fn begin(&mut self, window: &Window<'_>, request: Request<'_>, tick: Seconds, walk: bool) -> Forecast {
        let h = horizon_minutes(request.lead_time, tick);
        let mut model = Model::new(
            window.until() - 1,
            request.quantile,
            seed::of(request.key, self.config.seed),
        );
        if walk {
            model.walk(window, h);
        } else {
            model.step(window, h, &mut 0);
        }
        let answer = model.forecast(horizon(request.lead_time, tick));
        let known = Known {
            model,
            answer: answer.clone(),
            walked: walk,
        };
        self.functions.insert(request.key.clone(), known);
        answer
    }
}

impl Known {
    fn can_catch_up(&self, window: &Window<'_>, request: Request<'_>) -> bool {
        let behind = window.until().saturating_sub(self.model.minute());
        self.walked && self.model.quantile() == request.quantile && (1..=CATCH_UP).contains(&behind)
    }

    fn catch_up(&mut self, window: &Window<'_>, request: Request<'_>, tick: Seconds, refits: &mut usize) {
        for minute in self.model.minute() + 1..=window.until() {
            self.model
                .step(&window.at(minute), horizon_minutes(request.lead_time, tick), refits);
        }
        self.answer = self.model.forecast(horizon(request.lead_time, tick));
    }
}

/// The past of a function up to minute `closed`, where it is enough and fresh enough to forecast from.
fn usable<'a>(history: &'a History, key: &FunctionKey, closed: i64) -> Result<Window<'a>, Distrust> {
    let window = history.window(key, closed).ok_or(Distrust::TooLittleHistory)?;
    let fresh = (0..=STALE).any(|ago| window.minute(closed.saturating_sub(ago)).is_some());
    match (window.known() >= FEWEST, fresh) {
        (false, _) => Err(Distrust::TooLittleHistory),
        (true, false) => Err(Distrust::HistoryStale),
        (true, true) => Ok(window),
    }
}

#[cfg(test)]
mod tests;
