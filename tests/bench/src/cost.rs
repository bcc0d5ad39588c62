//! Cost of the model alone, without the operator around it: a function-minute, a refit of the fleet's forest, and what
//! is held for a function.
//!
//! * `forecast.us`: processor time of one function and minute for three horizons, in a loop over all functions, so that
//!   caches are as cold as in the operator.
//! * `refit.s`, `refit.rss`: processor time and memory on top of a refit on a full sample, for the quantiles of every
//!   default objective.
//! * `state.bytes`: history and model of one function, as the operator holds them.

use crate::figure::{figure, mebibytes};
use crate::{demand, spent};
use anyhow::Context;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Percent, Seconds, Wall};
use forewarm_forecast::draw::Stream;
use forewarm_forecast::engine::{Engine, Models, Scratch, Span, Target};
use forewarm_forecast::fleet::Sample;
use forewarm_forecast::prior::{self, Picker};
use forewarm_forecast::{Forecaster, History, Request, aim, history};
use std::time::Duration;

/// The first minute that is measured: 2026-11-23 08:00 UTC, a Monday.
const START: i64 = 29_923_680;
/// Minutes that are walked before, and measured; an hour has every minute's share of what is done by the hour.
const WALKED: i64 = 720;
const MEASURED: i64 = 60;
/// Horizons in minutes, and the quantiles of each: the wanted one and the middle.
const HORIZONS: [i64; 3] = [1, 5, 10];
const QUANTILES: [f64; 2] = [0.80, 0.5];
/// Rows wanted for a refit, and functions whose state is looked at.
const ROWS: f64 = 210_000.0;
const LOOKED_AT: u32 = 200;

/// One function on its way.
struct Known {
    key: FunctionKey,
    engine: Engine,
    picker: Picker,
}

pub(crate) fn bench(functions: u32) -> anyhow::Result<()> {
    let mut history = History::new();
    let spans = HORIZONS.map(|h| Span {
        target: Target::Peak,
        h,
    });
    let chance = ROWS / f64::from(functions) / minutes(WALKED);
    let mut all: Vec<Known> = (0..functions).map(|n| known(n, &spans, chance)).collect();
    for (n, known) in (0..functions).zip(&all) {
        let past = START + MEASURED - history::MINUTES..START + MEASURED;
        history.backfill(&known.key, past.map(|minute| (minute, demand::peak(n, minute))));
    }
    eprintln!("{functions} functions have a past");
    for part in 0..10 {
        let from = START - WALKED + part * WALKED / 10;
        step(&mut all, &history, &spans, from..from + WALKED / 10);
        eprintln!("walked: {} %", (part + 1) * 10);
    }
    let before = spent::processor();
    step(&mut all, &history, &spans, START..START + MEASURED);
    let each = micros(spent::processor().saturating_sub(before)) / f64::from(functions) / minutes(MEASURED);
    figure("forecast.us", each, "us");
    let mut sample = Sample::new(1);
    for known in &mut all {
        sample.take(&mut known.picker.rows, START);
    }
    drop(all);
    refit(sample)?;
    state(&history, functions.min(LOOKED_AT));
    Ok(())
}

fn known(n: u32, spans: &[Span], chance: f64) -> Known {
    let key = FunctionKey {
        namespace: format!("team-{}", n % 100).into(),
        name: format!("function-{n}").into(),
    };
    Known {
        key,
        engine: Engine::new(spans, &QUANTILES),
        picker: Picker::new(Stream::new(u64::from(n)), chance, None),
    }
}

/// Every function, minute by minute, as they close.
fn step(all: &mut [Known], history: &History, spans: &[Span], span: std::ops::Range<i64>) {
    let (mut scratch, models) = (Scratch::default(), models());
    for minute in span {
        for known in &mut *all {
            let window = history.window(&known.key, minute).expect("it has a past");
            known.engine.step(&window, minute, models, &mut scratch, |_| {});
            known.picker.look(&known.engine, spans, &window, minute);
        }
    }
}

fn models() -> Models<'static> {
    // As once the cluster has a forest of its own: of the same size.
    Models {
        prior: Some(prior::peak()),
        fleet: Some(prior::peak()),
    }
}

fn refit(mut sample: Sample) -> anyhow::Result<()> {
    let quantiles = [65, 80, 90].map(|percent| Percent::new(percent).expect("a percentage"));
    let refit = sample.due(START, &quantiles).context("too few rows for a refit")?;
    figure("refit.rows", f64::from(u32::try_from(refit.rows())?), "");
    spent::forget_peak().context("cannot begin a new peak of memory")?;
    let (resident, before) = (spent::resident(), spent::processor());
    let fleet = refit.run(Some(prior::peak()), || true).fleet;
    figure("refit.s", spent::processor().saturating_sub(before).as_secs_f64(), "s");
    mebibytes("refit.rss", spent::peak().saturating_sub(resident));
    let bytes = fleet.context("the refit learned nothing")?.forests.to_bytes().len();
    figure("refit.bytes", f64::from(u32::try_from(bytes)?), "B");
    Ok(())
}

/// `looked_at`: functions whose model is walked for it.
fn state(history: &History, looked_at: u32) {
    let (mut forecaster, lead_time) = (Forecaster::default(), Seconds(30));
    for n in 0..looked_at {
        let key = known(n, &[], 0.0).key;
        let request = Request {
            key: &key,
            lead_time,
            aim: aim(None, lead_time),
        };
        forecaster.warm(history, request, Wall(START * 60_000), Seconds(15));
    }
    let each = |bytes: usize, of: u32| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(of);
    let functions = u32::try_from(history.len()).unwrap_or(u32::MAX);
    let (past, model) = (each(history.bytes(), functions), each(forecaster.bytes(), looked_at));
    figure("state.bytes", past + model, "B");
    figure("state.history.bytes", past, "B");
    figure("state.model.bytes", model, "B");
}

fn minutes(count: i64) -> f64 {
    f64::from(i32::try_from(count).expect("a day of minutes"))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
