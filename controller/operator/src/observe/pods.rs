//! Pods, folded: which workload they belong to, which are ready or starting, and how long each start took.
//!
//! A pod can be born and die between two ticks, so its events are folded here as they come; the tick reads the
//! result. Only what is read is decoded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::{ObjectMeta, Resource};
use serde::Deserialize;

use super::lead_time::{LeadTimes, Start};
use super::watch::{Read, Shelf};
use crate::target::{PodOwner, pod_owner};

/// A pod with no more than what is read of it.
pub type Pod = kube::core::Object<PodSpec, PodStatus>;

/// Nothing of a pod's spec is read yet.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodSpec {}

/// What is read of a pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodStatus {
    phase: Option<String>,
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default, rename = "containerStatuses")]
    containers: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    last_transition_time: Option<Time>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    #[serde(default)]
    restart_count: u32,
}

/// A workload as pods name it: kind and name of the owner, in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Namespace.
    pub namespace: String,
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// What is kept of one pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodFacts {
    /// Name.
    pub name: String,
    /// Ready now, and since when (seconds since 1970 UTC); `None`: not ready.
    pub ready_since: Option<i64>,
    /// Being deleted, finished or failed: neither ready nor starting.
    pub ending: bool,
}

/// All pods by their workload.
#[derive(Debug, Default)]
pub struct Pods {
    inner: Mutex<Inner>,
    /// How long starts took, by workload.
    pub lead_times: LeadTimes,
}

#[derive(Debug, Default)]
struct Inner {
    by_owner: HashMap<Owner, HashMap<String, PodFacts>>,
    owner_of: HashMap<(String, String), Owner>,
}

impl Pods {
    /// Calls `read` with the pods of `owner`; with none when it has none.
    pub fn of<R>(&self, owner: &Owner, read: impl FnOnce(&mut dyn Iterator<Item = &PodFacts>) -> R) -> R {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.by_owner.get(owner) {
            Some(pods) => read(&mut pods.values()),
            None => read(&mut std::iter::empty()),
        }
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn fold(&self, inner: &mut Inner, read: Read<Pod>) {
        let Read::Good(pod) = read else { return };
        let Some(owner) = owner_of(&pod.metadata) else { return };
        if let Some(start) = start_of(&pod) {
            self.lead_times.learn(&owner, start);
        }
        inner.put(owner, facts(&pod));
    }
}

impl Inner {
    fn put(&mut self, owner: Owner, facts: PodFacts) {
        self.owner_of
            .insert((owner.namespace.clone(), facts.name.clone()), owner.clone());
        self.by_owner
            .entry(owner)
            .or_default()
            .insert(facts.name.clone(), facts);
    }

    fn remove(&mut self, namespace: &str, name: &str) {
        let Some(owner) = self.owner_of.remove(&(namespace.to_owned(), name.to_owned())) else {
            return;
        };
        if let Some(pods) = self.by_owner.get_mut(&owner) {
            pods.remove(name);
            if pods.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
    }
}

impl Shelf<Pod> for Pods {
    fn replace(&self, all: Vec<Read<Pod>>) {
        self.with(|inner| {
            *inner = Inner::default();
            for pod in all {
                self.fold(inner, pod);
            }
        });
    }

    fn put(&self, object: Read<Pod>) {
        self.with(|inner| self.fold(inner, object));
    }

    fn gone(&self, meta: &ObjectMeta) {
        let (namespace, name) = (
            meta.namespace.as_deref().unwrap_or(""),
            meta.name.as_deref().unwrap_or(""),
        );
        self.with(|inner| inner.remove(namespace, name));
    }
}

/// The workload a pod belongs to, in its own namespace. `None`: nothing controls it.
fn owner_of(meta: &ObjectMeta) -> Option<Owner> {
    let PodOwner { kind, name } = pod_owner(meta)?;
    Some(Owner {
        namespace: meta.namespace.clone()?,
        kind,
        name,
    })
}

fn facts(pod: &Pod) -> PodFacts {
    let status = pod.status.clone().unwrap_or_default();
    let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    PodFacts {
        name: pod.meta().name.clone().unwrap_or_default(),
        ready_since: became(&status, "Ready"),
        ending: over || pod.meta().deletion_timestamp.is_some(),
    }
}

/// Seconds since 1970 at which the condition became true; `None` while it is not.
fn became(status: &PodStatus, condition: &str) -> Option<i64> {
    let condition = status
        .conditions
        .iter()
        .find(|c| c.type_ == condition && c.status == "True")?;
    condition.last_transition_time.as_ref().map(|time| time.0.as_second())
}

/// The pod's first start, once it is over. A restarted container or a lost readiness tells nothing of it.
fn start_of(pod: &Pod) -> Option<Start> {
    let status = pod.status.as_ref()?;
    if status.containers.iter().any(|container| container.restart_count > 0) {
        return None;
    }
    Some(Start {
        pod: pod.meta().uid.clone()?,
        created: pod.meta().creation_timestamp.as_ref()?.0.as_second(),
        scheduled: became(status, "PodScheduled")?,
        ready: became(status, "Ready")?,
    })
}
