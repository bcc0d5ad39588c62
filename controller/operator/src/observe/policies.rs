//! Policies, demand profiles and paused namespaces, parsed once when they change.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use forewarm_api::problem::PolicyProblem;
use forewarm_api::{DemandProfile, FunctionPolicy, FunctionPolicyStatus, IS_DEFAULT, PAUSED, Profile};
use forewarm_core::memory::MemoryPolicy;
use forewarm_core::policy::{FunctionKey, Objective, Policy};
use forewarm_core::units::Seconds;
use kube::core::ObjectMeta;
use tokio::sync::Notify;

use super::pods::Owner;
use super::watch::{Read, Shelf};
use crate::record::PolicyObject;
use crate::target::TargetRef;

/// One stored policy, as far as it could be read.
#[derive(Clone, Debug)]
pub struct PolicySeen {
    /// Identity of the policy object.
    pub uid: String,
    /// Version of the object: a status is written only over it (W1).
    pub resource_version: String,
    /// When it was created, in seconds since 1970 UTC: of two policies on one target the older one has it.
    pub created: i64,
    /// Generation of its spec.
    pub generation: i64,
    /// The usable part, or what is wrong with it.
    pub parsed: Result<Usable, Vec<PolicyProblem>>,
    /// Its status as stored; what survives a restart is in there.
    pub status: Option<FunctionPolicyStatus>,
}

/// A policy that can be decided upon.
#[derive(Clone, Debug, PartialEq)]
pub struct Usable {
    /// For the core.
    pub policy: Policy,
    /// What it names.
    pub target: Arc<TargetRef>,
    /// The same, as pods name it.
    pub workload: Owner,
    /// The demand profile it names. `None`: the default one.
    pub profile: Option<Arc<str>>,
    /// Lead time set by the user. `None`: learned.
    pub lead_time: Option<Seconds>,
    /// What to spend to save a waiting call. `None`: what pays at the lead time.
    pub objective: Option<Objective>,
    /// How fast the floor may come down is the user's word.
    pub paced: bool,
    /// What it asks for memory and health.
    pub memory: MemoryPolicy,
}

impl PolicySeen {
    /// What it would spend to save a waiting call. `None`: what pays at the lead time.
    pub fn objective(&self) -> Option<Objective> {
        self.parsed.as_ref().ok()?.objective
    }

    /// What it lays claim to, and since when (seconds since 1970 UTC). `None`: it cannot be used, and holds nothing.
    pub fn claim(&self) -> Option<(i64, &Arc<TargetRef>)> {
        let usable = self.parsed.as_ref().ok()?;
        Some((self.created, &usable.target))
    }

    /// As record needs it.
    pub fn object(&self) -> PolicyObject<'_> {
        let Self {
            uid,
            resource_version,
            generation,
            status,
            created: _,
            parsed: _,
        } = self;
        PolicyObject {
            uid,
            resource_version,
            generation: *generation,
            status: status.as_ref(),
        }
    }
}

/// Policies in the order of their keys.
pub type ByKey = BTreeMap<FunctionKey, Arc<PolicySeen>>;

/// All policies. A change of spec or pause wakes the tick.
#[derive(Debug, Default)]
pub struct Policies {
    listed: RwLock<Listed>,
    /// Notified when a policy is new, changed in its spec, paused, or gone.
    pub changed: Notify,
}

/// All policies at one moment. Cheap to clone: the map is shared, and copied only where one changes while somebody
/// still reads.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The policies.
    pub by_key: Arc<ByKey>,
    /// Another number where any of them names another target, or is new or gone. A status that is written changes
    /// nothing of that.
    pub claims: u64,
}

impl Policies {
    /// All policies now.
    pub fn all(&self) -> Arc<ByKey> {
        self.listed().by_key
    }

    /// The same, with whether their claims on targets are those of another time.
    pub fn listed(&self) -> Listed {
        self.listed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the policies; `change` tells whether a claim is another one.
    fn change(&self, change: impl FnOnce(&mut ByKey) -> bool) {
        let mut listed = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        if change(Arc::make_mut(&mut listed.by_key)) {
            listed.claims += 1;
        }
    }

    /// The policy of that name. `None`: there is none.
    pub fn get(&self, key: &FunctionKey) -> Option<Arc<PolicySeen>> {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        listed.by_key.get(key).cloned()
    }
}

impl Shelf<FunctionPolicy> for Policies {
    fn replace(&self, all: Vec<Read<FunctionPolicy>>) {
        let (old, mut fresh) = (self.all(), ByKey::new());
        for read in all {
            let key = key_of(read.meta());
            let known = old.get_key_value(&key).map(|(known, _)| known.clone());
            let key = known.unwrap_or_else(|| shared(&fresh, key));
            if let Some(seen) = policy(read, &key) {
                fresh.insert(key, seen);
            }
        }
        drop(old); // or the change below would copy it
        self.change(|all| {
            *all = fresh;
            true
        });
        self.changed.notify_one();
    }

    fn put(&self, object: Read<FunctionPolicy>) {
        let key = shared(&self.all(), key_of(object.meta()));
        let Some(seen) = policy(object, &key) else { return };
        // Our own status writes come back here too; they wake nobody.
        let mut wakes = true;
        self.change(|all| {
            let old = all.insert(key, Arc::clone(&seen));
            wakes = old.as_ref().is_none_or(|old| !same_wish(old, &seen));
            old.is_none_or(|old| old.claim() != seen.claim())
        });
        if wakes {
            self.changed.notify_one();
        }
    }

    fn gone(&self, meta: &ObjectMeta) {
        let key = key_of(meta);
        self.change(|all| all.remove(&key).is_some());
        self.changed.notify_one();
    }
}

fn same_wish(old: &PolicySeen, new: &PolicySeen) -> bool {
    let parts = |seen: &PolicySeen| (seen.uid.clone(), seen.generation, seen.parsed.clone().ok());
    parts(old) == parts(new)
}

fn key_of(meta: &ObjectMeta) -> FunctionKey {
    FunctionKey {
        namespace: meta.namespace.as_deref().unwrap_or_default().into(),
        name: meta.name.as_deref().unwrap_or_default().into(),
    }
}

/// The key with the text that the functions of its namespace have already: a tick compares keys some ten times a
/// function, and those of one text are equal without a look at it.
fn shared(all: &ByKey, key: FunctionKey) -> FunctionKey {
    let first = FunctionKey {
        namespace: Arc::clone(&key.namespace),
        name: "".into(),
    };
    let sibling = all.range(first..).next().map(|(sibling, _)| &sibling.namespace);
    match sibling.filter(|namespace| **namespace == key.namespace) {
        Some(namespace) => FunctionKey {
            namespace: Arc::clone(namespace),
            ..key
        },
        None => key,
    }
}

fn policy(read: Read<FunctionPolicy>, key: &FunctionKey) -> Option<Arc<PolicySeen>> {
    let meta = read.meta();
    let (uid, generation) = (meta.uid.clone()?, meta.generation.unwrap_or_default());
    let created = meta
        .creation_timestamp
        .as_ref()
        .map_or(i64::MAX, |time| time.0.as_second());
    let resource_version = meta.resource_version.clone().unwrap_or_default();
    let (parsed, status) = match read {
        Read::Good(resource) => (usable(&resource, key), resource.status),
        Read::Bad(_, error) => (Err(vec![undecodable(&error)]), None),
    };
    Some(Arc::new(PolicySeen {
        uid,
        resource_version,
        created,
        generation,
        parsed,
        status,
    }))
}

fn usable(resource: &FunctionPolicy, key: &FunctionKey) -> Result<Usable, Vec<PolicyProblem>> {
    let policy = forewarm_api::parse(resource, false)?;
    let named = &resource.spec.target_ref;
    let target = TargetRef {
        api_version: named.api_version.clone(),
        kind: named.kind.clone(),
        namespace: key.namespace.to_string(),
        name: named.name.clone(),
    };
    Ok(Usable {
        policy,
        workload: Owner {
            namespace: key.namespace.clone(),
            kind: target.kind.as_str().into(),
            name: target.name.as_str().into(),
        },
        target: Arc::new(target),
        profile: resource.profile().map(Into::into),
        lead_time: resource.lead_time(),
        objective: resource.objective(),
        paced: resource.spec.scale_down.is_some(),
        memory: resource.memory(&mut Vec::new()),
    })
}

fn undecodable(error: &str) -> PolicyProblem {
    PolicyProblem::new(
        "spec",
        error,
        "mend the field named, or delete the policy and create it again",
    )
}

/// All demand profiles by name.
#[derive(Debug, Default)]
pub struct Profiles(RwLock<HashMap<Arc<str>, Arc<ProfileSeen>>>);

/// One stored profile.
#[derive(Clone, Debug)]
pub struct ProfileSeen {
    /// Ready to be asked, or what is wrong with it.
    pub parsed: Result<Arc<Profile>, Vec<PolicyProblem>>,
    /// Policies that name none use it.
    pub is_default: bool,
}

impl Profiles {
    /// The profile of that name; without a name the default one. With two defaults the first by name is it.
    pub fn find(&self, name: Option<&str>) -> Option<(Arc<str>, Arc<ProfileSeen>)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match name {
            Some(name) => all.get_key_value(name),
            None => all
                .iter()
                .filter(|(_, seen)| seen.is_default)
                .min_by_key(|(name, _)| *name),
        }
        .map(|(name, seen)| (name.clone(), Arc::clone(seen)))
    }
}

impl Shelf<DemandProfile> for Profiles {
    fn replace(&self, all: Vec<Read<DemandProfile>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all.into_iter().map(profile).collect();
    }

    fn put(&self, object: Read<DemandProfile>) {
        let (name, seen) = profile(object);
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, seen);
    }

    fn gone(&self, meta: &ObjectMeta) {
        let name = meta.name.as_deref().unwrap_or_default();
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn profile(read: Read<DemandProfile>) -> (Arc<str>, Arc<ProfileSeen>) {
    let name = read.meta().name.as_deref().unwrap_or_default().into();
    let is_default = annotated(read.meta(), IS_DEFAULT, |value| value == "true");
    let parsed = match read {
        Read::Good(resource) => forewarm_api::parse_profile(&resource).map(Arc::new),
        Read::Bad(_, error) => Err(vec![undecodable(&error)]),
    };
    (name, Arc::new(ProfileSeen { parsed, is_default }))
}

/// Namespaces that are paused as a whole.
#[derive(Debug, Default)]
pub struct PausedNamespaces(RwLock<HashSet<String>>);

/// A namespace with no more than its metadata.
pub type Namespace = kube::core::Object<Nothing, Nothing>;

/// A part of an object of which nothing is read.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub struct Nothing {}

impl PausedNamespaces {
    /// Whether the namespace carries the pause.
    pub fn contains(&self, namespace: &str) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(namespace)
    }
}

impl Shelf<Namespace> for PausedNamespaces {
    fn replace(&self, all: Vec<Read<Namespace>>) {
        let paused = all
            .iter()
            .filter(|read| paused(read.meta()))
            .filter_map(|read| read.meta().name.clone());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = paused.collect();
    }

    fn put(&self, object: Read<Namespace>) {
        let name = object.meta().name.clone().unwrap_or_default();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if paused(object.meta()) {
            all.insert(name)
        } else {
            all.remove(&name)
        };
    }

    fn gone(&self, meta: &ObjectMeta) {
        let name = meta.name.clone().unwrap_or_default();
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&name);
    }
}

fn paused(meta: &ObjectMeta) -> bool {
    annotated(meta, PAUSED, |value| value != "false")
}

fn annotated(meta: &ObjectMeta, key: &str, holds: impl Fn(&str) -> bool) -> bool {
    meta.annotations
        .as_ref()
        .and_then(|all| all.get(key))
        .is_some_and(|value| holds(value))
}

#[cfg(test)]
mod tests;
