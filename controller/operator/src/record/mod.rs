//! Record: tells the world what was decided and done; changes nothing but the telling.
//!
//! ```text
//! Told ─► change ─► line ─► chain ─► standard output
//!    └──► status, events, metrics
//! ```
//!
//! * [`change`], [`heartbeat`]: which decisions are news, which hour is a function's own.
//! * [`line`]: a type for each event; [`schema`]: their published JSON Schema.
//! * [`chain`], [`ascii`], [`human`]: how lines are printed; [`verify`]: how they are checked.
//! * [`tell`]: the lines of one tick.

pub mod ascii;
pub mod chain;
pub mod change;
pub mod heartbeat;
pub mod human;
pub mod line;
#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
pub(crate) mod sample;
pub mod schema;
pub mod tell;
pub mod verify;

use crate::target::TargetRef;
use forewarm_core::decide::{Fleet, Function};
use forewarm_core::decision::Decision;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::FunctionKey;
use forewarm_core::standing::Standing;
use forewarm_core::units::Now;
use line::{InputsLine, LearnedLine};

/// The decision log, as the rooms that write to it see it.
pub trait Journal: Send + Sync {
    /// Writes one line under a stable event name; `fields` is a JSON object. Returns when the line has been
    /// handed to the log, so an intent is always printed before its request (A1).
    fn write(&self, event: &'static str, fields: serde_json::Value);

    /// Epoch, sequence number and hash of the last line, as anchored in the Lease.
    fn head(&self) -> String;

    /// Starts the chain of a new leader: `epoch` is the lease's number of transitions.
    fn begin(&self, epoch: u64);
}

/// All that record is told of one function in one tick; the tick lends it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The function.
    pub key: &'a FunctionKey,
    /// The workload its policy names.
    pub target: Option<&'a TargetRef>,
    /// Input of the decision: what is asked, seen and forecast.
    pub function: &'a Function,
    /// Input of the decision: the others.
    pub fleet: Fleet,
    /// Input of the decision: what was in force because of us *before* it.
    pub standing: &'a Standing,
    /// Input of the decision: when.
    pub now: Now,
    /// What was decided.
    pub decision: &'a Decision,
    /// Its id, a ULID.
    pub decision_id: &'a str,
    /// What became of its steps, in order; empty where there were none.
    pub outcomes: &'a [Outcome],
    /// Name of the demand profile in use.
    pub profile: Option<&'a str>,
    /// What was learned of the function.
    pub learned: LearnedLine,
}

impl<'a> Told<'a> {
    /// The complete input of the decision.
    pub fn inputs(&self) -> InputsLine<'a> {
        InputsLine {
            function: self.function,
            fleet: self.fleet,
            standing: self.standing,
            now: self.now,
        }
    }
}
