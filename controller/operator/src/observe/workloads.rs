//! Workloads that may be targets: identity, floor field and who has it, as their target kind reads them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kube::api::DynamicObject;
use kube::core::ObjectMeta;

use super::watch::{Read, Shelf};
use crate::target::{Resource, TargetKind, Workload};

/// Namespace, then name.
type ByName = HashMap<String, HashMap<String, Arc<Workload>>>;

/// All workloads of one resource, by namespace and name.
pub struct Workloads {
    resource: Resource,
    kind: &'static dyn TargetKind,
    by_name: RwLock<ByName>,
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
        all.get(namespace)?.get(name).cloned()
    }

    fn keep(&self, read: Read<DynamicObject>) -> Option<Arc<Workload>> {
        let Read::Good(object) = read else { return None };
        match self.kind.read(&self.resource, &object) {
            Ok(workload) => Some(Arc::new(workload)),
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
        let mut fresh = ByName::new();
        for workload in all.into_iter().filter_map(|read| self.keep(read)) {
            put(&mut fresh, workload);
        }
        *self.by_name.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn put(&self, object: Read<DynamicObject>) {
        // An object that cannot be read keeps its last good facts until it can be or is gone.
        if let Some(workload) = self.keep(object) {
            put(
                &mut self.by_name.write().unwrap_or_else(PoisonError::into_inner),
                workload,
            );
        }
    }

    fn gone(&self, meta: &ObjectMeta) {
        let namespace = meta.namespace.as_deref().unwrap_or_default();
        let mut all = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = all.get_mut(namespace) {
            names.remove(meta.name.as_deref().unwrap_or_default());
            if names.is_empty() {
                all.remove(namespace);
            }
        }
    }
}

fn put(all: &mut ByName, workload: Arc<Workload>) {
    if !all.contains_key(&workload.namespace) {
        all.insert(workload.namespace.clone(), HashMap::new());
    }
    if let Some(names) = all.get_mut(&workload.namespace) {
        names.insert(workload.name.clone(), workload);
    }
}
