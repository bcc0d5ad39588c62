//! All watched stores together: started once, read by every tick.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use forewarm_api::{DemandProfile, FunctionPolicy, NewbornMemory};
use futures::FutureExt as _;
use kube::Client;
use kube::api::{ApiResource, DynamicObject};

use super::heartbeat::Heartbeats;
use super::knative::{Idle, Knative, PodAutoscaler, version};
use super::limit_ranges::{LimitRange, LimitRanges};
use super::newborn::Newborns;
use super::nodes::{Node, Nodes};
use super::optional::Optional;
use super::pods::{Pod, Pods};
use super::policies::{Namespace, PausedNamespaces, Policies, Profiles};
use super::quotas::{Quota, Quotas};
use super::touched::Touched;
use super::vertical::{VerticalPodAutoscaler, Verticals};
use super::watch::{Health, Shelf as _, reflect};
use super::workloads::Workloads;
use crate::target::{Found, Kinds, TargetRef};

/// The watched stores. Cheap to clone.
#[derive(Clone, Debug)]
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
    /// The sizes of nodes. `None`: memory is not switched on, so nobody asks.
    pub nodes: Option<Arc<Nodes>>,
    /// Vertical autoscalers that move memory.
    pub verticals: Arc<Verticals>,
    /// Workloads, one shelf a resource.
    pub workloads: Vec<Arc<Workloads>>,
    /// Pods.
    pub pods: Arc<Pods>,
    /// Whether the Knative that is installed may be scaled.
    pub knative: Arc<Knative>,
    /// Revisions whose autoscaler is inactive.
    pub idle: Arc<Idle>,
    /// What has changed on the shelves that functions are looked up on, since the last look.
    pub touched: Arc<Touched>,
    /// The state of every watch that was started.
    health: Arc<RwLock<Vec<Health>>>,
    /// APIs of which it is not yet known whether they are installed.
    unasked: Arc<AtomicUsize>,
}

/// What is watched only where it is switched on: what is not granted cannot be watched.
#[derive(Clone, Copy, Debug, Default)]
pub struct Switched {
    /// What is written for newborn pods, whose kind is installed then.
    pub newborn_memory: bool,
    /// The sizes of nodes.
    pub node_sizes: bool,
}

impl Stores {
    /// Empty stores for these kinds, not watched: for tests and benchmarks, which put things on the shelves.
    pub fn unwatched(kinds: &Kinds) -> Self {
        let touched = Arc::new(Touched::default());
        let workloads = kinds
            .served()
            .map(|(resource, kind)| Arc::new(Workloads::new(resource.clone(), kind, &touched)));
        Self {
            policies: Arc::default(),
            profiles: Arc::default(),
            paused: Arc::default(),
            quotas: Arc::default(),
            limit_ranges: Arc::default(),
            newborns: None,
            nodes: None,
            verticals: Arc::default(),
            workloads: workloads.collect(),
            pods: Arc::new(Pods::noting(&touched)),
            knative: Arc::new(Knative::noting(&touched)),
            idle: Arc::new(Idle::noting(&touched)),
            touched,
            health: Arc::default(),
            unasked: Arc::default(),
        }
    }

    /// Starts watching everything, and what is switched on.
    pub fn watch(client: &Client, heartbeats: &Heartbeats, kinds: &Kinds, on: Switched) -> Self {
        let mut stores = Self::unwatched(kinds);
        stores.newborns = on.newborn_memory.then(Arc::default);
        stores.nodes = on.node_sizes.then(Arc::default);
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
        if let Some(nodes) = stores.nodes.clone() {
            let node = typed("", "v1", "Node", "nodes");
            stores.started([reflect::<Node, _>("nodes", client.clone(), &node, heartbeats, nodes)]);
        }
        stores.look_for(client, stores.verticals(client, heartbeats));
        for shelf in &stores.workloads {
            if shelf.may_be_absent() {
                stores.look_for(client, stores.optional(client, shelf, heartbeats));
            } else {
                stores.started([follow(client.clone(), heartbeats, Arc::clone(shelf))]);
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

    /// Follows an API that may not be installed.
    fn look_for(&self, client: &Client, optional: Optional) {
        self.unasked.fetch_add(1, Ordering::AcqRel);
        let (stores, client, unasked) = (self.clone(), client.clone(), Arc::clone(&self.unasked));
        tokio::spawn(async move {
            let started = |watches| stores.started(watches);
            optional.follow(client, unasked, started).await;
        });
    }

    /// A kind of targets that may not be installed.
    fn optional(&self, client: &Client, kept: &Arc<Workloads>, heartbeats: &Heartbeats) -> Optional {
        let (stores, client, heartbeats) = (self.clone(), client.clone(), heartbeats.clone());
        let (begun, forgotten) = (Arc::clone(kept), Arc::clone(kept));
        let (knative, asking) = (kept.is_knative().then(|| Arc::clone(&self.knative)), client.clone());
        Optional {
            name: kept.kind().name(),
            resource: kept.resource().api_resource(),
            begin: Box::new(move || stores.begin(&client, &begun, &heartbeats)),
            forget: Box::new(move || forgotten.replace(Vec::new())),
            found: Box::new(move || match knative.clone() {
                Some(knative) => look_at_version(asking.clone(), knative).boxed(),
                None => std::future::ready(()).boxed(),
            }),
        }
    }

    /// Vertical autoscalers, which move memory.
    fn verticals(&self, client: &Client, heartbeats: &Heartbeats) -> Optional {
        let resource = resource(
            "autoscaling.k8s.io",
            "v1",
            "VerticalPodAutoscaler",
            "verticalpodautoscalers",
        );
        let (client, heartbeats, watched) = (client.clone(), heartbeats.clone(), resource.clone());
        let (kept, forgotten) = (Arc::clone(&self.verticals), Arc::clone(&self.verticals));
        let begin = move || {
            let (client, kept) = (client.clone(), Arc::clone(&kept));
            vec![reflect::<VerticalPodAutoscaler, _>(
                "verticalpodautoscalers",
                client,
                &watched,
                &heartbeats,
                kept,
            )]
        };
        Optional {
            name: "vpa",
            resource,
            begin: Box::new(begin),
            forget: Box::new(move || forgotten.replace(Vec::new())),
            found: Box::new(|| std::future::ready(()).boxed()),
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

async fn look_at_version(client: Client, knative: Arc<Knative>) {
    knative.found(version(&client).await.as_deref());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{Reply, api_server};

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_before_it_is_known_which_scalers_are_installed() {
        let (client, _) = api_server(|_| Reply::status(503, "ServiceUnavailable", "starting"));
        let stores = Stores::watch(&client, &Heartbeats::default(), &Kinds::new(&[]), Switched::default());
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
        let optional = stores.optional(&client, kept, &Heartbeats::default());
        optional.note(false, &watches);
        assert!(stores.synced() && stores.fresh(Instant::now()));
        optional.note(true, &watches);
        assert!(!stores.synced(), "it is back, and waited for");
    }
}
