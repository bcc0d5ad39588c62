//! The room as the tick calls it: observe, decide, record, apply and tell, for memory and health.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use forewarm_api::memory::restore_memory;
use forewarm_core::memory::{
    ContainerBounds, Crash, MemoryDecision, MemoryInputs, MemoryMode, MemoryPolicy, MemorySeen, MemoryStanding,
    MemoryStep, Runtime, Said, StuckRemedy,
};
use forewarm_core::outcome::Outcome;
use forewarm_core::plan::remedy::outlier;
use forewarm_core::policy::FunctionKey;
use forewarm_core::service::Served;
use forewarm_core::units::{Now, Seconds};
use forewarm_forecast::load::Loads;
use ulid::Ulid;

use super::allowed;
use super::ask::MemoryQuestions;
use super::leak::Leaks;
use super::leftover::Leftovers;
use crate::apply::{Apply, MemoryIntent};
use crate::observe::health::seen as sight_of;
use crate::observe::pods::Owner;
use crate::observe::policies::Usable;
use crate::observe::{Observe, Seen, Snapshot};
use crate::record::health::{self, MemoryLine};
use crate::record::room::Record;
use crate::target::TargetRef;

/// Ticks that a pod may be unready while its siblings serve, and twice its lead time at least: 5 minutes at 15 s.
const TICKS: u32 = 20;
/// The source that has the container metrics.
const SOURCE: &str = "default";

/// Decides and carries out what concerns memory and health.
#[derive(Debug)]
pub struct Health {
    questions: MemoryQuestions,
    leaks: Leaks,
    loads: Loads,
    standing: BTreeMap<FunctionKey, MemoryStanding>,
    told: BTreeMap<FunctionKey, Told>,
    leftovers: Leftovers,
    /// The API server lowers limits in place.
    lowers: bool,
    /// How long a pod may be unready while its siblings serve.
    patience: Seconds,
}

/// What was last told of a function: why, and what became of the steps.
#[derive(Debug, Default)]
struct Told {
    said: Vec<Said>,
    outcomes: Vec<Outcome>,
}

/// One function on its way.
struct One<'a> {
    key: &'a FunctionKey,
    seen: &'a Seen,
    id: String,
    inputs: MemoryInputs,
    decision: MemoryDecision,
}

impl Health {
    /// Of an API server of that minor version, with samples every `tick`.
    pub fn new(minor: u32, tick: Seconds) -> Self {
        Self {
            questions: MemoryQuestions::default(),
            leaks: Leaks::new(tick),
            loads: Loads::default(),
            standing: BTreeMap::new(),
            told: BTreeMap::new(),
            leftovers: Leftovers::default(),
            lowers: minor >= 34,
            patience: Seconds(tick.0.saturating_mul(TICKS)),
        }
    }

    /// What is in force is the leader's to know; the policies' status tells it at a take-over.
    pub fn forget(&mut self) {
        self.standing.clear();
        self.told.clear();
        self.leftovers.forget();
    }

    /// One pass.
    pub async fn run(
        &mut self,
        snapshot: &Snapshot,
        observe: &Observe,
        record: &mut Record,
        apply: &Apply,
        within: Duration,
    ) {
        let now = snapshot.now;
        let concerned: Vec<(&FunctionKey, &Seen, MemoryPolicy)> = snapshot
            .functions
            .iter()
            .filter_map(|(key, seen)| Some((key, seen, self.concerns(key, seen, observe)?)))
            .collect();
        self.standing.retain(|key, _| snapshot.functions.contains_key(key));
        self.told.retain(|key, _| snapshot.functions.contains_key(key));
        if concerned.iter().any(|(.., policy)| policy.mode != MemoryMode::Off) {
            if concerned.iter().any(|(key, ..)| !self.standing.contains_key(*key)) {
                self.questions.past_is_due();
            }
            let levels = |bounds: &ContainerBounds| bounds.runtime == Runtime::Inference;
            let plateau = concerned
                .iter()
                .any(|(.., policy)| policy.containers.iter().any(levels));
            let source = observe.source(SOURCE);
            self.questions.ask(source, plateau, now.mono, within).await;
        }
        self.leaks.forget(now.mono);
        self.loads.forget(now.mono);
        let all: Vec<One<'_>> = concerned
            .into_iter()
            .map(|(key, seen, policy)| self.decide((key, seen), policy, observe, snapshot))
            .collect();
        let barred = self.remember(&all, record, now).await;
        let outcomes = carry_out(&all, &barred, observe, apply, now).await;
        let due = self
            .leftovers
            .due(observe.left_newborns(), snapshot.world.vanished(), now.mono);
        if !due.is_empty() {
            apply
                .memory(due.iter().map(|left| forgotten(left, now)).collect(), now)
                .await;
        }
        for one in all {
            self.tell(one, &barred, &outcomes, record, now);
        }
    }

    /// The policy of a function that something may have to be said or done about; most have nothing.
    fn concerns(&self, key: &FunctionKey, seen: &Seen, observe: &Observe) -> Option<MemoryPolicy> {
        let Usable {
            memory: policy,
            workload: owner,
            ..
        } = seen.stored.parsed.as_ref().ok()?;
        let asked = policy.mode != MemoryMode::Off || policy.stuck != StuckRemedy::Report;
        let compared = seen.served.pods.len() > outlier::SIBLINGS;
        let open = self.told.get(key).is_some_and(|told| !told.said.is_empty());
        let written = || {
            observe
                .births(&seen.target, owner)
                .is_some_and(|births| !births.is_empty())
        };
        let fails = seen.function.observation.failing.is_some();
        (asked || compared || open || fails || !seen.well || written()).then(|| MemoryPolicy {
            enforce: seen.function.policy.mode,
            paused: seen.function.policy.paused,
            ..policy.clone()
        })
    }

    fn decide<'a>(
        &mut self,
        (key, seen): (&'a FunctionKey, &'a Seen),
        policy: MemoryPolicy,
        observe: &Observe,
        snapshot: &Snapshot,
    ) -> One<'a> {
        let now = snapshot.now;
        let status = seen.stored.status.as_ref();
        let standing = self.standing.entry(key.clone()).or_insert_with(|| {
            status.map_or_else(MemoryStanding::default, |status| {
                restore_memory(&status.memory, &status.quarantine)
            })
        });
        let standing = standing.clone();
        let sight = self.sight(seen, observe, now);
        let inputs = MemoryInputs {
            policy,
            seen: MemorySeen {
                world_vanished: snapshot.world.vanished(),
                loads: self.loads.follow(key, &seen.function, &sight, now.mono),
                ..sight
            },
            standing,
            now: now.wall,
        };
        let decision = inputs.decide();
        One {
            key,
            seen,
            id: Ulid::new().to_string(),
            inputs,
            decision,
        }
    }

    /// What is seen of one function's memory.
    fn sight(&mut self, seen: &Seen, observe: &Observe, now: Now) -> MemorySeen {
        let owner = owner(seen);
        let (pods, kills) = observe.pod_health(&owner);
        let mut sight = sight_of(pods, kills);
        let namespace = &owner.namespace;
        for pod in &mut sight.pods {
            pod.served = served(seen, &pod.name);
            for (name, container) in &mut pod.containers {
                container.working_set = self.questions.working_set(namespace, &pod.name, name);
                let used = container.working_set.known().copied();
                container.leaking = self.leaks.sample(&pod.uid, name, container.restarts, used, now.mono);
            }
        }
        for kill in &mut sight.ooms {
            let pod = sight.pods.iter().find(|pod| pod.name == kill.pod);
            kill.leaking = pod.is_some_and(|pod| pod.containers.get(&kill.container).is_some_and(|c| c.leaking));
        }
        if let Some(template) = observe.template(&seen.target) {
            let second = now.wall.0.div_euclid(1000);
            let own = |pod: &str| is_own(pod, &owner.name);
            let past = |name: &String| (name.clone(), self.questions.past(namespace, name, own, second));
            sight.past = template.containers.keys().map(past).collect();
            sight.default_container.clone_from(&template.default);
            sight.template.clone_from(&template.containers);
            sight.go_limits.clone_from(&template.go_limits);
        }
        let (allowed, left) = observe.allowed(namespace);
        allowed::fill(&mut sight, allowed, left);
        sight.node_most = observe.largest_node();
        sight.births = observe.births(&seen.target, &owner);
        sight.conflict = observe.sizes_memory(&seen.target);
        sight.lowers_in_place = self.lowers;
        let lead = seen.function.observation.lead_time.total.0.saturating_mul(2);
        sight.patience = i64::from(self.patience.0.max(lead));
        let failing = seen.function.observation.failing.clone();
        sight.worse = failing.filter(|failing| failing.cause == Crash::WorseThanSiblings);
        sight
    }

    /// What protects an effect is in the status before it. Returns the functions whose record failed.
    async fn remember(&self, all: &[One<'_>], record: &mut Record, now: Now) -> BTreeSet<FunctionKey> {
        let mut statuses = Vec::new();
        for one in all {
            let object = one.seen.stored.object();
            let status = health::status(object, &one.decision.standing, &one.decision.said, now.wall);
            if status != object.status.cloned().unwrap_or_default() {
                statuses.push((one.key.clone(), object, status));
            }
        }
        record.memory(statuses, now.mono).await
    }

    fn tell(
        &mut self,
        one: One<'_>,
        barred: &BTreeSet<FunctionKey>,
        outcomes: &BTreeMap<FunctionKey, Vec<Outcome>>,
        record: &mut Record,
        now: Now,
    ) {
        let One {
            key,
            seen,
            id,
            inputs,
            decision,
        } = one;
        let done = outcomes.get(key).map_or(&[][..], Vec::as_slice);
        if !barred.contains(key) {
            self.standing
                .insert(key.clone(), MemoryStanding::fold(&decision, done, now.wall));
        }
        let told = self.told.get(key);
        let news = told.is_none_or(|told| !same(&told.said, &decision.said));
        // A refusal that is the same as a tick ago is no news.
        let done_anew = done.contains(&Outcome::Applied) || told.map_or(&[][..], |told| &told.outcomes) != done;
        if news && (told.is_some() || !decision.said.is_empty()) || done_anew && !done.is_empty() {
            record.health(
                &MemoryLine::of(key, &seen.target, &id, &inputs, &decision, done),
                key,
                seen.stored.object(),
                now,
            );
        }
        let (said, outcomes) = (decision.said, done.to_vec());
        self.told.insert(key.clone(), Told { said, outcomes });
    }
}

/// How a pod serves. `None`: not known.
fn served(function: &Seen, pod: &str) -> Option<Served> {
    function.served.pods.get(pod).copied()
}

/// Equal but for their values, which may wobble.
fn same(one: &[Said], other: &[Said]) -> bool {
    let words = |said: &Said| (said.subject.clone(), said.reason);
    one.iter().map(words).eq(other.iter().map(words))
}

async fn carry_out(
    all: &[One<'_>],
    barred: &BTreeSet<FunctionKey>,
    observe: &Observe,
    apply: &Apply,
    now: Now,
) -> BTreeMap<FunctionKey, Vec<Outcome>> {
    let viewed_at = observe.viewed_at(now);
    let open = all
        .iter()
        .filter(|one| !barred.contains(one.key) && !one.decision.steps.is_empty());
    let intents = open.map(|one| MemoryIntent {
        key: one.key.clone(),
        target: TargetRef::clone(&one.seen.target),
        decision: one.id.clone(),
        viewed_at,
        steps: one.decision.steps.clone(),
    });
    let intents: Vec<MemoryIntent> = intents.collect();
    let outcomes = apply.memory(intents.clone(), now).await;
    apply.settle(&intents, &outcomes).await;
    outcomes
}

/// The intent that removes an entry, which is told with its reason; it belongs to no policy any more, so it goes by the workload's own name.
fn forgotten((namespace, key): &(String, String), now: Now) -> MemoryIntent {
    let (kind, name) = key.split_once('/').unwrap_or(("", key));
    let decision = Ulid::new().to_string();
    tracing::info!(%namespace, workload = %key, %decision, "Newborn pods get their template's memory again: no policy names the workload.");
    MemoryIntent {
        key: FunctionKey {
            namespace: namespace.as_str().into(),
            name: name.into(),
        },
        target: TargetRef {
            api_version: String::new(),
            kind: kind.to_owned(),
            namespace: namespace.clone(),
            name: name.to_owned(),
        },
        decision,
        viewed_at: now.mono,
        steps: vec![MemoryStep::SetBirth {
            containers: BTreeMap::new(),
        }],
    }
}

fn owner(seen: &Seen) -> Owner {
    Owner {
        namespace: seen.target.namespace.as_str().into(),
        kind: seen.target.kind.as_str().into(),
        name: seen.target.name.as_str().into(),
    }
}

/// Whether a pod, live or dead, is of that workload by its name: `NAME-HASH-SUFFIX`, or `NAME-ORDINAL`.
fn is_own(pod: &str, workload: &str) -> bool {
    let Some(rest) = pod.strip_prefix(workload).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match rest.split_once('-') {
        Some((hash, suffix)) => plain(hash) && plain(suffix) && suffix.len() == 5,
        None => !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_name_tells_its_workload_and_no_other_one() {
        assert!(is_own("fraud-7c9f-x2b4d", "fraud"));
        assert!(is_own("ledger-0", "ledger"));
        assert!(!is_own("fraud-scorer-7c9f-x2b4d", "fraud"));
        assert!(!is_own("fraud", "fraud"));
    }
}
