//! What is kept of a watched object that is or may be a target: identity, floor field, its owner. Pure.

use super::TargetRef;
use super::ownership::ownership;
use super::spec_field::USER_FLOOR;
use super::template::{self, Template};
use forewarm_core::observation::{FloorField, Ownership, Recorded};
use forewarm_core::units::{Replicas, Slots};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::DynamicObject;
use serde_json::Value;

/// A workload as its object says.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Identity: a write tests it (W4).
    pub uid: String,
    /// Version of the object; a larger number is a later one.
    pub resource_version: String,
    /// The floor field.
    pub replicas: Replicas,
    /// Who has it.
    pub ownership: Ownership,
    /// The object that controls this one. `None`: it stands alone.
    pub owner: Option<Owner>,
    /// Of a scaler: what it scales, and its floor field. `None`: a workload.
    pub scales: Option<Scales>,
    /// Of a workload whose revisions have the floor: those that take traffic, the largest share first.
    pub routes: Vec<String>,
    /// Of such a workload: the user's own floor, as its template says.
    pub template: Option<Recorded>,
    /// Memory as its pods' template has it; empty where it has none.
    pub memory: Template,
}

/// What a scaler says of what it scales.
#[derive(Clone, Debug, PartialEq)]
pub struct Scales {
    /// What it scales, in its own namespace.
    pub target: TargetRef,
    /// Its floor field, beside the value.
    pub field: FloorField,
    /// What one replica can serve: a target, to be divided by the utilisation, or a hard limit.
    pub slots: Option<Serves>,
    /// Zero replicas may be the scaler's own doing, now.
    pub own_zero: bool,
    /// It scales by the use of memory.
    pub by_memory: bool,
}

/// What one replica can serve, as a scaler names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Serves {
    /// The load that the scaler aims at.
    Aim(Slots),
    /// No more than this at a time.
    Limit(Slots),
}

/// A controlling object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// An object that cannot be read as a workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It has no name, namespace or UID.
    #[error("read the object's identity: no {0}")]
    NoIdentity(&'static str),
    /// The floor field is there and is not a whole number of pods.
    #[error("read the floor: {0} is not a number of pods")]
    NotANumber(String),
    /// A scaler that names nothing to scale.
    #[error("read what is scaled: it is not named")]
    NoTarget,
}

impl Workload {
    /// Who the object is and what controls it; all else as of an object that says nothing.
    pub(super) fn identity(object: &DynamicObject) -> Result<Self, ReadError> {
        let meta = &object.metadata;
        let known = |what, word: &Option<String>| {
            word.clone()
                .filter(|word| !word.is_empty())
                .ok_or(ReadError::NoIdentity(what))
        };
        Ok(Self {
            namespace: known("namespace", &meta.namespace)?,
            name: known("name", &meta.name)?,
            uid: known("uid", &meta.uid)?,
            resource_version: meta.resource_version.clone().unwrap_or_default(),
            replicas: Replicas::ZERO,
            ownership: Ownership::default(),
            owner: owner(meta.owner_references.as_deref().unwrap_or_default()),
            scales: None,
            routes: Vec::new(),
            template: None,
            memory: Template::default(),
        })
    }

    /// Reads `spec.replicas`, who has it, and its template's memory. Where the field is absent its value is `absent`.
    pub fn read(object: &DynamicObject, absent: Replicas) -> Result<Self, ReadError> {
        let identity = Self::identity(object)?;
        Ok(Self {
            replicas: whole(&object.data["spec"]["replicas"])?.unwrap_or(absent),
            ownership: ownership(
                object.metadata.managed_fields.as_deref().unwrap_or_default(),
                &["spec", "replicas"],
            ),
            memory: Template::read(&object.data),
            ..identity
        })
    }
}

/// The part of an object that [`Workload::read`] looks at; a store that keeps only this keeps enough.
pub(super) fn prune(object: &mut DynamicObject) {
    let template = template::kept(&object.data);
    keep(object, &[("spec", &["replicas"])], &["spec", "replicas"], |_| false);
    if let (Some(template), Some(spec)) = (template, object.data.get_mut("spec").and_then(Value::as_object_mut)) {
        spec.insert("template".to_owned(), template);
    }
}

/// Leaves these parts of an object, our annotation and those that `annotated` names, and of `managedFields` who has
/// the field at `path`. An object that had annotations keeps an empty map at least.
pub(super) fn keep(
    object: &mut DynamicObject,
    parts: &[(&str, &[&str])],
    path: &[&str],
    annotated: impl Fn(&str) -> bool,
) {
    let kept = |(part, fields): &(&str, &[&str])| {
        let of = object.data.get(part)?;
        let pairs = fields
            .iter()
            .filter_map(|field| Some(((*field).to_owned(), of.get(field)?.clone())));
        Some(((*part).to_owned(), Value::Object(pairs.collect())))
    };
    let data = parts.iter().filter_map(kept).collect();
    object.data = Value::Object(data);
    let meta = &mut object.metadata;
    if let Some(annotations) = &mut meta.annotations {
        annotations.retain(|key, _| key == USER_FLOOR || annotated(key));
    }
    meta.labels = None;
    meta.finalizers = None;
    for entry in meta.managed_fields.iter_mut().flatten() {
        let field = entry
            .fields_v1
            .as_ref()
            .and_then(|fields| path.iter().try_fold(&fields.0, |at, part| at.get(format!("f:{part}"))));
        let nested = field.map(|field| {
            path.iter().rev().fold(
                field.clone(),
                |inner, part| serde_json::json!({ format!("f:{part}"): inner }),
            )
        });
        entry.fields_v1 = nested.map(k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1);
    }
    if let Some(entries) = &mut meta.managed_fields {
        entries.retain(|entry| entry.fields_v1.is_some());
    }
}

/// A whole number of pods; `None` where nothing is there.
pub(super) fn whole(value: &Value) -> Result<Option<Replicas>, ReadError> {
    match value {
        Value::Null => Ok(None),
        value => value
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .map(|n| Some(Replicas(n)))
            .ok_or_else(|| ReadError::NotANumber(value.to_string().chars().take(32).collect())),
    }
}

fn owner(references: &[OwnerReference]) -> Option<Owner> {
    let owner = references.iter().find(|reference| reference.controller == Some(true))?;
    Some(Owner {
        api_version: owner.api_version.clone(),
        kind: owner.kind.clone(),
        name: owner.name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn object(value: &Value) -> DynamicObject {
        serde_json::from_value(value.clone()).expect("an object of the test")
    }

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
               "metadata": {"name": "f", "namespace": "a", "uid": "u-1", "resourceVersion": "7",
                            "labels": {"team": "x"}, "annotations": {"note": "y"},
                            "managedFields": [{"manager": "helm", "operation": "Apply", "apiVersion": "apps/v1",
                                               "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}}},
                                              {"manager": "kubelet", "operation": "Update", "apiVersion": "apps/v1",
                                               "fieldsV1": {"f:status": {}}}]},
               "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "f"}}, "template": {"spec": {
                   "containers": [{"name": "app", "image": "f:1", "resources": {"limits": {"memory": "64Mi"}}}]}}},
               "status": {"replicas": 3}})
    }

    #[test]
    fn a_deployment_is_read() {
        let read = Workload::read(&object(&deployment()), Replicas::ONE).unwrap();
        assert_eq!(
            (read.uid.as_str(), read.replicas, read.resource_version.as_str()),
            ("u-1", Replicas(3), "7")
        );
        assert_eq!(read.ownership.applied_by.as_deref(), Some("helm"));
        assert_eq!(read.owner, None);
    }

    #[test]
    fn a_pruned_object_reads_the_same() {
        let whole = object(&deployment());
        let mut pruned = whole.clone();
        prune(&mut pruned);
        assert_eq!(
            Workload::read(&pruned, Replicas::ONE),
            Workload::read(&whole, Replicas::ONE)
        );
        let kept = serde_json::to_value(&pruned).unwrap().to_string();
        assert!(
            !kept.contains("f:1")
                && !kept.contains("f:template")
                && !kept.contains("kubelet")
                && !kept.contains("team"),
            "{kept}"
        );
    }

    #[test]
    fn absent_replicas_are_what_the_kind_says_and_garbage_is_an_error() {
        let with = |replicas: Value| {
            let mut value = deployment();
            value["spec"]["replicas"] = replicas;
            Workload::read(&object(&value), Replicas::ONE).map(|read| read.replicas)
        };
        assert_eq!(with(Value::Null), Ok(Replicas::ONE));
        assert_eq!(with(json!(0)), Ok(Replicas::ZERO));
        for garbage in [json!(-1), json!("3"), json!(1.5), json!(4_294_967_296_u64), json!({})] {
            assert!(
                matches!(with(garbage.clone()), Err(ReadError::NotANumber(_))),
                "{garbage}"
            );
        }
    }

    #[test]
    fn an_object_without_identity_is_an_error() {
        let mut value = deployment();
        value["metadata"]["uid"] = "".into();
        assert_eq!(
            Workload::read(&object(&value), Replicas::ONE),
            Err(ReadError::NoIdentity("uid"))
        );
    }

    #[test]
    fn only_the_controlling_owner_is_named() {
        let mut value = deployment();
        value["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "1"},
                   {"apiVersion": "serving.knative.dev/v1", "kind": "Revision", "name": "r", "uid": "2", "controller": true}]);
        let owner = Workload::read(&object(&value), Replicas::ONE).unwrap().owner.unwrap();
        assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Revision", "r"));
    }

    proptest! {
        /// R10: no count panics, and pruning never changes what is read.
        #[test]
        fn r10_any_count_is_read_without_panic(replicas in any::<i64>()) {
            let mut value = deployment();
            value["spec"] = json!({"replicas": replicas});
            let whole = object(&value);
            let mut pruned = whole.clone();
            prune(&mut pruned);
            prop_assert_eq!(Workload::read(&whole, Replicas::ONE), Workload::read(&pruned, Replicas::ONE));
        }
    }
}
