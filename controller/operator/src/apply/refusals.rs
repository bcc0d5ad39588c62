//! Refusals of late: what was refused is not asked again at once, so that one namespace's refusals use up no
//! other's share of the tick. Memory only.

use crate::target::TargetRef;
use forewarm_core::decision::Step;
use forewarm_core::outcome::{Outcome, RefusedKind};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a refusal stands in for the server's answer: two ticks, so a new `RoleBinding` is noticed soon.
const STANDS: Duration = Duration::from_secs(30);

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asked {
    /// Any write to this kind in this namespace: the operator has no role there.
    Namespace {
        namespace: String,
        api_version: String,
        kind: String,
    },
    /// An entry for newborn pods in this namespace.
    Births { namespace: String },
    /// Exactly this change.
    Change {
        target: TargetRef,
        uid: String,
        to: u32,
        what: &'static str,
    },
}

/// Refusals of the last [`STANDS`].
#[derive(Debug, Default)]
pub(super) struct Refusals {
    known: Mutex<HashMap<Asked, (Instant, Outcome)>>,
}

impl Refusals {
    /// The refusal that still stands for this step.
    pub(super) fn of(&self, target: &TargetRef, step: &Step) -> Option<Outcome> {
        let known = self.lock();
        let standing = |asked| known.get(&asked).filter(|(at, _)| at.elapsed() < STANDS);
        let (_, outcome) = standing(namespace(target)).or_else(|| standing(change(target, step)))?;
        Some(outcome.clone())
    }

    /// Remembers `outcome` where asking again would get the same answer.
    pub(super) fn remember(&self, target: &TargetRef, step: &Step, outcome: &Outcome) {
        let asked = match outcome {
            Outcome::Refused {
                kind: RefusedKind::PermissionDenied,
                ..
            } => namespace(target),
            Outcome::Refused {
                kind: RefusedKind::Invalid,
                ..
            } => change(target, step),
            _ => return,
        };
        self.lock().insert(asked, (Instant::now(), outcome.clone()));
    }

    /// The refusal that still stands for entries for newborn pods.
    pub(super) fn of_births(&self, target: &TargetRef) -> Option<Outcome> {
        let known = self.lock();
        let (at, outcome) = known.get(&births(target))?;
        (at.elapsed() < STANDS).then(|| outcome.clone())
    }

    /// Remembers a refusal of an entry for newborn pods.
    pub(super) fn remember_births(&self, target: &TargetRef, outcome: &Outcome) {
        if matches!(outcome, Outcome::Refused { .. }) {
            self.lock().insert(births(target), (Instant::now(), outcome.clone()));
        }
    }

    /// Forgets what no longer stands.
    pub(super) fn forget_old(&self) {
        self.lock().retain(|_, (at, _)| at.elapsed() < STANDS);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Asked, (Instant, Outcome)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn births(target: &TargetRef) -> Asked {
    Asked::Births {
        namespace: target.namespace.clone(),
    }
}

fn namespace(target: &TargetRef) -> Asked {
    Asked::Namespace {
        namespace: target.namespace.clone(),
        api_version: target.api_version.clone(),
        kind: target.kind.clone(),
    }
}

fn change(target: &TargetRef, step: &Step) -> Asked {
    let (uid, to, what) = match step {
        Step::SetFloor { uid, to, .. } => (uid, to.0, "set"),
        Step::Adopt { uid, value } => (uid, value.0, "adopt"),
        Step::GiveBack { uid, .. } => (uid, 0, "give back"),
        Step::DropClaim { uid } => (uid, 0, "drop claim"),
        Step::Wake { uid, to } => (uid, to.0, "wake"),
    };
    Asked::Change {
        target: target.clone(),
        uid: uid.clone(),
        to,
        what,
    }
}
