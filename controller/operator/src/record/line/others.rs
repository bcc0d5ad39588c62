//! The lines of the gate, of the process and of what decisions rest on.

use super::{Line, event};
use crate::target::TargetRef;
use forewarm_core::decision::Step;
use forewarm_core::memory::MemoryStep;
use forewarm_core::outcome::Outcome;
use forewarm_core::units::Replicas;
use schemars::JsonSchema;
use serde::Serialize;

/// `forewarm.intent`: printed by the gate before each write (A1).
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentLine<'a> {
    /// Namespace of the policy and of the write.
    pub namespace: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// What is written to.
    #[schemars(schema_with = "crate::record::schema::target_ref")]
    pub target: &'a TargetRef,
    /// Id of the decision.
    pub decision: &'a str,
    /// `<decision>.<step>.<attempt>`, as sent in `Audit-ID`.
    pub audit_id: &'a str,
    /// The write.
    #[schemars(schema_with = "crate::record::schema::memory_step")]
    pub step: AnyStep<'a>,
}

/// One write, to a floor or to memory.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum AnyStep<'a> {
    /// Of a floor.
    Floor(&'a Step),
    /// Of memory, or an eviction.
    Memory(&'a MemoryStep),
}

impl Line for IntentLine<'_> {
    const EVENT: &'static str = event::INTENT;
}

/// `forewarm.outcome`: what became of a write; exactly one for each intent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeLine<'a> {
    /// Namespace of the policy and of the write.
    pub namespace: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// Id of the decision.
    pub decision: &'a str,
    /// As in the intent.
    pub audit_id: &'a str,
    /// What became of it.
    #[schemars(schema_with = "crate::record::schema::outcome")]
    pub outcome: &'a Outcome,
    /// From sending to the answer.
    pub took_ms: u64,
}

impl Line for OutcomeLine<'_> {
    const EVENT: &'static str = event::OUTCOME;
}

/// `forewarm.start`: the first line of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartLine<'a> {
    /// Version of the code.
    pub version: &'a str,
    /// Version of the lines' form.
    pub schema: u32,
    /// Name of this replica, as it stands in the Lease.
    pub holder: &'a str,
    /// Seconds between ticks.
    pub tick_seconds: u32,
}

impl Line for StartLine<'_> {
    const EVENT: &'static str = event::START;
}

/// Whether a replica leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Leadership {
    /// It has the lease from now on.
    Taken,
    /// It no longer has it, or could not renew it in time.
    Lost,
}

/// `forewarm.leader`: the lease changed hands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderLine<'a> {
    /// What happened.
    pub state: Leadership,
    /// Name of this replica.
    pub holder: &'a str,
    /// The chain head found in the Lease when taking it: how far the log of the leader before must reach.
    pub after: Option<&'a str>,
}

impl Line for LeaderLine<'_> {
    const EVENT: &'static str = event::LEADER;
}

/// `forewarm.switch`: all writes were stopped, or are allowed again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchLine<'a> {
    /// True: no writes.
    pub stopped: bool,
    /// The words in the switch, or why it could not be read.
    pub why: &'a str,
}

impl Line for SwitchLine<'_> {
    const EVENT: &'static str = event::SWITCH;
}

/// `forewarm.brake`: the fleet's brake took hold of somebody, or let everybody go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrakeLine {
    /// Functions it holds now; 0: it let go.
    pub held: u32,
    /// Targets known.
    pub targets: u32,
    /// Ramps down begun in the last five minutes.
    pub ramps_begun: u32,
    /// Functions that would fall though nothing expected it.
    pub unexpected_falls: u32,
    /// More than half of the known policies or targets vanished from one list.
    pub world_vanished: bool,
}

impl Line for BrakeLine {
    const EVENT: &'static str = event::BRAKE;
}

/// `forewarm.release`: a function was given back, after its policy went, fell to Shadow or was released.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseLine<'a> {
    /// Namespace of the policy.
    pub namespace: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// What is given back.
    #[schemars(schema_with = "crate::record::schema::target_ref")]
    pub target: Option<&'a TargetRef>,
    /// Id of the decision.
    pub decision: &'a str,
    /// The value that stays in the field, in pods. Null: not known.
    #[schemars(with = "Option<u32>")]
    pub stays: Option<Replicas>,
    /// What became of the steps that give it back; empty where nothing is to be given back.
    #[schemars(schema_with = "crate::record::schema::outcomes")]
    pub outcomes: &'a [Outcome],
    /// What was done and what stays as it is, in a sentence.
    pub note: &'a str,
}

impl Line for ReleaseLine<'_> {
    const EVENT: &'static str = event::RELEASE;
}

/// `forewarm.source`: the questions of a demand profile began or ceased to be answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceLine<'a> {
    /// The profile.
    pub profile: &'a str,
    /// Whether its questions are answered.
    pub up: bool,
    /// Why not: the reason shown by every function of this profile.
    pub why: Option<&'a str>,
    /// What happened, and the fix where there is one.
    pub message: Option<&'a str>,
}

impl Line for SourceLine<'_> {
    const EVENT: &'static str = event::SOURCE;
}

/// `forewarm.policy`: a policy cannot be used, or can be used again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyLine<'a> {
    /// Namespace of the policy.
    pub namespace: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// Its generation; null where it can be used again.
    pub generation: Option<i64>,
    /// What is wrong with it, each with its fix; empty: nothing any more.
    pub problems: &'a [String],
}

impl Line for PolicyLine<'_> {
    const EVENT: &'static str = event::POLICY;
}
