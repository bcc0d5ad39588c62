//! Workloads that may be targets: identity, floor field and who has it, as their target kind reads them.

use std::sync::{Arc, PoisonError, RwLock};

use kube::api::DynamicObject;
use kube::core::ObjectMeta;

use super::FastMap;
use super::touched::Touched;
use super::watch::{Read, Shelf};
use crate::target::{Found, Resource, TargetKind, TargetRef, Workload};

/// Namespace, then name.
type ByName = FastMap<String, FastMap<String, Arc<Workload>>>;

/// Namespace, then name of what is scaled.
type ByScaled = FastMap<String, FastMap<String, Vec<Arc<Workload>>>>;

/// The workloads, and of scalers also by what they scale.
#[derive(Default)]
struct All {
    by_name: ByName,
    by_scaled: ByScaled,
}

/// All workloads of one resource, by namespace and name.
pub struct Workloads {
    resource: Resource,
    kind: &'static dyn TargetKind,
    all: RwLock<All>,
    touched: Arc<Touched>,
}

impl std::fmt::Debug for Workloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workloads")
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl Workloads {
    /// An empty shelf for workloads of `resource`, which `kind` reads; what changes is noted in `touched`.
    pub fn new(resource: Resource, kind: &'static dyn TargetKind, touched: &Arc<Touched>) -> Self {
        Self {
            resource,
            kind,
            all: RwLock::default(),
            touched: Arc::clone(touched),
        }
    }

    /// The resource kept here.
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// True for a shelf of scalers, which no policy may name.
    pub fn scales(&self) -> bool {
        self.kind.scales(&self.resource)
    }

    /// True where the API may not be installed: that of a scaler which is an add-on, and of a kind that an
    /// administrator listed.
    pub fn may_be_absent(&self) -> bool {
        self.kind.optional() || (self.resource.group != "apps" && !self.scales())
    }

    /// True for the shelf of Knative's revisions.
    pub fn is_knative(&self) -> bool {
        self.scales() && self.kind.name() == "knative"
    }

    /// The kind that reads it.
    pub const fn kind(&self) -> &'static dyn TargetKind {
        self.kind
    }

    /// The workload of that name, or `None` where there is none.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Workload>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.by_name.get(namespace)?.get(name).cloned()
    }

    /// The scalers that name `target` by kind and name, whatever the version of its group.
    pub fn scaling(&self, target: &TargetRef) -> Vec<Found> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let named = all
            .by_scaled
            .get(&target.namespace)
            .and_then(|names| names.get(&target.name));
        let kind = |object: &&Arc<Workload>| {
            object
                .scales
                .as_ref()
                .is_some_and(|says| says.target.kind == target.kind)
        };
        named
            .into_iter()
            .flatten()
            .filter(kind)
            .map(|object| self.found(object))
            .collect()
    }

    /// Those that `pick` picks.
    pub fn picked(&self, pick: impl Fn(&Workload) -> bool) -> Vec<Found> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let picked = all
            .by_name
            .values()
            .flat_map(FastMap::values)
            .filter(|workload| pick(workload));
        picked.map(|object| self.found(object)).collect()
    }

    fn found(&self, object: &Arc<Workload>) -> Found {
        Found {
            kind: self.resource.kind.clone(),
            api_version: self.resource.api_version(),
            object: Arc::clone(object),
        }
    }

    /// Notes a workload under every name that it is looked up by.
    fn note(&self, workload: &Workload) {
        self.touched.note(&workload.namespace, &workload.name);
        if let Some(says) = &workload.scales {
            self.touched.note(&says.target.namespace, &says.target.name);
        }
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
        let mut fresh = All::default();
        for workload in all.into_iter().filter_map(|read| self.keep(read)) {
            fresh.put(workload);
        }
        *self.all.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.touched.note_everything();
    }

    fn put(&self, object: Read<DynamicObject>) {
        // An object that cannot be read keeps its last good facts until it can be or is gone.
        if let Some(workload) = self.keep(object) {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            let before = all.put(Arc::clone(&workload));
            for changed in before.iter().chain([&workload]) {
                self.note(changed);
            }
        }
    }

    fn gone(&self, meta: &ObjectMeta) {
        let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let gone = all.remove(namespace.unwrap_or_default(), name.unwrap_or_default());
        if let Some(gone) = gone {
            self.note(&gone);
        }
    }
}

impl All {
    /// Keeps a workload; what was there under its name.
    fn put(&mut self, workload: Arc<Workload>) -> Option<Arc<Workload>> {
        let before = self.remove(&workload.namespace, &workload.name);
        if let Some(says) = &workload.scales {
            let names = entry(&mut self.by_scaled, &says.target.namespace);
            entry(names, &says.target.name).push(Arc::clone(&workload));
        }
        let names = entry(&mut self.by_name, &workload.namespace);
        names.insert(workload.name.clone(), workload);
        before
    }

    fn remove(&mut self, namespace: &str, name: &str) -> Option<Arc<Workload>> {
        let names = self.by_name.get_mut(namespace)?;
        let gone = names.remove(name);
        if names.is_empty() {
            self.by_name.remove(namespace);
        }
        if let Some(says) = gone.as_ref().and_then(|gone| gone.scales.as_ref()) {
            self.unlist(&says.target, name);
        }
        gone
    }

    fn unlist(&mut self, target: &TargetRef, name: &str) {
        let Some(names) = self.by_scaled.get_mut(&target.namespace) else {
            return;
        };
        if let Some(scalers) = names.get_mut(&target.name) {
            scalers.retain(|scaler| scaler.name != name);
            if scalers.is_empty() {
                names.remove(&target.name);
            }
        }
        if names.is_empty() {
            self.by_scaled.remove(&target.namespace);
        }
    }
}

fn entry<'a, V: Default>(map: &'a mut FastMap<String, V>, key: &str) -> &'a mut V {
    map.entry(key.to_owned()).or_default()
}
