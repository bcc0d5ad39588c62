//! `FunctionPolicy` in, [`Policy`] out: every number in range, or all problems at once. Pure.
//!
//! The API server has checked most of this already; it is checked again because an object may have been stored
//! under an older schema or past the API server, and a wrong number here would reach a decision.

use crate::PAUSED;
use crate::policy::{DemandSpec, Floor, ForecastSpec, FunctionPolicy, FunctionPolicySpec, ScaleDown, TargetRef};
use crate::problem::PolicyProblem;
use forewarm_core::policy::{FloorBounds, FunctionKey, Policy, ScaleDown as CoreScaleDown};
use forewarm_core::units::{Percent, Replicas, Seconds, Slots};
use kube::ResourceExt;

type Problems = Vec<PolicyProblem>;

/// Parses a policy; on failure every problem of it.
///
/// `namespace_paused`: the policy's namespace carries the pause annotation; see [`is_paused`].
pub fn parse(policy: &FunctionPolicy, namespace_paused: bool) -> Result<Policy, Problems> {
    let FunctionPolicySpec {
        mode,
        target_ref,
        on_conflict,
        floor,
        scale_down,
        demand,
        objective: _,
        forecast,
        memory: _,
        healing,
    } = &policy.spec;
    let mut problems = Vec::new();
    let bounds = bounds(floor, &mut problems);
    let scale_down = scale_down
        .as_ref()
        .map_or_else(|| Some(CoreScaleDown::alone()), |s| scaling(s, &mut problems));
    let demand = demand.clone().unwrap_or_default();
    let per_replica = slots(&demand, &mut problems);
    let utilization = utilization(&demand, &mut problems);
    let forecast = forecast.clone().unwrap_or_default();
    check_lead_time(&forecast, &mut problems);
    check_profile(&demand, &mut problems);
    check_target(target_ref, &mut problems);
    policy.memory(&mut problems);
    let (Some(floor), Some(scale_down), Some(utilization), true) =
        (bounds, scale_down, utilization, problems.is_empty())
    else {
        return Err(problems);
    };
    Ok(Policy {
        generation: policy.metadata.generation.unwrap_or_default(),
        mode: (*mode).into(),
        paused: namespace_paused || is_paused(policy.annotations()),
        on_conflict: (*on_conflict).into(),
        floor,
        scale_down,
        per_replica,
        utilization,
        forecast: forecast.mode.into(),
        crash_loop: healing
            .as_ref()
            .map(|healing| healing.crash_loop)
            .unwrap_or_default()
            .into(),
    })
}

/// Whether these annotations pause: the key is there and its value is not `"false"`. An unclear value pauses, since
/// that moves nothing.
pub fn is_paused(annotations: &std::collections::BTreeMap<String, String>) -> bool {
    annotations.get(PAUSED).is_some_and(|value| value != "false")
}

impl FunctionPolicy {
    /// Namespace and name.
    pub fn key(&self) -> FunctionKey {
        FunctionKey {
            namespace: self.namespace().unwrap_or_default().into(),
            name: self.name_any().into(),
        }
    }

    /// What it asks for memory and health. What is wrong is added to `problems`; [`parse`] refuses it.
    pub fn memory(&self, problems: &mut Problems) -> forewarm_core::memory::MemoryPolicy {
        let memory = self.spec.memory.clone().unwrap_or_default();
        let healing = self.spec.healing.clone().unwrap_or_default();
        crate::memory::parse(
            &memory,
            &healing,
            self.spec.mode.into(),
            is_paused(self.annotations()),
            problems,
        )
    }

    /// Name of the demand profile it asks for. `None`: the default one.
    pub fn profile(&self) -> Option<&str> {
        self.spec.demand.as_ref()?.profile.as_deref()
    }

    /// What it would spend to save a waiting call. `None`: what pays at the lead time.
    pub fn objective(&self) -> Option<forewarm_core::policy::Objective> {
        self.spec.objective.map(Into::into)
    }

    /// Lead time set by the user. `None`: learned; also for a number out of range, which [`parse`] refuses.
    pub fn lead_time(&self) -> Option<Seconds> {
        self.spec
            .forecast
            .as_ref()?
            .lead_time_seconds
            .and_then(|s| between(s, 1, 3600))
            .map(Seconds)
    }
}

fn bounds(floor: &Floor, problems: &mut Problems) -> Option<FloorBounds> {
    let max = in_range(floor.max, 1, 10_000, "spec.floor.max", problems).map(Replicas);
    let min = match floor.min {
        None => None,
        Some(min) => Some(in_range(min, 1, 10_000, "spec.floor.min", problems).map(Replicas)?),
    };
    let max = max?;
    if let Some(min) = min.filter(|min| *min > max) {
        problems.push(PolicyProblem::new(
            "spec.floor.min",
            min,
            format!("must not exceed spec.floor.max ({max}): lower min or raise max"),
        ));
        return None;
    }
    Some(FloorBounds { min, max })
}

fn scaling(scale_down: &ScaleDown, problems: &mut Problems) -> Option<CoreScaleDown> {
    let ScaleDown {
        stabilization_seconds,
        step_percent,
        step_seconds,
    } = scale_down;
    let default = CoreScaleDown::alone();
    let stabilization = stabilization_seconds.map_or(Some(default.stabilization.0), |s| {
        in_range(s, 0, 3600, "spec.scaleDown.stabilizationSeconds", problems)
    });
    let percent = step_percent.map_or(Some(u32::from(default.step_percent.get())), |p| {
        in_range(p, 1, 25, "spec.scaleDown.stepPercent", problems)
    });
    let step = step_seconds.map_or(Some(default.step.0), |s| {
        in_range(s, 1, 1800, "spec.scaleDown.stepSeconds", problems)
    });
    Some(CoreScaleDown {
        stabilization: Seconds(stabilization?),
        step_percent: percent_of(percent?)?,
        step: Seconds(step?),
    })
}

fn slots(demand: &DemandSpec, problems: &mut Problems) -> Option<Slots> {
    let amount = demand.per_replica.as_ref()?;
    let slots = amount.slots();
    if slots.is_none() {
        problems.push(PolicyProblem::new(
            "spec.demand.perReplica",
            &amount.0,
            "must be between 1m (0.001) and 1M, as in \"20\" or \"500m\": set what one replica can serve",
        ));
    }
    slots
}

fn utilization(demand: &DemandSpec, problems: &mut Problems) -> Option<Percent> {
    let percent = demand.utilization_percent.unwrap_or(70); // Knative's target utilisation
    in_range(percent, 1, 100, "spec.demand.utilizationPercent", problems).and_then(percent_of)
}

fn check_lead_time(forecast: &ForecastSpec, problems: &mut Problems) {
    if let Some(seconds) = forecast.lead_time_seconds {
        in_range(seconds, 1, 3600, "spec.forecast.leadTimeSeconds", problems);
    }
}

fn check_profile(demand: &DemandSpec, problems: &mut Problems) {
    if let Some(name) = demand.profile.as_ref().filter(|name| !is_name(name, 63)) {
        problems.push(PolicyProblem::new(
            "spec.demand.profile",
            name,
            "must be the name of a DemandProfile: kubectl get demandprofiles",
        ));
    }
}

fn check_target(target: &TargetRef, problems: &mut Problems) {
    let TargetRef {
        api_version,
        kind,
        name,
    } = target;
    if !is_name(name, 253) {
        problems.push(PolicyProblem::new(
            "spec.targetRef.name",
            name,
            "must be the name of a workload in the policy's namespace",
        ));
    }
    if !(1..=63).contains(&kind.len()) || !kind.bytes().all(|b| b.is_ascii_alphanumeric()) {
        problems.push(PolicyProblem::new(
            "spec.targetRef.kind",
            kind,
            "must be a kind, for example Deployment",
        ));
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b);
    if !(1..=128).contains(&api_version.len()) || !api_version.bytes().all(plain) {
        problems.push(PolicyProblem::new(
            "spec.targetRef.apiVersion",
            api_version,
            "must be a group and version, for example apps/v1",
        ));
    }
}

/// A DNS subdomain name, as Kubernetes names objects.
fn is_name(name: &str, longest: usize) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (1..=longest).contains(&name.len())
        && name.bytes().all(inner)
        && edge(name.bytes().next())
        && edge(name.bytes().last())
}

fn in_range(value: i32, least: u32, most: u32, field: &'static str, problems: &mut Problems) -> Option<u32> {
    let number = between(value, least, most);
    if number.is_none() {
        problems.push(PolicyProblem::new(
            field,
            value,
            format!("must be between {least} and {most}"),
        ));
    }
    number
}

fn between(value: i32, least: u32, most: u32) -> Option<u32> {
    u32::try_from(value).ok().filter(|n| (least..=most).contains(n))
}

fn percent_of(percent: u32) -> Option<Percent> {
    u8::try_from(percent).ok().and_then(Percent::new)
}
