//! What a status says: what was told in, the whole status out. Pure; equal input gives equal content.

use super::super::labels;
use super::super::{PolicyObject, Told, Unusable};
use crate::record::ascii;
use crate::record::health;
use crate::record::line::LearnedLine;
use crate::record::named::findings;
use forewarm_api::condition::MESSAGE_MAX;
use forewarm_api::problem::sentence;
use forewarm_api::status::{
    FloorStatus, ForecastStatus, HistoryStatus, LastDecision, LearnedStatus, ScalerStatus, StandAsideStatus,
    UserFloorFrom,
};
use forewarm_api::{Amount, FunctionPolicyStatus, policy};
use forewarm_core::decision::{Decision, Verdict};
use forewarm_core::finding::{Condition as Kind, Finding, State};
use forewarm_core::forecast::Trust;
use forewarm_core::observation::Scaler;
use forewarm_core::plan::footing;
use forewarm_core::policy::Mode;
use forewarm_core::standing::Standing;
use forewarm_core::units::{Demand, Percent, Replicas, Seconds, Wall};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use std::borrow::Cow;

/// Reason of the conditions of a policy that cannot be used.
pub const POLICY_INVALID: &str = "PolicyInvalid";

/// The part of a status that makes a write to the target reversible, and that a restart starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    user: i32,
    user_from: UserFloorFrom,
    held: i32,
}

impl Remembered {
    /// What `status` remembers; `None` in Shadow, or where nothing is known of the user's own floor.
    pub fn of(status: &FunctionPolicyStatus) -> Option<Self> {
        let floor = status
            .floor
            .as_ref()
            .filter(|_| status.mode == Some(policy::Mode::Enforce))?;
        Some(Self {
            user: floor.user?,
            user_from: floor.user_from.unwrap_or_default(),
            held: floor.held?,
        })
    }

    /// True when `other` is as good. What is held may differ: it is read back from the field.
    pub fn is_covered_by(&self, other: Option<Self>) -> bool {
        other.is_some_and(|other| (other.user, other.user_from) == (self.user, self.user_from))
    }

    /// `status` with it.
    pub fn laid_over(self, mut status: FunctionPolicyStatus) -> FunctionPolicyStatus {
        let floor = status.floor.get_or_insert_default();
        (floor.user, floor.user_from, floor.held) = (Some(self.user), Some(self.user_from), Some(self.held));
        status.mode = Some(policy::Mode::Enforce);
        status
    }
}

/// What must be in the status before the steps are carried out; `None` where none are, or in Shadow.
pub fn remembered(told: &Told<'_>) -> Option<Remembered> {
    let acts = told.function.policy.mode == Mode::Enforce && matches!(told.decision.verdict, Verdict::Apply(_));
    let target = told.function.observation.target.known().filter(|_| acts)?;
    let user = footing::user(&told.decision.field, target, told.standing)?;
    Some(Remembered {
        user: pods(user.value),
        user_from: user.from.into(),
        held: pods(told.decision.held?),
    })
}

/// The whole status. `decision`: the decision to name; `None`: the one already named.
pub fn status(told: &Told<'_>, old: &FunctionPolicyStatus, decision: Option<LastDecision>) -> FunctionPolicyStatus {
    let (found, after, known) = (findings(told), told.after(), told.learned());
    FunctionPolicyStatus {
        observed_generation: Some(told.policy.generation),
        mode: Some(mode(told.function.policy.mode)),
        scaler: scaler(told).or_else(|| old.scaler.clone()),
        floor: Some(floor(told, &after, old)),
        forecast: Some(forecast(told, &known)),
        learned: learned(&known),
        history: history(&known),
        // Written before what they protect, by the room of health.
        memory: old.memory.clone(),
        quarantine: old.quarantine.clone(),
        last_decision: decision.or_else(|| old.last_decision.clone()),
        stand_aside: after.aside.as_ref().map(StandAsideStatus::from),
        conditions: with_unhealthy(conditions(&found, told.policy, old, told.now.wall), old),
    }
}

/// The status of a policy that cannot be used: its conditions say why, everything else stays.
pub fn unusable(bad: &Unusable<'_>, old: &FunctionPolicyStatus, now: Wall) -> FunctionPolicyStatus {
    let found = [
        Kind::Ready,
        Kind::Active,
        Kind::ForecastTrusted,
        Kind::MetricsTrusted,
        Kind::Conflict,
        Kind::CapacityLimited,
        Kind::Backpressure,
    ]
    .map(|kind| {
        let first = matches!(kind, Kind::Ready | Kind::Active);
        let state = if first { State::False } else { State::Unknown };
        let message = if kind == Kind::Ready {
            Cow::Owned(sentence(bad.problems))
        } else {
            Cow::Borrowed("The policy cannot be used; condition Ready says why.")
        };
        Finding {
            condition: kind,
            state,
            reason: POLICY_INVALID,
            message,
        }
    });
    FunctionPolicyStatus {
        observed_generation: Some(bad.policy.generation),
        conditions: with_unhealthy(conditions(&found, bad.policy, old, now), old),
        ..old.clone()
    }
}

/// What to say of a decision that was to change something; `None` for one that was not.
pub fn last_decision(told: &Told<'_>) -> Option<LastDecision> {
    let outcome = told
        .outcomes
        .last()
        .filter(|_| matches!(told.decision.verdict, Verdict::Apply(_)))?;
    Some(LastDecision {
        id: told.decision_id.to_string(),
        time: time(told.now.wall),
        outcome: labels::detail(outcome).to_owned(),
        reason: told.decision.reason.label().to_owned(),
    })
}

fn floor(told: &Told<'_>, after: &Standing, old: &FunctionPolicyStatus) -> FloorStatus {
    let Decision { wish, held, .. } = told.decision;
    let old = old.floor.clone().unwrap_or_default();
    let user = after.user;
    // A target that cannot be seen now keeps what is remembered of it.
    FloorStatus {
        user: user.map(|user| pods(user.value)).or(old.user),
        user_from: user.map(|user| user.from.into()).or(old.user_from),
        held: after.held.or(*held).map(pods).or(old.held),
        wanted: wish.as_ref().map(|wish| pods(wish.to)),
        bound_by: bound_by(told, after),
    }
}

/// The rule that spoke last, where what is held is not what is wished for.
fn bound_by(told: &Told<'_>, after: &Standing) -> Option<String> {
    let Decision {
        wish,
        held,
        clamps,
        verdict,
        ..
    } = told.decision;
    let reached = after
        .held
        .or(*held)
        .zip(wish.as_ref())
        .is_some_and(|(held, wish)| held == wish.to);
    let rule = match verdict {
        Verdict::Hold(rule) => Some(rule),
        Verdict::Apply(_) | Verdict::Steady => clamps.last().map(|clamp| &clamp.rule),
    };
    rule.filter(|_| !reached).map(ToString::to_string)
}

/// Where the floor is: the known scaler that has the target, else the target itself.
fn scaler(told: &Told<'_>) -> Option<ScalerStatus> {
    let target = told.function.observation.target.known()?;
    let own = told.target?;
    let split = |text: &str| {
        text.split_once('/')
            .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
    };
    let (named, field, max) = match &target.scaler {
        None => (None, "spec.replicas", None),
        Some(Scaler::Several(names)) => {
            let first = names.split(' ').next().unwrap_or_default();
            (split(first), "", None)
        }
        Some(Scaler::One(field)) => (split(&field.scaler), field.field.as_str(), field.max),
    };
    let (kind, name) = named.unwrap_or_else(|| (own.kind.clone(), own.name.clone()));
    Some(ScalerStatus {
        kind,
        name,
        field: field.to_owned(),
        max: max.map(pods),
    })
}

fn forecast(told: &Told<'_>, known: &LearnedLine) -> ForecastStatus {
    let forecast = &told.function.forecast;
    let trusted = forecast.trust == Trust::Trusted;
    let answers = !forecast.model.is_empty();
    ForecastStatus {
        model: answers.then(|| forecast.model.chars().take(64).collect()),
        demand: answers.then(|| Amount::of(forecast.upper)),
        lead_time_seconds: Some(seconds(told.function.observation.lead_time.total)),
        coverage_percent: forecast.coverage.map(percent),
        trusted_since: known.trusted_since.filter(|_| trusted).map(time),
    }
}

fn learned(known: &LearnedLine) -> Option<LearnedStatus> {
    let suggestion = known.per_replica_suggestion.and_then(|slots| Demand::new(slots.get()));
    let learned = LearnedStatus {
        lead_time_seconds: known.lead_time_seconds.map(seconds),
        per_replica_suggestion: suggestion.map(Amount::of),
    };
    (learned != LearnedStatus::default()).then_some(learned)
}

fn history(known: &LearnedLine) -> Option<HistoryStatus> {
    let history = HistoryStatus {
        minutes: known
            .history_minutes
            .map(|minutes| i32::try_from(minutes).unwrap_or(i32::MAX)),
        unmapped_percent: known.unmapped_percent.map(percent),
    };
    (history != HistoryStatus::default()).then_some(history)
}

fn conditions(found: &[Finding], object: PolicyObject<'_>, old: &FunctionPolicyStatus, now: Wall) -> Vec<Condition> {
    found
        .iter()
        .map(|finding| condition(finding, object.generation, &old.conditions, now))
        .collect()
}

/// With the condition that the room of health keeps.
fn with_unhealthy(mut conditions: Vec<Condition>, old: &FunctionPolicyStatus) -> Vec<Condition> {
    let kept = old
        .conditions
        .iter()
        .filter(|condition| condition.type_ == health::UNHEALTHY);
    conditions.extend(kept.cloned());
    conditions
}

/// The time moves only when the state flips.
fn condition(finding: &Finding, generation: i64, old: &[Condition], now: Wall) -> Condition {
    let (type_, status) = (finding.condition.label(), finding.state.label());
    let same = old.iter().find(|old| old.type_ == type_ && old.status == status);
    let mut message = finding.message.clone().into_owned();
    ascii::cut(&mut message, MESSAGE_MAX);
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: finding.reason.to_owned(),
        message,
        observed_generation: Some(generation),
        last_transition_time: same.map_or_else(|| time(now), |old| old.last_transition_time.clone()),
    }
}

/// In whole seconds, as the API server keeps it; else what is read back would differ from what was written.
fn time(wall: Wall) -> Time {
    let second = k8s_openapi::jiff::Timestamp::from_second(wall.0.div_euclid(1000));
    Time(second.unwrap_or(k8s_openapi::jiff::Timestamp::UNIX_EPOCH))
}

const fn mode(mode: Mode) -> policy::Mode {
    match mode {
        Mode::Shadow => policy::Mode::Shadow,
        Mode::Enforce => policy::Mode::Enforce,
    }
}

fn pods(pods: Replicas) -> i32 {
    i32::try_from(pods.0).unwrap_or(i32::MAX)
}

fn seconds(seconds: Seconds) -> i32 {
    i32::try_from(seconds.0).unwrap_or(i32::MAX)
}

fn percent(percent: Percent) -> i32 {
    i32::from(percent.get())
}
