//! One pass of the line over the fleet, as the operator makes it: the real rooms, with shelves that are filled by
//! hand, answers of Prometheus that lie ready, and an API server that takes whatever is written.
//!
//! Time is virtual: a tick every 15 s of it, one in four of which closes a minute.

mod api_server;
mod objects;
mod rooms;

use crate::fleet::{self, Fleet};
use crate::{demand, figure, spent};
use anyhow::ensure;
use forewarm_core::decide::decide;
use forewarm_core::units::{Mono, Now, Seconds, Wall};
use forewarm_forecast::{Request, aim, history};
use forewarm_operator::tick::{self, Rooms, TickReport};
use rooms::{House, PROFILE};
use std::collections::BTreeMap;
use std::time::Duration;

/// Tuesday 2026-01-20 09:00 UTC: the day has begun, no peak is aligned with it.
const START: Wall = Wall(1_768_899_600_000);
/// Time between two ticks.
const TICK: Seconds = Seconds(15);
/// How far back the past reaches: 15 days.
const PAST_MINUTES: i64 = 15 * 1440;
/// Ticks before the measured ones: 200 statuses are written a tick, those of functions that move among them, until
/// each of 10,000 has its first one.
const SETTLING: u32 = 160;
/// Ticks measured: 30 that close no minute and 10 that do.
const MEASURED: u32 = 40;
/// Times that `decide` is called alone.
const DECISIONS: u32 = 20;
/// Pods a function has.
const PODS: u32 = 2;

/// What some ticks have taken.
#[derive(Debug, Default)]
struct Taken {
    ticks: u32,
    reading: Duration,
    whole: Duration,
    /// Time on the wall that each room took.
    rooms: BTreeMap<String, Duration>,
}

impl Taken {
    /// A mean tick.
    fn whole(&self) -> Duration {
        self.whole / self.ticks.max(1)
    }

    /// What a mean tick spends in each room behind `observe`: its processor time, divided as the time on the wall is.
    fn rooms(&self) -> impl Iterator<Item = (&str, Duration)> {
        let behind = self.whole.saturating_sub(self.reading) / self.ticks.max(1);
        let all: Duration = self.rooms.values().sum();
        let share =
            move |took: &Duration| behind.mul_f64(took.as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE));
        self.rooms.iter().map(move |(room, took)| (room.as_str(), share(took)))
    }
}

/// Prints the figures of `functions` functions.
pub(crate) async fn bench(functions: u32) -> anyhow::Result<()> {
    let fleet = Fleet { functions, pods: PODS };
    let before = spent::resident();
    let mut house = House::build(fleet, at(0))?;
    eprintln!("objects on the shelves: {} MiB", (spent::resident() - before) / 1024);
    remember(&mut house.rooms, fleet);
    eprintln!("and 15 days of history: {} MiB", (spent::resident() - before) / 1024);
    learn(&mut house.rooms, fleet);
    eprintln!("and models: {} MiB", (spent::resident() - before) / 1024);
    for number in 0..SETTLING {
        pass(&mut house, number).await?;
    }
    spent::forget_peak()?;
    let (quiet, minute) = measure(&mut house).await?;
    let name = |part: &str| format!("tick.{functions}.{part}");
    figure::millis(&name("ms"), quiet.whole());
    figure::millis(&name("observe.ms"), quiet.reading / quiet.ticks);
    for (room, took) in quiet.rooms() {
        figure::millis(&name(&format!("{room}.ms")), took);
    }
    figure::millis(&name("decide.alone.ms"), decide_alone(&mut house).await);
    figure::millis(&name("minute.ms"), minute.whole());
    for (room, took) in minute.rooms() {
        figure::millis(&name(&format!("minute.{room}.ms")), took);
    }
    figure::mebibytes(&name("rss"), spent::resident());
    figure::mebibytes(&name("rss.peak"), spent::peak());
    Ok(())
}

/// The time of a tick.
fn at(number: u32) -> Now {
    // 5 s after the minute, then 20, 35 and 50.
    let passed = 5_000 + i64::from(number) * i64::from(TICK.0) * 1000;
    Now {
        wall: Wall(START.0 + passed),
        mono: Mono(3_600_000 + passed.unsigned_abs()),
    }
}

/// Puts the past into memory as the backfill does: the newest days by the minute, the older ones by the quarter hour.
fn remember(rooms: &mut Rooms, fleet: Fleet) {
    let (end, past) = (START.minute(), rooms.remember.past());
    for function in fleet.all() {
        let key = fleet::key(function);
        let minutes = end - history::MINUTES..end;
        let quarters = (end - PAST_MINUTES..minutes.start).step_by(15);
        past.history
            .backfill_quarters(&key, quarters.map(|minute| (minute, demand::peak(function, minute))));
        past.history
            .backfill(&key, minutes.map(|minute| (minute, demand::peak(function, minute))));
    }
}

/// Walks every model over the past. The operator does so for some 100 of them a tick.
fn learn(rooms: &mut Rooms, fleet: Fleet) {
    let lead_time = Seconds(30);
    let past = rooms.remember.past();
    for function in fleet.all() {
        let key = fleet::key(function);
        let request = Request {
            key: &key,
            lead_time,
            aim: aim(None, lead_time),
        };
        past.forecaster.warm(&past.history, request, at(0).wall, TICK);
        if function % 1000 == 999 {
            eprintln!("{} models of {} have learned", function + 1, fleet.functions);
        }
    }
}

/// The measured ticks: those that close no minute, and those that do.
async fn measure(house: &mut House) -> anyhow::Result<(Taken, Taken)> {
    let (mut quiet, mut minute) = (Taken::default(), Taken::default());
    let (lines, statuses) = (house.lines.count(), house.api.written());
    for number in SETTLING..SETTLING + MEASURED {
        let before = house.times();
        let (reading, whole) = pass(house, number).await?;
        let taken = if number % 4 == 0 { &mut minute } else { &mut quiet };
        taken.ticks += 1;
        taken.reading += reading;
        taken.whole += whole;
        for (room, sum) in house.times() {
            let before = before.get(&room).copied().unwrap_or_default();
            *taken.rooms.entry(room).or_default() += sum.saturating_sub(before);
        }
    }
    let each = |n: u64| n / u64::from(MEASURED);
    let (lines, statuses) = (house.lines.count() - lines, house.api.written() - statuses);
    eprintln!(
        "a tick has printed {} lines and written {} statuses",
        each(lines),
        each(statuses)
    );
    Ok((quiet, minute))
}

/// One tick: processor time until the snapshot is there, and of the whole.
async fn pass(house: &mut House, number: u32) -> anyhow::Result<(Duration, Duration)> {
    let now = at(number);
    let bodies = BTreeMap::from([(PROFILE.to_owned(), house.fleet.answer(now.wall))]);
    let start = spent::processor();
    let snapshot = house.rooms.observe.assemble(now, &bodies);
    let read = spent::processor();
    let report = tick::line(&mut house.rooms, snapshot).await;
    let end = spent::processor();
    check(house.fleet, report)?;
    house.api.deliver()?;
    Ok((read.saturating_sub(start), end.saturating_sub(start)))
}

/// A tick that decides nothing is quick and worth nothing.
fn check(fleet: Fleet, report: TickReport) -> anyhow::Result<()> {
    let decided = u32::try_from(report.functions)?;
    ensure!(decided == fleet.functions, "{decided} functions decided upon");
    Ok(())
}

/// `decide` alone, on a snapshot and the forecasts of the next tick.
async fn decide_alone(house: &mut House) -> Duration {
    let now = at(SETTLING + MEASURED);
    let bodies = BTreeMap::from([(PROFILE.to_owned(), house.fleet.answer(now.wall))]);
    let mut snapshot = house.rooms.observe.assemble(now, &bodies);
    house.rooms.remember.forecast(&mut snapshot).await;
    let start = spent::processor();
    for _ in 0..DECISIONS {
        std::hint::black_box(decide(&snapshot.functions, snapshot.world, &house.rooms.standing, now));
    }
    spent::processor().saturating_sub(start) / DECISIONS
}
