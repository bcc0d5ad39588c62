//! The status of policies: what was told in, patches on `/status` out. Its only writer. This is the I/O.
//!
//! A status is written when something in it changed that a reader acts upon ([`diff::urgent`]), when a verdict
//! was told, and once an hour for the figures; never because a number wobbled. One merge patch with what
//! changed, over the version of the policy it was made for (W1); no retry: the next tick makes it anew from
//! what it then sees. Between our write and the watch that shows it a function's status is left alone.

mod answer;
pub mod content;
pub mod diff;
mod draft;

pub use self::answer::Written;
use self::answer::{Answer, judge, tally};
use self::content::Remembered;
use self::draft::{Draft, Drafts};
use super::tell::Lines;
use super::{PolicyObject, Told, Unusable};
use crate::lease::Term;
use forewarm_api::status::LastDecision;
use forewarm_api::{FunctionPolicy, FunctionPolicyStatus};
use forewarm_core::beside::beside;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Seconds, Wall};
use futures::StreamExt;
use kube::api::{Patch, PatchParams, ValidationDirective};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Field manager of the status.
pub const MANAGER: &str = "forewarm-status";

/// The status of a policy that has none.
static NONE: LazyLock<FunctionPolicyStatus> = LazyLock::new(FunctionPolicyStatus::default);
/// Writes of one tick, at most: 13 a second at a tick of 15 s.
const A_TICK: usize = 200;
/// Requests at a time.
const AT_ONCE: usize = 8;
/// Deadline of one request.
const DEADLINE: Duration = Duration::from_secs(3);
/// Time of all requests of one call together; the tick has other things to do.
const TOGETHER: Duration = Duration::from_secs(5);
/// How long a status waits for the watch to show our last write.
const VISIBLE: Seconds = Seconds(30);

/// Writes the status of policies.
pub struct StatusWriter {
    client: Client,
    term: watch::Receiver<Term>,
    pending: BTreeMap<FunctionKey, Pending>,
    owed: BTreeMap<FunctionKey, Owed>,
}

/// Our last write, until the watch shows it.
#[derive(Clone, Debug)]
struct Pending {
    /// The version it was written over: any other one in the watch is the write, or newer.
    over: String,
    at: Mono,
    /// What it remembers, where it was accepted.
    remembers: Option<Remembered>,
}

/// What a status still lacks.
#[derive(Clone, Debug, Default)]
struct Owed {
    /// All of it, not only what is urgent.
    whole: bool,
    /// The decision to be named in it.
    decision: Option<LastDecision>,
}

/// One status to write.
struct Write<'a> {
    key: &'a FunctionKey,
    /// The version it was made for.
    over: &'a str,
    patch: Value,
    remembers: Option<Remembered>,
}

impl<'a> Write<'a> {
    /// What makes `new` of `old`; `None` where they are equal.
    fn of(
        key: &'a FunctionKey,
        object: PolicyObject<'a>,
        old: &FunctionPolicyStatus,
        new: &FunctionPolicyStatus,
    ) -> Option<Self> {
        let (patch, remembers) = (diff::patch(old, new)?, Remembered::of(new));
        Some(Self {
            key,
            over: object.resource_version,
            patch,
            remembers,
        })
    }
}

impl std::fmt::Debug for StatusWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (pending, owed) = (self.pending.len(), self.owed.len());
        f.debug_struct("StatusWriter")
            .field("pending", &pending)
            .field("owed", &owed)
            .finish_non_exhaustive()
    }
}

impl StatusWriter {
    /// Writes by `client`, which must not retry by itself, within the `term`.
    pub fn new(client: Client, term: watch::Receiver<Term>) -> Self {
        Self {
            client,
            term,
            pending: BTreeMap::new(),
            owed: BTreeMap::new(),
        }
    }

    /// True when the status must be written before the steps of `told` are carried out: it does not yet hold
    /// the user's own floor that makes them reversible. False in Shadow and where nothing is to be done.
    pub fn must_precede(&self, told: &Told<'_>) -> bool {
        let Some(remembered) = content::remembered(told) else {
            return false;
        };
        let pending = self
            .pending
            .get(told.key)
            .filter(|pending| pending.waits(told.policy, told.now.mono));
        let written = pending.and_then(|pending| pending.remembers);
        let stored = told.policy.status.and_then(Remembered::of);
        !remembered.is_covered_by(written) && !remembered.is_covered_by(stored)
    }

    /// Writes the status of those that [`Self::must_precede`]; the functions whose status could not be written,
    /// and which must therefore not be acted upon in this tick. Lend `outcomes` empty and `after` as `standing`.
    pub async fn before(&mut self, all: &[Told<'_>]) -> BTreeSet<FunctionKey> {
        let must: Vec<&Told<'_>> = all.iter().filter(|told| self.must_precede(told)).collect();
        let mut barred: BTreeSet<FunctionKey> = must.iter().map(|told| told.key.clone()).collect();
        let now = must.first().map_or(Mono::default(), |told| told.now.mono);
        let writes = must
            .iter()
            .filter_map(|told| self.remembering(told))
            .take(A_TICK)
            .collect();
        for (key, answer) in self.send(writes, now).await {
            if answer == Answer::Written {
                barred.remove(&key);
            }
        }
        barred
    }

    /// The write that remembers what makes the steps of `told` reversible; `None` while another one waits to
    /// be seen.
    fn remembering<'a>(&self, told: &Told<'a>) -> Option<Write<'a>> {
        if self.waits(told.key, told.policy, told.now.mono) {
            return None;
        }
        let old = told.policy.status.cloned().unwrap_or_default();
        let new = content::remembered(told)?.laid_over(old.clone());
        Write::of(told.key, told.policy, &old, &new)
    }

    /// Writes these statuses, which protect effects on memory; the functions whose status could not be written, and
    /// whose memory must therefore not be touched in this tick.
    pub async fn memory(
        &mut self,
        statuses: Vec<(FunctionKey, PolicyObject<'_>, FunctionPolicyStatus)>,
        now: Mono,
    ) -> BTreeSet<FunctionKey> {
        let mut barred: BTreeSet<FunctionKey> = statuses.iter().map(|(key, ..)| key.clone()).collect();
        let write = |(key, object, new): &'_ (FunctionKey, PolicyObject<'_>, FunctionPolicyStatus)| {
            let old = object.status.cloned().unwrap_or_default();
            (!self.waits(key, *object, now))
                .then(|| diff::patch(&old, new).map(|patch| (patch, Remembered::of(new))))?
        };
        let patches: Vec<_> = statuses.iter().map(write).collect();
        let writes = statuses.iter().zip(patches).filter_map(|((key, object, _), patch)| {
            let (patch, remembers) = patch?;
            Some(Write {
                key,
                over: object.resource_version,
                patch,
                remembers,
            })
        });
        for (key, answer) in self.send(writes.take(A_TICK).collect(), now).await {
            if answer == Answer::Written {
                barred.remove(&key);
            }
        }
        barred
    }

    /// Writes what changed. `lines`: what the log told of this tick.
    pub async fn run(
        &mut self,
        all: &[Told<'_>],
        unusable: &[Unusable<'_>],
        lines: &Lines,
        now: (Wall, Mono),
    ) -> Written {
        let due = self.due(lines);
        let due = beside(all.iter().map(|told| told.key), due.iter().map(|key| (key, ())));
        let due = all.iter().zip(due).filter(|(_, due)| due.is_some());
        let mut drafts = Drafts::default();
        for (told, _) in due {
            drafts.extend(self.draft(told, lines));
        }
        let complaints = unusable.iter().filter_map(|bad| self.complaint(bad, now)).collect();
        let (writes, waiting) = self.patches(drafts, complaints);
        let answers = self.send(writes, now.1).await;
        for (key, _) in answers.iter().filter(|(_, answer)| **answer == Answer::Written) {
            self.owed.remove(key);
        }
        self.forget(all, unusable);
        Written {
            waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
            ..tally(answers.values())
        }
    }

    /// Functions of which something may be to write.
    fn due(&self, lines: &Lines) -> BTreeSet<FunctionKey> {
        let new = [&lines.changed, &lines.beats, &lines.differs].into_iter().flatten();
        new.chain(self.owed.keys()).cloned().collect()
    }

    /// What is to be written of one function. What is due and cannot be written yet stays owed.
    fn draft<'a>(&mut self, told: &Told<'a>, lines: &Lines) -> Option<Draft<'a>> {
        let (changed, beat) = (lines.changed.contains(told.key), lines.beats.contains(told.key));
        let owed = self.owed.entry(told.key.clone()).or_default();
        owed.whole |= changed || beat;
        if changed && let Some(decision) = content::last_decision(told) {
            owed.decision = Some(decision);
        }
        let owed = owed.clone();
        if self.waits(told.key, told.policy, told.now.mono) {
            return None;
        }
        let new = content::status(told, told.policy.status.unwrap_or(&NONE), owed.decision);
        let urgent = diff::urgent(told.policy.status.unwrap_or(&NONE), &new);
        if !owed.whole && !urgent {
            self.owed.remove(told.key);
            return None;
        }
        Some(Draft {
            key: told.key,
            object: told.policy,
            urgent,
            new,
        })
    }

    /// The patches of what is written in this tick: what is urgent, the complaints, the rest. And how much waits.
    fn patches<'a>(&mut self, drafts: Drafts<'a>, complaints: Vec<Write<'a>>) -> (Vec<Write<'a>>, usize) {
        let Drafts {
            urgent,
            figures,
            mut waiting,
        } = drafts;
        let mut write = |draft: Draft<'a>| {
            let Draft { key, object, new, .. } = draft;
            let write = Write::of(key, object, object.status.unwrap_or(&NONE), &new);
            if write.is_none() {
                self.owed.remove(key);
            }
            write
        };
        let mut writes: Vec<Write<'a>> = urgent.into_iter().filter_map(&mut write).collect();
        writes.extend(complaints);
        waiting += writes.len().saturating_sub(A_TICK);
        writes.truncate(A_TICK);
        let mut figures = figures.into_iter();
        while writes.len() < A_TICK
            && let Some(draft) = figures.next()
        {
            writes.extend(write(draft));
        }
        (writes, waiting + figures.len())
    }

    /// What is to be written of a policy that cannot be used.
    fn complaint<'a>(&self, bad: &Unusable<'a>, (wall, mono): (Wall, Mono)) -> Option<Write<'a>> {
        if self.waits(bad.key, bad.policy, mono) {
            return None;
        }
        let old = bad.policy.status.cloned().unwrap_or_default();
        let new = content::unusable(bad, &old, wall);
        Write::of(bad.key, bad.policy, &old, &new)
    }

    fn waits(&self, key: &FunctionKey, object: PolicyObject<'_>, now: Mono) -> bool {
        self.pending.get(key).is_some_and(|pending| pending.waits(object, now))
    }

    /// Drops what is remembered of policies that are gone.
    fn forget(&mut self, all: &[Told<'_>], unusable: &[Unusable<'_>]) {
        let gone = |keys: Vec<&FunctionKey>| -> Vec<FunctionKey> {
            let known = beside(keys.clone(), all.iter().map(|told| (told.key, ())));
            let gone = keys.into_iter().zip(known).filter(|(_, known)| known.is_none());
            gone.map(|(key, _)| key.clone()).collect()
        };
        let (pending, owed) = (gone(self.pending.keys().collect()), gone(self.owed.keys().collect()));
        let bad: BTreeSet<&FunctionKey> = unusable.iter().map(|bad| bad.key).collect();
        for key in pending.iter().filter(|key| !bad.contains(key)) {
            self.pending.remove(key);
        }
        for key in owed.iter().filter(|key| !bad.contains(key)) {
            self.owed.remove(key);
        }
    }

    /// Sends the writes, a few at a time; one that the time did not suffice for counts as unanswered. Until the
    /// watch shows what became of it a status waits; also one that was refused: asked again each tick, it would
    /// take the place of others. None begins unless the term lasts until all have ended (W2): what another leader
    /// has written since must not be written over.
    async fn send(&mut self, writes: Vec<Write<'_>>, at: Mono) -> BTreeMap<FunctionKey, Answer> {
        if self.term.borrow().left(Instant::now()) < TOGETHER {
            return writes.iter().map(|write| (write.key.clone(), Answer::None)).collect();
        }
        let pending: Vec<(FunctionKey, Pending)> = writes.iter().map(|write| pending(write, at)).collect();
        let mut answers = self.ask(writes).await;
        for (key, mut pending) in pending {
            let answer = *answers.entry(key.clone()).or_insert(Answer::None);
            if answer == Answer::Outdated {
                self.pending.remove(&key);
                continue;
            }
            pending.remembers = pending.remembers.filter(|_| answer == Answer::Written);
            self.pending.insert(key, pending);
        }
        answers
    }

    /// The answers that came in time.
    async fn ask(&self, writes: Vec<Write<'_>>) -> BTreeMap<FunctionKey, Answer> {
        let mut answers = BTreeMap::new();
        let asked = writes.into_iter().map(|write| self.write(write));
        let mut asked = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        let all = async {
            while let Some((key, answer)) = asked.next().await {
                answers.insert(key, answer);
            }
        };
        if tokio::time::timeout(TOGETHER, all).await.is_err() {
            tracing::warn!(after = ?TOGETHER, "Status writes were cut short.");
        }
        answers
    }

    async fn write(&self, write: Write<'_>) -> (FunctionKey, Answer) {
        let Write {
            key,
            over,
            patch,
            remembers: _,
        } = write;
        let api: Api<FunctionPolicy> = Api::namespaced(self.client.clone(), &key.namespace);
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({"metadata": {"resourceVersion": over}, "status": patch}));
        let answer = tokio::time::timeout(DEADLINE, api.patch_status(&key.name, &params, &patch)).await;
        (
            key.clone(),
            answer.map_or(Answer::None, |answer| judge(key, answer.map(drop))),
        )
    }
}

fn pending(write: &Write<'_>, at: Mono) -> (FunctionKey, Pending) {
    let over = write.over.to_owned();
    (
        write.key.clone(),
        Pending {
            over,
            at,
            remembers: write.remembers,
        },
    )
}

impl Pending {
    /// True while the watch still shows what was written over.
    fn waits(&self, object: PolicyObject<'_>, now: Mono) -> bool {
        self.over == object.resource_version && !now.passed(self.at, VISIBLE)
    }
}

#[cfg(test)]
mod tests;
