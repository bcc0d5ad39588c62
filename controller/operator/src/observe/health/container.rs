//! One container of a pod: spec and status in, its memory and why it does not come up out. Pure.

use forewarm_core::memory::{Amounts, ContainerSeen, Crash};
use forewarm_core::observation::{Reading, Why};
use forewarm_core::units::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Deserialize;

use super::go_limit;
use crate::observe::pods::Pod;
use crate::observe::quantity;
use crate::observe::quotas::Asks;

/// What is read of a container's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerSpec {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    resize_policy: Vec<ResizePolicy>,
    #[serde(rename = "env", default, deserialize_with = "go_limit::of_env")]
    go_limit: Option<Bytes>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Resources {
    #[serde(default)]
    requests: Quantities,
    #[serde(default)]
    limits: Quantities,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Quantities {
    memory: Option<String>,
    cpu: Option<String>,
}

impl Quantities {
    fn thousandths(&self) -> (u64, u64) {
        let of = |text: &Option<String>| text.as_deref().and_then(quantity::thousandths).unwrap_or(0);
        (of(&self.cpu), of(&self.memory))
    }
}

impl ContainerSpec {
    pub(in crate::observe) fn asks(&self) -> Asks {
        Asks {
            requests: self.resources.requests.thousandths(),
            limits: self.resources.limits.thousandths(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResizePolicy {
    resource_name: String,
    restart_policy: String,
}

/// What is read of a container's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(in crate::observe) restart_count: u32,
    resources: Option<Resources>,
    #[serde(default)]
    pub(super) state: State,
    #[serde(default)]
    pub(super) last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct State {
    running: Option<Running>,
    waiting: Option<Waiting>,
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    started_at: Option<Time>,
}

#[derive(Clone, Debug, Deserialize)]
struct Waiting {
    reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated {
    reason: Option<String>,
    #[serde(default)]
    exit_code: i32,
    finished_at: Option<Time>,
}

impl Resources {
    fn amounts(&self) -> Amounts {
        let of = |quantities: &Quantities| quantities.memory.as_deref().and_then(quantity::bytes);
        Amounts {
            request: of(&self.requests).filter(|bytes| *bytes > Bytes(0)),
            limit: of(&self.limits).filter(|bytes| *bytes > Bytes(0)),
        }
    }
}

/// When it was killed for its memory, in seconds since 1970 UTC. `None`: it was not.
pub(super) fn killed(state: &State) -> Option<i64> {
    let terminated = state.terminated.as_ref()?;
    let oom = terminated.reason.as_deref() == Some("OOMKilled");
    oom.then(|| terminated.finished_at.as_ref().map(|time| time.0.as_second()))?
}

/// What is in force for a container: what the node tells, else the spec.
pub(super) fn amounts(pod: &Pod, status: &ContainerStatus) -> Amounts {
    let told = status.resources.as_ref().map(Resources::amounts);
    let spec = || pod.spec.containers.iter().find(|spec| spec.name == status.name);
    told.filter(|told| told.size().is_some())
        .or_else(|| spec().map(|spec| spec.resources.amounts()))
        .unwrap_or_default()
}

/// What is kept of a container. `served`: its revision has been ready before.
pub(super) fn container(
    spec: &ContainerSpec,
    status: Option<&ContainerStatus>,
    ready: bool,
    served: bool,
) -> ContainerSeen {
    let restarts_on_resize = spec
        .resize_policy
        .iter()
        .any(|policy| policy.resource_name == "memory" && policy.restart_policy == "RestartContainer");
    ContainerSeen {
        spec: spec.resources.amounts(),
        actual: status
            .and_then(|status| status.resources.as_ref())
            .map(Resources::amounts),
        working_set: Reading::Unknown(Why::NotYetRead),
        restarts: status.map_or(0, |status| status.restart_count),
        leaking: false,
        restarts_on_resize,
        go_limit: spec.go_limit,
        started: status.and_then(|status| Some(status.state.running.as_ref()?.started_at.as_ref()?.0.as_second())),
        crash: status.filter(|_| !ready).and_then(|status| crash(status, served)),
    }
}

/// Why a container does not come up. `served`: its revision has been ready before.
fn crash(status: &ContainerStatus, served: bool) -> Option<Crash> {
    let waiting = status
        .state
        .waiting
        .as_ref()
        .and_then(|waiting| waiting.reason.as_deref());
    match waiting {
        Some("ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull") => {
            return Some(Crash::ImagePull);
        }
        Some("CreateContainerConfigError" | "CreateContainerError" | "RunContainerError") => {
            return Some(Crash::Config);
        }
        _ => {}
    }
    let ended = status
        .state
        .terminated
        .as_ref()
        .or(status.last_state.terminated.as_ref())?;
    match (ended.reason.as_deref(), ended.exit_code) {
        (Some("OOMKilled"), _) => Some(Crash::OutOfMemory),
        // What a probe's kill looks like: SIGTERM, or SIGKILL after the grace period.
        (_, 137 | 143) => Some(Crash::Probe),
        (_, 0) => None,
        _ if served => Some(Crash::Dependency),
        _ => Some(Crash::Config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn causes_are_told_apart() {
        let of = |state: Value, last: Value, served| {
            let status =
                serde_json::from_value(json!({"name": "app", "restartCount": 1, "state": state, "lastState": last}))
                    .unwrap();
            crash(&status, served)
        };
        let ended = |code: i32| json!({"terminated": {"reason": "Error", "exitCode": code}});
        let waits = |reason: &str| json!({"waiting": {"reason": reason}});
        let back_off = || waits("CrashLoopBackOff");
        assert_eq!(of(waits("ImagePullBackOff"), json!({}), false), Some(Crash::ImagePull));
        assert_eq!(
            of(waits("CreateContainerConfigError"), json!({}), false),
            Some(Crash::Config)
        );
        assert_eq!(
            of(
                back_off(),
                json!({"terminated": {"reason": "OOMKilled", "exitCode": 137}}),
                false
            ),
            Some(Crash::OutOfMemory)
        );
        assert_eq!(of(back_off(), ended(137), false), Some(Crash::Probe));
        assert_eq!(of(back_off(), ended(1), false), Some(Crash::Config));
        assert_eq!(of(back_off(), ended(1), true), Some(Crash::Dependency));
        assert_eq!(of(json!({"running": {}}), json!({}), false), None);
    }
}
