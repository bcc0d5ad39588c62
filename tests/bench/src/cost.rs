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
use forewarm_forecast::engine::{Engine, Models, Scratch, Span, Target, WIDTH};
use forewarm_forecast::fleet::Sample;
use forewarm_forecast::prior;
use forewarm_forecast::tree::Rows;
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
/// Minutes before them that are known by the quarter hour: fifteen days in all.
const OLDER: i64 = 15 * 1440 - history::MINUTES;
/// Rows of a refit, the parts they come in, and functions whose state is looked at.
const ROWS: i64 = 200_000;
const PARTS: i64 = 200;
const LOOKED_AT: u32 = 200;

/// One function on its way.
struct Known {
    key: FunctionKey,
    engine: Engine,
}

pub(crate) fn bench(functions: u32) -> anyhow::Result<()> {
    let spans = HORIZONS.map(|h| Span {
        target: Target::Peak,
        h,
    });
    // First, while there is no freed memory in which it could hide.
    refit(rows())?;
    let (mut all, history) = walked(functions, &spans);
    let before = spent::processor();
    step(&mut all, &history, START..START + MEASURED);
    let each = micros(spent::processor().saturating_sub(before)) / f64::from(functions) / minutes(MEASURED);
    figure("forecast.us", each, "us");
    drop(all);
    state(&history, functions.min(LOOKED_AT));
    Ok(())
}

/// A full sample of made-up rows: what a target is made of lies in three features, with noise; a tenth is not known.
fn rows() -> Sample {
    let (mut sample, mut stream) = (Sample::new(1), Stream::new(2));
    for part in 0..PARTS {
        let mut rows = Rows::new(WIDTH);
        for _ in 0..ROWS / PARTS {
            let row: [f64; WIDTH] = std::array::from_fn(|_| stream.between(-3.0, 3.0));
            let target = row[0] + row[5].abs() + 0.3 * row[9] + stream.between(-1.0, 1.0);
            let seen = row.map(|value| if stream.chance(0.1) { f32::NAN } else { single(value) });
            rows.push(&seen, single(target), 1.0);
        }
        sample.take(&mut rows, START + part);
    }
    sample
}

/// Functions with a past, walked up to the first measured minute.
fn walked(functions: u32, spans: &[Span]) -> (Vec<Known>, History) {
    let mut history = History::new();
    let mut all: Vec<Known> = (0..functions).map(|n| known(n, spans)).collect();
    for (n, known) in (0..functions).zip(&all) {
        let past = START + MEASURED - history::MINUTES..START + MEASURED;
        let quarters = (past.start - OLDER..past.start).step_by(15);
        history.backfill_quarters(&known.key, quarters.map(|minute| (minute, demand::peak(n, minute))));
        history.backfill(&known.key, past.map(|minute| (minute, demand::peak(n, minute))));
    }
    for part in 0..10 {
        let from = START - WALKED + part * WALKED / 10;
        step(&mut all, &history, from..from + WALKED / 10);
        eprintln!("{functions} functions walked: {} %", (part + 1) * 10);
    }
    (all, history)
}

fn known(n: u32, spans: &[Span]) -> Known {
    let key = FunctionKey {
        namespace: format!("team-{}", n % 100).into(),
        name: format!("function-{n}").into(),
    };
    let engine = Engine::new(spans, &QUANTILES);
    Known { key, engine }
}

/// Every function, minute by minute, as they close.
fn step(all: &mut [Known], history: &History, span: std::ops::Range<i64>) {
    let (mut scratch, models) = (Scratch::default(), models());
    for minute in span {
        for known in &mut *all {
            let window = history.window(&known.key, minute).expect("it has a past");
            known.engine.step(&window, minute, models, &mut scratch, |_| {});
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
    let refit = sample
        .due(START, || quantiles.to_vec())
        .context("too few rows for a refit")?;
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
        let key = known(n, &[]).key;
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

/// The nearest single-precision number.
#[allow(clippy::cast_possible_truncation)] // the rounding is what is wanted
fn single(x: f64) -> f32 {
    x as f32
}
