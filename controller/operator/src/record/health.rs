//! What is told of a function's memory and health: its status before the effect, its line, its condition.

use super::PolicyObject;
use super::line::{Line, SCHEMA, VERSION, event};
use crate::target::TargetRef;
use forewarm_api::FunctionPolicyStatus;
use forewarm_api::memory::memory_status;
use forewarm_core::memory::{Evidence, MemoryDecision, MemoryInputs, MemoryReason, MemoryStanding, Said};
use forewarm_core::outcome::Outcome;
use forewarm_core::plan::remedy::outlier::Measure;
use forewarm_core::units::Wall;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::Serialize;

/// The condition's type; its normal value is False.
pub const UNHEALTHY: &str = "Unhealthy";
/// Its reason while nothing is wrong.
pub const HEALTHY: &str = "Healthy";
/// Longest list of subjects in a message.
const SUBJECTS: usize = 5;

/// `forewarm.memory`: what was decided about one function's memory and health, from what, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryLine<'a> {
    /// Version of the code that decided.
    pub version: &'a str,
    /// Version of the line's form.
    pub schema: u32,
    /// Namespace of the policy.
    pub namespace: &'a str,
    /// Name of the policy.
    pub policy: &'a str,
    /// The workload.
    #[schemars(schema_with = "super::schema::target_ref")]
    pub target: Option<&'a TargetRef>,
    /// Id of the decision (a ULID); with `.<step>.<attempt>` after it, the `Audit-ID` of its writes.
    pub decision: &'a str,
    /// Why, a word a container or pod: `reason` has an entry in the runbook.
    pub said: Vec<SaidLine<'a>>,
    /// What became of the steps, in their order.
    #[schemars(schema_with = "super::schema::outcomes")]
    pub outcomes: &'a [Outcome],
    /// The complete input of the decision.
    #[schemars(schema_with = "super::schema::memory_inputs")]
    pub inputs: &'a MemoryInputs,
    /// The complete decision.
    #[schemars(schema_with = "super::schema::memory_decision")]
    pub output: &'a MemoryDecision,
}

/// One reason.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidLine<'a> {
    /// The container, pod or revision.
    pub subject: &'a str,
    /// The reason in one word.
    pub reason: &'a str,
    /// Bytes it leads to, or was held against. Null: it is not about a value.
    pub bytes: Option<u64>,
    /// What a pod was found unlike its siblings by. Null: it is not about that.
    pub evidence: Option<EvidenceLine>,
}

/// What a pod was found unlike its siblings by.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceLine {
    /// `errors`: failed calls of a thousand. `latency`: microseconds that a call takes.
    pub measure: &'static str,
    /// The pod's value.
    pub own: u64,
    /// The median of its siblings.
    pub siblings: u64,
    /// For how long.
    pub seconds: i64,
}

impl Line for MemoryLine<'_> {
    const EVENT: &'static str = event::MEMORY;
}

impl<'a> MemoryLine<'a> {
    /// The members of one function's line.
    pub fn of(
        key: &'a forewarm_core::policy::FunctionKey,
        target: &'a TargetRef,
        decision: &'a str,
        inputs: &'a MemoryInputs,
        output: &'a MemoryDecision,
        outcomes: &'a [Outcome],
    ) -> Self {
        let said = output.said.iter().map(|said| SaidLine {
            subject: &said.subject,
            reason: said.reason.label(),
            bytes: said.value.map(|bytes| bytes.0),
            evidence: said.evidence.as_ref().map(EvidenceLine::of),
        });
        Self {
            version: VERSION,
            schema: SCHEMA,
            namespace: &key.namespace,
            policy: &key.name,
            target: Some(target),
            decision,
            said: said.collect(),
            outcomes,
            inputs,
            output,
        }
    }
}

impl EvidenceLine {
    fn of(evidence: &Evidence) -> Self {
        let Evidence {
            measure,
            own,
            siblings,
            seconds,
        } = *evidence;
        let measure = match measure {
            Measure::Errors => "errors",
            Measure::Latency => "latency",
        };
        Self {
            measure,
            own,
            siblings,
            seconds,
        }
    }
}

/// One reason in words, with its evidence: for what is told once. What is kept (the condition) has none, since it moves.
pub fn sentence(said: &Said) -> String {
    let Some(evidence) = &said.evidence else {
        return message(&[said]);
    };
    let Evidence {
        measure,
        own,
        siblings,
        seconds,
    } = *evidence;
    let tenths = |value: u64, by: u64| format!("{}.{}", value / (by * 10), value / by % 10);
    let (what, unit, by) = match measure {
        Measure::Errors => ("failed calls", "%", 1),
        Measure::Latency => ("latency", "ms", 100),
    };
    let (own, siblings) = (tenths(own, by), tenths(siblings, by));
    let (reason, pod) = (said.reason.label(), &said.subject);
    format!("{reason} {pod}: {what} {own} {unit}, its siblings' median {siblings} {unit}, for {seconds} s.")
}

/// The status with what must be on record before the steps are carried out, and with the condition.
pub fn status(policy: PolicyObject<'_>, standing: &MemoryStanding, said: &[Said], now: Wall) -> FunctionPolicyStatus {
    let old = policy.status.cloned().unwrap_or_default();
    let (memory, quarantine) = memory_status(standing);
    let condition = condition(said, policy.generation, &old.conditions, now);
    let mut conditions = old.conditions.clone();
    conditions.retain(|condition| condition.type_ != UNHEALTHY);
    conditions.extend(condition);
    FunctionPolicyStatus {
        memory,
        quarantine,
        conditions,
        ..old
    }
}

/// The condition; `None` while nothing was ever wrong.
fn condition(said: &[Said], generation: i64, old: &[Condition], now: Wall) -> Option<Condition> {
    let bad: Vec<&Said> = said.iter().filter(|said| wrong(said.reason)).collect();
    let old = old.iter().find(|condition| condition.type_ == UNHEALTHY);
    if bad.is_empty() && old.is_none() {
        return None;
    }
    let status = if bad.is_empty() { "False" } else { "True" };
    let same = old.filter(|old| old.status == status);
    let second = k8s_openapi::jiff::Timestamp::from_second(now.0.div_euclid(1000));
    let now = Time(second.unwrap_or(k8s_openapi::jiff::Timestamp::UNIX_EPOCH));
    Some(Condition {
        type_: UNHEALTHY.to_owned(),
        status: status.to_owned(),
        reason: bad.first().map_or(HEALTHY, |said| said.reason.label()).to_owned(),
        message: message(&bad),
        observed_generation: Some(generation),
        last_transition_time: same.map_or(now, |old| old.last_transition_time.clone()),
    })
}

/// Reasons that somebody should see.
pub const fn wrong(reason: MemoryReason) -> bool {
    match reason {
        MemoryReason::OomRaised
        | MemoryReason::OomReported
        | MemoryReason::Quarantined(_)
        | MemoryReason::Reverted
        | MemoryReason::RaiseHarmful
        | MemoryReason::AtMaximum
        | MemoryReason::PutBack
        | MemoryReason::StuckReported
        | MemoryReason::StuckReplaced
        | MemoryReason::StuckTerminating
        | MemoryReason::OutlierReported
        | MemoryReason::OutlierReplaced
        | MemoryReason::NoContainer
        | MemoryReason::NoBirth
        | MemoryReason::Conflict
        | MemoryReason::CrashLoop(_) => true,
        MemoryReason::WorkingSet
        | MemoryReason::FollowsLoad
        | MemoryReason::Lowered
        | MemoryReason::HistoryShort
        | MemoryReason::RuntimeKeeps
        | MemoryReason::GoLimit
        | MemoryReason::NoMemorySet => false,
    }
}

/// What is wrong, a clause each: stable while the state is.
pub fn message(bad: &[&Said]) -> String {
    if bad.is_empty() {
        return "No kill, crash loop, stuck pod or outlier is seen.".to_owned();
    }
    let clause = |said: &&Said| {
        let value = said.value.map_or_else(String::new, |bytes| {
            format!(" ({} MiB)", bytes.whole_mib().0 / (1 << 20))
        });
        format!("{} {}{value}", said.reason.label(), said.subject)
    };
    let clauses: Vec<String> = bad.iter().take(SUBJECTS).map(clause).collect();
    format!("{}; the runbook has an entry for each word.", clauses.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outliers_evidence_is_told_in_units_and_not_kept_in_the_condition() {
        let said = |measure, own, siblings| Said {
            subject: "f-1".into(),
            reason: MemoryReason::OutlierReplaced,
            value: None,
            evidence: Some(Evidence {
                measure,
                own,
                siblings,
                seconds: 300,
            }),
        };
        assert_eq!(
            sentence(&said(Measure::Errors, 432, 2)),
            "OutlierReplaced f-1: failed calls 43.2 %, its siblings' median 0.2 %, for 300 s."
        );
        let slow = said(Measure::Latency, 812_345, 20_999);
        assert_eq!(
            sentence(&slow),
            "OutlierReplaced f-1: latency 812.3 ms, its siblings' median 20.9 ms, for 300 s."
        );
        assert_eq!(
            message(&[&slow]),
            "OutlierReplaced f-1; the runbook has an entry for each word."
        );
    }
}
