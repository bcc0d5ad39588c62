//! Which pods, workloads and revisions belong to which function. Handed in by the operator, from its watched
//! stores; built once and shared by every profile's join. Memory only.

use crate::owner::Owner;
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
    workloads: ByName<Vec<usize>>,
    revisions: ByName,
}

/// Namespace, then name, then the number of a slot or member.
type ByName<N = usize> = HashMap<String, HashMap<String, N>>;

#[derive(Debug)]
struct Indexed {
    key: FunctionKey,
    profile: String,
    kind: String,
    workload: String,
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
            kind,
            workload,
            revisions,
            pods,
        } = member;
        let (number, namespace) = (self.members.len(), key.namespace.as_str());
        let homonyms = self
            .workloads
            .entry(namespace.to_owned())
            .or_default()
            .entry(workload.clone())
            .or_default();
        if homonyms.iter().all(|other| self.members[*other].kind != kind) {
            homonyms.push(number);
        }
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
        self.members.push(Indexed {
            key,
            profile,
            kind,
            workload,
            slots,
        });
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

    /// The member with that workload. `None` also where two kinds of workload have that name: the name does not
    /// say which is meant.
    pub(crate) fn workload(&self, namespace: &str, name: &str) -> Option<usize> {
        match self.named(namespace, name) {
            [member] => Some(*member),
            _ => None,
        }
    }

    fn named(&self, namespace: &str, name: &str) -> &[usize] {
        self.workloads
            .get(namespace)
            .and_then(|names| names.get(name))
            .map_or(&[], Vec::as_slice)
    }

    /// The member with that Revision.
    pub(crate) fn revision(&self, namespace: &str, name: &str) -> Option<usize> {
        find(&self.revisions, namespace, name)
    }

    /// The member whose workload owned a pod of that name; of several the one with the longest name.
    pub(crate) fn owner(&self, namespace: &str, owner: Owner<'_>) -> Option<usize> {
        let owns = |member: &usize| owner.owns(&self.members[*member].kind, &self.members[*member].workload);
        match owner {
            Owner::Deployment(name) | Owner::StatefulSet(name) => {
                self.named(namespace, name).iter().copied().find(owns)
            }
            Owner::Cut(_) => {
                let all = self.workloads.get(namespace)?.values().flatten().copied();
                all.filter(owns)
                    .max_by_key(|member| self.members[*member].workload.len())
            }
        }
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

#[cfg(test)]
mod tests {
    use super::fixture::member;
    use super::*;

    #[test]
    fn a_target_belongs_to_the_first_policy_that_names_it() {
        let mut twin = member("a/f", &[("f-1", None)]);
        twin.key.name = "twin".to_owned();
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
        set.kind = "StatefulSet".to_owned();
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
