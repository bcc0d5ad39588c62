//! `FunctionPolicy` as stored: one workload of the policy's namespace and how its floor follows its load.
//!
//! Optional fields whose default depends on the target stay absent in the schema and get their default in
//! [`crate::policy_parse`]; a default the API server writes could not be told from the user's own word later.

// derive(KubeSchema) copies each struct into a function body; every printer column is an attribute of the same name.
#![allow(unreachable_pub, clippy::duplicated_attributes)]

use crate::amount::Amount;
use crate::memory::{HealingSpec, MemorySpec};
use crate::status::FunctionPolicyStatus;
use forewarm_core::policy;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the user asks for one function.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[kube(
    group = "forewarm.dev",
    version = "v1alpha1",
    kind = "FunctionPolicy",
    plural = "functionpolicies",
    namespaced,
    status = "FunctionPolicyStatus",
    shortname = "fp",
    category = "forewarm",
    category = "autoscaling",
    derive = "PartialEq",
    cel,
    doc = "FunctionPolicy raises the floor of warm replicas of one workload of its namespace before the load comes.",
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.targetRef.name"),
    printcolumn(name = "Scaler", type_ = "string", json_path = ".status.scaler.kind"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(
        name = "User",
        type_ = "integer",
        json_path = ".status.floor.user",
        description = "The user's own floor"
    ),
    printcolumn(
        name = "Held",
        type_ = "integer",
        json_path = ".status.floor.held",
        description = "The floor held now; in Shadow a virtual one"
    ),
    printcolumn(
        name = "Wanted",
        type_ = "integer",
        json_path = ".status.floor.wanted",
        description = "The floor wished for before the guard rules"
    ),
    printcolumn(
        name = "Trusted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"ForecastTrusted\")].status"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.lastDecision.reason",
        priority = "1"
    ),
    printcolumn(
        name = "Lead",
        type_ = "integer",
        json_path = ".status.forecast.leadTimeSeconds",
        priority = "1",
        description = "Seconds a new pod takes to be of use"
    ),
    printcolumn(
        name = "Coverage",
        type_ = "integer",
        json_path = ".status.forecast.coveragePercent",
        priority = "1",
        description = "Percent of past minutes whose peak lay under the forecast"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.healing) || self.healing.oom != 'Raise' || (has(self.memory) && self.memory.mode != 'Off')").message("spec.healing.oom Raise needs spec.memory.mode InPlace or Birth: set one, or leave oom at Report").field_path(".healing.oom"))]
pub struct FunctionPolicySpec {
    /// How far Forewarm may go. Shadow decides and tells, and writes nothing to the target; Enforce also writes.
    #[serde(default)]
    pub mode: Mode,
    /// The workload, in the policy's own namespace. Immutable.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.targetRef is immutable: delete this policy and create one for the other workload"))]
    pub target_ref: TargetRef,
    /// What to do when a server-side manifest (Helm 4, Argo CD or Flux with server-side apply) owns the floor field.
    /// `StandAside` refuses to enforce and names the manager and the line; Take adopts the present value and says when
    /// the line can go.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Bounds of the floor.
    pub floor: Floor,
    /// How fast the floor may come down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<ScaleDown>,
    /// How demand is measured and what one replica can serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<DemandSpec>,
    /// What to spend to save a waiting call: Thrifty (few pods), Balanced, Fast, `NoWait` (many). It sets the forecast's
    /// quantile and how likely a call must be for one pod to be held. Default: Balanced, or Thrifty where a pod is of
    /// use within 3 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// Whether the forecast may raise the floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastSpec>,
    /// What may be done about the memory of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemorySpec>,
    /// What may be done about a function that is not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healing: Option<HealingSpec>,
}

/// How far Forewarm may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Mode {
    /// Decide and tell.
    #[default]
    Shadow,
    /// Decide, write and tell.
    Enforce,
}

/// A workload of the policy's namespace.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    /// Group and version.
    #[serde(default = "apps_v1")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9][a-z0-9]*$")
    )]
    pub api_version: String,
    /// Kind: Deployment, `StatefulSet`, or one the chart value `scaleKinds` lists.
    #[serde(default = "deployment")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Z][A-Za-z0-9]*$"))]
    pub kind: String,
    /// Name.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}

fn apps_v1() -> String {
    "apps/v1".to_owned()
}

fn deployment() -> String {
    "Deployment".to_owned()
}

/// What to do when a server-side manifest owns the floor field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum OnConflict {
    /// Refuse to enforce.
    #[default]
    StandAside,
    /// Adopt the present value.
    Take,
}

/// Bounds of the floor, in pods.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.min) || self.min <= self.max").message("spec.floor.min must not exceed spec.floor.max: lower min or raise max").field_path(".min"))]
pub struct Floor {
    /// Lowest floor. Default: the user's own, found on the target at take-over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub min: Option<i32>,
    /// Highest floor; no raise goes above it.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: i32,
}

/// How fast what Forewarm holds may come down.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleDown {
    /// The floor never falls below the largest wish of this long. Default on a target without a scaler: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub stabilization_seconds: Option<i32>,
    /// Largest fall within one step, as percent of the floor at its start, at least one pod. Default on a target
    /// without a scaler: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    #[x_kube(validation = Rule::new("self <= 25").message("spec.scaleDown.stepPercent must be 25 or less: the admission policy of the chart refuses a fall of more than a quarter at a time"))]
    pub step_percent: Option<i32>,
    /// Length of a step. Default on a target without a scaler: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1800))]
    pub step_seconds: Option<i32>,
}

/// The form comes first: `quantity()` of anything else would end in an evaluation error, not in the message.
const PER_REPLICA_RULE: &str = "string(self).matches('^[0-9]{1,9}([.][0-9]{1,3})?[mkM]?$') \
    && quantity(string(self)).compareTo(quantity('1m')) >= 0 && quantity(string(self)).compareTo(quantity('1M')) <= 0";

/// How demand is measured and what one replica can serve.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemandSpec {
    /// Name of a `DemandProfile`. Default: the one annotated `forewarm.dev/is-default: "true"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub profile: Option<String>,
    /// What one replica can serve, in the profile's unit: calls in flight for Concurrency, requests per second for
    /// `RequestsPerSecond`, items per second for Backlog. Without it the policy holds with `PerReplicaUnknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(PER_REPLICA_RULE).message("spec.demand.perReplica must be between 1m (0.001) and 1M, as in \"20\" or \"500m\": set what one replica can serve"))]
    pub per_replica: Option<Amount>,
    /// Used part of the slots, in percent, for the demand of now; the forecast uses the whole slots. Default: 70.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub utilization_percent: Option<i32>,
}

/// Whether the forecast may raise the floor.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastSpec {
    /// Auto: whenever it is trusted. Off: never; it is still made, scored and shown.
    #[serde(default)]
    pub mode: ForecastMode,
    /// Time from a raised floor to a pod of use. Default: learned from the function's own pod starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub lead_time_seconds: Option<i32>,
}

/// Whether the forecast may raise the floor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ForecastMode {
    /// Whenever it is trusted.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// What to spend to save a waiting call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Objective {
    /// Few pods.
    Thrifty,
    /// What usually pays.
    Balanced,
    /// More pods.
    Fast,
    /// Many pods.
    NoWait,
}

impl From<Objective> for policy::Objective {
    fn from(objective: Objective) -> Self {
        match objective {
            Objective::Thrifty => Self::Thrifty,
            Objective::Balanced => Self::Balanced,
            Objective::Fast => Self::Fast,
            Objective::NoWait => Self::NoWait,
        }
    }
}

impl From<Mode> for policy::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Shadow => Self::Shadow,
            Mode::Enforce => Self::Enforce,
        }
    }
}

impl From<OnConflict> for policy::OnConflict {
    fn from(on_conflict: OnConflict) -> Self {
        match on_conflict {
            OnConflict::StandAside => Self::StandAside,
            OnConflict::Take => Self::Take,
        }
    }
}

impl From<ForecastMode> for policy::ForecastMode {
    fn from(mode: ForecastMode) -> Self {
        match mode {
            ForecastMode::Auto => Self::Auto,
            ForecastMode::Off => Self::Off,
        }
    }
}
