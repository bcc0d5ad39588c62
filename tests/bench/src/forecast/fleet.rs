//! Fleet: the warm-up of all functions in, rows and the forest learned from them out.

use super::score::usual;
use super::traces::Function;
use super::work;
use forewarm_forecast::draw::Stream;
use forewarm_forecast::engine::{Engine, Models, Scratch, Series, Span, WIDTH};
use forewarm_forecast::prior::Picker;
use forewarm_forecast::tree::{ByQuantile, Params, Rows, learn};

/// Rows taken of one function at most, for a day of warm-up or less and for more.
const ROWS: (f64, f64) = (600.0, 2000.0);
/// Trees of the forest for 0.95 and of the others.
const TREES: (usize, usize) = (200, 100);
/// Minutes at the end of the warm-up that rows are taken from.
const FROM: usize = 4320;

/// Learns a forest for each quantile from the minutes before each function's warm-up ends. `None`: there is nothing
/// to learn from.
pub(crate) fn forests(functions: &[Function], spans: &[Span], quantiles: &[f64], seed: u64) -> Option<ByQuantile> {
    let jobs: Vec<(usize, &Function)> = functions.iter().enumerate().collect();
    let picked = work::all(
        "rows of the fleet",
        &jobs,
        |(_, function)| cost(function),
        |(place, function)| rows(function, spans, seed.wrapping_add(u64::try_from(*place).unwrap_or(0))),
    );
    let mut rows = Rows::new(WIDTH);
    for more in picked {
        rows.append(more);
    }
    eprintln!("{} rows of the fleet", rows.len());
    let learned = work::all(
        "forests of the fleet",
        quantiles,
        |_| 1,
        |share| {
            // From float, the rounding of f32 is what is wanted.
            #[allow(clippy::cast_possible_truncation)]
            let quantile = *share as f32;
            let main = (*share - 0.95).abs() < 1e-9;
            let params = Params {
                quantile,
                seed,
                trees: if main { TREES.0 } else { TREES.1 },
                rate: if main { 0.1 } else { 0.15 },
                ..Params::default()
            };
            Some((quantile, learn(&rows, params, || true)?))
        },
    );
    let learned: Vec<_> = learned.into_iter().flatten().collect();
    (!learned.is_empty()).then(|| ByQuantile::new(learned))
}

fn cost(function: &Function) -> u64 {
    u64::try_from(function.warmup.min(FROM)).unwrap_or(0)
}

fn rows(function: &Function, spans: &[Span], seed: u64) -> Rows {
    let warmup = &function.calls[..function.warmup.min(function.calls.len())];
    let minutes = warmup.len().min(FROM);
    let wanted = if minutes <= 1440 { ROWS.0 } else { ROWS.1 };
    let chance = (wanted / f64::from(u32::try_from(minutes.max(1)).unwrap_or(1))).min(1.0);
    let mut engine = Engine::for_rows(spans);
    let mut picker = Picker::new(Stream::new(seed ^ 0x00f1_ee70), chance, Some(usual(warmup)));
    let mut scratch = Scratch::default();
    if !(usual(warmup) > 0.0) {
        return picker.rows;
    }
    for minute in warmup.len() - minutes..warmup.len() {
        let (past, t) = (
            Series {
                first: 0,
                values: &warmup[..=minute],
            },
            i64::try_from(minute).unwrap_or(0),
        );
        engine.step(&past, t, Models::default(), &mut scratch, |_| {});
        picker.look(&engine, spans, &past, t);
    }
    picker.rows
}
