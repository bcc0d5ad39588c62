//! Which pods, workloads and revisions belong to which function. Handed in by the operator, from its watched
//! stores; built once and shared by every profile's join. Memory only.

use crate::owner::Owner;
use foldhash::quality::RandomState;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Mono;
use hashbrown::HashTable;
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
#[derive(Debug, Default)]
pub struct Membership {
    members: Vec<Indexed>,
    /// Names of the profiles in use, each once.
    profiles: Vec<Arc<str>>,
    slots: Vec<Slot>,
    pods: HashTable<usize>,
    workloads: OnceLock<ByName<Vec<usize>>>,
    revisions: ByName,
    hasher: RandomState,
}

/// Namespace, then name, then the number of a member.
type ByName<N = usize> = HashMap<Arc<str>, HashMap<Arc<str>, N>>;

#[derive(Debug)]
struct Indexed {
    key: FunctionKey,
    profile: usize,
    kind: Arc<str>,
    workload: Arc<str>,
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
        for revision in revisions {
            let names = self.revisions.entry(key.namespace.clone()).or_default();
            names.entry(revision.into()).or_insert(number);
        }
        let first = self.slots.len();
        self.slots
            .extend(pods.into_iter().map(|MemberPod { name, ready_since }| Slot {
                member: number,
                ready_since,
                name,
            }));
        let (profile, slots) = (self.number_of(profile), first..self.slots.len());
        self.members.push(Indexed {
            key,
            profile,
            kind,
            workload,
            slots,
        });
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
        let hash = |slot: &Slot| {
            self.hasher
                .hash_one((&*self.members[slot.member].key.namespace, &*slot.name))
        };
        let mut pods = HashTable::with_capacity(self.slots.len());
        for (number, slot) in self.slots.iter().enumerate() {
            let namespace = &*self.members[slot.member].key.namespace;
            let same = |other: &usize| self.is_pod(*other, namespace, &slot.name);
            pods.entry(hash(slot), same, |other| hash(&self.slots[*other]))
                .or_insert(number);
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
mod tests {
    use super::fixture::member;
    use super::*;

    #[test]
    fn a_target_belongs_to_the_first_policy_that_names_it() {
        let mut twin = member("a/f", &[("f-1", None)]);
        twin.key.name = "twin".into();
        let members = Membership::new([member("a/f", &[("f-1", None)]), twin]);
        assert_eq!(
            (members.workload("a", "f"), members.pod("a", "f-1")),
            (Some(0), Some(0))
        );
        assert_eq!((members.workload("b", "f"), members.pod("b", "f-1")), (None, None));
    }

    #[test]
    fn a_name_that_two_kinds_have_means_neither_but_tells_owners_apart() {
        let mut set = member("a/f", &[]);
        set.kind = "StatefulSet".into();
        let members = Membership::new([member("a/f", &[]), set]);
        assert_eq!(members.workload("a", "f"), None);
        assert_eq!(members.owner("a", Owner::Deployment("f")), Some(0));
        assert_eq!(members.owner("a", Owner::StatefulSet("f")), Some(1));
    }

    #[test]
    fn of_several_owners_of_a_name_cut_short_the_longest_is_meant() {
        let long = "a-function-with-a-name-so-long-that-its-pods-are-cut-short-and-more";
        let members = Membership::new([member(&format!("a/{}", &long[..60]), &[]), member("a/a-function", &[])]);
        assert_eq!(members.owner("a", Owner::Cut(&long[..58])), Some(0));
        assert_eq!(members.owner("a", Owner::Cut(&"b".repeat(58))), None);
    }
}
