//! Workloads that may be targets: identity, floor field and who has it. Pruned while decoding.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use forewarm_core::observation::Ownership;
use kube::core::{ObjectMeta, Resource};
use serde::Deserialize;

use super::watch::{Read, Shelf};
use crate::target::scale;

/// A workload with no more than what is read of it.
pub type Workload = kube::core::Object<WorkloadSpec, WorkloadStatus>;

/// What is read of a workload's spec.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WorkloadSpec {
    replicas: Option<u32>,
}

/// Nothing of a workload's status is read: pods tell more, and sooner.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WorkloadStatus {}

/// What is kept of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadFacts {
    /// Identity.
    pub uid: String,
    /// Version of the object, to see own writes come back (W5).
    pub resource_version: String,
    /// `spec.replicas`. Absent means one: that is what the API server defaults to.
    pub replicas: u32,
    /// Who has `spec.replicas`.
    pub ownership: Ownership,
    /// Kind and name of the object that controls this one (a Knative `Revision`), which then scales it.
    pub controller: Option<String>,
}

/// All workloads of one kind, by namespace and name.
#[derive(Debug, Default)]
pub struct Workloads(RwLock<HashMap<(String, String), Arc<WorkloadFacts>>>);

impl Workloads {
    /// The workload of that name, or `None` where there is none.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<WorkloadFacts>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Names of all workloads of a namespace, for mapping pods that are long dead.
    pub fn names(&self, visit: &mut dyn FnMut(&str, &str)) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.keys().for_each(|(namespace, name)| visit(namespace, name));
    }
}

impl Shelf<Workload> for Workloads {
    fn replace(&self, all: Vec<Read<Workload>>) {
        let fresh = all.into_iter().filter_map(|read| keep(read)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn put(&self, object: Read<Workload>) {
        // An object that cannot be decoded keeps its last good facts until it can or is gone.
        if let Some((key, facts)) = keep(object) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, facts);
        }
    }

    fn gone(&self, meta: &ObjectMeta) {
        let key = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

fn keep(read: Read<Workload>) -> Option<((String, String), Arc<WorkloadFacts>)> {
    let Read::Good(workload) = read else { return None };
    let meta = workload.meta();
    let key = (meta.namespace.clone()?, meta.name.clone()?);
    let controller = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    let facts = WorkloadFacts {
        uid: meta.uid.clone()?,
        resource_version: meta.resource_version.clone().unwrap_or_default(),
        replicas: workload.spec.replicas.unwrap_or(1),
        ownership: scale::ownership(meta.managed_fields.as_deref().unwrap_or_default()),
        controller: controller.map(|owner| format!("{} {}", owner.kind, owner.name)),
    };
    Some((key, Arc::new(facts)))
}
