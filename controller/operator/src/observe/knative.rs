//! Which Knative is installed: its floors may be written on revisions since 1.21.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::ObjectMeta;
use kube::{Api, Client};
use serde::Deserialize;

use super::pods::Condition;
use super::touched::Touched;
use super::watch::{Read, Shelf};

/// The resource definition whose label says the version.
const DEFINITION: &str = "revisions.serving.knative.dev";
/// The label.
const VERSION: &str = "app.kubernetes.io/version";
/// From here on a revision's annotation is taken over at run time, and rolls no pods.
const OLDEST: (u32, u32) = (1, 21);
/// Deadline of the question.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is known of the Knative that is installed.
#[derive(Debug, Default)]
pub struct Knative {
    state: RwLock<State>,
    touched: Arc<Touched>,
}

/// A `PodAutoscaler` with no more than what is read of it.
pub type PodAutoscaler = kube::core::Object<PodAutoscalerSpec, PodAutoscalerStatus>;

/// What is read of its spec.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodAutoscalerSpec {
    reachability: Option<String>,
}

/// What is read of its status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodAutoscalerStatus {
    desired_scale: Option<i32>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

/// Revisions that take traffic and whose autoscaler is inactive and wants no pod: namespace and name. One that looks
/// at its floor is active well under a second after the floor was raised; one that was restarted since the revision
/// went to zero is not before the next call (knative/serving#16223). It does not say so: its status keeps the zero.
#[derive(Debug, Default)]
pub struct Idle {
    all: RwLock<HashSet<(String, String)>>,
    touched: Arc<Touched>,
}

impl Idle {
    /// None; which revisions' change is noted there.
    pub fn noting(touched: &Arc<Touched>) -> Self {
        Self {
            touched: Arc::clone(touched),
            ..Self::default()
        }
    }

    /// Whether the revision is one.
    pub fn contains(&self, namespace: &str, revision: &str) -> bool {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.contains(&(namespace.to_owned(), revision.to_owned()))
    }

    fn change(&self, read: &Read<PodAutoscaler>) {
        self.set(read.meta(), matches!(read, Read::Good(object) if idle(object)));
    }

    fn set(&self, meta: &ObjectMeta, idle: bool) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let name = names(meta);
        if idle == all.contains(&name) {
            return;
        }
        if idle {
            all.insert(name.clone());
        } else {
            all.remove(&name);
        }
        self.touched.note(&name.0, &name.1);
    }
}

fn idle(object: &PodAutoscaler) -> bool {
    let reachable = object.spec.reachability.as_deref() != Some("Unreachable");
    let Some(status) = object.status.as_ref().filter(|_| reachable) else {
        return false;
    };
    let inactive = |condition: &Condition| condition.type_ == "Active" && condition.status == "False";
    status.desired_scale.is_none_or(|desired| desired <= 0) && status.conditions.iter().any(inactive)
}

impl Shelf<PodAutoscaler> for Idle {
    fn replace(&self, all: Vec<Read<PodAutoscaler>>) {
        self.all.write().unwrap_or_else(PoisonError::into_inner).clear();
        for read in &all {
            self.change(read);
        }
        self.touched.note_everything();
    }

    fn put(&self, object: Read<PodAutoscaler>) {
        self.change(&object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.set(meta, false);
    }
}

fn names(meta: &ObjectMeta) -> (String, String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&meta.namespace), text(&meta.name))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unasked,
    TooOld,
    Good,
}

impl Knative {
    /// One of which nothing is known; what becomes known is noted there.
    pub fn noting(touched: &Arc<Touched>) -> Self {
        Self {
            touched: Arc::clone(touched),
            ..Self::default()
        }
    }

    /// Takes in the version. `None`: it could not be read.
    pub fn found(&self, version: Option<&str>) {
        let state = if version.is_some_and(new_enough) {
            State::Good
        } else {
            State::TooOld
        };
        let mut known = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if *known != state {
            *known = state;
            self.touched.note_everything();
        }
    }

    /// Whether it is too old, or of a version that cannot be read. `None`: not asked yet.
    pub fn too_old(&self) -> Option<bool> {
        match *self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unasked => None,
            State::TooOld => Some(true),
            State::Good => Some(false),
        }
    }
}

/// The version as its label says. `None`: no label, no right to read it, or no answer.
pub async fn version(client: &Client) -> Option<String> {
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    let found = tokio::time::timeout(DEADLINE, api.get(DEFINITION)).await.ok()?.ok()?;
    found.metadata.labels?.remove(VERSION)
}

fn new_enough(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse::<u32>().ok());
    matches!((parts.next(), parts.next()), (Some(Some(major)), Some(Some(minor))) if (major, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_since_1_21_are_new_enough_and_words_are_not() {
        for good in ["1.21.0", "v1.21.3", "1.23.0", "2.0.0"] {
            assert!(new_enough(good), "{good}");
        }
        for bad in ["1.20.9", "0.26.0", "devel", "", "1", "v1.x"] {
            assert!(!new_enough(bad), "{bad}");
        }
    }

    #[test]
    fn a_revision_is_idle_while_its_autoscaler_is_inactive_and_may_act_on_a_floor() {
        let said = |desired: i32, active: &str, reachability: &str| {
            let object = serde_json::json!({"apiVersion": "autoscaling.internal.knative.dev/v1alpha1", "kind": "PodAutoscaler",
                "metadata": {"namespace": "a", "name": "f-1"}, "spec": {"reachability": reachability},
                "status": {"desiredScale": desired, "conditions": [{"type": "Active", "status": active}]}});
            Read::Good(serde_json::from_value::<PodAutoscaler>(object).expect("an autoscaler"))
        };
        let all = Idle::default();
        let is = |read| {
            all.put(read);
            all.contains("a", "f-1") && !all.contains("b", "f-1")
        };
        assert!(is(said(0, "False", "Reachable")) && is(said(-1, "False", "")));
        assert!(!is(said(0, "Unknown", "Reachable")), "it activates");
        assert!(!is(said(2, "False", "Reachable")), "it wants pods");
        assert!(!is(said(0, "False", "Unreachable")), "no floor counts there");
        all.replace(vec![said(0, "False", "Reachable")]);
        all.gone(said(0, "False", "Reachable").meta());
        assert!(!all.contains("a", "f-1"));
    }

    #[test]
    fn a_version_that_cannot_be_read_is_too_old() {
        let knative = Knative::default();
        assert_eq!(knative.too_old(), None);
        knative.found(None);
        assert_eq!(knative.too_old(), Some(true));
        knative.found(Some("1.23.0"));
        assert_eq!(knative.too_old(), Some(false));
    }
}
