//! The gate: one step in, one outcome out, at most one mutating request in between.
//!
//! Switch, lease term, namespace and name, a live look where one is due, the intent line, the request with its
//! deadline and without a retry, the outcome line. The only owner of the mutating client.

use super::Intent;
use super::answer::{is_definite, outcome_of, refused};
use super::own_writes::{Next, OwnWrites};
use super::write::Write;
use crate::lease::Term;
use crate::record::Journal;
use crate::record::line::{AnyStep, IntentLine, OutcomeLine, print};
use crate::switch::Switch;
use crate::target::{BuildError, Kinds, Resource, TargetKind};
use forewarm_core::decision::Step;
use forewarm_core::observation::Recorded;
use forewarm_core::outcome::{Fence, Outcome, RefusedKind};
use forewarm_core::units::{Now, Replicas, Seconds};
use http::{HeaderValue, Request};
use kube::Client;
use kube::api::DynamicObject;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Deadline of each call: half the 10 s after which a leader that cannot renew steps down.
const DEADLINE: Duration = Duration::from_secs(5);

/// Oldest view of a target on which it may be lowered (W6).
const OLDEST_VIEW: Seconds = Seconds(60);

/// The request is sent once; another try is another decision.
const ATTEMPT: u32 = 1;

/// The way to the API server for every write to a target.
pub struct Gate {
    client: Client,
    kinds: Arc<Kinds>,
    switch: Arc<Switch>,
    term: watch::Receiver<Term>,
    pub(super) journal: Arc<dyn Journal>,
    own: OwnWrites,
}

/// `<decision>.<step>.<attempt>`, both counted from 1: the request's `Audit-ID`.
pub fn audit_id(decision: &str, place: usize, attempt: u32) -> String {
    format!("{decision}.{}.{attempt}", place.saturating_add(1))
}

impl Gate {
    /// A gate over `client`, which must be an own connection without retries.
    pub fn new(
        client: Client,
        kinds: Arc<Kinds>,
        switch: Arc<Switch>,
        term: watch::Receiver<Term>,
        journal: Arc<dyn Journal>,
    ) -> Self {
        Self {
            client,
            kinds,
            switch,
            term,
            journal,
            own: OwnWrites::default(),
        }
    }

    /// What the watch shows of an object: a write of ours that is in it counts as visible (W5). Returns the value of
    /// one that is not.
    pub(super) fn seen(&self, uid: &str, floor: Replicas, resource_version: &str) -> Option<Replicas> {
        self.own.seen(uid, floor, resource_version);
        self.own.unseen(uid)
    }

    /// Carries out the step at `place` of `intent`.
    pub(super) async fn send(&self, intent: &Intent, place: usize, step: &Step, now: Now) -> Outcome {
        self.pass(intent, place, step, now)
            .await
            .unwrap_or_else(|outcome| outcome)
    }

    async fn pass(&self, intent: &Intent, place: usize, step: &Step, now: Now) -> Result<Outcome, Outcome> {
        let write = Write::of(step);
        self.open().await?;
        let (resource, kind) = self.admit(intent)?;
        let id = audit_id(&intent.decision, place, ATTEMPT);
        let request = if let Step::DropClaim { .. } = step {
            match self.drop_claim(intent, resource, kind, &write).await? {
                Some(request) => request,
                None => return Ok(Outcome::Applied),
            }
        } else {
            let request = kind
                .request(resource, &intent.target, step)
                .map_err(|error| unfit(&error))?;
            if !write.elsewhere && self.look_is_due(&write, intent, now)? {
                self.live(intent, resource, kind, &write).await?;
                self.open().await?;
            }
            request
        };
        let request = marked(request, &id)?;
        let sent = Instant::now();
        let outcome = self.call(&intent_line(intent, step, &id), request, &write).await;
        print(
            self.journal.as_ref(),
            &outcome_line(intent, &outcome, &id, sent.elapsed()),
        );
        Ok(outcome)
    }

    /// The request that drops our claim, made from a live look: it moves nothing, so it need not wait until the watch
    /// shows the write before it (W5). `None`: there is no claim.
    async fn drop_claim(
        &self,
        intent: &Intent,
        resource: &Resource,
        kind: &dyn TargetKind,
        write: &Write<'_>,
    ) -> Result<Option<Request<Vec<u8>>>, Outcome> {
        let live = self.live(intent, resource, kind, write).await?;
        self.open().await?;
        kind.drop_claim(resource, &intent.target, &live)
            .map_err(|error| unfit(&error))
    }

    /// Switch and lease: fails unless a whole deadline of the term is left, so a request that starts now ends
    /// within it (W2).
    pub(super) async fn open(&self) -> Result<(), Outcome> {
        if !self.switch.allows().await {
            return fenced(Fence::SwitchedOff);
        }
        let left = self.term.borrow().left(Instant::now());
        if left < DEADLINE {
            fenced(Fence::LeaseLost)
        } else {
            Ok(())
        }
    }

    /// Namespace and kind (W4).
    fn admit(&self, intent: &Intent) -> Result<(&Resource, &'static dyn TargetKind), Outcome> {
        if *intent.target.namespace != *intent.key.namespace {
            return fenced(Fence::ForeignNamespace);
        }
        self.kinds.find(&intent.target).ok_or_else(|| {
            refused(
                RefusedKind::Invalid,
                "this kind is not among those that may be scaled here",
            )
        })
    }

    /// Whether the object must be looked at first: before a fall (W6), and after a write of ours that the watch
    /// does not show (W5).
    fn look_is_due(&self, write: &Write<'_>, intent: &Intent, now: Now) -> Result<bool, Outcome> {
        if write.falls && now.mono.since(intent.viewed_at) > OLDEST_VIEW.millis() {
            return fenced(Fence::StaleView);
        }
        match self.own.next(write.uid) {
            Next::Wait if write.leaves => Ok(true),
            Next::Wait => fenced(Fence::NotYetVisible),
            Next::AfterLook => Ok(true),
            Next::Free => Ok(write.falls),
        }
    }

    /// Reads the object itself: another object or value than was decided upon is a conflict.
    async fn live(
        &self,
        intent: &Intent,
        resource: &Resource,
        kind: &dyn TargetKind,
        write: &Write<'_>,
    ) -> Result<DynamicObject, Outcome> {
        let path = resource.path(&intent.target).map_err(|error| unfit(&error))?;
        let request = Request::get(path)
            .body(Vec::new())
            .map_err(|error| unfit(&error.into()))?;
        let text = self.ask(request).await?;
        let unreadable = || refused(RefusedKind::ServerError, "the answer could not be read");
        let object: DynamicObject = serde_json::from_str(&text).map_err(|_| unreadable())?;
        let live = kind.read(resource, &object).map_err(|_| unreadable())?;
        let value = live.scales.as_ref().map_or(Recorded::Value(live.replicas), |scales| {
            scales.field.live(live.replicas)
        });
        let as_decided = live.uid == write.uid && write.from.is_none_or(|from| from == value);
        if as_decided { Ok(object) } else { Err(Outcome::Conflict) }
    }

    async fn call(&self, line: &IntentLine<'_>, request: Request<Vec<u8>>, write: &Write<'_>) -> Outcome {
        match self.ask_on_record(line, request).await {
            Ok(text) => {
                match write.to {
                    _ if write.elsewhere => {}
                    Some(to) => self.own.accepted(write.uid, to, version(&text)),
                    None => self.own.touched(write.uid, version(&text)),
                }
                Outcome::Applied
            }
            Err(outcome) => {
                if let Some(to) = write.to.filter(|_| !is_definite(&outcome)) {
                    self.own.uncertain(write.uid, to);
                }
                outcome
            }
        }
    }

    /// Sends a request once its intent is on record; without that, nothing (A1).
    pub(super) async fn ask_on_record(
        &self,
        line: &IntentLine<'_>,
        request: Request<Vec<u8>>,
    ) -> Result<String, Outcome> {
        if !print(self.journal.as_ref(), line).printed().await {
            return fenced(Fence::IntentNotPrinted);
        }
        // The log may have taken its time.
        self.open().await?;
        self.ask(request).await
    }

    pub(super) async fn ask(&self, request: Request<Vec<u8>>) -> Result<String, Outcome> {
        match timeout(DEADLINE, self.client.request_text(request)).await {
            Ok(answer) => answer.map_err(|error| outcome_of(&error)),
            Err(_) => Err(Outcome::TimedOut),
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("kinds", &self.kinds)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

pub(super) fn fenced<T>(by: Fence) -> Result<T, Outcome> {
    Err(Outcome::Fenced { by })
}

fn unfit(error: &BuildError) -> Outcome {
    refused(RefusedKind::Invalid, &error.to_string())
}

pub(super) fn marked(mut request: Request<Vec<u8>>, id: &str) -> Result<Request<Vec<u8>>, Outcome> {
    let id = HeaderValue::from_str(id).map_err(|_| refused(RefusedKind::Invalid, "the decision id is no header"))?;
    request.headers_mut().insert("audit-id", id);
    Ok(request)
}

/// Resource version of the object in an answer. `None`: not there, or not a number.
fn version(answer: &str) -> Option<u64> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer.get("metadata")?.get("resourceVersion")?.as_str()?.parse().ok()
}

fn intent_line<'a>(intent: &'a Intent, step: &'a Step, id: &'a str) -> IntentLine<'a> {
    IntentLine {
        namespace: &intent.key.namespace,
        policy: &intent.key.name,
        target: &intent.target,
        decision: &intent.decision,
        audit_id: id,
        step: AnyStep::Floor(step),
    }
}

fn outcome_line<'a>(intent: &'a Intent, outcome: &'a Outcome, id: &'a str, took: Duration) -> OutcomeLine<'a> {
    OutcomeLine {
        namespace: &intent.key.namespace,
        policy: &intent.key.name,
        decision: &intent.decision,
        audit_id: id,
        outcome,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    }
}
