//! `DemandProfile` as stored: how the demand of all functions is read from one kind of metrics.
//!
//! Cluster-scoped and written by the platform team; queries run over the whole fleet, so no string of a tenant ever
//! reaches `PromQL`. It has no status: problems with a profile show in the policies that use it.

// derive(KubeSchema) copies each struct into a function body; every printer column is an attribute of the same name.
#![allow(unreachable_pub, clippy::duplicated_attributes)]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How demand is read from one kind of metrics.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[kube(
    group = "forewarm.dev",
    version = "v1alpha1",
    kind = "DemandProfile",
    plural = "demandprofiles",
    shortname = "dp",
    category = "forewarm",
    derive = "PartialEq",
    cel,
    doc = "DemandProfile reads the demand of all functions from one kind of metrics, with one fleet-wide query.",
    validation = Rule::new("self.metadata.name.size() <= 63").message("metadata.name must be at most 63 characters: policies name the profile in spec.demand.profile"),
    printcolumn(name = "Unit", type_ = "string", json_path = ".spec.unit"),
    printcolumn(name = "By", type_ = "string", json_path = ".spec.join.by"),
    printcolumn(name = "Source", type_ = "string", json_path = ".spec.source"),
    printcolumn(name = "Default", type_ = "string", json_path = ".metadata.annotations.forewarm\\.dev/is-default"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.absent != 'ZeroIfUp' || has(self.upQuery)").message("spec.absent ZeroIfUp needs spec.upQuery: without it a source that is down would read as no demand").field_path(".absent"),
    validation = Rule::new("self.unit != 'Backlog' || has(self.drainSeconds)").message("spec.unit Backlog needs spec.drainSeconds: the time within which a backlog is to be worked off").field_path(".unit"),
    validation = Rule::new("self.unit == 'Backlog' || !has(self.drainSeconds)").message("spec.drainSeconds goes with spec.unit Backlog only: remove it").field_path(".drainSeconds"),
    validation = Rule::new("self.unit == 'Backlog' || !has(self.ageQuery)").message("spec.ageQuery goes with spec.unit Backlog only: remove it").field_path(".ageQuery"),
    validation = Rule::new("!has(self.ageQuery) || self.join.by in ['Workload', 'Service']").message("spec.ageQuery is one age a function: set spec.join.by to Workload or Service, or remove it").field_path(".ageQuery"),
    validation = Rule::new("has(self.requestQuery) == (has(self.errorQuery) || has(self.latencyQuery))").message("spec.requestQuery goes with spec.errorQuery or spec.latencyQuery: set it and at least one of the two, or none").field_path(".requestQuery")
)]
pub struct DemandProfileSpec {
    /// What the query counts: calls in flight, requests per second, or items waiting.
    pub unit: Unit,
    /// Demand now, for the whole fleet: an instant vector, one series a pod or workload, grouped by the labels of
    /// `join` and nothing else.
    #[schemars(length(min = 1, max = 4096))]
    pub query: String,
    /// Peak of the sum within the last minute, by the same labels. Default: the largest of the samples seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub peak_query: Option<String>,
    /// Demand for backfill. Default: `query`, with pods that are long gone mapped to their workload by owner name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub history_query: Option<String>,
    /// How a series finds its function.
    pub join: Join,
    /// What no series means: Unknown, or zero while `upQuery` says that the source is up.
    #[serde(default)]
    pub absent: AbsentMeans,
    /// Above zero while the source of the series is up, for sources that drop idle series. With the labels of `join`
    /// it speaks for each pod or workload, without them for the whole source, of which every series must be above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub up_query: Option<String>,
    /// Scrape interval of the series; a sample older than three of them, at least 60 s, is stale.
    #[serde(default = "scrape_seconds")]
    #[schemars(range(min = 1, max = 600))]
    pub scrape_seconds: i32,
    /// Backlog only: the time from an item's arrival within which it is to be worked off. Demand in items per second is
    /// the backlog by this time; with `ageQuery`, by what is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub drain_seconds: Option<i32>,
    /// Backlog only: how long the oldest waiting item has waited, in seconds, one series a function. It is taken off
    /// `drainSeconds`, of which a tenth is always left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub age_query: Option<String>,
    /// Calls that ended, per second, by the same labels: what `errorQuery` and `latencyQuery` are a share of. They tell
    /// pods that are unlike their siblings, where `join.by` is Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub request_query: Option<String>,
    /// Of them, those that failed, per second. Where that has no series before the first failure, end it with
    /// `or 0 * (requestQuery)`: what is missing is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub error_query: Option<String>,
    /// How long a call takes, in seconds: a mean or a quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub latency_query: Option<String>,
    /// Name of a Prometheus in the chart value `sources`.
    #[serde(default = "source")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub source: String,
}

/// What a query counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Unit {
    /// Calls in flight.
    Concurrency,
    /// Requests per second.
    RequestsPerSecond,
    /// Items waiting.
    Backlog,
}

/// How a series finds its function.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// What the name label names.
    pub by: JoinBy,
    /// Label that holds the namespace.
    #[serde(default = "namespace_label")]
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$"))]
    pub namespace_label: String,
    /// Label that holds the name.
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$"))]
    pub name_label: String,
}

/// What the name label of a series names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum JoinBy {
    /// A pod of the function.
    Pod,
    /// The workload itself.
    Workload,
    /// A Service with the name of the workload.
    Service,
    /// A Knative Revision.
    Revision,
}

/// What no series means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum AbsentMeans {
    /// Not known.
    #[default]
    Unknown,
    /// Zero, while `upQuery` says that the source is up.
    ZeroIfUp,
}

fn scrape_seconds() -> i32 {
    15
}

fn source() -> String {
    "default".to_owned()
}

fn namespace_label() -> String {
    "namespace".to_owned()
}

impl DemandProfile {
    /// Whether this is the profile of policies that name none.
    pub fn is_default(&self) -> bool {
        self.metadata
            .annotations
            .as_ref()
            .is_some_and(|a| a.get(crate::IS_DEFAULT).is_some_and(|v| v == "true"))
    }
}
