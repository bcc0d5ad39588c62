//! Workloads that may be targets: identity, floor field and who has it, as their target kind reads them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kube::api::DynamicObject;
use kube::core::ObjectMeta;

use super::watch::{Read, Shelf};
use crate::target::{Resource, TargetKind, Workload};

/// All workloads of one resource, by namespace and name.
pub struct Workloads {
    resource: Resource,
    kind: &'static dyn TargetKind,
    by_name: RwLock<HashMap<(String, String), Arc<Workload>>>,
}

impl std::fmt::Debug for Workloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workloads")
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl Workloads {
    /// An empty shelf for workloads of `resource`, which `kind` reads.
    pub fn new(resource: Resource, kind: &'static dyn TargetKind) -> Self {
        Self {
            resource,
            kind,
            by_name: RwLock::default(),
        }
    }

    /// The resource kept here.
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The workload of that name, or `None` where there is none.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Workload>> {
        let all = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    fn keep(&self, read: Read<DynamicObject>) -> Option<((String, String), Arc<Workload>)> {
        let Read::Good(object) = read else { return None };
        match self.kind.read(&self.resource, &object) {
            Ok(workload) => Some(((workload.namespace.clone(), workload.name.clone()), Arc::new(workload))),
            Err(error) => {
                tracing::warn!(%error, namespace = object.metadata.namespace, name = object.metadata.name,
                    "Workload passed over.");
                None
            }
        }
    }
}

impl Shelf<DynamicObject> for Workloads {
    fn replace(&self, all: Vec<Read<DynamicObject>>) {
        let fresh = all.into_iter().filter_map(|read| self.keep(read)).collect();
        *self.by_name.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn put(&self, object: Read<DynamicObject>) {
        // An object that cannot be read keeps its last good facts until it can be or is gone.
        if let Some((key, workload)) = self.keep(object) {
            self.by_name
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, workload);
        }
    }

    fn gone(&self, meta: &ObjectMeta) {
        let key = (
            meta.namespace.clone().unwrap_or_default(),
            meta.name.clone().unwrap_or_default(),
        );
        self.by_name
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
    }
}
