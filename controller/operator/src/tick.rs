//! One pass of the line: observe, forecast, decide, apply, record. Order and wiring; no arithmetic.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use forewarm_api::status::restore;
use forewarm_core::decide::{Decided, Function, decide};
use forewarm_core::decision::Verdict;
use forewarm_core::forecast::Forecast;
use forewarm_core::observation::Reading;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::FunctionKey;
use forewarm_core::standing::Standing;
use forewarm_core::units::Now;
use ulid::Ulid;

use crate::apply::{Apply, Intent};
use crate::backfill::Backfill;
use crate::observe::{Observe, Seen, Snapshot};
use crate::record::Told;
use crate::record::line::LearnedLine;
use crate::record::room::Record;
use crate::remember::{Remember, missing};

/// The rooms of the house, as the tick walks through them.
pub struct Rooms {
    /// Reads the world.
    pub observe: Observe,
    /// Reads the past of functions just met.
    pub backfill: Backfill,
    /// Remembers and forecasts.
    pub remember: Remember,
    /// What is in force because of us, by function.
    pub standing: Standings,
    /// Writes the world.
    pub apply: Apply,
    /// Tells the world.
    pub record: Record,
    /// Time that the questions to Prometheus may take.
    pub within: Duration,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms")
            .field("functions", &self.standing.len())
            .finish_non_exhaustive()
    }
}

/// What one tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickReport {
    /// Functions decided upon.
    pub functions: usize,
    /// Steps that the API server accepted.
    pub applied: usize,
    /// Functions held by a rule.
    pub held: usize,
}

/// One pass while this replica leads.
pub async fn tick(rooms: &mut Rooms, now: Now) -> TickReport {
    let mut lap = Lap::start();
    let snapshot = rooms.observe.snapshot(now, rooms.within).await;
    lap.end(rooms, "observe");
    line(rooms, snapshot).await
}

/// One pass while another replica leads: watch and remember, so that a take-over starts warm.
pub async fn follow(rooms: &mut Rooms, now: Now) {
    let snapshot = rooms.observe.snapshot(now, rooms.within).await;
    rooms.backfill.advance(&snapshot, &rooms.observe, &mut rooms.remember);
    rooms.remember.forecast(&snapshot).await;
    // What is in force is the leader's to know; the policies' status tells it at a take-over.
    rooms.standing.clear();
    rooms.record.follow(&snapshot);
}

/// The line behind a snapshot: everything but the questions to the world.
pub async fn line(rooms: &mut Rooms, mut snapshot: Snapshot) -> TickReport {
    let now = snapshot.now;
    lay_over(rooms, &mut snapshot);
    let mut lap = Lap::start();
    rooms.backfill.advance(&snapshot, &rooms.observe, &mut rooms.remember);
    let forecasts = rooms.remember.forecast(&snapshot).await;
    let functions = functions(&snapshot, forecasts);
    forget_gone(rooms, &snapshot);
    restore_standing(&mut rooms.standing, &snapshot);
    lap.end(rooms, "forecast");

    let decided = decide(&functions, snapshot.world, &rooms.standing, now);
    let learned = learned(rooms, &snapshot, &functions);
    let ids = decided
        .keys()
        .map(|key| (key.clone(), Ulid::new().to_string()))
        .collect();
    let pass = Pass {
        snapshot: &snapshot,
        functions: &functions,
        decided: &decided,
        learned: &learned,
        ids: &ids,
    };

    lap.end(rooms, "decide");

    let before = std::mem::take(&mut rooms.standing);
    let barred = rooms
        .record
        .before(&pass.told(&before, &before, &Outcomes::new()))
        .await;
    let intents = pass.intents(rooms, &barred);
    let done = rooms.apply.run(intents, now).await;
    let outcomes: Outcomes = done.into_iter().map(|done| (done.key, done.outcomes)).collect();
    rooms.standing = pass.fold(&before, &outcomes);
    lap.end(rooms, "apply");
    rooms
        .record
        .run(&pass.told(&before, &rooms.standing, &outcomes), &snapshot)
        .await;
    lap.end(rooms, "record");
    report(&decided, &outcomes)
}

/// No target is older than our own last write to it.
fn lay_over(rooms: &Rooms, snapshot: &mut Snapshot) {
    for seen in snapshot.functions.values_mut() {
        if let Reading::Known(target) = &mut seen.observation.target {
            rooms.apply.lay_over(target, &seen.resource_version);
        }
    }
}

/// How long each room takes of a tick.
struct Lap(Instant);

impl Lap {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// The room is done; the next one begins.
    fn end(&mut self, rooms: &Rooms, room: &'static str) {
        rooms.record.metrics().room(room, self.0.elapsed());
        self.0 = Instant::now();
    }
}

/// What is in force because of us, by function.
type Standings = BTreeMap<FunctionKey, Standing>;

/// Outcomes of the steps, by function.
type Outcomes = BTreeMap<FunctionKey, Vec<Outcome>>;

/// What one pass has found, before anything is done about it.
struct Pass<'a> {
    snapshot: &'a Snapshot,
    functions: &'a BTreeMap<FunctionKey, Function>,
    decided: &'a BTreeMap<FunctionKey, Decided>,
    learned: &'a BTreeMap<FunctionKey, LearnedLine>,
    ids: &'a BTreeMap<FunctionKey, String>,
}

/// What is asked, seen and forecast, put together.
fn functions(snapshot: &Snapshot, mut forecasts: BTreeMap<FunctionKey, Forecast>) -> BTreeMap<FunctionKey, Function> {
    let function = |(key, seen): (&FunctionKey, &Seen)| {
        let forecast = forecasts.remove(key).unwrap_or_else(missing);
        (
            key.clone(),
            Function {
                policy: seen.policy.clone(),
                observation: seen.observation.clone(),
                forecast,
            },
        )
    };
    snapshot.functions.iter().map(function).collect()
}

/// Functions just met start from what the last leader left in their policy's status.
fn restore_standing(standing: &mut Standings, snapshot: &Snapshot) {
    for (key, seen) in &snapshot.functions {
        if !standing.contains_key(key) {
            standing.insert(key.clone(), restore(seen.stored.status.as_ref()));
        }
    }
}

/// Policies that are gone are given back and forgotten; not while the world looks broken (F1).
fn forget_gone(rooms: &mut Rooms, snapshot: &Snapshot) {
    if snapshot.world.vanished() {
        return;
    }
    let known = |key: &FunctionKey| snapshot.functions.contains_key(key) || snapshot.unusable.contains_key(key);
    let gone: Vec<FunctionKey> = rooms.standing.keys().filter(|key| !known(key)).cloned().collect();
    for key in &gone {
        if let Some(standing) = rooms.standing.remove(key) {
            rooms.record.released(key, &standing);
        }
    }
    if !gone.is_empty() {
        rooms.remember.forget(known);
    }
}

impl<'a> Pass<'a> {
    /// What record is told of each function, in the order of their keys. `before` and `after` the fold.
    fn told<'b>(&self, before: &'b Standings, after: &'b Standings, outcomes: &'b Outcomes) -> Vec<Told<'b>>
    where
        'a: 'b,
    {
        let one = |(key, decided): (&'b FunctionKey, &'b Decided)| {
            let seen = self.snapshot.functions.get(key)?;
            Some(Told {
                key,
                target: Some(&seen.target),
                function: self.functions.get(key)?,
                fleet: decided.fleet,
                standing: before.get(key)?,
                after: after.get(key)?,
                policy: seen.stored.object(),
                now: self.snapshot.now,
                decision: &decided.decision,
                decision_id: self.ids.get(key)?,
                outcomes: outcomes.get(key).map_or(&[], Vec::as_slice),
                profile: seen.profile.as_deref(),
                profile_problem: seen.profile_problem.as_deref(),
                learned: self.learned.get(key).copied().unwrap_or_default(),
            })
        };
        self.decided.iter().filter_map(one).collect()
    }

    /// The steps to be carried out. Left out: functions whose status does not yet hold what would undo the write.
    fn intents(&self, rooms: &Rooms, barred: &BTreeSet<FunctionKey>) -> Vec<Intent> {
        let viewed_at = rooms.observe.viewed_at(self.snapshot.now);
        let one = |(key, seen): (&FunctionKey, &Seen)| {
            let Verdict::Apply(steps) = &self.decided.get(key)?.decision.verdict else {
                return None;
            };
            let (mode, decision) = (seen.policy.mode, self.ids.get(key)?.clone());
            let (key, target, steps) = (key.clone(), seen.target.clone(), steps.clone());
            (!barred.contains(&key)).then_some(Intent {
                key,
                target,
                mode,
                decision,
                viewed_at,
                steps,
            })
        };
        self.snapshot.functions.iter().filter_map(one).collect()
    }

    /// What is in force after the outcomes. A function of which nothing was decided keeps its standing.
    fn fold(&self, before: &Standings, outcomes: &Outcomes) -> Standings {
        let one = |(key, standing): (&FunctionKey, &Standing)| {
            let (Some(function), Some(decided)) = (self.functions.get(key), self.decided.get(key)) else {
                return (key.clone(), standing.clone());
            };
            let done = outcomes.get(key).map_or(&[][..], Vec::as_slice);
            (
                key.clone(),
                standing.fold(function, &decided.decision, done, self.snapshot.now),
            )
        };
        before.iter().map(one).collect()
    }
}

/// What was learned of each function beside its decision.
fn learned(
    rooms: &mut Rooms,
    snapshot: &Snapshot,
    functions: &BTreeMap<FunctionKey, Function>,
) -> BTreeMap<FunctionKey, LearnedLine> {
    let one = |(key, seen): (&FunctionKey, &Seen)| {
        let forecast = &functions.get(key)?.forecast;
        let line = LearnedLine {
            lead_time_seconds: seen.learned,
            per_replica_suggestion: rooms.observe.suggestion(key),
            history_minutes: rooms.remember.minutes(key),
            unmapped_percent: rooms.backfill.unmapped(seen.profile.as_deref()),
            trusted_since: rooms.remember.trusted_since(key, forecast, snapshot.now.wall),
        };
        Some((key.clone(), line))
    };
    snapshot.functions.iter().filter_map(one).collect()
}

fn report(decided: &BTreeMap<FunctionKey, Decided>, outcomes: &Outcomes) -> TickReport {
    let held = decided
        .values()
        .filter(|decided| matches!(decided.decision.verdict, Verdict::Hold(_)))
        .count();
    let applied = outcomes
        .values()
        .flatten()
        .filter(|outcome| **outcome == Outcome::Applied)
        .count();
    TickReport {
        functions: decided.len(),
        applied,
        held,
    }
}
