//! Which pods, workloads and revisions belong to which function. Handed in by the operator, from its watched
//! stores; built once and shared by every profile's join. Memory only.

use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Mono;
use std::collections::HashMap;
use std::ops::Range;

/// One function as its policy and the watched stores show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The function.
    pub key: FunctionKey,
    /// Name of its demand profile.
    pub profile: String,
    /// Kind of the target, for example `Deployment`.
    pub kind: String,
    /// Name of the target, in the function's namespace. Also the name of its Service, where a profile joins by
    /// Service.
    pub workload: String,
    /// Names of its Knative Revisions; empty for everything else.
    pub revisions: Vec<String>,
    /// Every pod that exists.
    pub pods: Vec<MemberPod>,
}

/// One pod of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPod {
    /// Its name.
    pub name: String,
    /// Since when it is ready and not ending. `None`: it is not ready, or is ending.
    pub ready_since: Option<Mono>,
}

/// All functions, indexed for the join.
#[derive(Debug, Default)]
pub struct Membership {
    members: Vec<Indexed>,
    slots: Vec<Slot>,
    pods: ByName,
    workloads: ByName,
    revisions: ByName,
}

/// Namespace, then name, then the number of a slot or member.
type ByName = HashMap<String, HashMap<String, usize>>;

#[derive(Debug)]
struct Indexed {
    key: FunctionKey,
    profile: String,
    slots: Range<usize>,
}

/// A pod without its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) member: usize,
    pub(crate) ready_since: Option<Mono>,
}

impl Membership {
    /// Indexes `members`.
    ///
    /// A pod or workload belongs to the first member that names it; a second policy on one target finds no
    /// series, so its demand is unknown and it holds.
    pub fn new(members: impl IntoIterator<Item = Member>) -> Self {
        let mut all = Self::default();
        for member in members {
            all.add(member);
        }
        all
    }

    fn add(&mut self, member: Member) {
        let Member {
            key,
            profile,
            kind: _,
            workload,
            revisions,
            pods,
        } = member;
        let (number, namespace) = (self.members.len(), key.namespace.as_str());
        put(&mut self.workloads, namespace, workload, number);
        for revision in revisions {
            put(&mut self.revisions, namespace, revision, number);
        }
        let first = self.slots.len();
        let names = self.pods.entry(namespace.to_owned()).or_default();
        for MemberPod { name, ready_since } in pods {
            names.entry(name).or_insert(self.slots.len());
            self.slots.push(Slot {
                member: number,
                ready_since,
            });
        }
        let slots = first..self.slots.len();
        self.members.push(Indexed { key, profile, slots });
    }

    /// How many functions there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True without any function.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn key(&self, member: usize) -> &FunctionKey {
        &self.members[member].key
    }

    pub(crate) fn profile(&self, member: usize) -> &str {
        &self.members[member].profile
    }

    /// The slots of one member's pods.
    pub(crate) fn slots(&self, member: usize) -> impl Iterator<Item = (usize, Slot)> {
        self.members[member].slots.clone().map(|slot| (slot, self.slots[slot]))
    }

    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn member_of_slot(&self, slot: usize) -> usize {
        self.slots[slot].member
    }

    /// The slot of a pod.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Option<usize> {
        find(&self.pods, namespace, name)
    }

    /// The member with that workload.
    pub(crate) fn workload(&self, namespace: &str, name: &str) -> Option<usize> {
        find(&self.workloads, namespace, name)
    }

    /// The member with that Revision.
    pub(crate) fn revision(&self, namespace: &str, name: &str) -> Option<usize> {
        find(&self.revisions, namespace, name)
    }
}

fn put(index: &mut ByName, namespace: &str, name: String, number: usize) {
    if !index.contains_key(namespace) {
        index.insert(namespace.to_owned(), HashMap::new());
    }
    if let Some(names) = index.get_mut(namespace) {
        names.entry(name).or_insert(number);
    }
}

fn find(index: &ByName, namespace: &str, name: &str) -> Option<usize> {
    index.get(namespace)?.get(name).copied()
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    /// A function `namespace/name` of profile `p` on a Deployment of the same name; each pod with the second it
    /// became ready at, `None` for one that is not.
    pub(crate) fn member(path: &str, pods: &[(&str, Option<u64>)]) -> Member {
        let (namespace, name) = path.split_once('/').expect("namespace/name");
        Member {
            key: FunctionKey {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            profile: "p".to_owned(),
            kind: "Deployment".to_owned(),
            workload: name.to_owned(),
            revisions: vec![format!("{name}-00001")],
            pods: pods
                .iter()
                .map(|(pod, ready)| MemberPod {
                    name: (*pod).to_owned(),
                    ready_since: ready.map(|s| Mono(s * 1000)),
                })
                .collect(),
        }
    }
}
