//! One pass of the line: observe, forecast, decide, apply, record. Order and wiring; no arithmetic.

mod learned;
mod pass;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use forewarm_api::status::restore;
use forewarm_core::beside::beside;
use forewarm_core::decide::{Decided, decide};
use forewarm_core::decision::Verdict;
use forewarm_core::observation::Reading;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::{FunctionKey, Mode};
use forewarm_core::standing::Standing;
use forewarm_core::units::{Mono, Now};
use ulid::Ulid;

use self::pass::{Ids, Pass, fold};
use crate::apply::{Apply, Intent};
use crate::backfill::Backfill;
use crate::health::Health;
use crate::observe::left::Left;
use crate::observe::{Observe, Snapshot};
use crate::record::metrics::Metrics;
use crate::record::room::Record;
use crate::remember::Remember;

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
    /// Memory and health of the pods.
    pub health: Health,
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
    let mut lap = Lap::start(rooms);
    let snapshot = rooms.observe.snapshot(now, rooms.within).await;
    lap.end("observe");
    line(rooms, snapshot).await
}

/// One pass while another replica leads: watch and remember, so that a take-over starts warm.
pub async fn follow(rooms: &mut Rooms, now: Now) {
    let mut snapshot = rooms.observe.snapshot(now, rooms.within).await;
    rooms.backfill.advance(&snapshot, &rooms.observe, &mut rooms.remember);
    rooms.remember.forecast(&mut snapshot).await;
    rooms.remember.hold_against_bands(&mut snapshot);
    // What is in force is the leader's to know; the policies' status tells it at a take-over.
    rooms.standing.clear();
    rooms.health.forget();
    rooms.record.follow(&snapshot);
    rooms.observe.keep(snapshot);
}

/// The line behind a snapshot: everything but the questions to the world.
pub async fn line(rooms: &mut Rooms, mut snapshot: Snapshot) -> TickReport {
    let now = snapshot.now;
    lay_over(rooms, &mut snapshot);
    let mut lap = Lap::start(rooms);
    rooms.backfill.advance(&snapshot, &rooms.observe, &mut rooms.remember);
    rooms.remember.forecast(&mut snapshot).await;
    rooms.remember.hold_against_bands(&mut snapshot);
    rooms.record.metrics().panicked(rooms.remember.take_panics());
    forget_gone(rooms, &snapshot);
    restore_standing(&mut rooms.standing, &snapshot);
    lap.end("forecast");
    let Rooms {
        observe,
        backfill,
        remember,
        standing,
        health,
        apply,
        record,
        within,
    } = rooms;
    // Before the floor: newborn memory must be there when pods are born.
    health.run(&snapshot, observe, record, apply, *within).await;
    lap.end("health");

    let decided = decide(&snapshot.functions, snapshot.world, standing, now);
    remember.note_trust(&snapshot);
    lap.end("decide");

    let learned = learned::Known::new(&snapshot, remember, backfill);
    let pass = Pass {
        snapshot: &snapshot,
        decided: &decided,
        learned: &learned,
        before: standing,
        ids: Ids::new(),
    };
    let barred = record.before(&pass.told_of_steps()).await;
    give_back(observe, apply, record, &snapshot).await;
    let done = apply.run(pass.intents(observe.viewed_at(now), &barred), now).await;
    let outcomes: Outcomes = done.into_iter().map(|done| (done.key, done.outcomes)).collect();
    lap.end("apply");
    record.run(&pass.told(&outcomes), &snapshot).await;
    fold(standing, &snapshot, &decided, &outcomes);
    lap.end("record");
    observe.keep(snapshot);
    report(&decided, &outcomes)
}

/// No target is older than our own last write to it.
fn lay_over(rooms: &Rooms, snapshot: &mut Snapshot) {
    for seen in snapshot.functions.values_mut() {
        if let (Reading::Known(target), Some(workload)) = (&mut seen.function.observation.target, &seen.workload) {
            rooms.apply.lay_over(target, &workload.resource_version);
        }
    }
}

/// Gives back what no policy holds any more; not while the world looks broken (F1).
async fn give_back(observe: &Observe, apply: &Apply, record: &mut Record, snapshot: &Snapshot) {
    if snapshot.left.is_empty() || snapshot.world.vanished() {
        return;
    }
    let viewed_at = observe.viewed_at(snapshot.now);
    let intents: Vec<Intent> = snapshot.left.iter().map(|left| leaving(left, viewed_at)).collect();
    let done = apply.run(intents.clone(), snapshot.now).await;
    for ((left, intent), done) in snapshot.left.iter().zip(&intents).zip(done) {
        record.given_back(left, intent, &done.outcomes);
    }
}

/// The intent that gives a floor back; it belongs to no function any more, so it goes by the scaler's own name.
pub fn leaving(left: &Left, viewed_at: Mono) -> Intent {
    let (namespace, name) = (left.writes.namespace.as_str(), left.writes.name.as_str());
    Intent {
        key: FunctionKey {
            namespace: namespace.into(),
            name: name.into(),
        },
        target: left.writes.clone(),
        mode: Mode::Enforce,
        decision: Ulid::new().to_string(),
        viewed_at,
        steps: left.steps.clone(),
    }
}

/// How long each room takes of a tick.
struct Lap {
    metrics: Metrics,
    began: Instant,
}

impl Lap {
    fn start(rooms: &Rooms) -> Self {
        Self {
            metrics: rooms.record.metrics().clone(),
            began: Instant::now(),
        }
    }

    /// The room is done; the next one begins.
    fn end(&mut self, room: &'static str) {
        self.metrics.room(room, self.began.elapsed());
        self.began = Instant::now();
    }
}

/// What is in force because of us, by function.
type Standings = BTreeMap<FunctionKey, Standing>;

/// Outcomes of the steps, by function.
type Outcomes = BTreeMap<FunctionKey, Vec<Outcome>>;

/// Functions just met start from what the last leader left in their policy's status.
fn restore_standing(standing: &mut Standings, snapshot: &Snapshot) {
    let met = beside(snapshot.functions.keys(), &*standing)
        .zip(&snapshot.functions)
        .filter(|(standing, _)| standing.is_none());
    let met: Vec<_> = met
        .map(|(_, (key, seen))| (key.clone(), restore(seen.stored.status.as_ref())))
        .collect();
    standing.extend(met);
}

/// Policies that are gone are given back and forgotten; not while the world looks broken (F1).
fn forget_gone(rooms: &mut Rooms, snapshot: &Snapshot) {
    if snapshot.world.vanished() {
        return;
    }
    let usable = beside(rooms.standing.keys(), &snapshot.functions);
    let gone: Vec<FunctionKey> = rooms
        .standing
        .keys()
        .zip(usable)
        .filter(|(key, usable)| usable.is_none() && !snapshot.unusable.contains_key(*key))
        .map(|(key, _)| key.clone())
        .collect();
    for key in &gone {
        if let Some(standing) = rooms.standing.remove(key) {
            rooms.record.released(key, &standing);
        }
    }
    if !gone.is_empty() {
        rooms
            .remember
            .forget(|key| snapshot.functions.contains_key(key) || snapshot.unusable.contains_key(key));
    }
}

fn report(decided: &[Decided], outcomes: &Outcomes) -> TickReport {
    let held = decided
        .iter()
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
