//! Which scaler has a target, and so where its floor is written. Pure.

use super::{TargetRef, Workload};
use std::sync::Arc;

/// A scaler that names the target, with its kind.
#[derive(Clone, Debug)]
pub struct Found {
    /// Kind of the scaler.
    pub kind: String,
    /// Group and version of the scaler.
    pub api_version: String,
    /// What it says.
    pub object: Arc<Workload>,
}

impl Found {
    /// Kind and name.
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind, self.object.name)
    }

    /// The scaler as something to write to.
    pub fn reference(&self) -> TargetRef {
        TargetRef {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            namespace: self.object.namespace.clone(),
            name: self.object.name.clone(),
        }
    }
}

/// Who scales a target.
#[derive(Clone, Debug)]
pub enum Scaling {
    /// Nobody else.
    Alone,
    /// One scaler whose floor can be moved.
    One(Found),
    /// Several, or one whose floor is not ours to move, by kind and name.
    Several(String),
}

/// The scaler of `target` among those that name its kind and name.
///
/// An autoscaler that a `ScaledObject` made is that `ScaledObject`'s. Versions are not compared, since a scaler
/// may name an older one of the same group. A workload that a Knative revision controls is scaled by Knative, and a
/// policy must name its Service. A vertical autoscaler moves no replicas and is none.
pub fn scaling_of(target: &TargetRef, workload: &Workload, found: Vec<Found>) -> Scaling {
    let names: Vec<_> = found.iter().map(Found::name).collect();
    let made = |found: &Found| {
        let by = found
            .object
            .owner
            .as_ref()
            .map(|owner| format!("{}/{}", owner.kind, owner.name));
        by.is_some_and(|by| names.contains(&by))
    };
    let scales = |found: &Found| {
        let says = found.object.scales.as_ref();
        says.is_some_and(|says| group(&says.target.api_version) == group(&target.api_version))
    };
    let mut own: Vec<_> = found
        .into_iter()
        .filter(|found| scales(found) && !made(found))
        .collect();
    let revision = workload
        .owner
        .as_ref()
        .filter(|owner| group(&owner.api_version).ends_with("knative.dev"))
        .map(|owner| format!("{}/{}", owner.kind, owner.name));
    match (own.len(), revision) {
        (0, None) => Scaling::Alone,
        (1, None) => own.pop().map_or(Scaling::Alone, Scaling::One),
        (_, revision) => {
            let mut all: Vec<_> = own.iter().map(Found::name).chain(revision).collect();
            all.sort();
            Scaling::Several(all.join(" and "))
        }
    }
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Hpa, Keda, Resource, Scale, TargetKind};
    use serde_json::{Value, json};

    fn read(kind: &dyn TargetKind, resource: &Resource, value: Value) -> Found {
        let object = serde_json::from_value(value).expect("an object of the test");
        Found {
            kind: resource.kind.clone(),
            api_version: resource.api_version(),
            object: Arc::new(kind.read(resource, &object).expect("a readable object")),
        }
    }

    fn hpa(name: &str, of: &str, made_by: Option<&str>) -> Found {
        let owners = made_by.map(|by| {
            json!([{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": by,
                                              "uid": "1", "controller": true}])
        });
        let value = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": "a", "uid": "u", "ownerReferences": owners.unwrap_or(json!([]))},
            "spec": {"minReplicas": 2, "maxReplicas": 9,
                     "scaleTargetRef": {"apiVersion": of, "kind": "Deployment", "name": "f"}}});
        read(&Hpa, &Hpa.resources(&[])[0], value)
    }

    fn scaled(name: &str) -> Found {
        let value = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": name, "namespace": "a", "uid": "s"}, "spec": {"scaleTargetRef": {"name": "f"}}});
        read(&Keda, &Keda.resources(&[])[0], value)
    }

    fn of(found: Vec<Found>, owner: Option<(&str, &str)>) -> String {
        let owners = owner.map(|(api_version, kind)| {
            json!([{"apiVersion": api_version, "kind": kind, "name": "f-1",
                                                           "uid": "1", "controller": true}])
        });
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "f", "namespace": "a", "uid": "u", "ownerReferences": owners.unwrap_or(json!([]))},
            "spec": {"replicas": 1}});
        let workload = read(&Scale, &Scale.resources(&[])[0], value);
        match scaling_of(&workload.reference(), &workload.object, found) {
            Scaling::Alone => "alone".to_owned(),
            Scaling::One(found) => found.name(),
            Scaling::Several(names) => format!("several: {names}"),
        }
    }

    #[test]
    fn each_scaler_is_found_once() {
        assert_eq!(of(vec![], None), "alone");
        assert_eq!(of(vec![hpa("x", "apps/v1", None)], None), "HorizontalPodAutoscaler/x");
        assert_eq!(
            of(vec![hpa("x", "apps/v1beta1", None)], None),
            "HorizontalPodAutoscaler/x"
        );
        assert_eq!(
            of(vec![hpa("x", "argoproj.io/v1", None)], None),
            "alone",
            "another group"
        );
        let made = vec![hpa("keda-hpa-s", "apps/v1", Some("s")), scaled("s")];
        assert_eq!(of(made, None), "ScaledObject/s");
    }

    #[test]
    fn several_are_named_together() {
        let both = vec![hpa("x", "apps/v1", None), scaled("s")];
        assert_eq!(of(both, None), "several: HorizontalPodAutoscaler/x and ScaledObject/s");
        let knative = Some(("serving.knative.dev/v1", "Revision"));
        assert_eq!(of(vec![], knative), "several: Revision/f-1");
        assert_eq!(of(vec![], Some(("example.com/v1", "Revision"))), "alone");
    }
}
