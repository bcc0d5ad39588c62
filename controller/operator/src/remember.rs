//! Memory of the past and the models on it: samples in, forecasts out. The costly part runs off the async workers.

use std::collections::BTreeMap;

use forewarm_core::beside::lay_beside;
use forewarm_core::decide::Function;
use forewarm_core::forecast::{Distrust, Forecast};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Now, Seconds, Wall};
use forewarm_forecast::{Forecaster, History, Request, quantile_for};

use crate::observe::Snapshot;

/// History and forecaster, always moved together.
#[derive(Debug, Default)]
pub struct Past {
    /// Two rings a function.
    pub history: History,
    /// The models.
    pub forecaster: Forecaster,
}

/// Keeps the past between ticks.
#[derive(Debug, Default)]
pub struct Remember {
    /// `None` only while a forecast is being computed, or for good after one panicked.
    past: Option<Past>,
    tick: Seconds,
    trusted_since: BTreeMap<FunctionKey, Option<Wall>>,
}

impl Remember {
    /// Knows nothing yet. `tick`: time between two ticks, part of every horizon.
    pub fn new(tick: Seconds) -> Self {
        Self {
            past: Some(Past::default()),
            tick,
            trusted_since: BTreeMap::new(),
        }
    }

    /// The past; a new one where the last computation panicked and took it along.
    pub fn past(&mut self) -> &mut Past {
        self.past.get_or_insert_with(Past::default)
    }

    /// Takes in the samples of this tick and forecasts for every function.
    pub async fn forecast(&mut self, snapshot: &Snapshot) -> BTreeMap<FunctionKey, Forecast> {
        for (key, seen) in &snapshot.functions {
            self.past()
                .history
                .extend(key, snapshot.now.wall, &seen.observation.demand);
        }
        let wanted: Vec<_> = snapshot
            .functions
            .iter()
            .map(|(key, seen)| (key.clone(), seen.observation.lead_time.total))
            .collect();
        let (past, tick, now) = (self.past.take().unwrap_or_default(), self.tick, snapshot.now);
        match tokio::task::spawn_blocking(move || compute(past, &wanted, now, tick)).await {
            Ok((past, forecasts)) => {
                self.past = Some(past);
                forecasts
            }
            Err(panic) => {
                tracing::error!(error = %panic, "Forecasting panicked; its history is gone and is read again.");
                BTreeMap::new()
            }
        }
    }

    /// Minutes of history with a known peak. `None`: the function is not remembered.
    pub fn minutes(&self, key: &FunctionKey) -> Option<u32> {
        let past = self.past.as_ref()?;
        past.history.window(key, i64::MAX).map(|window| window.known())
    }

    /// Since when the forecast of each function may raise the floor without a break, in their order. `None`: it may
    /// not. To be called in every tick, with all functions.
    pub fn trusted_since(&mut self, functions: &BTreeMap<FunctionKey, Function>, now: Wall) -> Vec<Option<Wall>> {
        lay_beside(&mut self.trusted_since, functions.keys(), |_| None);
        let known = self.trusted_since.values_mut().zip(functions.values());
        known
            .map(|(since, function)| {
                *since = function.forecast.trusted().map(|_| since.unwrap_or(now));
                *since
            })
            .collect()
    }

    /// Forgets functions that `keep` does not name.
    pub fn forget(&mut self, keep: impl Fn(&FunctionKey) -> bool) {
        let past = self.past();
        past.history.forget(&keep);
        past.forecaster.forget(&keep);
    }
}

fn compute(
    mut past: Past,
    wanted: &[(FunctionKey, Seconds)],
    now: Now,
    tick: Seconds,
) -> (Past, BTreeMap<FunctionKey, Forecast>) {
    let requests = wanted.iter().map(|(key, lead_time)| Request {
        key,
        lead_time: *lead_time,
        quantile: quantile_for(*lead_time),
    });
    let forecasts = past.forecaster.at(&past.history, requests, now.wall, tick);
    (past, forecasts)
}

/// The forecast of a function that the last computation said nothing of.
pub fn missing() -> Forecast {
    Forecast::none(Distrust::ModelFailed)
}
