//! Status of a policy: what Forewarm tells, and the few fields of it that survive a restart.
//!
//! Written by Forewarm alone (an admission policy of the chart holds that); read back by [`restore`].

use crate::amount::Amount;
use crate::memory::{MemoryStatus, QuarantineStatus};
use crate::policy::Mode;
use forewarm_core::standing::{
    Aside, AsideWhy as CoreAsideWhy, Standing, UserFloor, UserFloorFrom as CoreUserFloorFrom,
};
use forewarm_core::units::Replicas;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Forewarm found and did. Every field is absent until it is known.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FunctionPolicyStatus {
    /// Generation of the policy that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Mode of the last decision: says whether `floor.held` was written or is virtual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Where the floor is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaler: Option<ScalerStatus>,
    /// The floor, in pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<FloorStatus>,
    /// The newest forecast, on material change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastStatus>,
    /// What was learned of this function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<LearnedStatus>,
    /// How much history there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryStatus>,
    /// Memory held, by container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub memory: Vec<MemoryStatus>,
    /// A revision that nothing more is done about; a new one clears it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1))]
    pub quarantine: Vec<QuarantineStatus>,
    /// The last decision that changed something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_decision: Option<LastDecision>,
    /// Set while Forewarm keeps off because somebody else took the field; touching the policy clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_aside: Option<StandAsideStatus>,
    /// What holds and what does not: Ready, Active, `ForecastTrusted`, `MetricsTrusted`; and Conflict, whose normal value
    /// is False.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::list_schema")]
    pub conditions: Vec<Condition>,
}

/// Where the floor is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScalerStatus {
    /// Kind of the object that has the floor field.
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The field.
    #[schemars(length(max = 128))]
    pub field: String,
    /// The scaler's own maximum, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max: Option<i32>,
}

/// The floor, in pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FloorStatus {
    /// The user's own: replicas at take-over, re-recorded when a deploy sets another value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub user: Option<i32>,
    /// How `user` is known; where the policy names a `min`, only a value that a deploy set counts beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_from: Option<UserFloorFrom>,
    /// Held now because of Forewarm; in Shadow the virtual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub held: Option<i32>,
    /// Wished for before the guard rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub wanted: Option<i32>,
    /// What keeps held from wanted: the guard rule that spoke last; absent where held is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub bound_by: Option<String>,
}

/// How the user's own floor is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum UserFloorFrom {
    /// Found on the target.
    #[default]
    TakeOver,
    /// Set by a deploy tool while Forewarm had the field.
    Deploy,
}

impl From<UserFloorFrom> for CoreUserFloorFrom {
    fn from(from: UserFloorFrom) -> Self {
        match from {
            UserFloorFrom::TakeOver => Self::TakeOver,
            UserFloorFrom::Deploy => Self::Deploy,
        }
    }
}

impl From<CoreUserFloorFrom> for UserFloorFrom {
    fn from(from: CoreUserFloorFrom) -> Self {
        match from {
            CoreUserFloorFrom::TakeOver => Self::TakeOver,
            CoreUserFloorFrom::Deploy => Self::Deploy,
        }
    }
}

/// The newest forecast.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastStatus {
    /// Stable name of the model that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub model: Option<String>,
    /// Upper quantile of the peak demand over the lead time, in the profile's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<Amount>,
    /// Lead time it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub lead_time_seconds: Option<i32>,
    /// Percent of past minutes whose peak lay at or under the upper quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub coverage_percent: Option<i32>,
    /// Since when it may raise the floor; absent while it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub trusted_since: Option<Time>,
}

/// What was learned of this function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LearnedStatus {
    /// 95th percentile of schedule, pull, start and ready over its own pod starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub lead_time_seconds: Option<i32>,
    /// What one replica was seen to serve: a value to consider for `spec.demand.perReplica`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_replica_suggestion: Option<Amount>,
}

/// How much history there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryStatus {
    /// Minutes with a known peak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub minutes: Option<i32>,
    /// Percent of the backfilled samples of this function's namespace that no function could be found for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub unmapped_percent: Option<i32>,
}

/// The last decision that changed something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastDecision {
    /// Id of the decision, as in the log and in the API server's audit log.
    #[schemars(length(max = 64))]
    pub id: String,
    /// When it was made.
    #[schemars(length(max = 35))]
    pub time: Time,
    /// What became of it.
    #[schemars(length(max = 64))]
    pub outcome: String,
    /// Why it was made.
    #[schemars(length(max = 64))]
    pub reason: String,
}

/// Somebody else has the field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandAsideStatus {
    /// Why Forewarm keeps off.
    pub why: AsideWhy,
    /// The other writer.
    #[serde(default)]
    #[schemars(length(max = 128))]
    pub by: String,
    /// Generation of the policy when it began.
    #[schemars(range(min = 0))]
    pub generation: i64,
}

/// Why Forewarm keeps off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum AsideWhy {
    /// A person or an unknown controller wrote the field.
    FieldTaken,
    /// Deploys reset it for the third time in ten minutes.
    ResetTooOften,
}

impl From<AsideWhy> for CoreAsideWhy {
    fn from(why: AsideWhy) -> Self {
        match why {
            AsideWhy::FieldTaken => Self::FieldTaken,
            AsideWhy::ResetTooOften => Self::ResetTooOften,
        }
    }
}

impl From<CoreAsideWhy> for AsideWhy {
    fn from(why: CoreAsideWhy) -> Self {
        match why {
            CoreAsideWhy::FieldTaken => Self::FieldTaken,
            CoreAsideWhy::ResetTooOften => Self::ResetTooOften,
        }
    }
}

impl From<&Aside> for StandAsideStatus {
    /// `by` is cut to what the schema takes.
    fn from(aside: &Aside) -> Self {
        Self {
            why: aside.why.into(),
            by: aside.by.chars().take(128).collect(),
            generation: aside.generation.max(0),
        }
    }
}

impl From<&StandAsideStatus> for Aside {
    fn from(aside: &StandAsideStatus) -> Self {
        Self {
            why: aside.why.into(),
            generation: aside.generation,
            by: aside.by.clone(),
        }
    }
}

/// Pods as a status field; at most `i32::MAX`.
pub fn pods(count: Replicas) -> i32 {
    i32::try_from(count.0).unwrap_or(i32::MAX)
}

/// The standing of a process that has just started, from what the last one left in the status.
///
/// Restores the user's own floor, the floor held, what was written last (in Enforce the floor held; in Shadow nothing
/// was written) and the reason to stand aside. Windows and ramps start anew, so nothing may be lowered yet (R12).
/// No status, or none that names a floor: the standing of a function just met. Counts below zero are left out.
pub fn restore(status: Option<&FunctionPolicyStatus>) -> Standing {
    let Some(status) = status else {
        return Standing::default();
    };
    let count = |count: Option<i32>| count.and_then(|n| u32::try_from(n).ok()).map(Replicas);
    let floor = status.floor.clone().unwrap_or_default();
    let from = floor.user_from.unwrap_or_default().into();
    let user = count(floor.user).map(|value| UserFloor { value, from });
    let aside = status.stand_aside.as_ref().map(Aside::from);
    Standing::restored(user, count(floor.held), aside, status.mode.unwrap_or_default().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarm_core::policy::Mode as CoreMode;

    fn status(mode: Option<Mode>, user: Option<i32>, held: Option<i32>) -> FunctionPolicyStatus {
        let floor = Some(FloorStatus {
            user,
            held,
            ..FloorStatus::default()
        });
        FunctionPolicyStatus {
            mode,
            floor,
            ..FunctionPolicyStatus::default()
        }
    }

    #[test]
    fn what_was_held_survives_a_restart_and_what_was_only_virtual_was_never_written() {
        let enforced = restore(Some(&status(Some(Mode::Enforce), Some(2), Some(12))));
        let expected = Standing {
            mode: CoreMode::Enforce,
            user: Some(UserFloor {
                value: Replicas(2),
                from: CoreUserFloorFrom::TakeOver,
            }),
            held: Some(Replicas(12)),
            written: Some(Replicas(12)),
            ..Standing::default()
        };
        assert_eq!(enforced, expected);
        let shadow = restore(Some(&status(Some(Mode::Shadow), Some(2), Some(12))));
        assert_eq!((shadow.held, shadow.written), (Some(Replicas(12)), None));
    }

    #[test]
    fn no_status_or_a_forged_one_restores_nothing_that_could_lower() {
        assert_eq!(restore(None), Standing::default());
        assert_eq!(restore(Some(&FunctionPolicyStatus::default())), Standing::default());
        let forged = restore(Some(&status(None, Some(-1), Some(i32::MIN))));
        assert_eq!(forged, Standing::default());
    }

    #[test]
    fn standing_aside_survives_a_restart() {
        let aside = Aside {
            why: CoreAsideWhy::ResetTooOften,
            generation: 3,
            by: "helm".repeat(100),
        };
        let told = StandAsideStatus::from(&aside);
        assert_eq!(told.by.len(), 128);
        let status = FunctionPolicyStatus {
            stand_aside: Some(told.clone()),
            ..FunctionPolicyStatus::default()
        };
        let json = serde_json::to_value(&status).expect("a status serialises");
        let read: FunctionPolicyStatus = serde_json::from_value(json).expect("and reads back");
        assert_eq!(restore(Some(&read)).aside, Some(Aside::from(&told)));
    }

    #[test]
    fn an_empty_status_writes_nothing() {
        assert_eq!(
            serde_json::to_value(FunctionPolicyStatus::default()).expect("it serialises"),
            serde_json::json!({})
        );
    }
}
