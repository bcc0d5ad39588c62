//! Prior: the shipped forests, made again from a seed.

use crate::forecast::all;
use forewarm_forecast::draw::Stream;
use forewarm_forecast::engine::{Engine, Models, Scratch, Series, Span, Target, WIDTH};
use forewarm_forecast::prior::{Picker, series};
use forewarm_forecast::tree::{ByQuantile, Params, Rows, learn};
use forewarm_sim::durations::Durations;
use forewarm_sim::overlap::overlap;
use forewarm_sim::random::Random;
use std::path::PathBuf;

/// Made-up series, rows of each, and minutes of one half and of the other.
const SERIES: u64 = 2500;
const ROWS: f64 = 350.0;
const MINUTES: [usize; 2] = [1440, 14_400];
/// Quantiles and trees of the forests for counts: 24 kB for the one that is scored most, 60 kB in all.
/// The same for peaks: every quantile that an objective asks for, and the median.
const PEAK: [(f32, usize); 6] = [(0.5, 40), (0.65, 50), (0.8, 60), (0.9, 50), (0.95, 60), (0.99, 50)];
/// Made-up series of peaks: their calls are simulated one by one, so fewer and shorter.
const PEAK_SERIES: u64 = 1600;
const COUNT: [(f32, usize); 4] = [(0.8, 60), (0.9, 60), (0.95, 130), (0.99, 60)];

/// Makes the shipped forests.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder they are written to.
    #[arg(long)]
    out: PathBuf,
    /// Seed of everything drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only one of them: count or peak.
    #[arg(long)]
    only: Option<String>,
}

/// A job's cost and its rows.
type Job<'a> = (u64, &'a (dyn Fn(u64) -> Rows + Sync));

/// A set of forests: its name, its rows, its quantiles and trees.
type Made<'a> = (&'a str, Job<'a>, &'a [(f32, usize)]);

pub(crate) fn make(options: &Options) -> anyhow::Result<()> {
    let count = |place| count_rows(place, options.seed);
    let peak = |place| peak_rows(place, options.seed);
    let both: [Made<'_>; 2] = [
        ("count", (SERIES, &count), &COUNT),
        ("peak", (PEAK_SERIES, &peak), &PEAK),
    ];
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    for (name, (series, make), quantiles) in both.into_iter().filter(|(name, ..)| wanted(name)) {
        let jobs: Vec<u64> = (0..series).collect();
        let picked = all(
            "made-up series",
            &jobs,
            |place| 1 + 9 * (place % 2),
            |place| make(*place),
        );
        let mut rows = Rows::new(WIDTH);
        for more in picked {
            rows.append(more);
        }
        eprintln!("{name}: {} rows", rows.len());
        let forests = learned(&rows, quantiles, options.seed);
        std::fs::write(options.out.join(format!("{name}.fwt")), forests.to_bytes())?;
    }
    Ok(())
}

/// A forest for each quantile, of so many trees.
fn learned(rows: &Rows, wanted: &[(f32, usize)], seed: u64) -> ByQuantile {
    let forests = all(
        "forests",
        wanted,
        |(_, trees)| u64::try_from(*trees).unwrap_or(1),
        |(quantile, trees)| {
            let params = Params {
                quantile: *quantile,
                trees: *trees,
                rate: 0.15,
                seed,
                ..Params::default()
            };
            (*quantile, learn(rows, params, || true).expect("there are rows"))
        },
    );
    ByQuantile::new(forests)
}

fn count_rows(place: u64, seed: u64) -> Rows {
    let mut stream = Stream::new(seed.wrapping_mul(0x1_0000).wrapping_add(place));
    let calls = series(&mut stream, MINUTES[usize::try_from(place % 2).unwrap_or(0)]);
    let h = [1, 2, 5, 10][stream.below(4)];
    rows(
        &calls,
        Span {
            target: Target::Minute,
            h,
        },
        stream,
    )
}

fn peak_rows(place: u64, seed: u64) -> Rows {
    let mut stream = Stream::new(seed.wrapping_mul(0x1_0000).wrapping_add(0x8000 + place));
    let mut calls = series(&mut stream, if place.is_multiple_of(2) { 1440 } else { 5760 });
    // Most functions are quiet: a level of 300 a minute at most, so that calls can be simulated one by one.
    let mean = calls.iter().sum::<f64>() / f64::from(u32::try_from(calls.len()).unwrap_or(1));
    let by = if mean > 300.0 { 300.0 / mean } else { 1.0 };
    for calls in &mut calls {
        *calls = (*calls * by).round();
    }
    let median = stream.log_between(20.0, 30_000.0);
    let durations = Durations::new(median, median * stream.between(1.0, 4.0), median * 10.0);
    let seen = overlap(&calls, durations, &mut Random::new(stream.seed()));
    // Half as the queue proxies tell them, half as a look every 15 s would.
    let peaks = if stream.chance(0.5) { seen.peaks } else { seen.scraped };
    let h = [1, 2, 2, 2, 3, 4, 5, 10][stream.below(8)];
    rows(
        &peaks,
        Span {
            target: Target::Peak,
            h,
        },
        stream,
    )
}

/// Rows of one series, picked at random.
fn rows(values: &[f64], span: Span, stream: Stream) -> Rows {
    let minutes = f64::from(u32::try_from(values.len()).unwrap_or(1));
    let usual = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / minutes;
    let mut engine = Engine::for_rows(&[span]);
    let mut picker = Picker::new(stream, ROWS / minutes, Some(usual));
    let mut scratch = Scratch::default();
    if usual > 0.0 {
        for (t, place) in (0..).zip(0..values.len()) {
            let past = Series {
                first: 0,
                values: &values[..=place],
            };
            engine.step(&past, t, Models::default(), &mut scratch, |_| {});
            picker.look(&engine, &[span], &past, t);
        }
    }
    picker.rows
}
