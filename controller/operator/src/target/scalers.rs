//! Known scalers: which of them has a target. Detection only; nothing here writes to one. Pure.

use super::rights::{Rule, Scope};
use super::{TargetRef, Workload};

/// What detection reads.
pub const SCALER_RIGHTS: &[Rule] = &[
    Rule {
        scope: Scope::Cluster,
        group: "autoscaling",
        resources: &["horizontalpodautoscalers"],
        verbs: &["list", "watch"],
    },
    Rule {
        scope: Scope::Cluster,
        group: "keda.sh",
        resources: &["scaledobjects"],
        verbs: &["list", "watch"],
    },
];

/// A `HorizontalPodAutoscaler`, pruned to what detection reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hpa {
    /// Its name.
    pub name: String,
    /// What it scales, in its own namespace.
    pub scales: TargetRef,
    /// The `ScaledObject` that made it. `None`: it stands alone.
    pub made_by: Option<String>,
}

/// A KEDA `ScaledObject`, pruned to what detection reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaledObject {
    /// Its name.
    pub name: String,
    /// What it scales, in its own namespace. KEDA's defaults (`apps/v1`, `Deployment`) are filled in.
    pub scales: TargetRef,
}

/// The scalers that have `target`, by kind and name, several joined by `and`. `None`: it has no scaler.
///
/// An autoscaler that a `ScaledObject` made is that `ScaledObject`'s. Versions are not compared, since a scaler
/// may name an older one of the same group. A workload that a Knative revision controls is scaled by Knative.
/// A vertical autoscaler moves no replicas and is none.
pub fn scaler_of(target: &TargetRef, workload: &Workload, hpas: &[Hpa], scaled: &[ScaledObject]) -> Option<String> {
    let objects = scaled.iter().filter(|object| same(&object.scales, target));
    let objects: Vec<_> = objects.map(|object| format!("ScaledObject/{}", object.name)).collect();
    let alone = |hpa: &&Hpa| {
        !hpa.made_by
            .as_ref()
            .is_some_and(|by| objects.contains(&format!("ScaledObject/{by}")))
    };
    let hpas = hpas.iter().filter(|hpa| same(&hpa.scales, target)).filter(alone);
    let hpas: Vec<_> = hpas
        .map(|hpa| format!("HorizontalPodAutoscaler/{}", hpa.name))
        .collect();
    let knative = workload
        .owner
        .as_ref()
        .filter(|owner| group(&owner.api_version).ends_with("knative.dev"));
    let knative = knative.map(|owner| format!("{}/{}", owner.kind, owner.name));
    let mut all: Vec<_> = objects.into_iter().chain(hpas).chain(knative).collect();
    all.sort();
    (!all.is_empty()).then(|| all.join(" and "))
}

fn same(scaled: &TargetRef, target: &TargetRef) -> bool {
    scaled.namespace == target.namespace
        && scaled.name == target.name
        && scaled.kind == target.kind
        && group(&scaled.api_version) == group(&target.api_version)
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Owner;
    use forewarm_core::observation::Ownership;
    use forewarm_core::units::Replicas;

    fn target(api_version: &str, namespace: &str, name: &str) -> TargetRef {
        TargetRef {
            api_version: api_version.into(),
            kind: "Deployment".into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn workload(owner: Option<(&str, &str, &str)>) -> Workload {
        let owner = owner.map(|(api_version, kind, name)| Owner {
            api_version: api_version.into(),
            kind: kind.into(),
            name: name.into(),
        });
        Workload {
            namespace: "a".into(),
            name: "f".into(),
            uid: "u".into(),
            resource_version: "1".into(),
            replicas: Replicas::ONE,
            ownership: Ownership::default(),
            selector: None,
            owner,
        }
    }

    fn hpa(name: &str, scales: TargetRef, made_by: Option<&str>) -> Hpa {
        Hpa {
            name: name.into(),
            scales,
            made_by: made_by.map(Into::into),
        }
    }

    fn scaled(name: &str) -> ScaledObject {
        ScaledObject {
            name: name.into(),
            scales: target("apps/v1", "a", "f"),
        }
    }

    #[test]
    fn a_target_without_scalers_has_none() {
        let of = |hpas: &[Hpa]| scaler_of(&target("apps/v1", "a", "f"), &workload(None), hpas, &[]);
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[hpa("x", target("apps/v1", "b", "f"), None)]),
            None,
            "another namespace"
        );
        assert_eq!(of(&[hpa("x", target("apps/v1", "a", "g"), None)]), None, "another name");
        assert_eq!(
            of(&[hpa("x", target("argoproj.io/v1", "a", "f"), None)]),
            None,
            "another group"
        );
    }

    #[test]
    fn each_scaler_is_named_once() {
        let f = || target("apps/v1", "a", "f");
        let of = |hpas: &[Hpa], objects: &[ScaledObject]| scaler_of(&f(), &workload(None), hpas, objects);
        assert_eq!(
            of(&[hpa("x", f(), None)], &[]).as_deref(),
            Some("HorizontalPodAutoscaler/x")
        );
        let older = target("apps/v1beta1", "a", "f");
        assert_eq!(
            of(&[hpa("x", older, None)], &[]).as_deref(),
            Some("HorizontalPodAutoscaler/x")
        );
        assert_eq!(
            of(&[hpa("keda-hpa-s", f(), Some("s"))], &[scaled("s")]).as_deref(),
            Some("ScaledObject/s")
        );
        let both = of(&[hpa("x", f(), None)], &[scaled("s")]);
        assert_eq!(both.as_deref(), Some("HorizontalPodAutoscaler/x and ScaledObject/s"));
    }

    #[test]
    fn a_workload_of_a_knative_revision_is_scaled_by_knative() {
        let of = |owner| scaler_of(&target("apps/v1", "a", "f"), &workload(Some(owner)), &[], &[]);
        assert_eq!(
            of(("serving.knative.dev/v1", "Revision", "f-1")).as_deref(),
            Some("Revision/f-1")
        );
        assert_eq!(of(("example.com/v1", "Revision", "f-1")), None);
    }
}
