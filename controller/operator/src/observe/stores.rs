//! All watched stores together: started once, read by every tick.

use std::sync::Arc;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use forewarm_api::{DemandProfile, FunctionPolicy};
use kube::Client;
use kube::api::{ApiResource, DynamicObject};

use super::heartbeat::Heartbeats;
use super::knative::{Idle, Knative, PodAutoscaler, version};
use super::pods::{Pod, Pods};
use super::policies::{Namespace, PausedNamespaces, Policies, Profiles};
use super::quotas::{Quota, Quotas};
use super::watch::{Health, reflect};
use super::workloads::Workloads;
use crate::target::{Found, Kinds, TargetRef};

/// How often an API that is not installed is looked for again.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

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

    /// Starts watching everything.
    pub fn watch(client: &Client, heartbeats: &Heartbeats, kinds: &Kinds) -> Self {
        let stores = Self::unwatched(kinds);
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
        ]);
        for shelf in &stores.workloads {
            let (client, heartbeats, shelf) = (client.clone(), heartbeats.clone(), Arc::clone(shelf));
            if shelf.kind().optional() {
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

    /// Looks for the API until it is there, then watches it.
    async fn watch_when_installed(self, client: Client, kept: Arc<Workloads>, heartbeats: Heartbeats) {
        let resource = kept.resource().api_resource();
        while !installed(&client, &resource).await {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.started([follow(client.clone(), &heartbeats, Arc::clone(&kept))]);
        if kept.scales() && kept.kind().name() == "knative" {
            self.started([reflect::<PodAutoscaler, _>(
                "podautoscalers",
                client.clone(),
                &pod_autoscalers(),
                &heartbeats,
                self.idle.clone(),
            )]);
            loop {
                self.knative.found(version(&client).await.as_deref());
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// The state of every watch.
    pub fn health(&self) -> Vec<Health> {
        self.health.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every watch has seen a whole list.
    pub fn synced(&self) -> bool {
        self.health().iter().all(Health::synced)
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

/// Whether the API server serves the resource. An error is a "no" for now.
async fn installed(client: &Client, resource: &ApiResource) -> bool {
    let listed = tokio::time::timeout(
        Duration::from_secs(10),
        client.list_api_group_resources(&resource.api_version),
    )
    .await;
    matches!(listed, Ok(Ok(list)) if list.resources.iter().any(|served| served.kind == resource.kind))
}
