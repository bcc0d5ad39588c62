//! KEDA's `ScaledObject`: its floor is `spec.minReplicaCount`. Pure.
//!
//! KEDA carries it over to the autoscaler that it made within seconds, also from zero. That autoscaler is never
//! written to: KEDA puts it back at once.

use super::rights::Rights;
use super::spec_field::{SpecField, amount, drop_spec_claim, spec_rail, spec_rights};
use super::workload::Serves;
use super::{BuildError, Guide, Rail, ReadError, Resource, TargetKind, TargetRef, Workload, workload};
use forewarm_core::decision::Step;
use forewarm_core::observation::Halted;
use forewarm_core::units::{Replicas, Seconds, Slots};
use http::Request;
use kube::api::DynamicObject;
use serde_json::Value;

/// `spec.minReplicaCount` of a `ScaledObject`.
#[derive(Clone, Copy, Debug)]
pub struct Keda;

const FIELD: SpecField = SpecField {
    kind: "ScaledObject",
    field: "minReplicaCount",
    max: ("maxReplicaCount", Some(Replicas(100))),
    default: Replicas::ZERO,
};

/// Annotations by which a user stops the `ScaledObject`. Pausing only one direction leaves the floor in force.
const PAUSED: [&str; 2] = ["autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"];

/// Keys in which triggers name what one replica serves.
const TARGETS: [&str; 8] = [
    "threshold",
    "lagThreshold",
    "queueLength",
    "targetValue",
    "value",
    "targetQueryValue",
    "targetMetricValue",
    "targetQueueSize",
];

impl TargetKind for Keda {
    fn name(&self) -> &'static str {
        "keda"
    }

    fn resources(&self, _: &[Resource]) -> Vec<Resource> {
        vec![Resource {
            group: "keda.sh".to_owned(),
            version: "v1alpha1".to_owned(),
            kind: "ScaledObject".to_owned(),
            plural: "scaledobjects".to_owned(),
        }]
    }

    fn scales(&self, _: &Resource) -> bool {
        true
    }

    fn optional(&self) -> bool {
        true
    }

    fn prune(&self, object: &mut DynamicObject) {
        let spec: &[&str] = &[
            "minReplicaCount",
            "maxReplicaCount",
            "idleReplicaCount",
            "scaleTargetRef",
            "triggers",
        ];
        workload::keep(object, &[("spec", spec)], &["spec", "minReplicaCount"], |key| {
            PAUSED.contains(&key)
        });
    }

    fn read(&self, _: &Resource, object: &DynamicObject) -> Result<Workload, ReadError> {
        let mut read = FIELD.read(object)?;
        if let Some(scales) = &mut read.scales {
            scales.slots = slots(&object.data["spec"]["triggers"]).map(Serves::Aim);
            // It is told and not acted upon: nonsense in it must not hide the floor.
            scales.field.idle = workload::whole(&object.data["spec"]["idleReplicaCount"]).unwrap_or_default();
            let annotations = object.metadata.annotations.as_ref();
            let paused = |key: &&str| {
                annotations
                    .and_then(|all| all.get(*key))
                    .is_some_and(|value| value != "false")
            };
            scales.field.halted = PAUSED.iter().any(paused).then_some(Halted::Paused);
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

    /// Seen on the test bed: from the write to the autoscaler's minimum and the Deployment's replicas.
    fn latency(&self) -> Seconds {
        Seconds(6)
    }

    fn rights(&self) -> Rights {
        RIGHTS
    }

    fn rail(&self) -> Rail {
        RAIL
    }

    fn guide(&self) -> Guide {
        Guide {
            target: "a ScaledObject names it",
            floor: "`spec.minReplicaCount`",
            kept: "annotation `forewarm.dev/user-floor`, in the first write",
            zero: "KEDA's to make; a raised floor wakes it",
        }
    }
}

/// What one replica serves by the only trigger that says so as an average; with several nobody can tell.
fn slots(triggers: &Value) -> Option<Slots> {
    let average = |trigger: &&Value| {
        let utilisation = matches!(trigger["type"].as_str(), Some("cpu" | "memory" | "cron"));
        let kind = trigger["metricType"].as_str().unwrap_or("AverageValue");
        !utilisation && kind == "AverageValue"
    };
    let mut found = triggers.as_array()?.iter().filter(average);
    let only = found.next().filter(|_| found.next().is_none())?;
    TARGETS
        .iter()
        .find_map(|key| only["metadata"].get(key).and_then(amount))
}

const RIGHTS: Rights = spec_rights!("keda.sh", "scaledobjects");

const RAIL: Rail = spec_rail!("keda", "keda.sh", "v1alpha1", "scaledobjects", "minReplicaCount", "0");
