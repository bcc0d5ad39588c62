//! The room as the tick calls it: everything that is told in one tick, in its order.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use forewarm_api::FunctionPolicyStatus;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::FunctionKey;
use forewarm_core::standing::Standing;
use forewarm_core::units::{Mono, Now};
use ulid::Ulid;

use super::events::Events;
use super::health::MemoryLine;
use super::line::{ReleaseLine, print};
use super::metrics::Metrics;
use super::notices::Notices;
use super::status::StatusWriter;
use super::tell::Teller;
use super::{Journal, PolicyObject, Told, Unusable};
use crate::apply::Intent;
use crate::observe::Snapshot;
use crate::observe::left::Left;
use crate::target::TargetRef;

/// What a user is told of a workload whose policy is gone.
const STAYS: &str = "policy gone: a scaler gets its own floor back; without one, replicas stay as they are";

/// What a user is told of a scaler's floor that went back.
pub const GIVEN_BACK: &str = "given back: the user's own floor, and our entry is off the object";

/// What a user is told of one that did not go back yet.
pub const NOT_YET: &str =
    "not given back yet: the outcomes say why; tried again in each tick, told again when they change";

/// What a user is told of one that does not go back while we are being removed.
pub const NOT_GIVEN_BACK: &str =
    "not given back: the outcomes say why; our floor and our annotation stay on the object";

/// Tells the world.
#[derive(Debug)]
pub struct Record {
    journal: Arc<dyn Journal>,
    teller: Teller,
    notices: Notices,
    status: StatusWriter,
    events: Events,
    metrics: Metrics,
    /// What was last told of floors that are not given back yet.
    leaving: HashMap<TargetRef, Vec<Outcome>>,
}

impl std::fmt::Debug for dyn Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("head", &self.head()).finish()
    }
}

impl Record {
    /// Tells through `journal`, and the policies' status through `status`.
    pub fn new(journal: Arc<dyn Journal>, status: StatusWriter, events: Events, metrics: Metrics) -> Self {
        Self {
            teller: Teller::new(Arc::clone(&journal)),
            notices: Notices::new(Arc::clone(&journal)),
            journal,
            status,
            events,
            metrics,
            leaving: HashMap::new(),
        }
    }

    /// Where the other rooms tell how long they took.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What must be on record before the effect it protects. Returns the functions whose record failed: their
    /// effect must wait.
    pub async fn before(&mut self, told: &[Told<'_>]) -> BTreeSet<FunctionKey> {
        self.status.before(told).await
    }

    /// What of memory must be on record before the effect it protects. Returns the functions whose record failed.
    pub async fn memory(
        &mut self,
        statuses: Vec<(FunctionKey, PolicyObject<'_>, FunctionPolicyStatus)>,
        now: Mono,
    ) -> BTreeSet<FunctionKey> {
        self.status.memory(statuses, now).await
    }

    /// Tells what was decided about memory and health.
    pub fn health(&mut self, line: &MemoryLine<'_>, key: &FunctionKey, policy: PolicyObject<'_>, now: Now) {
        print(&*self.journal, line);
        self.events.health(key, policy, line.output, now);
    }

    /// Tells what was decided and done.
    pub async fn run(&mut self, told: &[Told<'_>], snapshot: &Snapshot) {
        let unusable: Vec<Unusable<'_>> = snapshot
            .unusable
            .iter()
            .map(|(key, (stored, problems))| Unusable {
                key,
                policy: stored.object(),
                problems,
            })
            .collect();
        let mut lines = self.teller.tick(told);
        self.notices.sources(&snapshot.profiles);
        let usable = told.iter().map(|told| told.key);
        lines.changed.extend(self.notices.policies(&unusable, usable));
        let Now { wall, mono } = snapshot.now;
        self.events.tick(told, &unusable, &lines, wall, mono);
        let written = self.status.run(told, &unusable, &lines, (wall, mono)).await;
        self.metrics.queried(&snapshot.profiles);
        let failures = self.journal.failures();
        self.metrics.told(told, unusable.len(), &lines, written, failures);
    }

    /// A tick of a replica that does not lead: its log and the policies are the leader's to write.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        self.metrics.queried(&snapshot.profiles);
        self.metrics.follows();
    }

    /// A floor that no policy holds any more was given back, or could not be; that is told once, and again when the
    /// reason changes.
    pub fn given_back(&mut self, left: &Left, intent: &Intent, outcomes: &[Outcome]) {
        let all = outcomes.iter().all(|outcome| *outcome == Outcome::Applied);
        let before = if all {
            self.leaving.remove(&left.writes)
        } else {
            self.leaving.insert(left.writes.clone(), outcomes.to_vec())
        };
        if before.as_deref() == Some(outcomes) {
            return;
        }
        let line = ReleaseLine {
            namespace: &left.writes.namespace,
            policy: "",
            target: Some(&left.writes),
            decision: &intent.decision,
            stays: None,
            outcomes,
            note: if all { GIVEN_BACK } else { NOT_YET },
        };
        print(&*self.journal, &line);
    }

    /// A policy is gone.
    pub fn released(&mut self, key: &FunctionKey, standing: &Standing) {
        let (decision, stays) = (Ulid::new().to_string(), standing.held);
        let (namespace, policy) = (&*key.namespace, &*key.name);
        let line = ReleaseLine {
            namespace,
            policy,
            target: None,
            decision: &decision,
            stays,
            outcomes: &[],
            note: STAYS,
        };
        print(&*self.journal, &line);
    }
}
