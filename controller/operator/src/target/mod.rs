//! The registry of target kinds: one file a kind, one line in [`TARGETS`].
//!
//! In: objects as the watch shows them. Out: what they say ([`Workload`]), the requests that move their floor
//! field, and what those need: rights and an admission rail. No I/O in here.

mod hpa;
mod keda;
mod knative;
mod ownership;
mod pods;
mod rail;
mod resource;
mod rights;
mod scale;
mod scalers;
mod spec_field;
mod template;
mod workload;

pub use hpa::Hpa;
pub use keda::Keda;
pub use knative::{Knative, deployment_of};
pub use ownership::{FIELD_MANAGER, ownership};
pub(crate) use pods::TEMPLATE_HASHES;
pub use pods::{PodOwner, pod_owner};
pub use rail::{Complaint, Guarded, Rail, Validation, Variable};
pub use resource::{NotAResource, Resource};
pub use rights::{ListedRule, Rights, Rule, Scope};
pub use scale::Scale;
pub use scalers::{Found, Scaling, scaling_of};
pub use spec_field::USER_FLOOR;
pub use template::Template;
pub use workload::{Owner, ReadError, Scales, Serves, Workload};

use forewarm_core::decision::Step;
use forewarm_core::units::Seconds;
use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};

/// Every kind of target there is.
pub const TARGETS: &[&dyn TargetKind] = &[&Scale, &Hpa, &Keda, &Knative];

/// A workload by kind and name, in the namespace of its policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetRef {
    /// Group and version, as in `apps/v1`.
    pub api_version: String,
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Namespace: always the policy's own (W4).
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// All that is particular to one kind of target; decides no numbers.
pub trait TargetKind: Send + Sync {
    /// Its name in rails, roles and log lines.
    fn name(&self) -> &'static str;

    /// The resources it serves, given those that the administrator listed.
    fn resources(&self, listed: &[Resource]) -> Vec<Resource>;

    /// True for a resource whose objects scale others: no policy may name them, and their floor is the one to write.
    fn scales(&self, _resource: &Resource) -> bool {
        false
    }

    /// True where the API may not be installed: it is looked for until it is there.
    fn optional(&self) -> bool {
        false
    }

    /// Leaves in an object only what [`Self::read`] looks at, before it is stored.
    fn prune(&self, object: &mut DynamicObject);

    /// What an object says. Fails where it has no identity or its floor field is not a whole number of pods.
    fn read(&self, resource: &Resource, object: &DynamicObject) -> Result<Workload, ReadError>;

    /// The request that carries out `step`; the gate adds the `Audit-ID`. Fails on a step that must never be
    /// sent, whoever decided it.
    fn request(
        &self,
        resource: &Resource,
        target: &TargetRef,
        step: &Step,
    ) -> Result<http::Request<Vec<u8>>, BuildError>;

    /// The request that takes our claim off the floor field of `live`, an object just read; off the whole object
    /// once nothing of ours is left on it. `None`: there is nothing to take off.
    fn drop_claim(
        &self,
        _resource: &Resource,
        _target: &TargetRef,
        _live: &DynamicObject,
    ) -> Result<Option<http::Request<Vec<u8>>>, BuildError> {
        Ok(None)
    }

    /// Time from an accepted write to the creation of pods: part of the lead time.
    fn latency(&self) -> Seconds;

    /// What the operator must be allowed to do.
    fn rights(&self) -> Rights;

    /// What the API server must refuse even to the operator.
    fn rail(&self) -> Rail;

    /// What a target of this kind gets back when Forewarm leaves.
    fn release(&self) -> Release {
        Release::GivenBack
    }

    /// Its row in docs/target-kinds.md.
    fn guide(&self) -> Guide;
}

/// What the docs say of a kind of target; how soon a write acts is its latency.
#[derive(Clone, Copy, Debug)]
pub struct Guide {
    /// Which targets are of the kind.
    pub target: &'static str,
    /// The field that is written.
    pub floor: &'static str,
    /// Where the user's own value is kept.
    pub kept: &'static str,
    /// What zero means.
    pub zero: &'static str,
}

/// What a target gets back when Forewarm leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nothing is written, since the field has no value to go back to; the sentence says so to the user.
    Stays(&'static str),
    /// The user's own value, as recorded beside the field, and our entry in `managedFields` goes.
    GivenBack,
}

/// A step that must not become a request.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The name or namespace would not stay within its part of the path (S1).
    #[error("{0:?} is not the name of an object or namespace")]
    Name(String),
    /// Zero means that a person has paused the target (R11).
    #[error("a floor is never moved from or to zero")]
    Zero,
    /// The kind has no such request.
    #[error("this kind of target knows no such step")]
    Unfit,
    /// The parts do not make a request.
    #[error("build the request")]
    Request(#[from] http::Error),
}

/// The kinds in force in this process: [`TARGETS`] with the resources each one serves.
pub struct Kinds {
    served: Vec<(Resource, &'static dyn TargetKind)>,
}

impl Kinds {
    /// The registry, with the kinds that the administrator listed.
    pub fn new(listed: &[Resource]) -> Self {
        let of = |kind: &&'static dyn TargetKind| {
            let kind = *kind;
            kind.resources(listed).into_iter().map(move |resource| (resource, kind))
        };
        Self {
            served: TARGETS.iter().flat_map(of).collect(),
        }
    }

    /// The resource and kind of a target. `None`: not listed, so it may not be touched.
    pub fn find(&self, target: &TargetRef) -> Option<(&Resource, &'static dyn TargetKind)> {
        self.served
            .iter()
            .find(|(resource, _)| resource.is_of(target))
            .map(|(resource, kind)| (resource, *kind))
    }

    /// Everything to watch.
    pub fn served(&self) -> impl Iterator<Item = (&Resource, &'static dyn TargetKind)> {
        self.served.iter().map(|(resource, kind)| (resource, *kind))
    }
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.served.iter().map(|(resource, kind)| (resource, kind.name())))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(api_version: &str, kind: &str) -> TargetRef {
        TargetRef {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: "payments".into(),
            name: "fraud-scorer".into(),
        }
    }

    #[test]
    fn built_in_kinds_are_found_and_others_are_not() {
        let kinds = Kinds::new(&[]);
        assert!(kinds.find(&target("apps/v1", "Deployment")).is_some());
        assert!(kinds.find(&target("apps/v1", "StatefulSet")).is_some());
        assert!(kinds.find(&target("apps/v1", "DaemonSet")).is_none());
        assert!(kinds.find(&target("apps/v1beta1", "Deployment")).is_none());
        assert!(kinds.find(&target("argoproj.io/v1alpha1", "Rollout")).is_none());
    }

    #[test]
    fn a_listed_kind_is_found_by_group_version_and_kind() {
        let rollout = Resource::new("argoproj.io", "v1alpha1", "Rollout", "rollouts").unwrap();
        let kinds = Kinds::new(std::slice::from_ref(&rollout));
        let (found, kind) = kinds.find(&target("argoproj.io/v1alpha1", "Rollout")).unwrap();
        assert_eq!((found, kind.name()), (&rollout, "scale"));
        assert!(kinds.find(&target("argoproj.io/v1", "Rollout")).is_none());
        let targets = kinds
            .served()
            .filter(|(resource, kind)| !kind.scales(resource) && !kind.optional());
        assert_eq!(targets.count(), 3);
    }

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        let mut names: Vec<_> = TARGETS.iter().map(|kind| kind.name()).collect();
        names.dedup();
        assert_eq!(names.len(), TARGETS.len());
    }
}
