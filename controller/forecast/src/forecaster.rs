//! The fleet's forecasts: history and requests in, one [`Forecast`] a function out. Memory only.
//!
//! A function's forecast is computed when a minute has closed and read from memory until the next one does.

use crate::draw::Stream;
use crate::engine::{Models, Scratch};
use crate::fleet::{Fit, Fleet, Refit, Refitted, Sample};
use crate::history::{History, Window};
use crate::horizon::{Aim, horizon, horizon_minutes};
use crate::model::{Model, Purpose};
use crate::prior::{self, Picker};
use crate::seed;
use crate::tree::ByQuantile;
use foldhash::quality::RandomState;
use forewarm_core::forecast::{Distrust, Forecast};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Seconds, Wall};
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Known minutes below which nothing is said.
const FEWEST: u32 = 30;
/// Minutes the newest known one may be older than the newest closed one: two lost scrapes are no reason to
/// forget a forecast, five minutes are.
const STALE: i64 = 5;
/// Minutes that are made up for one by one after a pause; past them the model is walked anew.
const CATCH_UP: i64 = 30;

/// What is asked about one function.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The function.
    pub key: &'a FunctionKey,
    /// How long a new pod takes to be of use.
    pub lead_time: Seconds,
    /// The wanted quantile and when to wake; [`crate::aim`] gives the default.
    pub aim: Aim,
}

impl Request<'_> {
    fn purpose(&self, tick: Seconds) -> Purpose {
        Purpose {
            horizon: horizon_minutes(self.lead_time, tick),
            quantile: self.aim.quantile,
            wake_from: self.aim.wake_from,
        }
    }
}

/// The models of the fleet.
#[derive(Debug)]
pub struct Forecaster {
    seed: u64,
    functions: HashMap<FunctionKey, Known, RandomState>,
    prior: &'static ByQuantile,
    prior_hash: u64,
    fleet: Option<Fleet>,
    sample: Sample,
    scratch: Scratch,
    broken: BTreeSet<&'static str>,
    panics: u32,
}

/// One function's model and its last answer.
#[derive(Debug)]
struct Known {
    model: Model,
    answer: Forecast,
    /// It has seen the past minute by minute; else it has only begun.
    walked: bool,
    picker: Picker,
}

impl Default for Forecaster {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Forecaster {
    /// A forecaster that knows no function, with the shipped forest. `seed` shifts what is drawn.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            functions: HashMap::default(),
            prior: prior::peak(),
            prior_hash: prior::peak().hash(),
            fleet: None,
            sample: Sample::new(seed),
            scratch: Scratch::default(),
            broken: BTreeSet::new(),
            panics: 0,
        }
    }

    /// The forecast of every requested function, in their order, from what had closed when the minute of `now` began.
    ///
    /// `history` must have taken in this tick's readings before. A function without enough history gets
    /// an untrusted forecast with the reason. Costs a look-up a function while no minute has closed.
    ///
    /// `may_walk` is asked before the model of a function that is new, or has been away, is walked over its past,
    /// which takes about 20 ms: where it says no, the trailing peak answers and it is asked again in the next call.
    pub fn at<'a>(
        &mut self,
        history: &History,
        requests: impl IntoIterator<Item = Request<'a>>,
        now: Wall,
        tick: Seconds,
        mut may_walk: impl FnMut() -> bool,
    ) -> Vec<Forecast> {
        let closed = now.minute().saturating_sub(1);
        let one = |request: Request<'a>| {
            let one = AssertUnwindSafe(|| self.one(history, request, closed, tick, &mut may_walk));
            catch_unwind(one).unwrap_or_else(|_| self.failed(request, closed, tick))
        };
        requests.into_iter().map(one).collect()
    }

    /// Walks one function's model over its history now, without the bound of [`Self::at`]: after a backfill,
    /// so that the first forecast is calibrated. Does nothing where there is too little history.
    pub fn warm(&mut self, history: &History, request: Request<'_>, now: Wall, tick: Seconds) {
        if let Ok(window) = usable(history, request.key, now.minute().saturating_sub(1)) {
            self.begin(&window, request, tick, true);
        }
    }

    /// Drops every function that `keep` does not name.
    pub fn forget(&mut self, keep: impl Fn(&FunctionKey) -> bool) {
        self.functions.retain(|key, _| keep(key));
    }

    /// The refit of the fleet's forest that is due at `now`, to be run elsewhere; it takes the sample of rows along,
    /// so [`Self::adopt`] must get what it gives back. `None`: not yet, or too few rows.
    pub fn refit_due(&mut self, now: Wall) -> Option<Refit> {
        let quantiles = || {
            let all = self.functions.values().map(|known| known.model.quantile());
            all.collect::<BTreeSet<_>>().into_iter().collect()
        };
        self.sample.due(now.minute(), quantiles)
    }

    /// The shipped forests, for a refit to go on from.
    pub const fn prior(&self) -> &'static ByQuantile {
        self.prior
    }

    /// Takes a refit's forest in use and its sample back. Without a forest the one in use stays.
    ///
    /// A forest that has lost more than the shipped one on nineteen of twenty functions has not earned its place:
    /// it is dropped, and the next refit may bring a better one.
    pub fn adopt(&mut self, refitted: Refitted) {
        let (fleet, sample) = refitted.into_parts();
        self.sample.back(sample);
        if !self.fleet_earns() {
            self.fleet = None;
        } else if let Some(fleet) = fleet {
            self.fleet = Some(fleet);
        }
    }

    /// Hash of the shipped forests.
    pub const fn prior_hash(&self) -> u64 {
        self.prior_hash
    }

    /// Where the fleet's forest in use comes from. `None`: the shipped one answers alone.
    pub fn fit(&self) -> Option<Fit> {
        self.fleet.as_ref().map(|fleet| fleet.fit)
    }

    /// Columns that have given a number that is not finite since the last call; they were left out of the mixture.
    pub fn take_broken(&mut self) -> BTreeSet<&'static str> {
        std::mem::take(&mut self.broken)
    }

    /// Models that have panicked since the last call; each was begun anew.
    pub const fn take_panics(&mut self) -> u32 {
        std::mem::replace(&mut self.panics, 0)
    }

    /// Bytes held by the models, without history and names.
    pub fn bytes(&self) -> usize {
        let known = |known: &Known| known.model.bytes() + std::mem::size_of::<Known>();
        self.functions.values().map(known).sum()
    }

    fn fleet_earns(&self) -> bool {
        let judged = self.functions.values().filter_map(|known| known.model.fleet_leads());
        let (led, all) = judged.fold((0_u32, 0_u32), |(led, all), leads| (led + u32::from(leads), all + 1));
        self.fleet.is_none() || led * 20 >= all
    }

    fn one(
        &mut self,
        history: &History,
        request: Request<'_>,
        closed: i64,
        tick: Seconds,
        may_walk: &mut impl FnMut() -> bool,
    ) -> Forecast {
        let known = self
            .functions
            .get(request.key)
            .filter(|known| known.model.serves(request.purpose(tick)));
        if let Some(known) = known.filter(|known| known.walked && known.model.minute() == closed) {
            return known.answer.clone();
        }
        match usable(history, request.key, closed) {
            Ok(window) => self.compute(&window, request, tick, may_walk),
            Err(why) => no_answer(why, request, closed, tick),
        }
    }

    /// A panic in one model is a bug, and takes nothing of the others along: it is forgotten and begun anew.
    fn failed(&mut self, request: Request<'_>, closed: i64, tick: Seconds) -> Forecast {
        self.panics = self.panics.saturating_add(1);
        self.functions.remove(request.key);
        self.scratch = Scratch::default();
        no_answer(Distrust::ModelFailed, request, closed, tick)
    }

    fn compute(
        &mut self,
        window: &Window<'_>,
        request: Request<'_>,
        tick: Seconds,
        may_walk: &mut impl FnMut() -> bool,
    ) -> Forecast {
        let able = |known: &Known| known.can_catch_up(window, request.purpose(tick));
        if self.functions.get(request.key).is_some_and(able) {
            return self.catch_up(window, request, tick);
        }
        let walk = may_walk();
        let begun = self.functions.get(request.key);
        match begun.filter(|known| !walk && known.stands_at(window, request.purpose(tick))) {
            Some(begun) => begun.answer.clone(),
            None => self.begin(window, request, tick, walk),
        }
    }

    fn catch_up(&mut self, window: &Window<'_>, request: Request<'_>, tick: Seconds) -> Forecast {
        let models = models(self.prior, self.fleet.as_ref());
        let chance = Sample::chance(self.functions.len());
        let known = self.functions.get_mut(request.key).expect("it has just been seen");
        known.picker.set_chance(chance);
        for minute in known.model.minute() + 1..=window.until() {
            let window = window.at(minute);
            known.model.step(&window, models, &mut self.scratch);
            let (engine, span) = known.model.engine();
            known.picker.look(engine, &[span], &window, minute);
        }
        self.sample.take(&mut known.picker.rows, window.until());
        self.broken.extend(known.model.broken());
        known.answer = known.model.forecast(horizon(request.lead_time, tick));
        known.answer.clone()
    }

    /// A new model: walked over the past, or one that knows only the trailing peak until its turn comes.
    fn begin(&mut self, window: &Window<'_>, request: Request<'_>, tick: Seconds, walk: bool) -> Forecast {
        let models = models(self.prior, self.fleet.as_ref());
        let mut model = Model::new(window.until() - 1, request.purpose(tick));
        let stream = Stream::new(seed::of(request.key, self.seed));
        let mut picker = Picker::new(stream, Sample::chance(self.functions.len() + 1), None);
        if walk {
            // The past gives rows as well, so that a fresh install need not wait days for a forest of its own.
            model.walk(window, models, &mut self.scratch, |model, window| {
                let (engine, span) = model.engine();
                picker.look(engine, &[span], window, window.until());
                self.sample.take(&mut picker.rows, window.until());
            });
        } else {
            model.step(window, models, &mut self.scratch);
        }
        self.broken.extend(model.broken());
        let answer = model.forecast(horizon(request.lead_time, tick));
        let known = Known {
            model,
            answer: answer.clone(),
            walked: walk,
            picker,
        };
        self.functions.insert(request.key.clone(), known);
        answer
    }
}

impl Known {
    fn stands_at(&self, window: &Window<'_>, purpose: Purpose) -> bool {
        self.model.serves(purpose) && self.model.minute() == window.until()
    }

    fn can_catch_up(&self, window: &Window<'_>, purpose: Purpose) -> bool {
        let behind = window.until().saturating_sub(self.model.minute());
        self.walked && self.model.serves(purpose) && (1..=CATCH_UP).contains(&behind)
    }
}

fn models<'a>(prior: &'a ByQuantile, fleet: Option<&'a Fleet>) -> Models<'a> {
    Models {
        prior: Some(prior),
        fleet: fleet.map(|fleet| &fleet.forests),
    }
}

/// A forecast that may not raise, and why.
fn no_answer(why: Distrust, request: Request<'_>, closed: i64, tick: Seconds) -> Forecast {
    Forecast {
        minute: closed,
        horizon: horizon(request.lead_time, tick),
        quantile: request.aim.quantile,
        ..Forecast::none(why)
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
