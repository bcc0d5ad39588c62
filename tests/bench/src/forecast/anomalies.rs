//! Anomalies: how often the demand is named as far outside its band, on series in which nobody has found anything wrong. Each
//! function's calls are run through its durations, and the bands are those of the operator, tick by tick.

use super::groups::{groups, mean};
use super::options::Options;
use super::report::Figures;
use super::traces::Function;
use super::work;
use forewarm_core::observation::{DemandSample, Reading};
use forewarm_core::policy::FunctionKey;
use forewarm_core::service::Anomaly;
use forewarm_core::units::{Demand, Replicas, Seconds, Wall};
use forewarm_forecast::band::Bands;
use forewarm_forecast::{Forecaster, History, Request, aim};
use forewarm_sim::durations::Durations;
use forewarm_sim::overlap::overlap;
use forewarm_sim::random::Random;

/// Minutes before the counted ones, and counted at most: a day and two; of a series that is shorter, its second half is counted.
const BEFORE: usize = 1440;
const COUNTED: usize = 2880;
/// Ticks of a minute, and how long each lasts.
const TICKS: i64 = 4;
const TICK: Seconds = Seconds(15);
const LEAD_TIME: Seconds = Seconds(30);
/// The first minute; any.
const START: i64 = 29_923_680;

/// Of one function: beginnings above and below the band, and minutes in which either was named; a day.
type Counts = Option<[f64; 3]>;

pub(crate) fn anomalies(figures: &mut Figures, functions: &[Function], options: &Options) {
    let jobs: Vec<(u64, &Function)> = (options.seed..).zip(functions).collect();
    let length = |function: &Function| function.calls.len().min(BEFORE + COUNTED);
    let counts = work::all(
        "anomalies",
        &jobs,
        |(_, function)| u64::try_from(length(function)).unwrap_or(0),
        |(seed, function)| one(&function.calls[..length(function)], function, *seed),
    );
    for (group, members) in groups(functions) {
        let known = || members.iter().filter_map(|place| counts[*place]);
        for (at, name) in ["above", "below", "minutes"].into_iter().enumerate() {
            let each: Vec<f64> = known().map(|counts| counts[at]).collect();
            figures.add(format!("anomalies.{name}.{group}"), mean(&each));
        }
    }
}

fn one(calls: &[f64], function: &Function, seed: u64) -> Counts {
    let durations = function.duration?;
    let durations = Durations::new(durations.median * 1e3, durations.mean * 1e3, durations.p99 * 1e3);
    let peaks = overlap(calls, durations, &mut Random::new(seed)).peaks;
    let before_counted = BEFORE.min(peaks.len() / 2);
    if peaks[before_counted..].iter().sum::<f64>() <= 0.0 {
        return None;
    }
    let key = FunctionKey {
        namespace: "a".into(),
        name: "f".into(),
    };
    let (mut history, mut forecaster, mut bands) = (History::new(), Forecaster::new(seed), Bands::default());
    let (mut counts, mut before) = ([0.0; 3], None);
    for (minute, peak) in (START..).zip(&peaks) {
        let demand = Demand::new(*peak)?;
        let request = Request {
            key: &key,
            lead_time: LEAD_TIME,
            aim: aim(None, LEAD_TIME),
        };
        let forecast = forecaster.at(&history, [request], Wall(minute * 60_000), TICK, || true);
        let band = forecast.first().and_then(|forecast| forecast.expected_now);
        let mut named = None;
        for tick in 0..TICKS {
            let (_, anomalies) = bands.look(None, band.map(|band| (demand, band)), false, minute * TICKS + tick);
            named = anomalies.first().map(side);
        }
        let counted = minute - START >= i64::try_from(before_counted).unwrap_or(i64::MAX);
        if let Some(side) = named.filter(|_| counted) {
            counts[side] += f64::from(u8::from(before != Some(side)));
            counts[2] += 1.0;
        }
        before = named;
        let sample = DemandSample {
            current: demand,
            peak: demand,
            unheard: Replicas::ZERO,
        };
        history.extend(&key, Wall(minute * 60_000 + 45_000), &Reading::Known(sample));
    }
    let days = f64::from(u32::try_from(peaks.len() - before_counted).unwrap_or(1)) / 1440.0;
    Some(counts.map(|count| count / days))
}

/// 0: above its band; 1: below.
fn side(anomaly: &Anomaly) -> usize {
    usize::from(matches!(anomaly, Anomaly::DemandBelowBand { .. }))
}
