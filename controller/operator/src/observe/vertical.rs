//! `VerticalPodAutoscaler`s that move memory, by the workload they name: where one does, Forewarm does not. No I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use kube::core::ObjectMeta;
use serde::Deserialize;

use super::policies::Nothing;
use super::watch::{Read, Shelf};

/// A `VerticalPodAutoscaler` with no more than what is read of it.
pub type VerticalPodAutoscaler = kube::core::Object<VerticalSpec, Nothing>;

/// What is read of its spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerticalSpec {
    target_ref: Option<TargetName>,
    #[serde(default)]
    update_policy: UpdatePolicy,
    #[serde(default)]
    resource_policy: ResourcePolicy,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct TargetName {
    kind: String,
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdatePolicy {
    update_mode: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourcePolicy {
    #[serde(default)]
    container_policies: Vec<ContainerPolicy>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerPolicy {
    container_name: Option<String>,
    mode: Option<String>,
    controlled_resources: Option<Vec<String>>,
}

impl ContainerPolicy {
    fn moves_memory(&self) -> bool {
        let controls = |all: &Vec<String>| all.iter().any(|resource| resource == "memory");
        self.mode.as_deref() != Some("Off") && self.controlled_resources.as_ref().is_none_or(controls)
    }
}

impl VerticalSpec {
    /// Some container's memory is moved. A container that no policy names goes by the one named `*`.
    fn moves_memory(&self) -> bool {
        let policies = &self.resource_policy.container_policies;
        let any_other = |policy: &&ContainerPolicy| policy.container_name.as_deref() == Some("*");
        let others = policies
            .iter()
            .find(any_other)
            .is_none_or(ContainerPolicy::moves_memory);
        let on = self.update_policy.update_mode.as_deref() != Some("Off");
        on && (others || policies.iter().any(ContainerPolicy::moves_memory))
    }
}

/// Kind and name of a workload.
type Name = (String, String);

/// All of them by namespace and their own name.
#[derive(Debug, Default)]
pub struct Verticals(RwLock<HashMap<String, BTreeMap<String, Name>>>);

impl Verticals {
    /// The first by name that moves the memory of a workload. `None`: none does.
    pub fn of(&self, namespace: &str, kind: &str, name: &str) -> Option<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut each = all.get(namespace)?.iter();
        let (own, _) = each.find(|(_, of)| of.0 == kind && of.1 == name)?;
        Some(format!("VerticalPodAutoscaler/{own}"))
    }

    fn change(&self, meta: &ObjectMeta, target: Option<Name>) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(text(&meta.namespace)).or_default();
        match target {
            Some(target) => own.insert(text(&meta.name), target),
            None => own.remove(&text(&meta.name)),
        };
    }

    /// One that cannot be read names nothing.
    fn read(&self, read: &Read<VerticalPodAutoscaler>) {
        let target = match read {
            Read::Good(vertical) if vertical.spec.moves_memory() => vertical.spec.target_ref.clone(),
            Read::Good(_) | Read::Bad(..) => None,
        };
        self.change(read.meta(), target.map(|TargetName { kind, name }| (kind, name)));
    }
}

impl Shelf<VerticalPodAutoscaler> for Verticals {
    fn replace(&self, all: Vec<Read<VerticalPodAutoscaler>>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
        for vertical in &all {
            self.read(vertical);
        }
    }

    fn put(&self, object: Read<VerticalPodAutoscaler>) {
        self.read(&object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.change(meta, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn moves(rest: &Value) -> bool {
        let mut spec = json!({"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "fraud"}});
        spec.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let object = json!({"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler",
            "metadata": {"namespace": "a", "name": "v"}, "spec": spec});
        let verticals = Verticals::default();
        verticals.put(Read::Good(serde_json::from_value(object).unwrap()));
        assert_eq!(verticals.of("a", "StatefulSet", "fraud"), None);
        let found = verticals.of("a", "Deployment", "fraud");
        verticals.gone(&serde_json::from_value(json!({"namespace": "a", "name": "v"})).unwrap());
        assert_eq!(verticals.of("a", "Deployment", "fraud"), None);
        found.is_some()
    }

    #[test]
    fn one_moves_memory_unless_it_is_off_or_says_that_it_does_not() {
        let mode = |mode: &str| moves(&json!({"updatePolicy": {"updateMode": mode}}));
        let policies = |all: Value| moves(&json!({"resourcePolicy": json!({ "containerPolicies": all })}));
        assert!(moves(&json!({})), "its default mode acts");
        assert!(mode("Initial") && !mode("Off"));
        assert!(!policies(
            json!([{"containerName": "*", "controlledResources": ["cpu"]}])
        ));
        assert!(!policies(json!([{"containerName": "*", "mode": "Off"}])));
        assert!(
            policies(json!([{"containerName": "app", "mode": "Off"}])),
            "another container's"
        );
        assert!(policies(
            json!([{"containerName": "*", "mode": "Off"}, {"containerName": "app"}])
        ));
    }
}
