//! Slack and kills of our memory recommendations and of VPA's over a trace of real containers, or over generated ones:
//! `memory [TRACE.csv.gz]` with the columns `container_id,minute,mem_util` (share of the limit).
//!
//! A trace of a day is short beside eight days, so a day passes in an hour for both. Recommendations are compared, not
//! clusters: each is in force a minute after it was made.

use flate2::read::GzDecoder;
use forewarm_core::memory::MemoryPolicy;
use forewarm_core::units::{Bytes, Percent};
use forewarm_sim::random::Random;
use forewarm_sim::sizing::{Contest, Score, contest};
use std::collections::BTreeMap;
use std::io::Read;

/// Limit that a trace's shares are of: so much that VPA's least recommendation of 250 MiB does not bind.
const LIMIT: Bytes = Bytes::mib(8192);
/// Minutes that are not scored: one scaled day.
const WARM_UP: usize = 60;
/// The same after fifteen scaled days: our plan lowers nothing before it knows eight, and then a fifth a day.
const SETTLED: usize = 15 * 60;
/// Other margins than the shipped one, in percent.
const MARGINS: [u8; 3] = [5, 10, 15];
/// A day passes in an hour.
const FACTOR: u32 = 24;

fn main() {
    let trace = std::env::args().nth(1).filter(|path| !path.is_empty());
    let (from, series) = match &trace {
        Some(path) => (path.rsplit('/').next().unwrap_or_default().to_owned(), read(path)),
        None => ("generated".to_owned(), generated()),
    };
    eprintln!(
        "memory: {} containers, {from}; a day scaled to an hour, recommendations compared",
        series.len()
    );
    let shipped = MemoryPolicy::default().margin;
    print(&series, WARM_UP, shipped, "");
    print(&series, SETTLED, shipped, ".settled");
    for margin in MARGINS.into_iter().filter_map(Percent::new) {
        print(&series, SETTLED, margin, &format!(".settled.margin{}", margin.get()));
    }
}

/// The figures of both, from minute `warm_up` on. VPA's do not depend on our margin.
fn print(series: &[Vec<Bytes>], warm_up: usize, margin: Percent, part: &str) {
    let on = Contest {
        limit: LIMIT,
        margin,
        warm_up,
        factor: FACTOR,
    };
    let (mut ours, mut vpa) = (Score::default(), Score::default());
    for use_ in series.iter().filter(|use_| use_.len() > warm_up) {
        let (a, b) = contest(use_, on);
        ours.add(a);
        vpa.add(b);
    }
    for (name, score) in [("forewarm", ours), ("vpa", vpa)] {
        println!("figure: memory.{name}.slack{part} {:.3} percent", score.slack_percent());
        println!("figure: memory.{name}.ooms{part} {} kills", score.ooms);
    }
    for (name, kills) in [("after", ours.after_decrease), ("by", ours.by_decrease)] {
        println!("figure: memory.forewarm.ooms_{name}_decrease{part} {kills} kills");
    }
}

/// The trace's series. A file that cannot be read ends the run with its reason.
fn read(path: &str) -> Vec<Vec<Bytes>> {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("open {path}: {error}"));
    let mut text = String::new();
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap_or_else(|error| panic!("read {path}: {error}"));
    let mut series: BTreeMap<&str, BTreeMap<u32, Bytes>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut parts = line.split(',');
        let (Some(id), Some(minute), Some(share)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if let (Ok(minute), Some(used)) = (minute.parse(), share.parse().ok().and_then(of_limit)) {
            series.entry(id).or_default().insert(minute, used);
        }
    }
    series
        .into_values()
        .map(|minutes| minutes.into_values().collect())
        .collect()
}

fn of_limit(share: f64) -> Option<Bytes> {
    let limit = f64::from(u32::try_from(LIMIT.0 / Bytes::MIB.0).unwrap_or(u32::MAX)) * 1_048_576.0;
    Bytes::of(share * limit)
}

/// Twenty containers of 23 hours: plateaus with noise, a daily wave, and now and then a release that needs more.
fn generated() -> Vec<Vec<Bytes>> {
    (0..20).map(|seed| one(&mut Random::new(seed))).collect()
}

fn one(random: &mut Random) -> Vec<Bytes> {
    let base = 800 + random.below(4000);
    let wave = random.below(base / 4);
    let step_at = 200 + random.below(3000);
    let step = random.below(base / 3);
    let minute = |minute: u64| {
        let phase = minute % 60;
        let up = if phase < 30 { phase } else { 60 - phase };
        let grown = if minute >= step_at {
            step * (minute - step_at).min(20) / 20
        } else {
            0
        };
        Bytes::mib(base + wave * up / 30 + grown + random.below(base / 50 + 1))
    };
    (0..1380).map(minute).collect()
}
