//! Memory and healing of a policy: schema, parse, and the part of the status that survives a restart.

// derive(KubeSchema) copies each struct into a function body.
#![allow(unreachable_pub, clippy::duplicated_attributes)]

use crate::problem::PolicyProblem;
use forewarm_core::memory as core;
use forewarm_core::units::{Bytes, Percent};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

mod remembered;

pub use remembered::{MemoryStatus, QuarantineStatus, memory_status, restore_memory};

/// Bytes as Kubernetes writes them, for example `512Mi`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Size(pub String);

/// The form of a size: whole bytes, or a whole number of Ki, Mi, Gi, k, M or G.
const SIZE_RULE: &str = "self.matches('^[0-9]{1,9}([KMG]i|[kMG])?$') && quantity(self).compareTo(quantity('1Mi')) >= 0";

impl Size {
    /// The bytes; `None` for what does not have the form.
    pub fn bytes(&self) -> Option<Bytes> {
        const UNITS: [(&str, u64); 6] = [
            ("Ki", 1 << 10),
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("k", 1_000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
        ];
        let unit = UNITS.iter().find(|(suffix, _)| self.0.ends_with(suffix));
        let (digits, factor) = unit.map_or((self.0.as_str(), 1), |(suffix, factor)| {
            (&self.0[..self.0.len() - suffix.len()], *factor)
        });
        let whole = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        whole
            .then(|| digits.parse::<u64>().ok())?
            .and_then(|n| n.checked_mul(factor))
            .map(Bytes)
    }

    /// Bytes as written: whole mebibytes where they are, else bytes.
    pub fn of(bytes: Bytes) -> Self {
        if bytes.0.is_multiple_of(Bytes::MIB.0) {
            Self(format!("{}Mi", bytes.0 / Bytes::MIB.0))
        } else {
            Self(bytes.0.to_string())
        }
    }
}

impl JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 20 })
    }
}

/// What may be done about the memory of the pods.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemorySpec {
    /// Off: nothing. Birth: new pods get it. `InPlace`: live pods are resized too.
    #[serde(default)]
    pub mode: MemoryMode,
    /// `RequestsAndLimits` moves both in the template's ratio; `RequestsOnly` leaves the limit.
    #[serde(default)]
    pub controlled_values: ControlledValues,
    /// Room above the largest use known, in percent. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 100))]
    pub margin_percent: Option<i32>,
    /// The containers that may be moved. Default: the pod's default container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub containers: Vec<ContainerMemory>,
}

/// What may be done about memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum MemoryMode {
    /// Nothing.
    #[default]
    Off,
    /// New pods.
    Birth,
    /// New pods and live ones.
    InPlace,
}

/// Which values are moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ControlledValues {
    /// Both.
    #[default]
    RequestsAndLimits,
    /// Requests alone.
    RequestsOnly,
}

/// Bounds of one container.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.min) || !has(self.max) || quantity(self.min).compareTo(quantity(self.max)) <= 0").message("spec.memory.containers[].min must not exceed max: lower min or raise max").field_path(".min"))]
pub struct ContainerMemory {
    /// Its name.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Lowest value. Default: 16Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(SIZE_RULE).message("spec.memory.containers[].min must be a size from 1Mi: write 128Mi, for example"))]
    pub min: Option<Size>,
    /// Highest value. Default: none; what no node takes is put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(SIZE_RULE).message("spec.memory.containers[].max must be a size from 1Mi: write 4Gi, for example"))]
    pub max: Option<Size>,
    /// JVM: it sizes its heap at its start, so it is never shrunk in place. Inference: it needs most while it starts, so
    /// the request of live pods comes down behind their start, and their limit stays.
    #[serde(default)]
    pub runtime: Runtime,
}

/// What is known of a runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Runtime {
    /// Nothing particular.
    #[default]
    Auto,
    /// A Java virtual machine.
    #[serde(rename = "JVM")]
    Jvm,
    /// Needs most while it starts, as a server that loads its weights.
    Inference,
}

/// What may be done about a function that is not well.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealingSpec {
    /// Report an out-of-memory kill, or Raise the memory in bounded steps; Raise needs a `memory.mode`.
    #[serde(default)]
    pub oom: Oom,
    /// Report a revision whose new pods fail, or Hold the floor while they do.
    #[serde(default)]
    pub crash_loop: CrashLoop,
    /// Report a pod that is not ready for long while its siblings are, or Replace it by eviction.
    #[serde(default)]
    pub stuck_pod: StuckPod,
    /// Report a pod that fails more calls than its siblings or takes longer, or Replace it by eviction. Told from the
    /// profile's `requestQuery`, `errorQuery` and `latencyQuery`, by pod.
    #[serde(default)]
    pub outlier_pod: StuckPod,
}

/// What follows an out-of-memory kill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Oom {
    /// Say so.
    #[default]
    Report,
    /// Climb the ladder.
    Raise,
}

/// What follows a revision whose new pods fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum CrashLoop {
    /// Say so.
    Report,
    /// Raise nothing while they fail.
    #[default]
    Hold,
}

/// What follows a pod that is stuck, or unlike its siblings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum StuckPod {
    /// Say so.
    #[default]
    Report,
    /// Evict it.
    Replace,
}

impl From<StuckPod> for core::StuckRemedy {
    fn from(stuck: StuckPod) -> Self {
        match stuck {
            StuckPod::Report => Self::Report,
            StuckPod::Replace => Self::Replace,
        }
    }
}

impl From<CrashLoop> for forewarm_core::policy::CrashLoop {
    fn from(crash_loop: CrashLoop) -> Self {
        match crash_loop {
            CrashLoop::Report => Self::Report,
            CrashLoop::Hold => Self::Hold,
        }
    }
}

/// Parses both; what is wrong is added to `problems`. `mode` and `paused` are the policy's.
pub(crate) fn parse(
    memory: &MemorySpec,
    healing: &HealingSpec,
    mode: forewarm_core::policy::Mode,
    paused: bool,
    problems: &mut Vec<PolicyProblem>,
) -> core::MemoryPolicy {
    if healing.oom == Oom::Raise && memory.mode == MemoryMode::Off {
        problems.push(PolicyProblem::new(
            "spec.healing.oom",
            "Raise",
            "needs spec.memory.mode InPlace or Birth: set one, or leave oom at Report",
        ));
    }
    let default = core::MemoryPolicy::default();
    let margin = memory
        .margin_percent
        .map_or(Some(default.margin), |percent| margin(percent, problems));
    let mut containers: Vec<_> = memory.containers.iter().map(|one| container(one, problems)).collect();
    if containers.is_empty() {
        containers.push(core::ContainerBounds {
            name: None,
            min: None,
            max: None,
            runtime: core::Runtime::Auto,
        });
    }
    core::MemoryPolicy {
        enforce: mode,
        paused,
        mode: match memory.mode {
            MemoryMode::Off => core::MemoryMode::Off,
            MemoryMode::Birth => core::MemoryMode::Birth,
            MemoryMode::InPlace => core::MemoryMode::InPlace,
        },
        controlled: match memory.controlled_values {
            ControlledValues::RequestsAndLimits => core::ControlledValues::RequestsAndLimits,
            ControlledValues::RequestsOnly => core::ControlledValues::RequestsOnly,
        },
        margin: margin.unwrap_or(default.margin),
        containers,
        oom: match healing.oom {
            Oom::Report => core::OomRemedy::Report,
            Oom::Raise => core::OomRemedy::Raise,
        },
        stuck: healing.stuck_pod.into(),
        outlier: healing.outlier_pod.into(),
    }
}

fn margin(percent: i32, problems: &mut Vec<PolicyProblem>) -> Option<Percent> {
    let margin = u8::try_from(percent)
        .ok()
        .filter(|p| (5..=100).contains(p))
        .and_then(Percent::new);
    if margin.is_none() {
        problems.push(PolicyProblem::new(
            "spec.memory.marginPercent",
            percent,
            "must be between 5 and 100",
        ));
    }
    margin
}

fn container(one: &ContainerMemory, problems: &mut Vec<PolicyProblem>) -> core::ContainerBounds {
    let mut size = |field: &'static str, size: &Option<Size>| {
        let bytes = size.as_ref()?.bytes().filter(|bytes| *bytes >= Bytes::MIB);
        if bytes.is_none() {
            let value = size.as_ref().map(|size| size.0.clone()).unwrap_or_default();
            problems.push(PolicyProblem::new(field, value, "must be a size from 1Mi, as in 512Mi"));
        }
        bytes
    };
    let min = size("spec.memory.containers[].min", &one.min);
    let max = size("spec.memory.containers[].max", &one.max);
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        let value = one.min.as_ref().map(|size| size.0.clone()).unwrap_or_default();
        problems.push(PolicyProblem::new(
            "spec.memory.containers[].min",
            value,
            "must not exceed max: lower min or raise max",
        ));
    }
    core::ContainerBounds {
        name: Some(one.name.clone()),
        min,
        max,
        runtime: match one.runtime {
            Runtime::Auto => core::Runtime::Auto,
            Runtime::Jvm => core::Runtime::Jvm,
            Runtime::Inference => core::Runtime::Inference,
        },
    }
}

/// A moment as the API server keeps it.
fn time(second: i64) -> Time {
    Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap_or(k8s_openapi::jiff::Timestamp::UNIX_EPOCH))
}
