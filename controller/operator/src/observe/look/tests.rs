//! Whatever happens on the shelves, a look that goes on from the one before shows what one made anew shows.

use super::super::seen::{Heard, Remembered};
use super::*;
use crate::observe::watch::{Read, Shelf};
use crate::observe::workloads::Workloads;
use crate::target::Kinds;
use forewarm_core::observation::{Reading, Why};
use forewarm_core::units::{Mono, Replicas, Wall};
use forewarm_source::ServedBy;
use kube::core::{DynamicObject, ObjectMeta};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[test]
fn the_pace_of_coming_down_goes_by_the_start_of_a_pod_alone() {
    let lead = |source| LeadTime {
        total: Seconds(45),
        source,
    };
    assert_eq!(start(lead(LeadTimeSource::Learned), Seconds(31)), Seconds(14));
    assert_eq!(
        start(lead(LeadTimeSource::Policy), Seconds(31)),
        Seconds(45),
        "the user's word"
    );
}

/// Shelves with something on them, and the time.
struct World {
    stores: Stores,
    latency: BTreeMap<String, Seconds>,
    fresh: bool,
    second: i64,
    version: u32,
}

/// What may happen: which kind of thing, to which of its names, and how it is then. Of a kind, an even state takes it away.
type Event = (u8, u8, u8);

fn read<K: DeserializeOwned>(object: Value) -> Read<K> {
    Read::Good(serde_json::from_value(object).unwrap())
}

fn time(second: i64) -> String {
    jiff::Timestamp::from_second(second).unwrap().to_string()
}

impl World {
    fn new() -> Self {
        Self {
            stores: Stores::unwatched(&Kinds::new(&[])),
            latency: BTreeMap::from([("HorizontalPodAutoscaler".to_owned(), Seconds(15))]),
            fresh: true,
            second: 1_767_225_600,
            version: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            wall: Wall(self.second * 1000),
            mono: Mono((self.second - 1_767_200_000).unsigned_abs() * 1000),
        }
    }

    fn look(&self, before: &mut Before) -> Look {
        before.look(Eye {
            stores: &self.stores,
            latency: &self.latency,
            fresh: self.fresh,
            now: self.now(),
        })
    }

    fn workloads(&self, kind: &str) -> &Workloads {
        let mut all = self.stores.workloads.iter();
        all.find(|one| one.resource().kind == kind)
            .expect("a kind that is served")
    }

    fn meta(&mut self, name: &str) -> Value {
        self.version += 1;
        json!({"name": name, "namespace": "n", "uid": name, "resourceVersion": self.version.to_string()})
    }

    fn happens(&mut self, (kind, which, state): Event) {
        let name = ["a", "b", "s"][usize::from(which % 3)];
        let there = state % 2 == 1;
        match kind {
            0 => self.policy(name, state, there),
            1 => self.pod(name, state, there),
            2 => self.workload("Deployment", name, there, &json!({"spec": {"replicas": state}})),
            3 => self.scaler(name, state, there),
            4 => self.knative(which, state, there),
            5 => self.profile(which, state, there),
            6 => self.namespace(state, there),
            7 => self.fresh = there,
            8 => self.relist(which),
            _ => self.second += [1, 15, 40, 600][usize::from(state % 4)],
        }
    }

    fn policy(&mut self, name: &str, state: u8, there: bool) {
        let mut meta = self.meta(name);
        meta["creationTimestamp"] = time(self.second - i64::from(state % 5)).into();
        let kind = if name == "s" {
            ("serving.knative.dev/v1", "Service")
        } else {
            ("apps/v1", "Deployment")
        };
        let target = if state % 7 == 3 { "a" } else { name };
        let object = json!({"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy", "metadata": meta,
            "spec": {"targetRef": {"apiVersion": kind.0, "kind": kind.1, "name": target}, "floor": {"max": u32::from(state) + 1},
                "paused": state.is_multiple_of(3), "demand": {"profile": if state % 4 == 3 { "p" } else { "q" }}}});
        placed(&*self.stores.policies, object, there);
    }

    fn pod(&mut self, name: &str, state: u8, there: bool) {
        let (owner, mut meta) = match name {
            "s" => ("r-deployment", self.meta(&format!("r-deployment-7c9f-{}", state / 8))),
            _ => (name, self.meta(&format!("{name}-7c9f-{}", state / 8))),
        };
        meta["creationTimestamp"] = time(self.second - i64::from(state)).into();
        meta["labels"] = json!({"pod-template-hash": "7c9f"});
        meta["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
            "name": format!("{owner}-7c9f"), "uid": "u"}]);
        let became = |kind: &str, status: bool| {
            json!({"type": kind, "status": if status { "True" } else { "False" }, "reason": "Unschedulable",
                "lastTransitionTime": time(self.second)})
        };
        let crash = json!({"name": "app", "restartCount": state, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "1"}}}]},
            "status": {"containerStatuses": if state.is_multiple_of(3) { json!([crash]) } else { json!([]) },
                "conditions": [became("PodScheduled", !state.is_multiple_of(5)), became("Ready", state % 3 == 1)]}});
        placed(&*self.stores.pods, object, there);
    }

    fn scaler(&mut self, name: &str, state: u8, there: bool) {
        let target = ["a", "b"][usize::from(state / 2 % 2)];
        let spec = json!({"spec": {"minReplicas": state, "maxReplicas": 9,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}}});
        self.workload("HorizontalPodAutoscaler", name, there, &spec);
    }

    fn knative(&mut self, which: u8, state: u8, there: bool) {
        match which % 5 {
            0 => self.stores.knative.found(Some(if there { "1.21.0" } else { "1.20.0" })),
            1 => {
                let traffic = json!([{"revisionName": if state < 128 { "r" } else { "q" }, "percent": 100}]);
                self.workload("Service", "s", there, &json!({"status": {"traffic": traffic}}));
            }
            2 => {
                let mut meta = self.meta(["r", "q"][usize::from(state / 2 % 2)]);
                meta["labels"] = json!({"serving.knative.dev/service": "s"});
                meta["annotations"] = json!({"autoscaling.knative.dev/min-scale": state.to_string()});
                let object = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Revision", "metadata": meta});
                placed(self.workloads("Revision"), object, there);
            }
            3 => self.workload(
                "Deployment",
                "r-deployment",
                there,
                &json!({"spec": {"replicas": state / 128}}),
            ),
            _ => {
                let object = json!({"apiVersion": "autoscaling.internal.knative.dev/v1alpha1", "kind": "PodAutoscaler",
                    "metadata": self.meta("r"), "spec": {}, "status": {"desiredScale": 0,
                        "conditions": [{"type": "Active", "status": if state < 128 { "False" } else { "True" }}]}});
                placed(&*self.stores.idle, object, there);
            }
        }
    }

    fn profile(&mut self, which: u8, state: u8, there: bool) {
        let name = ["p", "q"][usize::from(which % 2)];
        let object = json!({"apiVersion": "forewarm.dev/v1alpha1", "kind": "DemandProfile", "metadata": {"name": name},
            "spec": {"unit": "Concurrency", "query": "sum by (namespace, pod) (m)", "absent": "Unknown",
                "join": {"by": "Pod", "namespaceLabel": "namespace", "nameLabel": "pod"}, "scrapeSeconds": 10 + state % 20}});
        placed(&*self.stores.profiles, object, there);
    }

    fn namespace(&mut self, state: u8, there: bool) {
        if state < 128 {
            let annotations = json!({"forewarm.dev/paused": "true"});
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "spec": {}, "status": {},
                "metadata": {"name": "n", "annotations": annotations}});
            return placed(&*self.stores.paused, object, there);
        }
        let object = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": self.meta("quota"), "spec": {},
            "status": {"hard": {"pods": state.to_string()}, "used": {"pods": "4"}}});
        placed(&*self.stores.quotas, object, there);
    }

    fn workload(&mut self, kind: &str, name: &str, there: bool, rest: &Value) {
        let mut object = json!({"apiVersion": "any/v1", "kind": kind, "metadata": self.meta(name)});
        for (key, value) in rest.as_object().unwrap() {
            object[key] = value.clone();
        }
        placed::<DynamicObject>(self.workloads(kind), object, there);
    }

    fn relist(&mut self, which: u8) {
        match which % 3 {
            0 => self.stores.pods.replace(Vec::new()),
            1 => self.workloads("HorizontalPodAutoscaler").replace(Vec::new()),
            _ => self.workloads("Deployment").replace(Vec::new()),
        }
    }
}

/// Puts an object where its watch would, or takes it away.
fn placed<K>(kept: &impl Shelf<K>, object: Value, there: bool)
where
    K: DeserializeOwned,
{
    if there {
        kept.put(read(object));
    } else {
        let meta: ObjectMeta = serde_json::from_value(object["metadata"].clone()).unwrap();
        kept.gone(&meta);
    }
}

fn silence() -> Heard {
    Heard {
        demand: Reading::Unknown(Why::Absent),
        served: ServedBy::default(),
        failed: None,
    }
}

/// All that a look shows, in words, once every function has been listened to.
fn shown(look: &mut Look, world: &World) -> String {
    for seen in look.functions.values_mut() {
        seen.hear(silence(), &mut Remembered::default(), &world.stores, world.now());
    }
    format!("{look:#?}")
}

/// What a tick leaves behind in a function.
fn worked_upon(seen: &mut Seen) {
    let observation = &mut seen.function.observation;
    if let Reading::Known(target) = &mut observation.target {
        target.floor = Replicas(1000);
    }
    observation.demand_known_at = Some(Mono(1));
    observation.service.unanswered = true;
    observation
        .anomalies
        .push(forewarm_core::service::Anomaly::ErrorsAboveBand { upper_permille: 1 });
    observation.failing = None;
    seen.function.forecast.minute = 7;
    seen.profile_problem = Some("of another tick".to_owned());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_look_that_goes_on_shows_what_one_made_anew_shows(
        ticks in prop::collection::vec(prop::collection::vec((0..10_u8, any::<u8>(), any::<u8>()), 0..6), 1..30),
    ) {
        let mut world = World::new();
        // Most of it is there, so that what happens meets something.
        for event in [(5, 0, 1), (5, 1, 1), (4, 0, 1), (4, 1, 1), (4, 2, 1), (4, 3, 1)] {
            world.happens(event);
        }
        for name in 0..3 {
            for kind in 0..3 {
                world.happens((kind, name, 1));
            }
        }
        let mut before = Before::default();
        for events in ticks {
            for event in events {
                world.happens(event);
            }
            let mut look = world.look(&mut before);
            let mut fresh = Before::default();
            let mut anew = world.look(&mut fresh);
            prop_assert_eq!(shown(&mut look, &world), shown(&mut anew, &world));
            prop_assert_eq!(before.members.all(), fresh.members.all());
            look.functions.values_mut().for_each(worked_upon);
            before.keep(look.functions);
        }
    }
}

#[test]
fn a_namespaces_pause_is_seen_at_once_and_so_is_its_end() {
    let mut world = World::new();
    for event in [(5, 1, 1), (0, 0, 1), (2, 0, 3)] {
        world.happens(event);
    }
    let mut before = Before::default();
    let mut paused = |world: &World| {
        let look = world.look(&mut before);
        let paused: Vec<_> = look
            .functions
            .values()
            .map(|seen| seen.function.policy.paused)
            .collect();
        before.keep(look.functions);
        paused
    };
    assert_eq!(paused(&world), [false]);
    world.happens((6, 0, 1));
    assert_eq!(paused(&world), [true]);
    world.happens((6, 0, 2));
    assert_eq!(paused(&world), [false]);
}

#[test]
fn what_nothing_has_touched_is_not_looked_up_again() {
    let mut world = World::new();
    for event in [(5, 1, 1), (0, 0, 1), (0, 1, 1), (2, 0, 3), (2, 1, 3)] {
        world.happens(event);
    }
    let mut before = Before::default();
    let mut look = world.look(&mut before);
    look.functions.values_mut().for_each(worked_upon);
    before.keep(look.functions);
    world.happens((2, 1, 5));
    let look = world.look(&mut before);
    let floors: Vec<_> = look
        .functions
        .values()
        .map(|seen| seen.function.observation.target.known().map(|target| target.floor))
        .collect();
    assert_eq!(
        floors,
        [Some(Replicas(1000)), Some(Replicas(5))],
        "the second alone was"
    );
}
