//! All watched stores together: started once, read by every tick.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use forewarm_api::{DemandProfile, FunctionPolicy, NewbornMemory};
use kube::Client;
use kube::api::{ApiResource, DynamicObject};

use super::heartbeat::Heartbeats;
use super::knative::{Idle, Knative, PodAutoscaler, version};
use super::limit_ranges::{LimitRange, LimitRanges};
use super::newborn::Newborns;
use super::pods::{Pod, Pods};
use super::policies::{Namespace, PausedNamespaces, Policies, Profiles};
use super::quotas::{Quota, Quotas};
use super::watch::{Health, Shelf as _, reflect};
use super::workloads::Workloads;
use crate::target::{Found, Kinds, TargetRef};

/// How often it is looked whether an API is installed; it is gone when it was missing twice in a row.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How soon it is asked again where there was no answer yet.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// The watched stores. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    /// Policies.
    pub policies: Arc<Policies>,
    /// Demand profiles.
    pub profiles: Arc<Profiles>,
    /// Paused namespaces.
    pub paused: Arc<PausedNamespaces>,
    /// Quotas.
    pub quotas: Arc<Quotas>,
    /// Limit ranges.
    pub limit_ranges: Arc<LimitRanges>,
    /// What is written for newborn pods. `None`: newborn memory is not installed.
    pub newborns: Option<Arc<Newborns>>,
    /// Workloads, one shelf a resource.
    pub workloads: Vec<Arc<Workloads>>,
    /// Pods.
    pub pods: Arc<Pods>,
    /// Whether the Knative that is installed may be scaled.
    pub knative: Arc<Knative>,
    /// Revisions whose autoscaler is inactive.
    pub idle: Arc<Idle>,
    /// The state of every watch that was started.
    health: Arc<RwLock<Vec<Health>>>,
    /// APIs of which it is not yet known whether they are installed.
    unasked: Arc<AtomicUsize>,
}

impl Stores {
    /// Empty stores for these kinds, not watched: for tests and benchmarks, which put things on the shelves.
    pub fn unwatched(kinds: &Kinds) -> Self {
        let workloads = kinds
            .served()
            .map(|(resource, kind)| Arc::new(Workloads::new(resource.clone(), kind)));
        Self {
            workloads: workloads.collect(),
            ..Self::default()
        }
    }

    /// Starts watching everything. `newborn`: what is written for newborn pods too, whose kind is installed then.
    pub fn watch(client: &Client, heartbeats: &Heartbeats, kinds: &Kinds, newborn: bool) -> Self {
        let mut stores = Self::unwatched(kinds);
        stores.newborns = newborn.then(Arc::default);
        let typed = |group, version, kind, plural| resource(group, version, kind, plural);
        stores.started([
            reflect::<FunctionPolicy, _>("policies", client.clone(), &(), heartbeats, stores.policies.clone()),
            reflect::<DemandProfile, _>("profiles", client.clone(), &(), heartbeats, stores.profiles.clone()),
            reflect::<Namespace, _>(
                "namespaces",
                client.clone(),
                &typed("", "v1", "Namespace", "namespaces"),
                heartbeats,
                stores.paused.clone(),
            ),
            reflect::<Pod, _>(
                "pods",
                client.clone(),
                &typed("", "v1", "Pod", "pods"),
                heartbeats,
                stores.pods.clone(),
            ),
            reflect::<Quota, _>(
                "quotas",
                client.clone(),
                &typed("", "v1", "ResourceQuota", "resourcequotas"),
                heartbeats,
                stores.quotas.clone(),
            ),
            reflect::<LimitRange, _>(
                "limitranges",
                client.clone(),
                &typed("", "v1", "LimitRange", "limitranges"),
                heartbeats,
                stores.limit_ranges.clone(),
            ),
        ]);
        if let Some(newborns) = stores.newborns.clone() {
            stores.started([reflect::<NewbornMemory, _>(
                "newbornmemories",
                client.clone(),
                &(),
                heartbeats,
                newborns,
            )]);
        }
        for shelf in &stores.workloads {
            let (client, heartbeats, shelf) = (client.clone(), heartbeats.clone(), Arc::clone(shelf));
            if shelf.may_be_absent() {
                stores.unasked.fetch_add(1, Ordering::AcqRel);
                tokio::spawn(stores.clone().watch_when_installed(client, shelf, heartbeats));
            } else {
                stores.started([follow(client, &heartbeats, shelf)]);
            }
        }
        stores
    }

    fn started(&self, healths: impl IntoIterator<Item = Health>) {
        self.health
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(healths);
    }

    /// Looks for the API until it is there, then watches it, and looks on: one that goes takes what was seen of it
    /// along, and no other kind waits for its watch.
    async fn watch_when_installed(self, client: Client, kept: Arc<Workloads>, heartbeats: Heartbeats) {
        let resource = kept.resource().api_resource();
        let (mut watches, mut missing) = (Vec::new(), 0_u32);
        let mut asked = false;
        loop {
            let there = installed(&client, &resource).await;
            missing = if there == Some(false) {
                missing.saturating_add(1)
            } else {
                0
            };
            if there == Some(true) && watches.is_empty() {
                watches = self.begin(&client, &kept, &heartbeats);
                self.started(watches.clone());
            }
            if let Some(there) = there.filter(|there| *there || missing > 1) {
                note(there, &watches, &kept);
            }
            if there.is_some() && !std::mem::replace(&mut asked, true) {
                self.unasked.fetch_sub(1, Ordering::AcqRel);
            }
            if there == Some(true) && kept.is_knative() {
                self.knative.found(version(&client).await.as_deref());
            }
            tokio::time::sleep(if asked { LOOK_AGAIN } else { ASK_AGAIN }).await;
        }
    }

    /// Starts the watches of a kind that is installed.
    fn begin(&self, client: &Client, kept: &Arc<Workloads>, heartbeats: &Heartbeats) -> Vec<Health> {
        let mut watches = vec![follow(client.clone(), heartbeats, Arc::clone(kept))];
        if kept.is_knative() {
            watches.push(reflect::<PodAutoscaler, _>(
                "podautoscalers",
                client.clone(),
                &pod_autoscalers(),
                heartbeats,
                self.idle.clone(),
            ));
        }
        watches
    }

    /// The state of every watch of an API that is installed.
    pub fn health(&self) -> Vec<Health> {
        let all = self.health.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|health| !health.absent()).cloned().collect()
    }

    /// Every watch has seen a whole list, and of every API it is known whether it is there: a scaler that is not seen
    /// yet would be taken for none.
    pub fn synced(&self) -> bool {
        self.unasked.load(Ordering::Acquire) == 0 && self.health().iter().all(Health::synced)
    }

    /// Every watch shows the present state.
    pub fn fresh(&self, at: Instant) -> bool {
        self.health().iter().all(|health| health.fresh(at))
    }

    /// The scalers that name `target`.
    pub fn scaling(&self, target: &TargetRef) -> Vec<Found> {
        self.scalers().flat_map(|shelf| shelf.scaling(target)).collect()
    }

    /// The shelves of scalers.
    pub fn scalers(&self) -> impl Iterator<Item = &Arc<Workloads>> {
        self.workloads.iter().filter(|shelf| shelf.scales())
    }

    /// The shelf that keeps workloads of the target's kind. `None`: the kind is not listed.
    pub fn shelf(&self, target: &TargetRef) -> Option<&Arc<Workloads>> {
        self.workloads.iter().find(|shelf| shelf.resource().is_of(target))
    }
}

/// Notes whether the API of `watches` is there. Its objects went with it.
fn note(there: bool, watches: &[Health], kept: &Workloads) {
    let change = watches.iter().any(|watch| watch.absent() == there);
    if !change {
        return;
    }
    tracing::info!(kind = kept.kind().name(), there, "An API was removed, or is back.");
    if !there {
        kept.replace(Vec::new());
    }
    for watch in watches {
        watch.set_absent(!there);
    }
}

fn follow(client: Client, heartbeats: &Heartbeats, shelf: Arc<Workloads>) -> Health {
    let (name, resource) = (shelf.kind().name(), shelf.resource().api_resource());
    let name = if name == "scale" { "workloads" } else { name };
    reflect::<DynamicObject, _>(name, client, &resource, heartbeats, shelf)
}

fn pod_autoscalers() -> ApiResource {
    resource(
        "autoscaling.internal.knative.dev",
        "v1alpha1",
        "PodAutoscaler",
        "podautoscalers",
    )
}

fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&kube::core::GroupVersionKind::gvk(group, version, kind), plural)
}

/// Whether the API server serves the resource. `None`: it did not say.
async fn installed(client: &Client, resource: &ApiResource) -> Option<bool> {
    let listed = client.list_api_group_resources(&resource.api_version);
    match tokio::time::timeout(Duration::from_secs(10), listed).await {
        Ok(Ok(list)) => Some(list.resources.iter().any(|served| served.kind == resource.kind)),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Some(false),
        Ok(Err(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{Reply, api_server};

    async fn answered(reply: Reply) -> Option<bool> {
        let (client, _) = api_server(move |_| reply.clone());
        let keda = resource("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");
        installed(&client, &keda).await
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_answer_tells_that_an_api_is_not_there() {
        let list = |kind: &str| {
            let served = serde_json::json!({"name": "scaledobjects", "singularName": "", "namespaced": true,
                "kind": kind, "verbs": ["list"]});
            let list = serde_json::json!({"kind": "APIResourceList", "groupVersion": "keda.sh/v1alpha1",
                "resources": [served]});
            Reply::Json(200, list)
        };
        assert_eq!(answered(list("ScaledObject")).await, Some(true));
        assert_eq!(answered(list("ScaledJob")).await, Some(false));
        assert_eq!(
            answered(Reply::status(404, "NotFound", "no such group")).await,
            Some(false)
        );
        assert_eq!(
            answered(Reply::status(503, "ServiceUnavailable", "starting")).await,
            None
        );
        assert_eq!(answered(Reply::Silence).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_before_it_is_known_which_scalers_are_installed() {
        let (client, _) = api_server(|_| Reply::status(503, "ServiceUnavailable", "starting"));
        let stores = Stores::watch(&client, &Heartbeats::default(), &Kinds::new(&[]), false);
        for health in stores.health() {
            health.set_absent(true);
        }
        assert!(!stores.synced(), "nobody said whether KEDA is there");
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_that_was_removed_holds_no_other_kind_up() {
        let (client, _) = api_server(|_| Reply::status(404, "NotFound", "gone"));
        let stores = Stores::unwatched(&Kinds::new(&[]));
        let kept = stores.scalers().next().expect("a kind of scalers");
        let watches = stores.begin(&client, kept, &Heartbeats::default());
        stores.started(watches.clone());
        assert!(!stores.synced() && !stores.fresh(Instant::now()));
        note(false, &watches, kept);
        assert!(stores.synced() && stores.fresh(Instant::now()));
        note(true, &watches, kept);
        assert!(!stores.synced(), "it is back, and waited for");
    }
}
