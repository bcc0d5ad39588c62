//! Memory of the past and the models on it: samples in, forecasts out. The costly part runs off the async workers.

use std::collections::BTreeMap;

use forewarm_core::beside::lay_beside;
use forewarm_core::forecast::Forecast;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Now, Seconds, Wall};
use forewarm_forecast::band::Bands;
use forewarm_forecast::fleet::{Refit, Refitted};
use forewarm_forecast::{Aim, Forecaster, History, Request, aim};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

use crate::observe::{Seen, Snapshot};
use crate::record::line::{FitLine, ForestsLine, Hash};

/// Time a tick may spend on walking models over the past, of which a fleet just met has many to do.
const WALKS_WITHIN: Duration = Duration::from_secs(2);
/// Time after which a refit of the fleet's forest ends with what it has: 20 s are what it may cost.
const REFIT_DEADLINE: Duration = Duration::from_secs(20);

/// History and forecaster, always moved together.
#[derive(Debug, Default)]
pub struct Past {
    /// Two rings a function.
    pub history: History,
    /// The models.
    pub forecaster: Forecaster,
}

/// What is forecast of one function.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    lead_time: Seconds,
    aim: Aim,
}

/// Keeps the past between ticks.
#[derive(Debug, Default)]
pub struct Remember {
    /// `None` only while a forecast is being computed, or for good after one panicked.
    past: Option<Past>,
    tick: Seconds,
    /// What is forecast of each function.
    wanted: BTreeMap<FunctionKey, Wanted>,
    trusted_since: BTreeMap<FunctionKey, Option<Wall>>,
    bands: BTreeMap<FunctionKey, Bands>,
    /// The refit under way, on a thread of its own.
    refit: Option<JoinHandle<Refitted>>,
}

impl Remember {
    /// Knows nothing yet. `tick`: time between two ticks, part of every horizon.
    pub fn new(tick: Seconds) -> Self {
        Self {
            past: Some(Past::default()),
            tick,
            wanted: BTreeMap::new(),
            trusted_since: BTreeMap::new(),
            bands: BTreeMap::new(),
            refit: None,
        }
    }

    /// The past; a new one where the last computation panicked and took it along.
    pub fn past(&mut self) -> &mut Past {
        self.past.get_or_insert_with(Past::default)
    }

    /// Takes in the samples of this tick and fills in the forecast of every function.
    pub async fn forecast(&mut self, snapshot: &mut Snapshot) {
        for (key, seen) in &snapshot.functions {
            let demand = &seen.function.observation.demand;
            self.past().history.extend(key, snapshot.now.wall, demand);
        }
        let mut wanted = std::mem::take(&mut self.wanted);
        lay_beside(&mut wanted, snapshot.functions.keys(), |key| {
            Wanted::of(&snapshot.functions[key])
        });
        for (wanted, seen) in wanted.values_mut().zip(snapshot.functions.values()) {
            *wanted = Wanted::of(seen);
        }
        self.refit(snapshot.now.wall).await;
        let (past, tick, now) = (self.past.take().unwrap_or_default(), self.tick, snapshot.now);
        match tokio::task::spawn_blocking(move || compute(past, wanted, now, tick)).await {
            Ok((past, wanted, forecasts)) => {
                (self.past, self.wanted) = (Some(past), wanted);
                for (seen, forecast) in snapshot.functions.values_mut().zip(forecasts) {
                    seen.function.forecast = forecast;
                }
            }
            Err(panic) => {
                tracing::error!(error = %panic, "Forecasting panicked; its history is gone and begins anew with this minute.");
            }
        }
    }

    /// Holds how calls are served, and the demand, against their own bands. To be called in every tick.
    pub fn hold_against_bands(&mut self, snapshot: &mut Snapshot) {
        let tick = snapshot.now.wall.0.div_euclid(i64::from(self.tick.0.max(1)) * 1000);
        lay_beside(&mut self.bands, snapshot.functions.keys(), |_| Bands::default());
        for (seen, bands) in snapshot.functions.values_mut().zip(self.bands.values_mut()) {
            let (observation, forecast) = (&mut seen.function.observation, &seen.function.forecast);
            let peak = observation.demand.known().map(|sample| sample.peak);
            let demand = peak.zip(forecast.expected_now);
            let (service, anomalies) = bands.look(seen.served.whole, demand, seen.served.unanswered, tick);
            (observation.service, observation.anomalies) = (service, anomalies);
        }
    }

    /// Takes up the refit that has ended, or starts the one that is due. Never waits for one.
    async fn refit(&mut self, now: Wall) {
        match self.refit.take_if(|refit| refit.is_finished()) {
            Some(refit) => match refit.await {
                Ok(refitted) => {
                    let fit = refitted.fleet.as_ref().map(|fleet| &fleet.fit);
                    tracing::info!(
                        rows = fit.map(|fit| fit.rows),
                        hash = fit.map(|fit| format!("{:016x}", fit.hash)),
                        "Forest refitted."
                    );
                    self.past().forecaster.adopt(refitted);
                }
                Err(panic) => tracing::error!(error = %panic, "A refit panicked; its sample is gone."),
            },
            None if self.refit.is_none() => {
                let due = self.past().forecaster.refit_due(now);
                let prior = self.past().forecaster.prior();
                self.refit = due.map(|due: Refit| {
                    tokio::task::spawn_blocking(move || {
                        let started = Instant::now();
                        due.run(Some(prior), || started.elapsed() < REFIT_DEADLINE)
                    })
                });
            }
            None => {}
        }
    }

    /// The forests in use. `None`: the last computation panicked, and they are not there yet.
    pub fn forests(&self) -> Option<ForestsLine> {
        let forecaster = &self.past.as_ref()?.forecaster;
        Some(ForestsLine {
            prior: Hash(forecaster.prior_hash()),
            fleet: forecaster.fit().map(FitLine::of),
        })
    }

    /// Minutes of history with a known peak. `None`: the function is not remembered.
    pub fn minutes(&self, key: &FunctionKey) -> Option<u32> {
        let past = self.past.as_ref()?;
        past.history.window(key, i64::MAX).map(|window| window.known())
    }

    /// Notes since when the forecast of each function may raise the floor without a break. To be called in every tick,
    /// with all functions.
    pub fn note_trust(&mut self, snapshot: &Snapshot) {
        let (functions, now) = (&snapshot.functions, snapshot.now.wall);
        lay_beside(&mut self.trusted_since, functions.keys(), |_| None);
        for (since, seen) in self.trusted_since.values_mut().zip(functions.values()) {
            *since = seen.function.forecast.trusted().map(|_| since.unwrap_or(now));
        }
    }

    /// Since when the forecast of a function may raise the floor without a break. `None`: it may not.
    pub fn trusted_since(&self, key: &FunctionKey) -> Option<Wall> {
        *self.trusted_since.get(key)?
    }

    /// Models that have panicked since the last call.
    pub fn take_panics(&mut self) -> u32 {
        self.past().forecaster.take_panics()
    }

    /// Forgets functions that `keep` does not name.
    pub fn forget(&mut self, keep: impl Fn(&FunctionKey) -> bool) {
        let past = self.past();
        past.history.forget(&keep);
        past.forecaster.forget(&keep);
    }
}

impl Wanted {
    fn of(seen: &Seen) -> Self {
        let lead_time = seen.function.observation.lead_time.total;
        Self {
            lead_time,
            aim: aim(seen.stored.objective(), lead_time),
        }
    }
}

type Forecasts = (Past, BTreeMap<FunctionKey, Wanted>, Vec<Forecast>);

fn compute(mut past: Past, wanted: BTreeMap<FunctionKey, Wanted>, now: Now, tick: Seconds) -> Forecasts {
    let requests = wanted.iter().map(|(key, Wanted { lead_time, aim })| Request {
        key,
        lead_time: *lead_time,
        aim: *aim,
    });
    let started = Instant::now();
    let may_walk = || started.elapsed() < WALKS_WITHIN;
    let forecasts = past.forecaster.at(&past.history, requests, now.wall, tick, may_walk);
    for model in past.forecaster.take_broken() {
        tracing::warn!(model, "A model gave a number that is not finite; it is left out.");
    }
    (past, wanted, forecasts)
}
