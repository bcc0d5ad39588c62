//! Which pods, workloads and revisions belong to which function. Handed in by the operator, from its watched
//! stores; built once and shared by every profile's join. Memory only.

use crate::owner::Owner;
use foldhash::quality::RandomState;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Mono;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// One function as its policy and the watched stores show it. Its words are shared, since there is one a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The function.
    pub key: FunctionKey,
    /// Name of its demand profile.
    pub profile: Arc<str>,
    /// Kind of the target, for example `Deployment`.
    pub kind: Arc<str>,
    /// Name of the target, in the function's namespace. Also the name of its Service, where a profile joins by
    /// Service.
    pub workload: Arc<str>,
    /// Names of its Knative Revisions; empty for everything else.
    pub revisions: Vec<String>,
    /// Every pod that exists.
    pub pods: Vec<MemberPod>,
}

/// One pod of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPod {
    /// Its name.
    pub name: Arc<str>,
    /// Since when it is ready and not ending. `None`: it is not ready, or is ending.
    pub ready_since: Option<Mono>,
}

/// All functions, indexed for the join: pods at once, since nearly every series names one, workloads when the first
/// series names one.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    members: Vec<Indexed>,
    /// Names of the profiles in use, each once.
    profiles: Vec<Arc<str>>,
    slots: Vec<Slot>,
    pods: HashTable<usize>,
    workloads: OnceLock<ByName<Vec<usize>>>,
    revisions: ByName,
    hasher: RandomState,
    /// Slots of pods that are gone: in no member's range and not found any more.
    dead: usize,
    /// A pod is of two members, of which only the first finds it.
    shared: bool,
}

/// Namespace, then name, then the number of a member.
type ByName<N = usize> = HashMap<Arc<str>, HashMap<Arc<str>, N>>;

#[derive(Clone, Debug)]
struct Indexed {
    key: FunctionKey,
    profile: usize,
    kind: Arc<str>,
    workload: Arc<str>,
    revisions: Vec<String>,
    slots: Range<usize>,
}

/// A pod.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) member: usize,
    pub(crate) ready_since: Option<Mono>,
    name: Arc<str>,
}

impl Slot {
    /// The pod's name.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}

impl Membership {
    /// Indexes `members`, which ascend by their keys.
    ///
    /// A pod or workload belongs to the first member that names it; a second policy on one target finds no
    /// series, so its demand is unknown and it holds.
    pub fn new(members: impl IntoIterator<Item = Member>) -> Self {
        let mut all = Self::default();
        for member in members {
            all.add(member);
        }
        all.index_pods();
        all
    }

    fn add(&mut self, member: Member) {
        let Member {
            key,
            profile,
            kind,
            workload,
            revisions,
            pods,
        } = member;
        let number = self.members.len();
        for revision in &revisions {
            let names = self.revisions.entry(key.namespace.clone()).or_default();
            names.entry(revision.as_str().into()).or_insert(number);
        }
        let (profile, slots) = (self.number_of(profile), self.lay(number, pods));
        self.members.push(Indexed {
            key,
            profile,
            kind,
            workload,
            revisions,
            slots,
        });
    }

    /// Gives each pod of a member a slot.
    fn lay(&mut self, member: usize, pods: Vec<MemberPod>) -> Range<usize> {
        let first = self.slots.len();
        let slot = |MemberPod { name, ready_since }| Slot {
            member,
            ready_since,
            name,
        };
        self.slots.extend(pods.into_iter().map(slot));
        first..self.slots.len()
    }

    /// Takes in what has become of some members, by their numbers, whose keys are the same: as if all had been indexed
    /// anew. Where only pods have come or gone, as nearly always, it costs what these do.
    pub fn replace(&mut self, changed: impl IntoIterator<Item = (usize, Member)>) {
        let mut anew = false;
        for (number, member) in changed {
            anew |= !self.moved_pods(number, member);
        }
        if anew || self.shared || self.dead > self.slots.len() / 2 {
            *self = Self::new(self.all());
        }
    }

    /// Takes in one member; false where more than its pods is another, so that the rest has to be indexed anew.
    fn moved_pods(&mut self, number: usize, member: Member) -> bool {
        let Member {
            key: _,
            profile,
            kind,
            workload,
            revisions,
            pods,
        } = member;
        let before = self.members[number].slots.clone();
        self.dead += before.len();
        for slot in before {
            let namespace = &*self.members[number].key.namespace;
            let hash = self.hasher.hash_one((namespace, &*self.slots[slot].name));
            if let Ok(found) = self.pods.find_entry(hash, |other| *other == slot) {
                found.remove();
            }
        }
        let slots = self.lay(number, pods);
        self.members[number].slots = slots.clone();
        for slot in slots {
            self.index_pod(slot);
        }
        let profile = self.number_of(profile);
        let indexed = &mut self.members[number];
        let same = indexed.profile == profile
            && indexed.kind == kind
            && indexed.workload == workload
            && indexed.revisions == revisions;
        (indexed.profile, indexed.kind, indexed.workload, indexed.revisions) = (profile, kind, workload, revisions);
        same
    }

    /// All members, as they were handed in.
    pub fn all(&self) -> Vec<Member> {
        let pod = |slot: &Slot| MemberPod {
            name: slot.name(),
            ready_since: slot.ready_since,
        };
        let member = |indexed: &Indexed| Member {
            key: indexed.key.clone(),
            profile: Arc::clone(&self.profiles[indexed.profile]),
            kind: Arc::clone(&indexed.kind),
            workload: Arc::clone(&indexed.workload),
            revisions: indexed.revisions.clone(),
            pods: self.slots[indexed.slots.clone()].iter().map(pod).collect(),
        };
        self.members.iter().map(member).collect()
    }

    /// The number of a profile, a new one where it has none yet. There is a handful of profiles.
    fn number_of(&mut self, profile: Arc<str>) -> usize {
        let known = self.profiles.iter().position(|known| *known == profile);
        known.unwrap_or_else(|| {
            self.profiles.push(profile);
            self.profiles.len() - 1
        })
    }

    fn index_pods(&mut self) {
        self.pods = HashTable::with_capacity(self.slots.len());
        for slot in 0..self.slots.len() {
            self.index_pod(slot);
        }
    }

    /// Makes a pod to be found, unless one of an earlier member is under its name.
    fn index_pod(&mut self, number: usize) {
        let mut pods = std::mem::take(&mut self.pods);
        let slot = &self.slots[number];
        let namespace = &*self.members[slot.member].key.namespace;
        let hash = |slot: &Slot| {
            self.hasher
                .hash_one((&*self.members[slot.member].key.namespace, &*slot.name))
        };
        let same = |other: &usize| self.is_pod(*other, namespace, &slot.name);
        match pods.entry(hash(slot), same, |other| hash(&self.slots[*other])) {
            Entry::Occupied(_) => self.shared = true,
            Entry::Vacant(free) => drop(free.insert(number)),
        }
        self.pods = pods;
    }

    fn is_pod(&self, slot: usize, namespace: &str, name: &str) -> bool {
        let slot = &self.slots[slot];
        *slot.name == *name && *self.members[slot.member].key.namespace == *namespace
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

    /// The keys of all members, in their order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &FunctionKey> + Clone {
        self.members.iter().map(|member| &member.key)
    }

    /// Names of the profiles in use, each once, by their numbers.
    pub(crate) fn profiles(&self) -> &[Arc<str>] {
        &self.profiles
    }

    /// The number of a profile. `None`: no member uses it.
    pub(crate) fn profile_number(&self, name: &str) -> Option<usize> {
        self.profiles.iter().position(|known| **known == *name)
    }

    /// The number of a member's profile.
    pub(crate) fn profile(&self, member: usize) -> usize {
        self.members[member].profile
    }

    /// The slots of one member's pods.
    pub(crate) fn slots(&self, member: usize) -> impl Iterator<Item = (usize, &Slot)> {
        self.members[member].slots.clone().map(|slot| (slot, &self.slots[slot]))
    }

    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn member_of_slot(&self, slot: usize) -> usize {
        self.slots[slot].member
    }

    /// The slot of a pod.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Option<usize> {
        let hash = self.hasher.hash_one((namespace, name));
        self.pods
            .find(hash, |slot| self.is_pod(*slot, namespace, name))
            .copied()
    }

    /// The member with that workload. `None` also where two kinds of workload have that name: the name does not
    /// say which is meant.
    pub(crate) fn workload(&self, namespace: &str, name: &str) -> Option<usize> {
        match self.named(namespace, name) {
            [member] => Some(*member),
            _ => None,
        }
    }

    fn named(&self, namespace: &str, name: &str) -> &[usize] {
        self.workloads()
            .get(namespace)
            .and_then(|names| names.get(name))
            .map_or(&[], Vec::as_slice)
    }

    /// The members by their workloads; of those that name one workload the first alone.
    fn workloads(&self) -> &ByName<Vec<usize>> {
        self.workloads.get_or_init(|| {
            let mut all: ByName<Vec<usize>> = HashMap::new();
            for (number, member) in self.members.iter().enumerate() {
                let names = all.entry(member.key.namespace.clone()).or_default();
                let homonyms = names.entry(member.workload.clone()).or_default();
                if homonyms.iter().all(|other| self.members[*other].kind != member.kind) {
                    homonyms.push(number);
                }
            }
            all
        })
    }

    /// The member with that Revision.
    pub(crate) fn revision(&self, namespace: &str, name: &str) -> Option<usize> {
        self.revisions.get(namespace)?.get(name).copied()
    }

    /// The member whose workload owned a pod of that name; of several the one with the longest name.
    pub(crate) fn owner(&self, namespace: &str, owner: Owner<'_>) -> Option<usize> {
        let owns = |member: &usize| owner.owns(&self.members[*member].kind, &self.members[*member].workload);
        match owner {
            Owner::Deployment(name) | Owner::StatefulSet(name) => {
                self.named(namespace, name).iter().copied().find(owns)
            }
            Owner::Cut(_) => {
                let all = self.workloads().get(namespace)?.values().flatten().copied();
                all.filter(owns)
                    .max_by_key(|member| self.members[*member].workload.len())
            }
        }
    }
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
                namespace: namespace.into(),
                name: name.into(),
            },
            profile: "p".into(),
            kind: "Deployment".into(),
            workload: name.into(),
            revisions: vec![format!("{name}-00001")],
            pods: pods
                .iter()
                .map(|(pod, ready)| MemberPod {
                    name: (*pod).into(),
                    ready_since: ready.map(|s| Mono(s * 1000)),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
