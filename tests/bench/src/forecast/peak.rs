//! Peak: the product's own target. Each function's calls are run through its durations; what is forecast is the
//! largest in-flight count over the minutes ahead, against the best trailing-peak quantile in hindsight.

use super::groups::{groups, mean};
use super::options::Options;
use super::report::Figures;
use super::score::usual;
use super::traces::Function;
use super::work;
use forewarm_forecast::engine::{Engine, Heard, Models, Scratch, Series, Target, pinball};
use forewarm_forecast::prior;
use forewarm_sim::durations::Durations;
use forewarm_sim::overlap::overlap;
use forewarm_sim::random::Random;

/// Minutes walked before the scored ones and scored at most.
const BEFORE: usize = 4320;
const SCORED: usize = 2880;
/// Minutes looked back on and quantiles in percent of the floors without a model.
const WINDOWS: [usize; 5] = [5, 10, 30, 60, 120];
const KNOBS: [usize; 6] = [50, 65, 80, 90, 95, 100];

/// Losses of one function: ours and each floor's, by horizon and quantile; scaled, `None`: not scored.
type Losses = Option<Vec<[f64; 1 + WINDOWS.len() * KNOBS.len()]>>;

pub(crate) fn peak(figures: &mut Figures, functions: &[Function], options: &Options) {
    let groups = groups(functions);
    for scraped in [false, true] {
        let jobs: Vec<(usize, &Function)> = functions.iter().enumerate().collect();
        let losses = work::all(
            if scraped { "peaks as scraped" } else { "peaks" },
            &jobs,
            |(_, function)| u64::try_from(function.calls.len().min(BEFORE + SCORED)).unwrap_or(0),
            |(place, function)| {
                one(
                    function,
                    options,
                    scraped,
                    options.seed + u64::try_from(*place).unwrap_or(0),
                )
            },
        );
        let tag = if scraped { "-scraped" } else { "" };
        for (h, horizon) in options.horizons.iter().enumerate() {
            for (q, percent) in options.quantiles.iter().enumerate() {
                let at = h * options.quantiles.len() + q;
                for (group, members) in &groups {
                    let known = members.iter().filter_map(|place| losses[*place].as_ref());
                    let column = |column: usize| mean(&known.clone().map(|loss| loss[at][column]).collect::<Vec<_>>());
                    let floors = (1..=WINDOWS.len() * KNOBS.len()).filter_map(|place| Some((place, column(place)?)));
                    let Some((best, theirs)) = floors.min_by(|a, b| a.1.total_cmp(&b.1)) else {
                        continue;
                    };
                    let name = |kind: &str| format!("{kind}{percent}.h{horizon}.{group}");
                    figures.add(format!("{}.mixture{tag}", name("peakspl")), column(0));
                    let (window, knob) = (WINDOWS[(best - 1) / KNOBS.len()], KNOBS[(best - 1) % KNOBS.len()]);
                    figures.add(
                        format!("{}.trailing-q{knob}-{window}min{tag}", name("peakspl")),
                        Some(theirs),
                    );
                    figures.add(
                        format!("{}.mixture{tag}", name("peakratio")),
                        column(0).map(|ours| ours / theirs),
                    );
                }
            }
        }
    }
}

fn one(function: &Function, options: &Options, scraped: bool, seed: u64) -> Losses {
    let durations = function.duration?;
    let durations = Durations::new(durations.median * 1e3, durations.mean * 1e3, durations.p99 * 1e3);
    let warmup = function.warmup.min(function.calls.len());
    let (first, end) = (
        warmup.saturating_sub(BEFORE),
        (warmup + SCORED).min(function.calls.len()),
    );
    if function.calls[warmup..end].iter().sum::<f64>() <= 0.0 {
        return None;
    }
    let seen = overlap(&function.calls[first..end], durations, &mut Random::new(seed));
    let values = if scraped { seen.scraped } else { seen.peaks };
    let scored_from = warmup - first;
    let scale = usual(&values[..scored_from]);
    if !(scale > 0.0) {
        return None;
    }
    let spans = options.spans(Target::Peak);
    let shares = options.shares();
    let mut losses = vec![[0.0; 1 + WINDOWS.len() * KNOBS.len()]; spans.len() * shares.len()];
    let mut counts = vec![0.0; losses.len()];
    let mut floors: Vec<[f64; WINDOWS.len() * KNOBS.len()]> = Vec::with_capacity(values.len());
    let mut engine = Engine::new(&spans, &shares);
    let mut scratch = Scratch::default();
    let models = Models {
        prior: Some(prior::peak()),
        fleet: None,
    };
    for place in 0..values.len() {
        floors.push(trailing(&values[..=place]));
        let past = Series {
            first: 0,
            values: &values[..=place],
        };
        engine.step(
            &past,
            i64::try_from(place).unwrap_or(0),
            models,
            &mut scratch,
            |heard: Heard<'_>| {
                if place < scored_from {
                    return;
                }
                let at = heard.span * shares.len() + heard.quantile;
                let share = shares[heard.quantile];
                let made = usize::try_from(heard.made).unwrap_or(0);
                counts[at] += 1.0;
                losses[at][0] += pinball(heard.actual, heard.said.mixture, share);
                for (loss, floor) in losses[at][1..].iter_mut().zip(&floors[made]) {
                    *loss += pinball(heard.actual, *floor, share);
                }
            },
        );
    }
    let scaled = |(loss, count): (&[f64; 1 + WINDOWS.len() * KNOBS.len()], &f64)| {
        loss.map(|loss| (loss / count.max(1.0) / scale).min(50.0))
    };
    Some(losses.iter().zip(&counts).map(scaled).collect())
}

/// Every quantile of every window of the newest one-minute peaks.
fn trailing(values: &[f64]) -> [f64; WINDOWS.len() * KNOBS.len()] {
    let mut all = [0.0; WINDOWS.len() * KNOBS.len()];
    for (window, slots) in WINDOWS.iter().zip(all.chunks_exact_mut(KNOBS.len())) {
        let mut newest = values[values.len().saturating_sub(*window)..].to_vec();
        newest.sort_unstable_by(f64::total_cmp);
        for (slot, knob) in slots.iter_mut().zip(KNOBS) {
            *slot = newest[(newest.len() * knob).div_ceil(100).max(1) - 1];
        }
    }
    all
}
