//! The objects of the fleet as the API server would show them. Names in, typed objects out.

use crate::fleet::{self, Fleet};
use anyhow::Context as _;
use forewarm_api::{DemandProfile, FunctionPolicy};
use forewarm_core::policy::FunctionKey;
use forewarm_operator::observe::pods::Pod;
use kube::api::DynamicObject;
use serde_json::{Value, json};

/// Resource version of objects that were never changed.
pub(crate) const VERSION: u64 = 1_000_000;

/// The demand profile that the chart makes the default.
const DEFAULT_PROFILE: &str = include_str!("../../../../charts/forewarm/profiles/http-inflight.yaml");

/// What the API server answers to a write: the operator reads it and looks at nothing in it.
pub(crate) const ANSWER: &str = r#"{"apiVersion":"forewarm.dev/v1alpha1","kind":"FunctionPolicy",
    "metadata":{"name":"any"},"spec":{"targetRef":{"name":"any"},"floor":{"max":40}}}"#;

/// The default demand profile.
pub(crate) fn profile() -> anyhow::Result<DemandProfile> {
    serde_saphyr::from_str(DEFAULT_PROFILE).context("read the chart's default profile")
}

/// A policy in Shadow, at a version and with a status.
pub(crate) fn policy(key: &FunctionKey, version: u64, status: &Value) -> serde_json::Result<FunctionPolicy> {
    let FunctionKey { namespace, name } = key;
    serde_json::from_value(json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
        "metadata": {"namespace": namespace, "name": name, "uid": uid("policy", name), "generation": 1,
            "resourceVersion": version.to_string()},
        "spec": {"targetRef": {"name": name}, "floor": {"max": 40}, "demand": {"perReplica": "5"}},
        "status": status,
    }))
}

/// Its Deployment, whose replicas Helm has set.
pub(crate) fn deployment(function: u32, fleet: Fleet) -> serde_json::Result<DynamicObject> {
    let (namespace, name) = (fleet::namespace(function), fleet::name(function));
    let labels = json!({"app": name});
    serde_json::from_value(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name, "uid": uid("deployment", &name),
            "resourceVersion": VERSION.to_string(),
            "managedFields": [{"manager": "helm", "operation": "Update", "apiVersion": "apps/v1",
                "time": "2026-01-05T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:replicas": {}}}}]},
        "spec": {"replicas": fleet.pods, "selector": {"matchLabels": labels}},
    }))
}

/// One of its pods, ready for hours.
pub(crate) fn pod(function: u32, number: u32) -> serde_json::Result<Pod> {
    let (namespace, name) = (fleet::namespace(function), fleet::name(function));
    let (pod, hash) = (fleet::pod(function, number), fleet::hash(function));
    let condition = |kind, time| json!({"type": kind, "status": "True", "lastTransitionTime": time});
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": pod, "uid": uid("pod", &pod),
            "creationTimestamp": "2026-01-20T03:00:00Z", "resourceVersion": VERSION.to_string(),
            "labels": {"app": name, "pod-template-hash": hash},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
                "name": format!("{name}-{hash}"), "uid": uid("replicaset", &name)}]},
        "spec": {},
        "status": {"phase": "Running", "containerStatuses": [{"restartCount": 0}],
            "conditions": [condition("PodScheduled", "2026-01-20T03:00:01Z"), condition("Ready", "2026-01-20T03:00:15Z")]},
    }))
}

/// As long as a real one.
fn uid(kind: &str, name: &str) -> String {
    let mut uid = format!("{kind}-{name}-0123456789abcdef0123456789abcdef");
    uid.truncate(36);
    uid
}
