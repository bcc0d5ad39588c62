//! Record: tells the world what was decided and done; changes nothing but the telling.
//!
//! ```text
//! Told ─► tell ─► line ─► chain ─► standard output
//!    └──► notices, status, events, metrics
//! ```
//!
//! * [`change`], [`heartbeat`]: which decisions are news, which hour is a function's own.
//! * [`line`]: a type for each event; [`schema`]: their published JSON Schema.
//! * [`chain`], [`ascii`], [`human`], `printer`: how lines are printed; [`verify`]: how they are checked.
//! * [`tell`], [`notices`]: the lines of one tick.
//! * [`status`], [`events`], [`metrics`]: the same for `kubectl get`, `kubectl describe` and Prometheus.
//! * [`room`]: all of it, as the tick calls it.

pub mod ascii;
pub mod chain;
pub mod change;
pub mod events;
#[cfg(test)]
pub(crate) mod every;
pub mod health;
pub mod heartbeat;
pub mod human;
pub mod labels;
pub mod line;
#[cfg(test)]
pub(crate) mod memory;
pub mod metrics;
mod named;
pub mod notices;
mod printer;
pub mod room;
#[cfg(test)]
pub(crate) mod sample;
pub mod schema;
pub mod status;
pub mod tell;
pub mod verify;
#[cfg(test)]
pub(crate) mod walk;

use crate::target::TargetRef;
use forewarm_api::{FunctionPolicyStatus, PolicyProblem};
use forewarm_core::decide::{Fleet, Function};
use forewarm_core::decision::Decision;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::FunctionKey;
use forewarm_core::standing::Standing;
use forewarm_core::units::Now;
use line::{InputsLine, LearnedLine};
pub use printer::Receipt;
use ulid::Ulid;

/// The decision log, as the rooms that write to it see it.
pub trait Journal: Send + Sync {
    /// Writes one line under a stable event name; `fields` is a JSON object. The receipt tells whether it has been
    /// handed to the log: a request goes out only after its intent has (A1).
    fn write(&self, event: &'static str, fields: serde_json::Value) -> Receipt;

    /// A receipt for every line so far: for the end of the process.
    fn flush(&self) -> Receipt {
        Receipt::known(true)
    }

    /// Epoch, sequence number and hash of the last line that was printed, as anchored in the Lease.
    fn head(&self) -> String;

    /// Starts the chain of a new leader: `epoch` is the lease's number of transitions.
    fn begin(&self, epoch: u64);

    /// Lines that could not be written since the start. Above zero, the log has a gap.
    fn failures(&self) -> u64 {
        0
    }
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
    /// Its id.
    pub decision_id: Ulid,
    /// What became of its steps, in order; empty where there were none.
    pub outcomes: &'a [Outcome],
    /// The policy, as the watch last showed it.
    pub policy: PolicyObject<'a>,
    /// Name of the demand profile in use.
    pub profile: Option<&'a str>,
    /// What is wrong with the profile, with the fix. `None`: nothing that it or its source tells.
    pub profile_problem: Option<&'a str>,
    /// What was learned of the function.
    pub learned: &'a dyn Learned,
}

/// A stored policy, as far as its status needs it.
#[derive(Clone, Copy, Debug)]
pub struct PolicyObject<'a> {
    /// Identity.
    pub uid: &'a str,
    /// A status is written only over this version (W1).
    pub resource_version: &'a str,
    /// Generation of its spec.
    pub generation: i64,
    /// Its status as stored.
    pub status: Option<&'a FunctionPolicyStatus>,
}

/// A policy that cannot be decided upon: record tells its status and its log why.
#[derive(Clone, Copy, Debug)]
pub struct Unusable<'a> {
    /// The function.
    pub key: &'a FunctionKey,
    /// The policy, as the watch last showed it.
    pub policy: PolicyObject<'a>,
    /// What is wrong with it, each with its fix.
    pub problems: &'a [PolicyProblem],
}

/// What has been learned of functions: asked only of those of which something is told, a few of a hundred in a tick.
pub trait Learned: std::fmt::Debug {
    /// Of one function.
    fn of(&self, key: &FunctionKey) -> LearnedLine;
}

impl<'a> Told<'a> {
    /// What was learned of the function.
    pub fn learned(&self) -> LearnedLine {
        self.learned.of(self.key)
    }

    /// What is in force once the outcomes are folded in.
    pub fn after(&self) -> Standing {
        self.standing
            .fold(self.function, self.decision, self.outcomes, self.now)
    }

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
