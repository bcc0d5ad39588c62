//! The health of pods, folded from their events: memory as specified and as in force, kills, crashes, resizes.
//!
//! A pod can be killed and started again between two ticks, so kills are folded as events come, with what limited the
//! container *then*. Both of VPA's cases count: a container that is terminated now, and one that runs again with one
//! more restart.

mod container;
pub(crate) mod go_limit;

use std::collections::{BTreeMap, VecDeque};

use forewarm_core::memory::{MemorySeen, Oom, PodSeen, Resize};
use forewarm_core::plan::remedy::crash_loop::{Failing, failing};
use forewarm_core::plan::remedy::newborn;
use forewarm_core::units::Bytes;

pub use self::container::{ContainerSpec, ContainerStatus};
use self::container::{amounts, container, killed};
use super::FastMap;
use super::pods::{Condition, Owner, Pod, became, unplaced};

/// Kills remembered a workload; older ones were counted long ago.
const KILLS: usize = 32;
/// Revisions remembered to have served.
const SERVED: usize = 8;
/// Labels with the revision of a pod.
const REVISIONS: [&str; 3] = [
    "pod-template-hash",
    "controller-revision-hash",
    "rollouts-pod-template-hash",
];

/// The pods of every workload, with their health.
#[derive(Debug, Default)]
pub struct Health {
    by_owner: FastMap<Owner, Workload>,
}

#[derive(Debug, Default)]
struct Workload {
    /// By name.
    pods: Vec<PodSeen>,
    kills: VecDeque<Oom>,
    served: VecDeque<String>,
}

impl Health {
    /// Folds one pod's newest state.
    pub fn fold(&mut self, owner: &Owner, pod: &Pod) {
        let workload = self.by_owner.entry(owner.clone()).or_default();
        workload.kills(pod);
        let seen = workload.seen(pod);
        if let Some(revision) = seen
            .revision
            .clone()
            .filter(|revision| seen.ready && !workload.served.contains(revision))
        {
            workload.served.push_back(revision);
            while workload.served.len() > SERVED {
                workload.served.pop_front();
            }
        }
        match workload.place(&seen.name) {
            Ok(known) => workload.pods[known] = seen,
            Err(new) => workload.pods.insert(new, seen),
        }
    }

    /// A pod is gone.
    pub fn remove(&mut self, owner: &Owner, name: &str) {
        if let Some(workload) = self.by_owner.get_mut(owner)
            && let Ok(known) = workload.place(name)
        {
            workload.pods.remove(known);
        }
    }

    /// All pods are listed anew; kills and what has served stay.
    pub fn relisted(&mut self) {
        for workload in self.by_owner.values_mut() {
            workload.pods.clear();
        }
    }

    /// The pods of a workload and the kills among them; working sets are not known here.
    pub fn of(&self, owner: &Owner) -> (Vec<PodSeen>, Vec<Oom>) {
        let Some(workload) = self.by_owner.get(owner) else {
            return (Vec::new(), Vec::new());
        };
        (workload.pods.clone(), workload.kills.iter().cloned().collect())
    }

    /// True when no pod was killed, is not ready, or is to end.
    pub fn is_well(&self, owner: &Owner) -> bool {
        self.by_owner.get(owner).is_none_or(|workload| {
            workload.kills.is_empty() && workload.pods.iter().all(|pod| pod.ready && pod.ending_since.is_none())
        })
    }

    /// The newest revision of a workload, where its pods fail.
    pub fn failing(&self, owner: &Owner) -> Option<Failing> {
        let workload = self.by_owner.get(owner)?;
        // Most workloads have no failing pod, and need no copy of theirs.
        let crashes = |pod: &PodSeen| pod.containers.values().any(|container| container.crash.is_some());
        if !workload.pods.iter().any(crashes) {
            return None;
        }
        let (pods, ooms) = self.of(owner);
        failing(&seen(pods, ooms))
    }

    /// When the newest pod of a workload was created, in seconds since 1970 UTC. `None`: it has none.
    pub fn newest(&self, owner: &Owner) -> Option<i64> {
        let pods = &self.by_owner.get(owner)?.pods;
        pods.iter().map(|pod| pod.created).max()
    }

    /// The pods of a workload, where some came so lately that they are held against the others; else none.
    pub fn on_trial(&self, owner: &Owner, patience: i64, now: i64) -> Vec<PodSeen> {
        let Some(workload) = self.by_owner.get(owner) else {
            return Vec::new();
        };
        let pods = &workload.pods;
        if newborn::concerns(pods.iter(), patience, now) {
            pods.clone()
        } else {
            Vec::new()
        }
    }
}

/// Sight of the pods alone.
pub fn seen(pods: Vec<PodSeen>, ooms: Vec<Oom>) -> MemorySeen {
    let newest = pods.iter().max_by_key(|pod| (pod.created, &pod.name));
    MemorySeen {
        template: BTreeMap::new(),
        go_limits: BTreeMap::new(),
        default_container: None,
        revision: newest.and_then(|pod| pod.revision.clone()),
        pods,
        past: BTreeMap::new(),
        loads: BTreeMap::new(),
        node_most: None,
        allowed_least: None,
        allowed_most: None,
        spare: None,
        lowers_in_place: false,
        conflict: None,
        births: None,
        patience: i64::MAX,
        ooms,
        world_vanished: false,
        worse: None,
    }
}

impl Workload {
    /// Where the pod of that name is, or would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.pods.binary_search_by(|pod| pod.name.as_str().cmp(name))
    }

    /// Notes the kills that this state of the pod shows and no earlier one did.
    fn kills(&mut self, pod: &Pod) {
        let name = pod.metadata.name.clone().unwrap_or_default();
        for status in pod.status.iter().flat_map(|status| &status.containers) {
            for at in [&status.state, &status.last_state].into_iter().filter_map(killed) {
                let known = |kill: &Oom| kill.at == at && kill.pod == name && kill.container == status.name;
                if self.kills.iter().any(known) {
                    continue;
                }
                let Some(size) = amounts(pod, status).size() else {
                    continue;
                };
                // It died between the state seen before and this one: of two sizes the smaller, or a resize of ours
                // that came in between would count as tried.
                let size = self.had(&name, &status.name).map_or(size, |before| before.min(size));
                self.kills.push_back(Oom {
                    pod: name.clone(),
                    container: status.name.clone(),
                    size,
                    at,
                    leaking: false,
                });
                while self.kills.len() > KILLS {
                    self.kills.pop_front();
                }
            }
        }
    }

    /// What limited a container when its pod was last seen.
    fn had(&self, pod: &str, container: &str) -> Option<Bytes> {
        let seen = self.pods.get(self.place(pod).ok()?)?.containers.get(container)?;
        seen.actual.unwrap_or(seen.spec).size()
    }

    fn seen(&self, pod: &Pod) -> PodSeen {
        let meta = &pod.metadata;
        let status = pod.status.clone().unwrap_or_default();
        let labels = meta.labels.as_ref();
        let revision = REVISIONS.iter().find_map(|label| labels?.get(*label).cloned());
        let served = revision.as_ref().is_some_and(|revision| self.served.contains(revision));
        let ready = became(&status, "Ready").is_some();
        let created = meta.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second());
        let specs = pod.spec.containers.iter();
        let containers = specs.map(|spec| {
            let own = status.containers.iter().find(|status| status.name == spec.name);
            (spec.name.clone(), container(spec, own, ready, served))
        });
        PodSeen {
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            revision,
            ready,
            since: changed(&status.conditions, "Ready"),
            created,
            ending_since: meta.deletion_timestamp.as_ref().map(|time| time.0.as_second()),
            unplaced_since: unplaced(&status),
            resize: resize(&status.conditions, created),
            containers: containers.collect(),
            served: None,
        }
    }
}

/// When a condition last changed, in seconds since 1970 UTC.
fn changed(conditions: &[Condition], type_: &str) -> Option<i64> {
    let condition = conditions.iter().find(|condition| condition.type_ == type_)?;
    condition.last_transition_time.as_ref().map(|time| time.0.as_second())
}

fn resize(conditions: &[Condition], created: i64) -> Resize {
    let of = |type_: &str| conditions.iter().find(|c| c.type_ == type_ && c.status == "True");
    let reason = |condition: &Condition| condition.reason.clone().unwrap_or_default();
    let since = |type_: &str| changed(conditions, type_).unwrap_or(created);
    if let Some(pending) = of("PodResizePending") {
        return match reason(pending).as_str() {
            "Infeasible" => Resize::Infeasible,
            _ => Resize::Deferred(since("PodResizePending")),
        };
    }
    match of("PodResizeInProgress") {
        Some(condition) if reason(condition) == "Error" => Resize::Failed,
        Some(_) => Resize::InProgress(since("PodResizeInProgress")),
        None => Resize::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "f-1", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"pod-template-hash": "7c9f"}},
            "spec": {"containers": [{"name": "app",
                "resources": {"requests": {"memory": "32Mi"}, "limits": {"memory": "64Mi"}}}]},
            "status": status,
        }))
        .unwrap()
    }

    fn owner() -> Owner {
        Owner {
            namespace: "n".into(),
            kind: "Deployment".into(),
            name: "f".into(),
        }
    }

    fn kill(second: u8) -> Value {
        json!({"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": format!("2026-01-01T00:00:{second:02}Z")}})
    }

    #[test]
    fn both_cases_of_a_kill_are_counted_once_with_what_limited_it_then() {
        let mut health = Health::default();
        let now = json!({"containerStatuses": [{"name": "app", "restartCount": 0, "state": kill(5)}]});
        let again = json!({"containerStatuses": [{"name": "app", "restartCount": 1, "state": {"running": {}},
            "lastState": kill(5), "resources": {"limits": {"memory": "164Mi"}}}]});
        let later = json!({"containerStatuses": [{"name": "app", "restartCount": 2, "state": {"running": {}},
            "lastState": kill(9), "resources": {"limits": {"memory": "164Mi"}}}]});
        for status in [now, again, later] {
            health.fold(&owner(), &pod(&status));
        }
        let kills: Vec<_> = health.of(&owner()).1.iter().map(|kill| kill.size).collect();
        assert_eq!(kills, [Bytes::mib(64), Bytes::mib(164)]);
    }

    #[test]
    fn a_kill_that_is_seen_after_a_resize_counts_with_what_it_had_before() {
        let mut health = Health::default();
        let limited = |mib: &str, state: Value| {
            pod(
                &json!({"containerStatuses": [{"name": "app", "restartCount": 0, "state": state,
                "resources": {"limits": {"memory": mib}}}]}),
            )
        };
        health.fold(&owner(), &limited("40Mi", json!({"running": {}})));
        health.fold(&owner(), &limited("140Mi", kill(5)));
        health.fold(&owner(), &limited("140Mi", kill(9)));
        let kills: Vec<_> = health.of(&owner()).1.iter().map(|kill| kill.size).collect();
        assert_eq!(kills, [Bytes::mib(40), Bytes::mib(140)]);
    }

    #[test]
    fn a_resize_that_waits_fails_or_is_done_is_read_from_conditions() {
        let of = |type_: &str, reason: &str| {
            let status = json!({"conditions": [{"type": type_, "status": "True", "reason": reason,
                "lastTransitionTime": "2026-01-01T00:00:10Z"}]});
            let pod = pod(&status);
            resize(&pod.status.unwrap().conditions, 0)
        };
        assert_eq!(of("PodResizePending", "Infeasible"), Resize::Infeasible);
        assert_eq!(of("PodResizePending", "Deferred"), Resize::Deferred(1_767_225_610));
        assert_eq!(of("PodResizeInProgress", "Error"), Resize::Failed);
        assert_eq!(of("PodResizeInProgress", ""), Resize::InProgress(1_767_225_610));
        assert_eq!(of("Ready", ""), Resize::Done);
    }
}
