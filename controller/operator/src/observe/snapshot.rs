//! All functions at one moment: the stores' view joined with demand.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use forewarm_api::policy::TargetRef as TargetSpec;
use forewarm_api::problem::{PolicyProblem, sentence};
use forewarm_api::{IS_DEFAULT, Profile};
use forewarm_core::decide::World;
use forewarm_core::observation::{DemandSample, Observation, Reading, Why};
use forewarm_core::policy::{FunctionKey, Policy};
use forewarm_core::units::{Mono, Now, Seconds, Slots};
use forewarm_source::{DemandReader, Member, Membership, ProfileState, Readings, Source};

use super::policies::{PolicySeen, Usable};
use super::stores::Stores;
use super::view::{View, lead_time, view};
use crate::target::{Kinds, TargetRef};

/// A list that lost more than half of its objects is believed after this long.
const BELIEVED_AFTER: Seconds = Seconds(600);
/// Profile of a function that names none while there is no default: no profile has this name.
const NO_PROFILE: &str = "";

/// One function as seen in one tick.
#[derive(Debug)]
pub struct Seen {
    /// Its stored policy, with the status.
    pub stored: Arc<PolicySeen>,
    /// What the user asks, with the namespace's pause.
    pub policy: Policy,
    /// What is seen.
    pub observation: Observation,
    /// What the policy names.
    pub target: TargetRef,
    /// Version of the target's object.
    pub resource_version: String,
    /// Demand profile in use. `None`: there is none.
    pub profile: Option<String>,
    /// 95th percentile of its pods' starts. `None`: none seen.
    pub learned: Option<Seconds>,
    /// What is wrong with the profile, with the fix, as far as the profile itself or its source tells.
    pub profile_problem: Option<String>,
}

/// The world at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// When.
    pub now: Now,
    /// How many policies and targets there are, and were.
    pub world: World,
    /// Functions that can be decided upon.
    pub functions: BTreeMap<FunctionKey, Seen>,
    /// Policies that cannot be used, each with its problems.
    pub unusable: BTreeMap<FunctionKey, (Arc<PolicySeen>, Vec<PolicyProblem>)>,
    /// State of every profile in use.
    pub profiles: BTreeMap<String, ProfileState>,
}

/// Reads the world.
#[derive(Debug)]
pub struct Observe {
    stores: Stores,
    reader: DemandReader,
    extra_lead: BTreeMap<String, Seconds>,
    known_at: BTreeMap<FunctionKey, Mono>,
    served: BTreeMap<FunctionKey, Slots>,
    before: Option<(World, Mono)>,
    watched: bool,
}

/// A function on its way into the snapshot.
struct Half {
    stored: Arc<PolicySeen>,
    usable: Usable,
    view: View,
    profile: Option<String>,
    scrape: Seconds,
    bad_profile: Option<String>,
}

/// What the stores show.
#[derive(Default)]
struct Look {
    halves: BTreeMap<FunctionKey, Half>,
    unusable: BTreeMap<FunctionKey, (Arc<PolicySeen>, Vec<PolicyProblem>)>,
    profiles: BTreeMap<String, Profile>,
}

impl Look {
    fn members(&self) -> Arc<Membership> {
        Arc::new(Membership::new(self.halves.iter().map(|(key, half)| member(key, half))))
    }
}

/// The policy that has each target: of several that name it the oldest, by name where they are of one second.
fn holders(policies: &BTreeMap<FunctionKey, Arc<PolicySeen>>) -> HashMap<(&str, &TargetSpec), &FunctionKey> {
    let mut holders: HashMap<(&str, &TargetSpec), (i64, &FunctionKey)> = HashMap::new();
    for (key, seen) in policies {
        let Ok(usable) = &seen.parsed else { continue };
        let claim = (seen.created, key);
        let holder = holders.entry((key.namespace.as_str(), &usable.target)).or_insert(claim);
        *holder = claim.min(*holder);
    }
    holders.into_iter().map(|(target, (_, key))| (target, key)).collect()
}

/// The usable part of a policy, or why it is not: its own problems, or an older policy on the same target.
fn usable<'a>(
    key: &FunctionKey,
    stored: &'a PolicySeen,
    holders: &HashMap<(&str, &TargetSpec), &FunctionKey>,
) -> Result<&'a Usable, Vec<PolicyProblem>> {
    let usable = stored.parsed.as_ref().map_err(Clone::clone)?;
    match holders.get(&(key.namespace.as_str(), &usable.target)) {
        Some(holder) if *holder != key => {
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

impl Observe {
    /// Reads these stores and sources. `watched`: the stores are fed by watches, so their age counts.
    pub fn new(stores: Stores, reader: DemandReader, kinds: &Kinds, watched: bool) -> Self {
        let extra_lead = kinds
            .served()
            .map(|(resource, kind)| (resource.kind.clone(), kind.latency()))
            .collect();
        Self {
            stores,
            reader,
            extra_lead,
            known_at: BTreeMap::new(),
            served: BTreeMap::new(),
            before: None,
            watched,
        }
    }

    /// When the least recent of the watches was last known to be alive, on our own clock; the process's start
    /// where one never was.
    pub fn viewed_at(&self, now: Now) -> Mono {
        if !self.watched {
            return now.mono;
        }
        let at = Instant::now();
        let ages = self.stores.health().into_iter().map(|health| health.age(at));
        let oldest = ages
            .max_by_key(|age| age.unwrap_or(Duration::MAX))
            .flatten()
            .unwrap_or(Duration::MAX);
        Mono(
            now.mono
                .0
                .saturating_sub(u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// The largest demand that one ready replica was seen to serve. `None`: none seen yet.
    pub fn suggestion(&self, key: &FunctionKey) -> Option<Slots> {
        self.served.get(key).copied()
    }

    /// The source of that name, for reading the past.
    pub fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.reader.source(name)
    }

    /// The parsed profile of that name. `None`: there is none, or it cannot be used.
    pub fn profile(&self, name: &str) -> Option<Arc<Profile>> {
        self.stores
            .profiles
            .find(Some(name))
            .and_then(|(_, seen)| seen.parsed.as_ref().ok().cloned())
    }

    /// The world now; questions to Prometheus may take `within`.
    pub async fn snapshot(&mut self, now: Now, within: Duration) -> Snapshot {
        let look = self.look(now);
        let readings = self.reader.read(&look.profiles, &look.members(), now, within).await;
        self.join(look, readings, now)
    }

    /// The world now, from the bodies of Prometheus's answers, by profile; no question is asked.
    pub fn assemble(&mut self, now: Now, bodies: &BTreeMap<String, Vec<u8>>) -> Snapshot {
        let look = self.look(now);
        let readings = self.reader.read_bodies(&look.profiles, &look.members(), now, bodies);
        self.join(look, readings, now)
    }

    /// The stores' part of the snapshot.
    fn look(&self, now: Now) -> Look {
        let fresh = !self.watched || self.stores.fresh(Instant::now());
        let policies = self.stores.policies.all();
        let holders = holders(&policies);
        let mut look = Look::default();
        for (key, stored) in &policies {
            match usable(key, stored, &holders) {
                Ok(usable) => self.look_at(key, stored, usable, fresh, now, &mut look),
                Err(problems) => {
                    look.unusable.insert(key.clone(), (Arc::clone(stored), problems));
                }
            }
        }
        look
    }

    /// One function's part; its profile is noted as in use.
    fn look_at(
        &self,
        key: &FunctionKey,
        stored: &Arc<PolicySeen>,
        usable: &Usable,
        fresh: bool,
        now: Now,
        look: &mut Look,
    ) {
        let view = view(&self.stores, key, usable, fresh, now);
        let (mut profile, mut scrape, mut bad_profile) = (None, Seconds(0), None);
        if let Some((name, seen)) = self.stores.profiles.find(usable.profile.as_deref()) {
            match &seen.parsed {
                Ok(parsed) => {
                    scrape = parsed.scrape;
                    look.profiles
                        .entry(name.clone())
                        .or_insert_with(|| Profile::clone(parsed));
                }
                Err(problems) => bad_profile = Some(format!("DemandProfile {name}: {}", sentence(problems))),
            }
            profile = Some(name);
        } else {
            bad_profile = Some(no_profile(usable.profile.as_deref()));
        }
        let (stored, usable) = (Arc::clone(stored), usable.clone());
        look.halves.insert(
            key.clone(),
            Half {
                stored,
                usable,
                view,
                profile,
                scrape,
                bad_profile,
            },
        );
    }

    /// Joins the stores' part with demand.
    fn join(
        &mut self,
        Look {
            halves,
            unusable,
            profiles: _,
        }: Look,
        mut readings: Readings,
        now: Now,
    ) -> Snapshot {
        let functions: BTreeMap<_, _> = halves
            .into_iter()
            .map(|(key, half)| {
                let failed = half
                    .profile
                    .as_ref()
                    .and_then(|name| readings.profiles.get(name)?.failed.as_ref());
                let failed = failed.map(|failure| failure.text.clone());
                let demand = readings
                    .demand
                    .remove(&key)
                    .unwrap_or(Reading::Unknown(Why::NotYetRead));
                let seen = self.finish(&key, half, demand, failed, now);
                (key, seen)
            })
            .collect();
        self.known_at.retain(|key, _| functions.contains_key(key));
        self.served.retain(|key, _| functions.contains_key(key));
        let world = self.world(functions.len() + unusable.len(), &functions, now.mono);
        Snapshot {
            now,
            world,
            functions,
            unusable,
            profiles: readings.profiles,
        }
    }

    fn finish(
        &mut self,
        key: &FunctionKey,
        half: Half,
        demand: Reading<DemandSample>,
        failed: Option<String>,
        now: Now,
    ) -> Seen {
        let Half {
            stored,
            usable,
            view,
            profile,
            scrape,
            bad_profile,
        } = half;
        if let Some(sample) = demand.known() {
            self.known_at.insert(key.clone(), now.mono);
            self.note_served(key, sample, &view);
        }
        let latency = self.extra_lead.get(&usable.target.kind).copied().unwrap_or_default();
        let extra = Seconds(scrape.0.saturating_add(latency.0));
        let mut policy = usable.policy.clone();
        policy.paused |= self.stores.paused.contains(&key.namespace);
        let observation = Observation {
            target: view.workload,
            demand,
            lead_time: lead_time(&usable, view.learned, &stored, extra),
            demand_known_at: self.known_at.get(key).copied(),
        };
        let (target, resource_version, learned) = (view.target, view.resource_version, view.learned);
        Seen {
            stored,
            policy,
            observation,
            target,
            resource_version,
            profile,
            learned,
            profile_problem: bad_profile.or(failed),
        }
    }

    /// Remembers what a ready replica has served at most. More than one call a replica was asked of it at a time
    /// only where it can serve as many or lets them wait: a value to consider, not one to act on.
    fn note_served(&mut self, key: &FunctionKey, sample: &DemandSample, view: &View) {
        let ready = view.workload.known().map_or(0, |target| target.ready.0);
        if ready == 0 {
            return;
        }
        let each = Slots::new((sample.current.get() / f64::from(ready)).ceil());
        if each > self.served.get(key).copied()
            && let Some(each) = each
        {
            self.served.insert(key.clone(), each);
        }
    }

    /// How many policies and targets there are beside how many there were. A great loss stays one until the rest
    /// is back, or until it has lasted.
    fn world(&mut self, policies: usize, functions: &BTreeMap<FunctionKey, Seen>, now: Mono) -> World {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let found = functions
            .values()
            .filter(|seen| seen.observation.target.known().is_some())
            .count();
        let (policies_now, targets_now) = (count(policies), count(found));
        let present = World {
            policies_before: policies_now,
            policies_now,
            targets_before: targets_now,
            targets_now,
        };
        let Some((before, since)) = self.before else {
            self.before = Some((present, now));
            return present;
        };
        let World {
            policies_before,
            targets_before,
            ..
        } = before;
        let world = World {
            policies_before,
            policies_now,
            targets_before,
            targets_now,
        };
        if world.vanished() && !now.passed(since, BELIEVED_AFTER) {
            return world;
        }
        self.before = Some((present, now));
        world
    }
}

fn member(key: &FunctionKey, half: &Half) -> Member {
    Member {
        key: key.clone(),
        profile: half.profile.clone().unwrap_or_else(|| NO_PROFILE.to_owned()),
        kind: half.usable.target.kind.clone(),
        workload: half.usable.target.name.clone(),
        revisions: Vec::new(),
        pods: half.view.pods.clone(),
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
        let usable = Usable {
            policy: forewarm_api::parse(&policy, false).unwrap(),
            target: policy.spec.target_ref.clone(),
            profile: None,
            lead_time: None,
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
    fn of_two_policies_on_one_target_the_older_has_it_and_the_other_is_told() {
        let all = BTreeMap::from([
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
