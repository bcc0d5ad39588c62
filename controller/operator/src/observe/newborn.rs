//! What is written for newborn pods, by namespace and workload. No I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use forewarm_api::newborn::{NAME, births};
use forewarm_api::{NewbornMemory, NewbornMemorySpec};
use forewarm_core::memory::Birth;
use kube::core::ObjectMeta;

use super::pods::Owner;
use super::policies::ByKey;
use super::watch::{Read, Shelf};

/// Entries of a namespace by `KIND/NAME`.
type Entries = BTreeMap<String, String>;

/// All entries by namespace.
#[derive(Debug, Default)]
pub struct Newborns(RwLock<HashMap<String, Entries>>);

/// Key of a workload's entry.
pub fn key(owner: &Owner) -> String {
    format!("{}/{}", owner.kind, owner.name)
}

impl Newborns {
    /// What newborn pods of `owner` get; empty where nothing is written or it cannot be read, so that it is written anew.
    pub fn of(&self, owner: &Owner) -> BTreeMap<String, Birth> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = all.get(&*owner.namespace).and_then(|entries| entries.get(&key(owner)));
        entry.and_then(|entry| births(entry)).unwrap_or_default()
    }

    /// Every entry, as namespace and key.
    pub fn all(&self) -> Vec<(String, String)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let each = all
            .iter()
            .flat_map(|(namespace, entries)| entries.keys().map(|key| (namespace.clone(), key.clone())));
        each.collect()
    }

    fn change(&self, meta: &ObjectMeta, entries: Option<Entries>) {
        if meta.name.as_deref() != Some(NAME) {
            return;
        }
        let namespace = meta.namespace.clone().unwrap_or_default();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match entries {
            Some(entries) => all.insert(namespace, entries),
            None => all.remove(&namespace),
        };
    }

    fn read(&self, object: Read<NewbornMemory>) {
        let meta = object.meta().clone();
        let entries = match object {
            Read::Good(newborn) => {
                let NewbornMemorySpec { functions } = newborn.spec;
                functions
            }
            Read::Bad(..) => Entries::new(),
        };
        self.change(&meta, Some(entries));
    }
}

/// Entries that no policy names; none of a namespace that is paused or has a policy that cannot be read.
pub(super) fn left(
    all: Vec<(String, String)>,
    policies: &ByKey,
    paused: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let (mut named, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
    // Most namespaces have no entry, and their policies need not be named.
    let written: BTreeSet<&str> = all.iter().map(|(namespace, _)| namespace.as_str()).collect();
    let beside = policies
        .iter()
        .filter(|(policy, _)| written.contains(&*policy.namespace));
    for (policy, seen) in beside {
        match &seen.parsed {
            Ok(usable) => drop(named.insert((policy.namespace.to_string(), key(&usable.workload)))),
            Err(_) => drop(unreadable.insert(policy.namespace.to_string())),
        }
    }
    let kept = |entry: &(String, String)| paused(&entry.0) || unreadable.contains(&entry.0) || named.contains(entry);
    all.into_iter().filter(|entry| !kept(entry)).collect()
}

impl Shelf<NewbornMemory> for Newborns {
    fn replace(&self, all: Vec<Read<NewbornMemory>>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
        for object in all {
            self.read(object);
        }
    }

    fn put(&self, object: Read<NewbornMemory>) {
        self.read(object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.change(meta, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::policies::Policies;
    use forewarm_core::memory::Amounts;
    use forewarm_core::units::Bytes;
    use serde_json::json;

    fn object(name: &str, entry: &str) -> Read<NewbornMemory> {
        let object = json!({"apiVersion": "forewarm.dev/v1alpha1", "kind": "NewbornMemory",
            "metadata": {"namespace": "a", "name": name}, "spec": {"functions": {"Deployment/fraud": entry}}});
        Read::Good(serde_json::from_value(object).expect("an object of the test"))
    }

    fn owner(kind: &str, name: &str) -> Owner {
        Owner {
            namespace: "a".into(),
            kind: kind.into(),
            name: name.into(),
        }
    }

    #[test]
    fn an_entry_is_its_workloads_alone_and_goes_with_the_object() {
        let newborns = Newborns::default();
        newborns.put(object(NAME, "app=64Mi/64Mi>128Mi/128Mi"));
        let found = newborns.of(&owner("Deployment", "fraud"));
        assert_eq!(found["app"].amounts, Amounts::both(Bytes::mib(128)));
        assert!(newborns.of(&owner("StatefulSet", "fraud")).is_empty());
        assert!(newborns.of(&owner("Deployment", "fraud-scorer")).is_empty());
        assert_eq!(newborns.all(), [("a".to_owned(), "Deployment/fraud".to_owned())]);
        newborns.put(object("another", "app=1Mi/1Mi>2Mi/2Mi"));
        assert_eq!(
            newborns.of(&owner("Deployment", "fraud")),
            found,
            "the policy reads the one object"
        );
        newborns.put(object(NAME, "nonsense"));
        assert!(newborns.of(&owner("Deployment", "fraud")).is_empty());
        newborns.gone(object(NAME, "").meta());
        assert!(newborns.all().is_empty());
    }

    #[test]
    fn an_entry_is_left_over_only_where_no_policy_can_name_its_workload() {
        let policy = |namespace: &str, target: &str| {
            let object = json!({"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
                "metadata": {"namespace": namespace, "name": "p", "uid": "u", "resourceVersion": "1"},
                "spec": {"targetRef": {"name": target}, "floor": {"max": 4}}});
            Read::Good(serde_json::from_value(object).expect("a policy of the test"))
        };
        let entries = |namespace: &str| vec![(namespace.to_owned(), "Deployment/fraud".to_owned())];
        let policies = Policies::default();
        let found = |policies: &Policies, paused: bool| left(entries("a"), &policies.all(), |_| paused);
        assert_eq!(found(&policies, false), entries("a"));
        assert!(found(&policies, true).is_empty(), "a pause keeps");
        policies.replace(vec![policy("a", "fraud")]);
        assert!(found(&policies, false).is_empty());
        policies.replace(vec![policy("a", "fraud-scorer"), policy("b", "fraud")]);
        assert_eq!(
            found(&policies, false),
            entries("a"),
            "another's workload, another namespace"
        );
        let meta = serde_json::from_value(json!({"namespace": "a", "name": "odd", "uid": "u", "resourceVersion": "1"}))
            .expect("metadata");
        policies.replace(vec![Read::Bad(meta, "odd".into())]);
        assert!(found(&policies, false).is_empty(), "nobody knows what that one names");
    }
}
