//! Forecast: walk-forward over a folder of traces, ours and the classical forecasters in one run.
//!
//! * [`traces`]: the folder; [`walk`], [`classical`], [`score`]: one function's minutes; [`fleet`]: the forest learned
//!   from all warm-ups; [`work`]: both cores.
//! * [`peak`], [`wake`]: the product's own targets.
//! * [`report`], [`groups`], [`methods`]: the figures.

mod anomalies;
mod classical;
mod fleet;
mod groups;
mod methods;
mod options;
mod peak;
mod report;
mod score;
mod traces;
mod wake;
mod walk;
mod work;

pub(crate) use options::Options;
pub(crate) use work::all;

use anyhow::Context;
use forewarm_forecast::engine::{Models, Target};
use forewarm_forecast::prior;
use methods::Methods;
use report::{Figures, report};
use score::Scores;
use traces::Function;
use walk::{Walk, walk};

/// Minutes of history that a young installation has, and how they are named.
const HISTORY: [(usize, &str); 4] = [(60, "1h"), (360, "6h"), (1440, "24h"), (4320, "72h")];
/// Minutes scored of a short history.
const YOUNG: usize = 360;

/// Runs it all, prints the figures and writes them.
pub(crate) fn bench(options: &Options) -> anyhow::Result<()> {
    options.check()?;
    let functions: Vec<Function> = traces::read(&options.traces)?
        .into_iter()
        .step_by(options.every.max(1))
        .collect();
    eprintln!("{} functions", functions.len());
    let mut figures = Figures::default();
    if options.wants("count") {
        count(&mut figures, &functions, options);
    }
    if options.wants("history") {
        history(&mut figures, &functions, options);
    }
    if options.wants("peak") {
        peak::peak(&mut figures, &functions, options);
    }
    if options.wants("anomalies") {
        anomalies::anomalies(&mut figures, &functions, options);
    }
    if options.wants("wake") {
        wake::wake(&mut figures, &functions, options);
    }
    let json = serde_json::to_vec_pretty(&figures.into_json())?;
    std::fs::write(&options.out, json).with_context(|| format!("cannot write {}", options.out.display()))
}

/// The public benchmark: calls in a minute ahead.
fn count(figures: &mut Figures, functions: &[Function], options: &Options) {
    let (methods, spans, quantiles) = (Methods::new(), options.spans(Target::Minute), options.shares());
    let fleet = fleet::forests(functions, &spans, &quantiles, options.seed);
    let plan = Walk {
        spans: &spans,
        quantiles: &quantiles,
        models: Models {
            prior: Some(prior::count()),
            fleet: fleet.as_ref(),
        },
        history: None,
        scored: None,
        classical: true,
    };
    let scores = walks("walk-forward", functions, plan, &methods);
    report(figures, functions, &scores, &methods, options, "");
    constant(figures, functions, &scores, &methods, options);
}

/// Exactly constant series: the share of minutes that lay above what was said.
fn constant(figures: &mut Figures, functions: &[Function], scores: &[Scores], methods: &Methods, options: &Options) {
    let Some(quantile) = options.quantiles.iter().position(|percent| *percent == 95) else {
        return;
    };
    let exact = |function: &Function| {
        let scored = &function.calls[function.warmup.min(function.calls.len())..];
        scored
            .first()
            .is_some_and(|first| *first > 0.0 && scored.iter().all(|calls| calls == first))
    };
    for (h, horizon) in options.horizons.iter().enumerate() {
        let of = functions.iter().zip(scores).filter(|(function, _)| exact(function));
        let misses: Vec<f64> = of
            .filter_map(|(_, scores)| Some(1.0 - scores.coverage(h, quantile, methods.mixture())?))
            .collect();
        figures.add(
            format!("exactconstant.h{horizon}.functions"),
            Some(f64::from(u32::try_from(misses.len()).unwrap_or(0))),
        );
        figures.add(format!("exactconstant.h{horizon}.underforecast"), groups::mean(&misses));
    }
}

/// The first hours after installation: history cut short, no forest of the cluster's own.
fn history(figures: &mut Figures, functions: &[Function], options: &Options) {
    let (methods, spans) = (Methods::new(), options.spans(Target::Minute));
    let only = Options {
        quantiles: vec![95],
        ..options.clone()
    };
    for (minutes, name) in HISTORY {
        let long: Vec<Function> = functions
            .iter()
            .filter(|function| function.warmup >= minutes)
            .cloned()
            .collect();
        let plan = Walk {
            spans: &spans,
            quantiles: &[0.95],
            models: Models {
                prior: Some(prior::count()),
                fleet: None,
            },
            history: Some(minutes),
            scored: Some(YOUNG),
            classical: false,
        };
        let scores = walks("short histories", &long, plan, &methods);
        report(figures, &long, &scores, &methods, &only, &format!(".history{name}"));
    }
}

fn walks(title: &'static str, functions: &[Function], plan: Walk<'_>, methods: &Methods) -> Vec<Scores> {
    let cost = |function: &Function| u64::try_from(function.calls.len()).unwrap_or(0);
    work::all(title, functions, cost, |function| walk(function, plan, methods))
}
