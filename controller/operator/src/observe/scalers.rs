//! Known scalers and what they scale: a target that has one is not ours to scale.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use kube::core::{ApiResource, ObjectMeta, Resource};
use serde::Deserialize;

use super::pods::Owner;
use super::watch::{Read, Shelf};
use crate::target::TargetRef;

/// A scaler with no more than what is read of it.
pub type Scaler = kube::core::Object<ScalerSpec, ScalerStatus>;

/// What is read of a scaler's spec; the same field for HPA and `ScaledObject`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalerSpec {
    scale_target_ref: ScaleTargetRef,
}

/// Nothing of a scaler's status is read yet.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ScalerStatus {}

/// KEDA leaves the first two out for a Deployment.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScaleTargetRef {
    api_version: Option<String>,
    kind: Option<String>,
    name: String,
}

/// The kinds watched: an API that is not installed is looked for again later.
pub fn kinds() -> [ApiResource; 2] {
    let kind = |group: &str, version: &str, kind: &str, plural: &str| ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: format!("{group}/{version}"),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    };
    [
        kind(
            "autoscaling",
            "v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        ),
        kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
    ]
}

/// Scalers of one kind, found by the workload that they scale.
#[derive(Debug, Default)]
pub struct Scalers(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_target: HashMap<Owner, Vec<Found>>,
    target_of: HashMap<(String, String), Owner>,
}

/// One scaler as found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it scales.
    pub scales: TargetRef,
    /// The object that made it. `None`: it stands alone.
    pub made_by: Option<String>,
}

impl Scalers {
    /// Those that scale `owner`.
    pub fn of(&self, owner: &Owner) -> Vec<Found> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_target.get(owner).cloned().unwrap_or_default()
    }
}

impl Inner {
    fn put(&mut self, read: Read<Scaler>) {
        let Read::Good(scaler) = read else { return };
        self.remove(scaler.meta());
        let Some((key, found)) = found(scaler) else { return };
        let TargetRef {
            namespace, kind, name, ..
        } = found.scales.clone();
        let owner = Owner {
            namespace: namespace.into(),
            kind: kind.into(),
            name: name.into(),
        };
        self.target_of.insert(key, owner.clone());
        self.by_target.entry(owner).or_default().push(found);
    }

    fn remove(&mut self, meta: &ObjectMeta) {
        let name = meta.name.clone().unwrap_or_default();
        let key = (meta.namespace.clone().unwrap_or_default(), name.clone());
        let Some(owner) = self.target_of.remove(&key) else {
            return;
        };
        if let Some(found) = self.by_target.get_mut(&owner) {
            found.retain(|found| found.name != name);
            if found.is_empty() {
                self.by_target.remove(&owner);
            }
        }
    }
}

impl Shelf<Scaler> for Scalers {
    fn replace(&self, all: Vec<Read<Scaler>>) {
        let mut fresh = Inner::default();
        for read in all {
            fresh.put(read);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn put(&self, object: Read<Scaler>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).put(object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(meta);
    }
}

fn found(object: Scaler) -> Option<((String, String), Found)> {
    let (namespace, name) = (object.meta().namespace.clone()?, object.meta().name.clone()?);
    let owners = object.meta().owner_references.iter().flatten();
    let made_by = owners
        .filter(|owner| owner.controller == Some(true))
        .map(|owner| owner.name.clone())
        .next();
    let ScaleTargetRef {
        api_version,
        kind,
        name: target,
    } = object.spec.scale_target_ref;
    let scales = TargetRef {
        api_version: api_version.unwrap_or_else(|| "apps/v1".to_owned()),
        kind: kind.unwrap_or_else(|| "Deployment".to_owned()),
        namespace: namespace.clone(),
        name: target,
    };
    Some(((namespace, name.clone()), Found { name, scales, made_by }))
}
