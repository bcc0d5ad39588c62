//! `HorizontalPodAutoscaler`: its floor is `spec.minReplicas`. Pure.
//!
//! The controller looks at an autoscaler every 15 s, so a raised floor acts that much later; a lowered one acts at
//! once and leaves no memory. A target at zero is the autoscaler's only where it says `ScaledToZero` (1.37).

use super::rights::Rights;
use super::spec_field::{SpecField, amount, drop_spec_claim, spec_rail, spec_rights};
use super::workload::Serves;
use super::{BuildError, Guide, Rail, ReadError, Resource, TargetKind, TargetRef, Workload, workload};
use forewarm_core::decision::Step;
use forewarm_core::units::{Replicas, Seconds, Slots};
use http::Request;
use kube::api::DynamicObject;
use serde_json::Value;

/// `spec.minReplicas` of an autoscaler.
#[derive(Clone, Copy, Debug)]
pub struct Hpa;

const FIELD: SpecField = SpecField {
    kind: "HorizontalPodAutoscaler",
    field: "minReplicas",
    max: ("maxReplicas", None),
    default: Replicas::ONE,
};

impl TargetKind for Hpa {
    fn name(&self) -> &'static str {
        "hpa"
    }

    fn resources(&self, _: &[Resource]) -> Vec<Resource> {
        vec![Resource {
            group: "autoscaling".to_owned(),
            version: "v2".to_owned(),
            kind: "HorizontalPodAutoscaler".to_owned(),
            plural: "horizontalpodautoscalers".to_owned(),
        }]
    }

    fn scales(&self, _: &Resource) -> bool {
        true
    }

    fn prune(&self, object: &mut DynamicObject) {
        workload::keep(
            object,
            &[
                ("spec", &["minReplicas", "maxReplicas", "scaleTargetRef", "metrics"]),
                ("status", &["conditions"]),
            ],
            &["spec", "minReplicas"],
            |_| false,
        );
    }

    fn read(&self, _: &Resource, object: &DynamicObject) -> Result<Workload, ReadError> {
        let mut read = FIELD.read(object)?;
        if let Some(scales) = &mut read.scales {
            scales.slots = slots(&object.data["spec"]["metrics"]).map(Serves::Aim);
            scales.by_memory = by_memory(&object.data["spec"]["metrics"]);
            scales.own_zero = condition(&object.data["status"]["conditions"], "ScaledToZero");
        }
        Ok(read)
    }

    fn request(&self, resource: &Resource, target: &TargetRef, step: &Step) -> Result<Request<Vec<u8>>, BuildError> {
        FIELD.request(resource, target, step)
    }

    fn drop_claim(
        &self,
        resource: &Resource,
        target: &TargetRef,
        live: &DynamicObject,
    ) -> Result<Option<Request<Vec<u8>>>, BuildError> {
        drop_spec_claim(resource, target, live)
    }

    /// The controller's own period: it takes a changed floor up with its next look.
    fn latency(&self) -> Seconds {
        Seconds(15)
    }

    fn rights(&self) -> Rights {
        RIGHTS
    }

    fn rail(&self) -> Rail {
        RAIL
    }

    fn guide(&self) -> Guide {
        Guide {
            target: "a HorizontalPodAutoscaler names it",
            floor: "`spec.minReplicas`",
            kept: "annotation `forewarm.dev/user-floor`, in the first write",
            zero: "a target at 0 is woken only where the autoscaler says `ScaledToZero` (Kubernetes 1.37); else 0 is a pause",
        }
    }
}

/// What one replica serves by the autoscaler's only target per replica; with several, or only utilisation targets,
/// nobody can tell.
fn slots(metrics: &Value) -> Option<Slots> {
    let averages = |metric: &Value| {
        let source = ["pods", "object", "external"]
            .iter()
            .find_map(|source| metric.get(source))?;
        source["target"].get("averageValue").and_then(amount)
    };
    let mut found = metrics.as_array()?.iter().filter_map(averages);
    found.next().filter(|_| found.next().is_none())
}

/// Whether it scales by the use of memory: the memory of its pods is then its measure, and not ours to move.
fn by_memory(metrics: &Value) -> bool {
    let is = |metric: &Value| {
        let sources = ["resource", "containerResource"];
        sources.iter().any(|source| metric[*source]["name"] == "memory")
    };
    metrics.as_array().is_some_and(|all| all.iter().any(is))
}

/// Whether the condition is true.
fn condition(conditions: &Value, name: &str) -> bool {
    let is = |condition: &Value| condition["type"] == name && condition["status"] == "True";
    conditions.as_array().is_some_and(|all| all.iter().any(is))
}

const RIGHTS: Rights = spec_rights!("autoscaling", "horizontalpodautoscalers");

const RAIL: Rail = spec_rail!(
    "hpa",
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "minReplicas",
    "1"
);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_that_scales_by_memory_is_told_by_its_metrics() {
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu"}});
        let memory = json!({"type": "Resource", "resource": {"name": "memory"}});
        let container =
            json!({"type": "ContainerResource", "containerResource": {"name": "memory", "container": "app"}});
        let named_so = json!({"type": "External", "external": {"metric": {"name": "memory"}}});
        assert!(by_memory(&json!([cpu, memory])) && by_memory(&json!([container])));
        assert!(!by_memory(&json!([cpu, named_so])) && !by_memory(&Value::Null));
    }
}
