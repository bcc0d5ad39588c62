//! Pods, folded: which workload they belong to, which are ready or starting, and how long each start took.
//!
//! A pod can be born and die between two ticks, so its events are folded here as they come; the tick reads the
//! result. Only what is read is decoded.

use std::sync::{Arc, Mutex, PoisonError};

use forewarm_core::units::Seconds;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::{ObjectMeta, Resource};
use serde::Deserialize;

use super::FastMap;
use super::health::{ContainerSpec, ContainerStatus, Health};
use super::lead_time::{LeadTimes, Start};
use super::quotas::Asks;
use super::touched::Touched;
use super::watch::{Read, Shelf};
use crate::target::{PodOwner, pod_owner};

/// A pod with no more than what is read of it.
pub type Pod = kube::core::Object<PodSpec, PodStatus>;

/// What is read of a pod's spec.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodSpec {
    #[serde(default)]
    pub(super) containers: Vec<ContainerSpec>,
}

impl PodSpec {
    fn asks(&self) -> Asks {
        self.containers
            .iter()
            .fold(Asks::default(), |sum, one| sum.plus(one.asks()))
    }
}

/// What is read of a pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodStatus {
    phase: Option<String>,
    #[serde(default)]
    pub(super) conditions: Vec<Condition>,
    #[serde(default, rename = "containerStatuses")]
    pub(super) containers: Vec<ContainerStatus>,
}

/// What is read of a pod's condition.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    pub(super) type_: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) last_transition_time: Option<Time>,
}

/// A workload as pods name it: kind and name of the owner, in a namespace. Clones share the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Kind, as in `Deployment`.
    pub kind: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

/// What is kept of one pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodFacts {
    /// Name.
    pub name: Arc<str>,
    /// Ready now, and since when (seconds since 1970 UTC); `None`: not ready.
    pub ready_since: Option<i64>,
    /// Being deleted, finished or failed: neither ready nor starting.
    pub ending: bool,
    /// Since when no node takes it (seconds since 1970 UTC); `None`: it has one, or the scheduler has not looked yet.
    pub unplaced_since: Option<i64>,
    /// It has a node.
    pub placed: bool,
    /// What it asks for.
    pub asks: Asks,
}

/// All pods by their workload.
#[derive(Debug, Default)]
pub struct Pods {
    inner: Mutex<Inner>,
    /// How long starts took, by workload.
    lead_times: LeadTimes,
    touched: Arc<Touched>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By name.
    by_owner: FastMap<Owner, Vec<PodFacts>>,
    /// By namespace and name.
    owner_of: FastMap<(Arc<str>, Arc<str>), Owner>,
    health: Health,
}

impl Pods {
    /// No pods; which workloads' change is noted there.
    pub fn noting(touched: &Arc<Touched>) -> Self {
        Self {
            touched: Arc::clone(touched),
            ..Self::default()
        }
    }

    /// 95th percentile of the starts of a workload's pods. `None`: no start seen.
    pub fn lead_time(&self, owner: &Owner) -> Option<Seconds> {
        self.lead_times.p95(owner)
    }

    /// Calls `read` with the pods of `owner`; with none when it has none.
    pub fn of<R>(&self, owner: &Owner, read: impl FnOnce(&mut dyn Iterator<Item = &PodFacts>) -> R) -> R {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.by_owner.get(owner) {
            Some(pods) => read(&mut pods.iter()),
            None => read(&mut std::iter::empty()),
        }
    }

    /// Calls `read` with the health of all pods.
    pub fn health<R>(&self, read: impl FnOnce(&Health) -> R) -> R {
        read(&self.inner.lock().unwrap_or_else(PoisonError::into_inner).health)
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn fold(&self, inner: &mut Inner, read: Read<Pod>) {
        let owner = owner_of(read.meta());
        // A ReplicaSet lets a pod go whose labels are changed by hand: it serves for that workload no longer.
        if inner.is_of_another(read.meta(), owner.as_ref()) {
            self.forget(inner, read.meta());
        }
        let Some(owner) = owner else { return };
        match read {
            Read::Good(pod) => {
                if let Some(start) = start_of(&pod) {
                    self.lead_times.learn(&owner, start);
                }
                inner.health.fold(&owner, &pod);
                inner.put(owner.clone(), facts(&pod));
            }
            // What it serves counts: it must be heard of before anything falls.
            Read::Bad(meta, _) => inner.put_unknown(owner.clone(), &meta),
        }
        self.touched.note(&owner.namespace, &owner.name);
    }

    fn forget(&self, inner: &mut Inner, meta: &ObjectMeta) {
        let (namespace, name) = names(meta);
        if let Some(owner) = inner.remove(namespace, name) {
            self.touched.note(&owner.namespace, &owner.name);
        }
    }
}

impl Inner {
    /// Whether the pod is known as another workload's than `owner`.
    fn is_of_another(&self, meta: &ObjectMeta, owner: Option<&Owner>) -> bool {
        let (namespace, name) = names(meta);
        let known = self.owner_of.get(&(namespace.into(), name.into()));
        known.is_some() && known != owner
    }

    /// A pod of which only the metadata can be read; what was known of it stays.
    fn put_unknown(&mut self, owner: Owner, meta: &ObjectMeta) {
        let name: Arc<str> = meta.name.as_deref().unwrap_or_default().into();
        if self.owner_of.contains_key(&(owner.namespace.clone(), name.clone())) {
            return;
        }
        let facts = PodFacts {
            name,
            ready_since: meta.creation_timestamp.as_ref().map(|time| time.0.as_second()),
            ending: meta.deletion_timestamp.is_some(),
            unplaced_since: None,
            placed: true,
            asks: Asks::default(),
        };
        self.put(owner, facts);
    }

    fn put(&mut self, owner: Owner, facts: PodFacts) {
        // The text of an owner is kept once, however many pods it has.
        let owner = self
            .by_owner
            .get_key_value(&owner)
            .map_or(owner, |(known, _)| known.clone());
        self.owner_of
            .insert((owner.namespace.clone(), facts.name.clone()), owner.clone());
        let pods = self.by_owner.entry(owner).or_default();
        match place(pods, &facts.name) {
            Ok(known) => pods[known] = facts,
            Err(new) => pods.insert(new, facts),
        }
    }

    /// Forgets a pod; whose it was.
    fn remove(&mut self, namespace: &str, name: &str) -> Option<Owner> {
        let owner = self.owner_of.remove(&(namespace.into(), name.into()))?;
        self.health.remove(&owner, name);
        if let Some(pods) = self.by_owner.get_mut(&owner) {
            if let Ok(known) = place(pods, name) {
                pods.remove(known);
            }
            if pods.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
        Some(owner)
    }
}

/// Namespace and name of an object.
fn names(meta: &ObjectMeta) -> (&str, &str) {
    (
        meta.namespace.as_deref().unwrap_or(""),
        meta.name.as_deref().unwrap_or(""),
    )
}

/// Where the pod of that name is, or would be.
fn place(pods: &[PodFacts], name: &str) -> Result<usize, usize> {
    pods.binary_search_by(|pod| (*pod.name).cmp(name))
}

impl Shelf<Pod> for Pods {
    fn replace(&self, all: Vec<Read<Pod>>) {
        self.with(|inner| {
            let mut health = std::mem::take(&mut inner.health);
            health.relisted();
            *inner = Inner {
                health,
                ..Inner::default()
            };
            for pod in all {
                self.fold(inner, pod);
            }
            self.touched.note_everything();
        });
    }

    fn put(&self, object: Read<Pod>) {
        self.with(|inner| self.fold(inner, object));
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.with(|inner| self.forget(inner, meta));
    }
}

/// The workload a pod belongs to, in its own namespace. `None`: nothing controls it.
fn owner_of(meta: &ObjectMeta) -> Option<Owner> {
    let PodOwner { kind, name } = pod_owner(meta)?;
    Some(Owner {
        namespace: meta.namespace.as_deref()?.into(),
        kind: kind.into(),
        name: name.into(),
    })
}

fn facts(pod: &Pod) -> PodFacts {
    let status = pod.status.clone().unwrap_or_default();
    let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    PodFacts {
        name: pod.meta().name.as_deref().unwrap_or_default().into(),
        ready_since: became(&status, "Ready"),
        ending: over || pod.meta().deletion_timestamp.is_some(),
        unplaced_since: unplaced(&status),
        placed: became(&status, "PodScheduled").is_some(),
        asks: pod.spec.asks(),
    }
}

/// Since when the scheduler has found no node.
pub(super) fn unplaced(status: &PodStatus) -> Option<i64> {
    let is = |c: &&Condition| c.type_ == "PodScheduled" && c.status == "False";
    let condition = status.conditions.iter().find(is)?;
    let unschedulable = condition.reason.as_deref() == Some("Unschedulable");
    let since = condition.last_transition_time.as_ref().filter(|_| unschedulable)?;
    Some(since.0.as_second())
}

/// Seconds since 1970 at which the condition became true; `None` while it is not.
pub(super) fn became(status: &PodStatus, condition: &str) -> Option<i64> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_that_its_workload_let_go_is_its_pod_no_longer() {
        let touched = Arc::new(Touched::default());
        let pods = Pods::noting(&touched);
        let owner = |name: &str| Owner {
            namespace: "payments".into(),
            kind: "Deployment".into(),
            name: name.into(),
        };
        let put = |owners: serde_json::Value| {
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": []},
                "metadata": {"name": "fraud-7c9f-x", "namespace": "payments", "uid": "p", "labels": {"pod-template-hash": "7c9f"},
                    "creationTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": owners}});
            pods.put(Read::Good(serde_json::from_value(pod).unwrap()));
        };
        let set = |name: &str| json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": "u", "controller": true}]);
        let count = |name: &str| pods.of(&owner(name), |all| all.count());
        let healthy = |name: &str| pods.health(|health| health.of(&owner(name)).0.len());
        put(set("fraud-7c9f"));
        assert_eq!((count("fraud"), healthy("fraud")), (1, 1));
        touched.take();
        put(json!([]));
        assert_eq!((count("fraud"), healthy("fraud")), (0, 0), "nobody controls it now");
        assert!(touched.take().contains("payments", "fraud"));
        put(set("fraud-7c9f"));
        put(set("orders-7c9f"));
        assert_eq!((count("fraud"), count("orders")), (0, 1));
        assert!(touched.take().contains("payments", "fraud"));
    }

    #[test]
    fn a_pod_that_cannot_be_decoded_must_still_be_heard_of() {
        let meta: ObjectMeta = serde_json::from_value(json!({
            "name": "fraud-7c9f-x", "namespace": "payments", "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"pod-template-hash": "7c9f"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "fraud-7c9f", "uid": "u",
                "controller": true}],
        }))
        .unwrap();
        let owner = Owner {
            namespace: "payments".into(),
            kind: "Deployment".into(),
            name: "fraud".into(),
        };
        let pods = Pods::default();
        let ready = || pods.of(&owner, |all| all.map(|pod| pod.ready_since).collect::<Vec<_>>());
        pods.replace(vec![Read::Bad(meta.clone(), "odd".into())]);
        assert_eq!(
            ready(),
            [Some(1_767_225_600)],
            "as ready as can be, so its series must be there"
        );
        let starting = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": []}});
        pods.put(Read::Good(serde_json::from_value(starting).unwrap()));
        pods.put(Read::Bad(meta.clone(), "odd".into()));
        assert_eq!(ready(), [None], "what was known of it stays");
        pods.gone(&meta);
        assert!(ready().is_empty());
    }
}
