//! Prints what the forecaster costs: a tick without and with a closed minute, walking a model over a full
//! history, and memory. Run with `cargo run --release -p forewarm-forecast --example speed [functions]`.

use forewarm_core::observation::{DemandSample, Reading};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Demand, Seconds, Wall};
use forewarm_forecast::{Config, Forecaster, History, Request, quantile_for};
use std::time::{Duration, Instant};

/// 2026-01-05 00:00 UTC, a Monday, in minutes.
const START: i64 = 29_460_960;
const LEAD: Seconds = Seconds(45);
const TICK: Seconds = Seconds(15);
const DAYS: i64 = 15;

fn main() {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let keys: Vec<FunctionKey> = (0..count)
        .map(|n: u32| FunctionKey {
            namespace: format!("team-{}", n % 100).into(),
            name: format!("function-{n}").into(),
        })
        .collect();
    let before = resident();
    let mut history = History::new();
    timed("backfill of 15 days", count, || {
        for (n, key) in (0..).zip(&keys) {
            history.backfill(
                key,
                (START..START + DAYS * 1440).map(|minute| (minute, demand(n, minute))),
            );
        }
    });
    println!("history: {} bytes a function, computed", history.bytes() / keys.len());
    println!("history: {} kB resident", resident() - before);

    let mut forecaster = Forecaster::new(Config::default());
    let now = |minute: i64, second: i64| Wall((START + DAYS * 1440 + minute) * 60_000 + second * 1000);
    timed("walk over 74 hours", count, || {
        for key in &keys {
            forecaster.warm(&history, request(key), now(0, 5), TICK);
        }
    });
    println!("history and models: {} kB resident", resident() - before);
    for minute in 0..3 {
        for second in [5, 20, 35, 50] {
            timed("extend", count, || {
                for (n, key) in (0..).zip(&keys) {
                    let amount = demand(n, START + DAYS * 1440 + minute);
                    history.extend(
                        key,
                        now(minute, second),
                        &Reading::Known(DemandSample {
                            current: amount,
                            peak: amount,
                            unheard: forewarm_core::units::Replicas::ZERO,
                        }),
                    );
                }
            });
            let label = if second == 5 {
                "at, minute closed"
            } else {
                "at, nothing closed"
            };
            timed(label, count, || {
                let forecasts = forecaster.at(&history, keys.iter().map(request), now(minute, second), TICK);
                assert_eq!(forecasts.len(), keys.len());
            });
        }
    }
}

fn request(key: &FunctionKey) -> Request<'_> {
    Request {
        key,
        lead_time: LEAD,
        quantile: quantile_for(LEAD),
    }
}

/// Prints the time of `run`: on the wall, which also counts what others do on the machine, and on the processor.
fn timed(what: &str, count: u32, run: impl FnOnce()) {
    let (before, start) = (busy(), Instant::now());
    run();
    let (wall, each) = (start.elapsed(), f64::from(count));
    let spent = busy().saturating_sub(before);
    println!(
        "{what}: {:.1} ms on the wall ({:.2} us a function), {:.0} ms of a processor",
        wall.as_secs_f64() * 1e3,
        wall.as_secs_f64() * 1e6 / each,
        spent.as_secs_f64() * 1e3
    );
}

/// Processor time of this thread so far; zero where the system does not tell.
fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// A daily wave, an hourly peak and noise, different for each function.
fn demand(function: u32, minute: i64) -> Demand {
    let stream =
        (u64::try_from(minute).expect("after 1970") ^ (u64::from(function) << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let noise = f64::from(u32::try_from(stream >> 32).expect("32 bits")) / f64::from(u32::MAX);
    let day = f64::from(i32::try_from(minute % 1440).expect("a part of a day")) / 1440.0 * std::f64::consts::TAU;
    let peak = if (minute + i64::from(function)) % 60 < 4 {
        20.0
    } else {
        0.0
    };
    Demand::new((5.0 + 4.0 * day.sin() + peak + 3.0 * noise).round()).expect("positive")
}

/// Resident memory of this process in kB; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
