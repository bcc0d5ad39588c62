//! Known scalers and what they scale: a target that has one is not ours to scale.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use kube::core::{ApiResource, ObjectMeta, Resource};
use serde::Deserialize;

use super::pods::Owner;
use super::watch::{Read, Shelf};

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

#[derive(Clone, Debug, Deserialize)]
struct ScaleTargetRef {
    /// KEDA: absent means `Deployment`.
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
        kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
    ]
}

/// Scalers of one kind, by namespace and name, each with the workload it scales.
#[derive(Debug)]
pub struct Scalers {
    kind: String,
    by_name: RwLock<HashMap<(String, String), Owner>>,
}

impl Scalers {
    /// An empty shelf for scalers of `kind`.
    pub fn of_kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), by_name: RwLock::default() }
    }

    /// Adds every scaler to `by_target`, as `Kind name`, under the workload that it scales.
    pub fn index(&self, by_target: &mut HashMap<Owner, String>) {
        for ((_, name), target) in self.by_name.read().unwrap_or_else(PoisonError::into_inner).iter() {
            by_target.insert(target.clone(), format!("{} {name}", self.kind));
        }
    }
}

impl Shelf<Scaler> for Scalers {
    fn replace(&self, all: Vec<Read<Scaler>>) {
        *self.by_name.write().unwrap_or_else(PoisonError::into_inner) = all.into_iter().filter_map(keep).collect();
    }

    fn put(&self, object: Read<Scaler>) {
        if let Some((key, target)) = keep(object) {
            self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(key, target);
        }
    }

    fn gone(&self, meta: &ObjectMeta) {
        let key = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

fn keep(read: Read<Scaler>) -> Option<((String, String), Owner)> {
    let Read::Good(scaler) = read else { return None };
    let (namespace, name) = (scaler.meta().namespace.clone()?, scaler.meta().name.clone()?);
    let target = scaler.spec.scale_target_ref;
    let kind = target.kind.unwrap_or_else(|| "Deployment".to_owned());
    Some(((namespace.clone(), name), Owner { namespace, kind, name: target.name }))
}
