//! What the watched stores show of every function, before its demand is known. No I/O.
//!
//! Names are shared with the stores, not copied: a tick looks at 10,000 functions and 20,000 pods.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use forewarm_api::problem::{PolicyProblem, sentence};
use forewarm_api::profile_parse::Demanded;
use forewarm_api::{IS_DEFAULT, Profile};
use forewarm_core::memory::PodSeen;
use forewarm_core::observation::{LeadTime, LeadTimeSource};
use forewarm_core::policy::{FunctionKey, Policy};
use forewarm_core::units::{Now, Seconds};
use forewarm_source::{Member, Membership};

use super::place::fit;
use super::pods::Owner;
use super::policies::{ByKey, PolicySeen, Usable};
use super::stores::Stores;
use super::view::{View, lead_time, view};
use crate::target::TargetRef;

/// A pod has been given its time to do well after this long at least, and twice its lead time.
const TRIED: Seconds = Seconds(300);

/// Profile of a function that names none while there is no default: no profile has this name.
const NO_PROFILE: &str = "";

/// A function on its way into the snapshot: all but its demand.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) stored: Arc<PolicySeen>,
    /// What the user asks, with the namespace's pause.
    pub(super) policy: Policy,
    pub(super) target: Arc<TargetRef>,
    workload: Owner,
    pub(super) view: View,
    pub(super) lead_time: LeadTime,
    /// How long its pods may take to do well, in seconds.
    pub(super) patience: i64,
    /// Its pods, where some came so lately that they are held against the others; else none.
    pub(super) on_trial: Vec<PodSeen>,
    pub(super) profile: Option<Arc<str>>,
    /// What is wrong with the profile.
    pub(super) bad_profile: Option<String>,
    /// The profile counts items that wait.
    pub(super) backlog: bool,
}

/// What the stores show.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Functions that can be decided upon, in the order of their keys.
    pub(super) halves: Vec<(FunctionKey, Half)>,
    pub(super) unusable: BTreeMap<FunctionKey, (Arc<PolicySeen>, Vec<PolicyProblem>)>,
    /// The usable profiles in use.
    pub(super) profiles: BTreeMap<String, Profile>,
}

/// Looks at everything. `fresh`: the stores may be read as the present state. `latency`: of each kind of target, part
/// of the lead time.
pub(super) fn look(stores: &Stores, latency: &BTreeMap<String, Seconds>, fresh: bool, now: Now) -> Look {
    let policies = stores.policies.all();
    let holders = holders(&policies);
    let mut wishes: BTreeMap<Option<Arc<str>>, InUse> = BTreeMap::new();
    let mut look = Look::default();
    look.halves.reserve(policies.len());
    for (key, stored) in policies.iter() {
        let usable = match usable(key, stored, &holders) {
            Ok(usable) => usable,
            Err(problems) => {
                look.unusable.insert(key.clone(), (Arc::clone(stored), problems));
                continue;
            }
        };
        if !wishes.contains_key(&usable.profile) {
            let in_use = InUse::of(stores, usable.profile.as_deref(), &mut look.profiles);
            wishes.insert(usable.profile.clone(), in_use);
        }
        let half = Half::of(stores, stored, usable, &wishes[&usable.profile], latency, fresh, now);
        look.halves.push((key.clone(), half));
    }
    look
}

impl Look {
    /// Who is to be found in the answers; takes the pods out.
    pub(super) fn members(&mut self) -> Arc<Membership> {
        Arc::new(Membership::new(
            self.halves.iter_mut().map(|(key, half)| half.member(key)),
        ))
    }
}

impl Half {
    fn of(
        stores: &Stores,
        seen: &Arc<PolicySeen>,
        usable: &Usable,
        profile: &InUse,
        latency: &BTreeMap<String, Seconds>,
        fresh: bool,
        now: Now,
    ) -> Self {
        let view = view(stores, usable, fresh, now);
        let kind = view.writes.as_ref().map_or(&usable.target.kind, |writes| &writes.kind);
        let latency = latency.get(kind).copied().unwrap_or_default();
        let extra = Seconds(profile.scrape.0.saturating_add(latency.0));
        let mut policy = usable.policy.clone();
        policy.paused |= stores.paused.contains(&usable.workload.namespace);
        let lead_time = lead_time(usable, view.learned, seen, extra);
        let patience = i64::from(lead_time.total.0.saturating_mul(2).max(TRIED.0));
        let second = now.wall.0.div_euclid(1000);
        let on_trial = stores
            .pods
            .health(|health| health.on_trial(&view.owner, patience, second));
        fit(
            &mut policy,
            view.target.known(),
            view.serves,
            start(lead_time, extra),
            usable.paced,
        );
        Self {
            stored: Arc::clone(seen),
            policy,
            target: Arc::clone(&usable.target),
            workload: usable.workload.clone(),
            lead_time,
            patience,
            on_trial,
            view,
            profile: profile.name.clone(),
            bad_profile: profile.bad.clone(),
            backlog: profile.backlog,
        }
    }

    fn member(&mut self, key: &FunctionKey) -> Member {
        Member {
            key: key.clone(),
            profile: self.profile.clone().unwrap_or_else(|| NO_PROFILE.into()),
            kind: self.workload.kind.clone(),
            workload: self.workload.name.clone(),
            revisions: self.view.revisions.clone(),
            pods: std::mem::take(&mut self.view.pods),
        }
    }
}

/// What a new pod takes of the lead time, as far as it is known by itself: how fast a floor comes down depends on
/// that and not on how often the metric is read.
fn start(lead: LeadTime, extra: Seconds) -> Seconds {
    match lead.source {
        LeadTimeSource::Policy => lead.total,
        LeadTimeSource::Learned | LeadTimeSource::Default => Seconds(lead.total.0.saturating_sub(extra.0)),
    }
}

/// The profile that functions with one wish use.
#[derive(Debug)]
struct InUse {
    name: Option<Arc<str>>,
    scrape: Seconds,
    backlog: bool,
    bad: Option<String>,
}

impl InUse {
    /// Of the functions that name `wish`; `None`: that name none. A usable profile is noted in `profiles`.
    fn of(stores: &Stores, wish: Option<&str>, profiles: &mut BTreeMap<String, Profile>) -> Self {
        let Some((name, seen)) = stores.profiles.find(wish) else {
            return Self {
                name: None,
                scrape: Seconds(0),
                backlog: false,
                bad: Some(no_profile(wish)),
            };
        };
        let (scrape, backlog, bad) = match &seen.parsed {
            Ok(parsed) => {
                profiles.insert(name.to_string(), Profile::clone(parsed));
                let backlog = matches!(parsed.unit, Demanded::Backlog { .. });
                (parsed.scrape, backlog, None)
            }
            Err(problems) => (
                Seconds(0),
                false,
                Some(format!("DemandProfile {name}: {}", sentence(problems))),
            ),
        };
        Self {
            name: Some(name),
            scrape,
            backlog,
            bad,
        }
    }
}

type Holders<'a> = HashMap<&'a TargetRef, (i64, &'a FunctionKey), RandomState>;

/// The policy that has each target: of several that name it the oldest, by name where they are of one second.
fn holders(policies: &ByKey) -> Holders<'_> {
    let mut holders = Holders::with_capacity_and_hasher(policies.len(), RandomState::default());
    for (key, seen) in policies {
        let Ok(usable) = &seen.parsed else { continue };
        let claim = (seen.created, key);
        let holder = holders.entry(&*usable.target).or_insert(claim);
        *holder = claim.min(*holder);
    }
    holders
}

/// The usable part of a policy, or why it is not: its own problems, or an older policy on the same target.
fn usable<'a>(
    key: &FunctionKey,
    stored: &'a PolicySeen,
    holders: &Holders<'_>,
) -> Result<&'a Usable, Vec<PolicyProblem>> {
    let usable = stored.parsed.as_ref().map_err(Clone::clone)?;
    match holders.get(&*usable.target) {
        Some((_, holder)) if *holder != key => {
            let fix = format!(
                "the older policy {} has this target: delete one of the two",
                holder.name
            );
            Err(vec![PolicyProblem::new(
                "spec.targetRef.name",
                &usable.target.name,
                fix,
            )])
        }
        _ => Ok(usable),
    }
}

/// What to tell a policy that `named` a profile which is not there, or none while there is no default.
fn no_profile(named: Option<&str>) -> String {
    match named {
        Some(name) => format!(
            "spec.demand.profile is {name}: no such DemandProfile exists, name one that `kubectl get demandprofiles` lists"
        ),
        None => format!(
            "spec.demand.profile is absent and no DemandProfile is the default: name one, or annotate one with {IS_DEFAULT}: \"true\""
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stored policy of that name in `payments`, created at that second, on that workload.
    fn stored(name: &str, created: i64, workload: &str) -> (FunctionKey, Arc<PolicySeen>) {
        let policy = serde_json::json!({
            "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
            "metadata": {"name": name, "namespace": "payments"},
            "spec": {"targetRef": {"name": workload}, "floor": {"max": 4}}
        });
        let policy: forewarm_api::FunctionPolicy = serde_json::from_value(policy).unwrap();
        let target = TargetRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "payments".into(),
            name: workload.into(),
        };
        let usable = Usable {
            policy: forewarm_api::parse(&policy, false).unwrap(),
            workload: Owner {
                namespace: "payments".into(),
                kind: "Deployment".into(),
                name: workload.into(),
            },
            target: Arc::new(target),
            profile: None,
            lead_time: None,
            objective: None,
            paced: false,
            memory: forewarm_core::memory::MemoryPolicy::default(),
        };
        let (uid, resource_version) = (name.to_owned(), "1".to_owned());
        let seen = PolicySeen {
            uid,
            resource_version,
            created,
            generation: 1,
            parsed: Ok(usable),
            status: None,
        };
        (policy.key(), Arc::new(seen))
    }

    #[test]
    fn the_pace_of_coming_down_goes_by_the_start_of_a_pod_alone() {
        let lead = |source| LeadTime {
            total: Seconds(45),
            source,
        };
        assert_eq!(start(lead(LeadTimeSource::Learned), Seconds(31)), Seconds(14));
        assert_eq!(
            start(lead(LeadTimeSource::Policy), Seconds(31)),
            Seconds(45),
            "the user's word"
        );
    }

    #[test]
    fn of_two_policies_on_one_target_the_older_has_it_and_the_other_is_told() {
        let all = ByKey::from([
            stored("a", 20, "orders"),
            stored("b", 10, "orders"),
            stored("c", 30, "ledger"),
        ]);
        let holders = holders(&all);
        let problems = |name: &str| {
            let key = FunctionKey {
                namespace: "payments".into(),
                name: name.into(),
            };
            usable(&key, &all[&key], &holders)
                .map(|_| ())
                .map_err(|problems| sentence(&problems))
        };
        assert_eq!(problems("b"), Ok(()));
        assert_eq!(problems("c"), Ok(()));
        let told = problems("a").unwrap_err();
        assert_eq!(
            told,
            "spec.targetRef.name is orders: the older policy b has this target: delete one of the two"
        );
    }
}
