//! The standing after a decision on memory was carried out. Pure.
//!
//! What the decision holds is on record before its steps; here only what became of them is added.

use super::decision::{MemoryDecision, MemoryStep};
use super::standing::{Evicted, MemoryStanding, Refused};
use crate::outcome::{Outcome, RefusedKind};
use crate::plan::remedy::raise;
use crate::units::Wall;

impl MemoryStanding {
    /// The standing after `decision` was carried out with `outcomes`, one a step and in their order.
    pub fn fold(decision: &MemoryDecision, outcomes: &[Outcome], now: Wall) -> Self {
        let mut next = decision.standing.clone();
        for (step, outcome) in decision.steps.iter().zip(outcomes) {
            next.done(step, outcome, now.0.div_euclid(1000));
        }
        next
    }

    fn done(&mut self, step: &MemoryStep, outcome: &Outcome, now: i64) {
        if let (MemoryStep::Resize { uid, container, .. }, Outcome::Refused { .. }) = (step, outcome)
            && let Some(standing) = self.containers.get_mut(container)
        {
            raise::refused(standing, uid);
        }
        match (step, outcome) {
            // Quota, limit range, the node's size: an outcome, not to be asked again for as much (M5).
            (
                MemoryStep::Resize { uid, container, to, .. },
                Outcome::Refused {
                    kind: RefusedKind::Invalid | RefusedKind::PermissionDenied,
                    ..
                },
            ) if !step.lowers() => self.refuse(Refused {
                uid: uid.clone(),
                container: container.clone(),
                size: to.size().unwrap_or_default(),
            }),
            (MemoryStep::Evict { uid, .. }, Outcome::Applied | Outcome::TimedOut | Outcome::Refused { .. }) => {
                if !matches!(outcome, Outcome::Refused { .. }) {
                    self.evictions.push(now);
                    let excess = self.evictions.len().saturating_sub(Self::MAX_EVICTIONS);
                    self.evictions.drain(..excess);
                }
                self.evicted = Some(Evicted {
                    uid: uid.clone(),
                    at: now,
                });
            }
            _ => {}
        }
    }

    /// Remembers a refusal; the oldest goes when there are too many.
    pub(super) fn refuse(&mut self, refused: Refused) {
        if self.refused.contains(&refused) {
            return;
        }
        self.refused.push(refused);
        let excess = self.refused.len().saturating_sub(Self::MAX_REFUSED);
        self.refused.drain(..excess);
    }
}
