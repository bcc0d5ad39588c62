//! The lines of the decision log, a type for each event. Typed values in, JSON objects out. Pure.
//!
//! Everything a line may say is named here (no map of labels, no query text, no answer of a source), so no
//! secret and no tenant's data has a way in (TM14). The chain adds the envelope around it.

mod forests;
mod others;

pub use forests::{FitLine, ForestsLine, Hash};

pub use others::{
    AnyStep, BrakeLine, IntentLine, LeaderLine, Leadership, OutcomeLine, PolicyLine, ReleaseLine, SourceLine,
    StartLine, SwitchLine,
};

use super::{Journal, Receipt, Told};
use crate::target::TargetRef;
use forewarm_core::decide::{Fleet, Function};
use forewarm_core::decision::{Decision, Reason, Verdict};
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::{Mode, Objective};
use forewarm_core::standing::Standing;
use forewarm_core::units::{Now, Percent, Replicas, Seconds, Slots, Wall};
use schemars::JsonSchema;
use serde::Serialize;

/// Version of the lines' form; changes when a member changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Version of the code that decides; the same version given the same inputs decides the same (A5).
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The stable event names.
pub mod event {
    /// A verdict changed.
    pub const DECISION: &str = "forewarm.decision";
    /// A function's hourly line.
    pub const HEARTBEAT: &str = "forewarm.heartbeat";
    /// A write is about to be sent.
    pub const INTENT: &str = "forewarm.intent";
    /// What became of a write.
    pub const OUTCOME: &str = "forewarm.outcome";
    /// This replica took or lost the lease.
    pub const LEADER: &str = "forewarm.leader";
    /// The process started.
    pub const START: &str = "forewarm.start";
    /// The switch was turned.
    pub const SWITCH: &str = "forewarm.switch";
    /// The brake took hold or let go.
    pub const BRAKE: &str = "forewarm.brake";
    /// A function was given back.
    pub const RELEASE: &str = "forewarm.release";
    /// A profile's source came or went.
    pub const SOURCE: &str = "forewarm.source";
    /// A policy cannot be used, or can again.
    pub const POLICY: &str = "forewarm.policy";

    /// What was decided about memory and health.
    pub const MEMORY: &str = "forewarm.memory";

    /// All of them.
    pub const ALL: [&str; 12] = [
        DECISION, HEARTBEAT, INTENT, OUTCOME, LEADER, START, SWITCH, BRAKE, RELEASE, SOURCE, POLICY, MEMORY,
    ];
}

/// One kind of line.
pub trait Line: Serialize {
    /// Its event name.
    const EVENT: &'static str;
}

/// Prints one line.
pub fn print<L: Line>(journal: &dyn Journal, line: &L) -> Receipt {
    journal.write(L::EVENT, fields(line))
}

/// A line's own members.
fn fields<L: Serialize>(line: &L) -> serde_json::Value {
    serde_json::to_value(line).expect("a line has string keys and finite numbers only")
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum VerdictWord {
    /// Steps were to be taken.
    Apply,
    /// A rule held what was wished for.
    Hold,
    /// Nothing was wished for but what is held.
    Steady,
}

impl VerdictWord {
    /// The word for a verdict.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Apply(_) => Self::Apply,
            Verdict::Hold(_) => Self::Hold,
            Verdict::Steady => Self::Steady,
        }
    }

    /// The variant's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Hold => "Hold",
            Self::Steady => "Steady",
        }
    }
}

/// `forewarm.decision` and `forewarm.heartbeat`: what was decided for one function, from what, and what became
/// of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionLine<'a> {
    /// Version of the code that decided.
    pub version: &'a str,
    /// Version of the line's form.
    pub schema: u32,
    /// Namespace of the policy.
    pub namespace: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// The workload, where the policy names one that can be used.
    #[schemars(schema_with = "super::schema::target_ref")]
    pub target: Option<&'a TargetRef>,
    /// Id of the decision (a ULID); with `.<step>.<attempt>` after it, the `Audit-ID` of its writes.
    pub decision: String,
    /// How far Forewarm may go here.
    #[schemars(schema_with = "super::schema::mode")]
    pub mode: Mode,
    /// What is to be done, in one word.
    pub verdict: VerdictWord,
    /// Why, in one word.
    #[schemars(schema_with = "super::schema::reason")]
    pub reason: Reason,
    /// The guard rule that held.
    pub rule: Option<&'a str>,
    /// The floor before, in pods.
    #[schemars(with = "Option<u32>")]
    pub from: Option<Replicas>,
    /// The floor that the steps lead to, in pods. Null: none was to be written.
    #[schemars(with = "Option<u32>")]
    pub to: Option<Replicas>,
    /// The floor wished for before the guard rules, in pods.
    #[schemars(with = "Option<u32>")]
    pub wished: Option<Replicas>,
    /// What became of the steps, in their order.
    #[schemars(schema_with = "super::schema::outcomes")]
    pub outcomes: &'a [Outcome],
    /// Name of the demand profile.
    pub profile: Option<&'a str>,
    /// What was learned of the function; no input of the decision.
    pub learned: LearnedLine,
    /// The complete input of the decision.
    #[schemars(schema_with = "super::schema::inputs")]
    pub inputs: InputsLine<'a>,
    /// The complete decision.
    #[schemars(schema_with = "super::schema::output")]
    pub output: &'a Decision,
}

/// The complete input of one decision, borrowed; the same members as [`forewarm_core::decide::Inputs`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct InputsLine<'a> {
    /// The function.
    pub function: &'a Function,
    /// The others.
    pub fleet: Fleet,
    /// What is in force because of us.
    pub standing: &'a Standing,
    /// When.
    pub now: Now,
}

/// What was learned of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearnedLine {
    /// 95th percentile of its own pod starts.
    #[schemars(with = "Option<u32>")]
    pub lead_time_seconds: Option<Seconds>,
    /// What one replica was seen to serve.
    #[schemars(with = "Option<f64>")]
    pub per_replica_suggestion: Option<Slots>,
    /// Minutes of history with a known peak.
    pub history_minutes: Option<u32>,
    /// Share of the backfilled samples that no function could be found for.
    #[schemars(with = "Option<u8>")]
    pub unmapped_percent: Option<Percent>,
    /// Since when the forecast may raise the floor, in milliseconds since 1970 UTC.
    #[schemars(with = "Option<i64>")]
    pub trusted_since: Option<Wall>,
    /// What the user would spend to save a waiting call. `null`: what pays at the lead time.
    #[schemars(schema_with = "super::schema::objective")]
    pub objective: Option<Objective>,
    /// The forests that the forecast was made with. `null`: there is none.
    pub forests: Option<ForestsLine>,
}

impl<'a> DecisionLine<'a> {
    /// The members of one function's line.
    pub fn of(told: &Told<'a>) -> Self {
        let Decision {
            held,
            wish,
            verdict,
            reason,
            ..
        } = told.decision;
        let rule = match verdict {
            Verdict::Hold(rule) => Some(rule.as_ref()),
            Verdict::Apply(_) | Verdict::Steady => None,
        };
        Self {
            version: VERSION,
            schema: SCHEMA,
            namespace: &told.key.namespace,
            policy: &told.key.name,
            target: told.target,
            decision: told.decision_id.to_string(),
            mode: told.function.policy.mode,
            verdict: VerdictWord::of(verdict),
            reason: *reason,
            rule,
            from: *held,
            to: told.decision.to(),
            wished: wish.as_ref().map(|wish| wish.to),
            outcomes: told.outcomes,
            profile: told.profile,
            learned: told.learned(),
            inputs: told.inputs(),
            output: told.decision,
        }
    }

    /// Prints it under its event name.
    pub fn print(&self, journal: &dyn Journal, event: &'static str) -> Receipt {
        journal.write(event, fields(self))
    }
}
