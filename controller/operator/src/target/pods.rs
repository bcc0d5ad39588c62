//! Which workload a pod belongs to, told by the pod alone: `ReplicaSet`s are not watched. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Labels that controllers put on pods, with their kind: the last part of the name of the pods' `ReplicaSet`.
pub(crate) const TEMPLATE_HASHES: [(&str, &str); 2] = [
    ("pod-template-hash", "Deployment"),
    ("rollouts-pod-template-hash", "Rollout"),
];

/// The workload that a pod belongs to, in the pod's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodOwner {
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// The workload by the pod's controlling owner; a `ReplicaSet` that is named after the pod's template hash
/// stands for its Deployment or Rollout. `None`: nothing controls the pod. Kinds that put something else in
/// between are found by [`super::Workload::selects`].
pub fn pod_owner(pod: &ObjectMeta) -> Option<PodOwner> {
    let references = pod.owner_references.as_deref().unwrap_or_default();
    let owner = references.iter().find(|reference| reference.controller == Some(true))?;
    Some(beyond(pod, &owner.kind, &owner.name).unwrap_or_else(|| PodOwner {
        kind: owner.kind.clone(),
        name: owner.name.clone(),
    }))
}

/// What stands behind a `ReplicaSet`.
fn beyond(pod: &ObjectMeta, kind: &str, name: &str) -> Option<PodOwner> {
    let labels = pod.labels.as_ref().filter(|_| kind == "ReplicaSet")?;
    TEMPLATE_HASHES.iter().find_map(|(label, kind)| {
        let name = name.strip_suffix(labels.get(*label)?.as_str())?.strip_suffix('-')?;
        let kind = (*kind).to_owned();
        (!name.is_empty()).then(|| PodOwner {
            kind,
            name: name.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owner_of(kind: &str, name: &str, hash: Option<&str>) -> Option<(String, String)> {
        let labels = hash.map(|hash| json!({ TEMPLATE_HASHES[0].0: hash }));
        let pod = json!({"labels": labels, "ownerReferences":
            [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": true}]});
        let pod = serde_json::from_value(pod).expect("metadata of the test");
        pod_owner(&pod).map(|PodOwner { kind, name }| (kind, name))
    }

    #[test]
    fn a_pod_is_mapped_by_its_controlling_owner() {
        let is = |kind: &str, name: &str| Some((kind.to_owned(), name.to_owned()));
        assert_eq!(
            owner_of("ReplicaSet", "fraud-7c9f", Some("7c9f")),
            is("Deployment", "fraud")
        );
        assert_eq!(
            owner_of("ReplicaSet", "fraud-7c9f", Some("7c9")),
            is("ReplicaSet", "fraud-7c9f")
        );
        assert_eq!(
            owner_of("ReplicaSet", "fraud-7c9f", None),
            is("ReplicaSet", "fraud-7c9f")
        );
        assert_eq!(owner_of("ReplicaSet", "-7c9f", Some("7c9f")), is("ReplicaSet", "-7c9f"));
        assert_eq!(owner_of("StatefulSet", "ledger", None), is("StatefulSet", "ledger"));
        assert_eq!(
            owner_of("StatefulSet", "ledger-7c9f", Some("7c9f")),
            is("StatefulSet", "ledger-7c9f")
        );
    }

    #[test]
    fn a_pod_of_a_rollout_is_mapped_by_the_rollouts_own_hash() {
        let pod = json!({"labels": {"rollouts-pod-template-hash": "7c9f"}, "ownerReferences":
            [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "fraud-7c9f", "uid": "1", "controller": true}]});
        let owner = pod_owner(&serde_json::from_value(pod).expect("metadata of the test")).unwrap();
        assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Rollout", "fraud"));
    }

    #[test]
    fn a_pod_that_nothing_controls_belongs_to_nobody() {
        assert_eq!(pod_owner(&ObjectMeta::default()), None);
    }
}
