//! Which workload a pod belongs to, told by the pod alone: `ReplicaSet`s are not watched. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Label that the Deployment controller puts on pods: the last part of their `ReplicaSet`'s name.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// The workload that a pod belongs to, in the pod's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodOwner {
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// The workload by the pod's controlling owner; a `ReplicaSet` that is named after the pod's template hash
/// stands for its Deployment. `None`: nothing controls the pod. Kinds that put something else in between are
/// found by [`super::Workload::selects`].
pub fn pod_owner(pod: &ObjectMeta) -> Option<PodOwner> {
    let references = pod.owner_references.as_deref().unwrap_or_default();
    let owner = references.iter().find(|reference| reference.controller == Some(true))?;
    let hash = pod.labels.as_ref().and_then(|labels| labels.get(TEMPLATE_HASH));
    let deployment = hash.and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
    Some(match deployment {
        Some(name) if owner.kind == "ReplicaSet" && !name.is_empty() => PodOwner {
            kind: "Deployment".to_owned(),
            name: name.to_owned(),
        },
        _ => PodOwner {
            kind: owner.kind.clone(),
            name: owner.name.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owner_of(kind: &str, name: &str, hash: Option<&str>) -> Option<(String, String)> {
        let labels = hash.map(|hash| json!({ TEMPLATE_HASH: hash }));
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
    fn a_pod_that_nothing_controls_belongs_to_nobody() {
        assert_eq!(pod_owner(&ObjectMeta::default()), None);
    }
}
