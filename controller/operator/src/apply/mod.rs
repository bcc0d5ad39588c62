//! Apply: intents in, outcomes out. The gate in here holds the only mutating client.
//!
//! Differences only, the largest shortfall first, a bounded number a tick and at a time. Decides no numbers.

mod answer;
mod birth;
mod connection;
mod gate;
mod memory;
mod own_writes;
mod refusals;
mod turn;
mod write;

pub use connection::{ConnectError, own_connection};
pub use gate::{Gate, audit_id};
pub use memory::MemoryIntent;

use crate::target::TargetRef;
use forewarm_core::decision::Step;
use forewarm_core::observation::Target;
use forewarm_core::outcome::{Fence, Outcome};
use forewarm_core::policy::{FunctionKey, Mode};
use forewarm_core::units::{Mono, Now};
use futures::StreamExt;
use refusals::Refusals;
use std::time::Duration;
use turn::Turn;

/// The steps decided for one function, with all that a write needs to name.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The function.
    pub key: FunctionKey,
    /// What is written to.
    pub target: TargetRef,
    /// Shadow intents are answered with [`Outcome::Shadow`] and send nothing.
    pub mode: Mode,
    /// The decision's id (a ULID); `<id>.<step>.<attempt>` goes along as `Audit-ID`.
    pub decision: String,
    /// When the watch that shows the target was last known to be alive: a fall needs a view of at most 60 s.
    pub viewed_at: Mono,
    /// In order; a later step only after the earlier one succeeded.
    pub steps: Vec<Step>,
}

/// What became of one intent: an outcome a step, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The function.
    pub key: FunctionKey,
    /// One a step.
    pub outcomes: Vec<Outcome>,
}

/// How much one tick may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a tick; the rest is `TickFull` and comes with the next one.
    pub requests: usize,
    /// Requests at a time.
    pub at_once: usize,
    /// No write begins later than this after the tick's first.
    pub within: Duration,
}

impl Default for Limits {
    /// 200 requests, 8 at a time, begun within 10 s: 13 writes/s at a tick of 15 s.
    fn default() -> Self {
        Self {
            requests: 200,
            at_once: 8,
            within: Duration::from_secs(10),
        }
    }
}

/// Carries out what was decided.
#[derive(Debug)]
pub struct Apply {
    gate: Gate,
    limits: Limits,
    refusals: Refusals,
}

impl Apply {
    /// Writes through `gate`, within `limits`.
    pub fn new(gate: Gate, limits: Limits) -> Self {
        Self {
            gate,
            limits,
            refusals: Refusals::default(),
        }
    }

    /// Takes in what the watch shows of a target, and lays our last accepted write over it until the watch shows
    /// that (W5): an older read beside the memory of our write would look like a deploy's reset. To be called for
    /// each known target before it is decided upon.
    pub fn lay_over(&self, target: &mut Target, resource_version: &str) {
        if let Some(floor) = self.gate.seen(&target.uid, target.floor, resource_version) {
            target.floor = floor;
        }
    }

    /// Carries out `intents`; the answers come in their order, one for each, with one outcome a step.
    pub async fn run(&self, intents: Vec<Intent>, now: Now) -> Vec<Done> {
        self.refusals.forget_old();
        let turn = Turn::begin(self.limits);
        let ranked = ranked(intents);
        let writes = ranked.into_iter().map(|(place, intent)| {
            let turn = &turn;
            async move { (place, self.carry_out(intent, turn, now).await) }
        });
        let writes = futures::stream::iter(writes).buffer_unordered(self.limits.at_once.max(1));
        let mut done: Vec<(usize, Done)> = writes.collect().await;
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, done)| done).collect()
    }

    async fn carry_out(&self, intent: Intent, turn: &Turn, now: Now) -> Done {
        let mut outcomes = Vec::with_capacity(intent.steps.len());
        for (place, step) in intent.steps.iter().enumerate() {
            let outcome = match outcomes.last() {
                Some(earlier) if !succeeded(earlier) => Outcome::Fenced { by: Fence::EarlierStep },
                _ if intent.mode == Mode::Shadow => Outcome::Shadow,
                _ => self.write(&intent, place, step, turn, now).await,
            };
            outcomes.push(outcome);
        }
        Done {
            key: intent.key,
            outcomes,
        }
    }

    async fn write(&self, intent: &Intent, place: usize, step: &Step, turn: &Turn, now: Now) -> Outcome {
        if let Some(refused) = self.refusals.of(&intent.target, step) {
            return refused;
        }
        if !turn.take() {
            return Outcome::Fenced { by: Fence::TickFull };
        }
        let outcome = self.gate.send(intent, place, step, now).await;
        self.refusals.remember(&intent.target, step, &outcome);
        outcome
    }
}

fn succeeded(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied | Outcome::Shadow)
}

/// The largest shortfall first, falls last, with each intent's place in the answer.
fn ranked(intents: Vec<Intent>) -> Vec<(usize, Intent)> {
    let mut ranked: Vec<_> = intents.into_iter().enumerate().collect();
    ranked.sort_by_key(|(place, intent)| (std::cmp::Reverse(shortfall(intent)), *place));
    ranked
}

fn shortfall(intent: &Intent) -> i64 {
    let of = |step: &Step| match step {
        Step::SetFloor { from, to, .. } => i64::from(to.0) - i64::from(from.0),
        Step::Wake { to, .. } => i64::from(to.0),
        Step::Adopt { .. } | Step::DropClaim { .. } | Step::GiveBack { .. } => 0,
    };
    intent.steps.iter().map(of).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
