//! The standing after a tick: standing, function, decision and its outcomes in, the next standing out. Pure.
//!
//! What was *seen* (who has the field, what the user's own floor is) counts whatever became of the steps; what was
//! *done* counts only where it happened, or may have.

use crate::decide::Function;
use crate::decision::{Decision, FieldVerdict, Step, Verdict};
use crate::guard::slew;
use crate::observation::{Capacity, Observation, Reading, Target};
use crate::outcome::Outcome;
use crate::plan::footing;
use crate::policy::{Mode, Policy, ScaleDown};
use crate::standing::{Aside, AsideWhy, Fall, Full, Standing, Wished};
use crate::units::{Mono, Now, Replicas, Seconds};

/// Longest gap between two known demands that hides nothing: the next sample's peak reaches back one step.
const GAP: Seconds = Seconds(60);

impl Standing {
    /// The standing after `decision` was carried out with `outcomes`, one a step and in their order; a step
    /// without an outcome was not sent.
    pub fn fold(&self, function: &Function, decision: &Decision, outcomes: &[Outcome], now: Now) -> Self {
        let mut next = self.clone();
        next.fold_in(function, decision, outcomes, now);
        next
    }

    /// Makes this the standing after `decision`, as [`Self::fold`] does.
    pub fn fold_in(&mut self, function: &Function, decision: &Decision, outcomes: &[Outcome], now: Now) {
        self.forget(function.policy.scale_down, now.mono);
        self.see(function, decision, now);
        self.remember(decision, now.mono);
        self.watch(function, decision, now.mono);
        self.fill(function.observation.capacity, now.mono);
        self.ramp_since = self.ramp_since.filter(|_| coming_down(function, decision));
        if let (Verdict::Apply(steps), Some(held)) = (&decision.verdict, decision.held) {
            for (step, outcome) in steps.iter().zip(outcomes) {
                self.done(held, step, outcome, now.mono);
            }
        }
    }

    /// Drops what lies before the windows.
    fn forget(&mut self, scale_down: ScaleDown, now: Mono) {
        let ScaleDown {
            stabilization,
            step,
            step_percent: _,
        } = scale_down;
        self.wishes.retain(|wish| now.since(wish.at) <= stabilization.millis());
        self.falls.retain(|fall| !now.passed(fall.at, step));
        self.ramps_begun.retain(|at| !now.passed(*at, Self::BRAKE_SPAN));
        self.resets.retain(|at| !now.passed(*at, Self::RESET_SPAN));
    }

    /// What the read of the field told.
    fn see(&mut self, function: &Function, decision: &Decision, now: Now) {
        let Some(target) = function.observation.target.known() else {
            return;
        };
        let held = decision.held;
        self.user = footing::user(&decision.field, target, self);
        match &decision.field {
            FieldVerdict::Unseen | FieldVerdict::AtZero | FieldVerdict::ScalerPaused { .. } | FieldVerdict::Lagging => {
            }
            FieldVerdict::Free
            | FieldVerdict::TakeOver { .. }
            | FieldVerdict::NewUserFloor { .. }
            | FieldVerdict::InManifest { .. } => self.accept(target, held, now.mono),
            FieldVerdict::Reset { .. } => {
                // Should the read be late, the value just reset may show again; it is still ours.
                self.unsettle(self.written);
                self.accept(target, held, now.mono);
                self.resets.push(now.mono);
            }
            FieldVerdict::Renewed => {
                self.unsettle(self.written);
                self.accept(target, held, now.mono);
            }
            FieldVerdict::Aside { by, why } => self.stand_aside(function, *why, by, held),
            FieldVerdict::Scaler { .. } => self.leave(),
        }
    }

    /// Takes the live value as known: whoever changes it from here on is somebody else.
    fn accept(&mut self, target: &Target, held: Option<Replicas>, now: Mono) {
        if self.written != Some(target.floor) || self.written_at.is_none() {
            self.written_at = Some(now);
            self.replaced = None;
        }
        self.written = Some(target.floor);
        self.held = held;
        self.aside = None;
    }

    /// Keeps off until the user touches the policy.
    fn stand_aside(&mut self, function: &Function, why: AsideWhy, by: &str, held: Option<Replicas>) {
        self.held = held;
        if self.aside.is_none() {
            let generation = function.policy.generation;
            self.aside = Some(Aside {
                why,
                generation,
                by: by.to_owned(),
            });
        }
    }

    /// Forgets a field that a known scaler moves; when the scaler goes, the function is taken over anew.
    fn leave(&mut self) {
        self.user = None;
        self.held = None;
        self.written = None;
        self.written_at = None;
        self.replaced = None;
        self.unsettled.clear();
    }

    /// Adds the wish to the stabilisation window.
    ///
    /// When the window is full its newest entry is kept for the new wish as well: larger than it, so R6 holds.
    fn remember(&mut self, decision: &Decision, now: Mono) {
        let Some(wish) = &decision.wish else { return };
        while self.wishes.pop_if(|last| last.floor <= wish.to).is_some() {}
        let full = self.wishes.len() >= Self::MAX_WISHES;
        match self.wishes.last_mut() {
            Some(last) if full => last.at = now,
            _ => self.wishes.push(Wished {
                at: now,
                floor: wish.to,
            }),
        }
    }

    /// How long, and how far back, the function has been watched (R12).
    fn watch(&mut self, function: &Function, decision: &Decision, now: Mono) {
        let Policy { mode, scale_down, .. } = &function.policy;
        let anew =
            self.mode != *mode || self.wishes_span < scale_down.stabilization || self.falls_span < scale_down.step;
        self.mode = *mode;
        self.wishes_span = scale_down.stabilization;
        self.falls_span = scale_down.step;
        self.since = match self.since {
            _ if blind(function, decision, now) => None,
            Some(since) if !anew => Some(since),
            _ => Some(now),
        };
    }

    /// Notes that pods find no node, and forgets it when more of them have, or when it is long ago.
    fn fill(&mut self, capacity: Capacity, now: Mono) {
        let Capacity {
            placed,
            stuck,
            quota: _,
        } = capacity;
        let stale = |full: Full| now.passed(full.at, Seconds(Full::LONGEST.0.saturating_mul(2)));
        self.full = match self.full {
            before if stuck > Replicas::ZERO => {
                let tries = match before {
                    Some(full) if full.waits(now) => full.tries,
                    Some(full) => full.tries.saturating_add(1),
                    None => 1,
                };
                let (most, at) = (placed, now);
                Some(Full { most, at, tries })
            }
            Some(full) if !full.waits(now) && (placed > full.most || stale(full)) => None,
            before => before,
        };
    }

    /// What became of one step.
    fn done(&mut self, held: Replicas, step: &Step, outcome: &Outcome, now: Mono) {
        match (step, outcome) {
            (Step::SetFloor { from, to, .. }, Outcome::Applied) => {
                self.written = Some(*to);
                self.written_at = Some(now);
                self.replaced = Some(*from);
                self.unsettled.clear();
                self.held = Some(*to);
                self.fell(held, *to, now);
            }
            (Step::SetFloor { to, .. }, Outcome::Shadow) if self.mode == Mode::Shadow => {
                self.held = Some(*to);
                self.fell(held, *to, now);
            }
            (Step::SetFloor { to, .. }, Outcome::TimedOut) => {
                self.unsettle(Some(*to));
                self.fell(held, *to, now);
            }
            (
                Step::SetFloor { .. },
                Outcome::Shadow | Outcome::Conflict | Outcome::Refused { .. } | Outcome::Fenced { .. },
            )
            | (Step::Adopt { .. } | Step::DropClaim { .. } | Step::GiveBack { .. } | Step::Wake { .. }, _) => {}
        }
    }

    /// Counts a fall, and the ramp it begins. One that may have happened counts as one that did.
    fn fell(&mut self, from: Replicas, to: Replicas, now: Mono) {
        if to >= from {
            return;
        }
        self.falls.push(Fall { at: now, from, to });
        if self.ramp_since.is_none() {
            self.ramp_since = Some(now);
            self.ramps_begun.push(now);
        }
    }

    /// Notes a value of ours that may turn up live; the oldest goes when there are too many.
    fn unsettle(&mut self, value: Option<Replicas>) {
        self.unsettled.extend(value);
        let excess = self.unsettled.len().saturating_sub(Self::MAX_UNSETTLED);
        self.unsettled.drain(..excess);
    }
}

/// True when this tick tells nothing of the demand, or the field is not ours to watch.
fn blind(function: &Function, decision: &Decision, now: Mono) -> bool {
    let Some(wish) = &decision.wish else {
        return true;
    };
    let Observation {
        demand,
        demand_known_at,
        ..
    } = &function.observation;
    let gap = demand_known_at.is_none_or(|at| now.since(at) > GAP.millis());
    let elsewhere = matches!(
        decision.field,
        FieldVerdict::AtZero | FieldVerdict::ScalerPaused { .. } | FieldVerdict::Scaler { .. }
    );
    elsewhere
        || match &wish.reactive {
            Reading::Known(_) => false,
            Reading::Unknown(_) => demand.known().is_some() || gap,
        }
}

/// True while a ramp down goes on: it falls, only slew makes it wait, or it has a lowered `max` to reach.
fn coming_down(function: &Function, decision: &Decision) -> bool {
    let waits = matches!(&decision.verdict, Verdict::Hold(rule) if rule == slew::RULE.name);
    waits || decision.falls() || decision.held.is_some_and(|held| held > function.policy.floor.max)
}
