//! Which decisions are news. A decision and its outcomes in, "print it" or "seen before" out. Pure.
//!
//! A line is printed when a verdict changes, suppressed changes included, and not while demand wobbles under
//! the same verdict. [`Seen`] is what counts as the verdict; [`material`] compares. Amounts that were only
//! wished for do not count (a held wish differs every tick); its direction does.

use super::{Told, labels};
use forewarm_core::decision::{Decision, FieldVerdict, Reason, RuleName, Step, Verdict};
use forewarm_core::forecast::{Distrust, Trust};
use forewarm_core::observation::Why;
use forewarm_core::policy::Mode;
use forewarm_core::units::{Mono, Replicas, Seconds};
use std::cmp::Ordering;

/// A verdict told this recently is not told again: demand at the edge between two verdicts (12 pods held,
/// 12 or 11 wished) changes them every tick, which for 10,000 functions at 2.4 kB a line would be 1.6 MB a second.
pub const WOBBLE: Seconds = Seconds(300);

/// Verdicts remembered a function; the oldest is forgotten first.
const REMEMBERED: usize = 16;

/// What counts as the verdict. Two ticks with the same one need one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    generation: i64,
    mode: Mode,
    paused: bool,
    held: Option<Replicas>,
    verdict: Kind,
    reason: Reason,
    field: FieldVerdict,
    metrics: Option<&'static str>,
    target: Option<&'static str>,
    /// Of a profile that cannot be used: what is wrong with it.
    profile: Option<String>,
    forecast: Option<Distrust>,
    outcomes: Vec<&'static str>,
    /// Of a move: the rule that kept it from going all the way, and which way that would have been.
    clamped: Option<(RuleName, Direction)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Apply(Vec<Step>),
    Hold(RuleName, Direction),
    Steady,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
    None,
}

/// What was seen of one function before. `Default`: nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Last {
    /// The verdict of the last tick.
    present: Option<Seen>,
    /// The verdicts told lately, with the time of the last telling.
    told: Vec<(Seen, Mono)>,
}

/// True when `seen` is to be told: something was moved; or it differs from the verdict of the last tick and
/// was not told in the last [`WOBBLE`]. Waiting for the watch to show our own write is never news.
pub fn material(last: &Last, seen: &Seen, now: Mono) -> bool {
    if seen.field == FieldVerdict::Lagging {
        return false;
    }
    seen.moved() || last.differs(seen) && !last.told_lately(seen, now)
}

impl Last {
    /// Remembers that `seen` was told at `now`. The verdicts that a move leads to count as told with it.
    pub fn told(&mut self, seen: Seen, now: Mono) {
        self.told.retain(|(_, at)| !now.passed(*at, WOBBLE));
        let settled = seen.settled();
        self.present = Some(settled.first().unwrap_or(&seen).clone());
        for seen in settled.into_iter().chain([seen]) {
            self.remember(seen, now);
        }
    }

    /// True when `seen` is not the verdict of the last tick.
    pub fn differs(&self, seen: &Seen) -> bool {
        self.present.as_ref() != Some(seen)
    }

    /// Remembers that `seen` was not told, since it is no news.
    pub fn passed_over(&mut self, seen: Seen) {
        if self.differs(&seen) {
            self.present = Some(seen);
        }
    }

    fn told_lately(&self, seen: &Seen, now: Mono) -> bool {
        self.told
            .iter()
            .any(|(told, at)| told == seen && !now.passed(*at, WOBBLE))
    }

    fn remember(&mut self, seen: Seen, now: Mono) {
        self.told.retain(|(told, _)| *told != seen);
        if self.told.len() >= REMEMBERED {
            self.told.remove(0);
        }
        self.told.push((seen, now));
    }
}

impl Seen {
    /// The verdict of one function in one tick.
    pub fn of(told: &Told<'_>) -> Self {
        let observation = &told.function.observation;
        Self {
            generation: told.policy.generation,
            mode: told.function.policy.mode,
            paused: told.function.policy.paused,
            held: told.decision.held,
            verdict: kind(told.decision),
            reason: told.decision.reason,
            field: told.decision.field.clone(),
            metrics: observation.demand.why().map(forewarm_core::observation::Why::label),
            target: observation.target.why().map(forewarm_core::observation::Why::label),
            profile: unusable_profile(told),
            forecast: distrust(&told.function.forecast),
            outcomes: told.outcomes.iter().map(labels::outcome).collect(),
            clamped: clamped(told.decision),
        }
    }

    /// Whether a value moved, or may have.
    pub(super) fn moved(&self) -> bool {
        matches!(self.verdict, Kind::Apply(_)) && self.outcomes.iter().any(|o| MOVES.contains(o))
    }

    /// The verdicts that say nothing new after this one, where every step succeeded: steady at the new value,
    /// or held there by the rule that bounded the move (a ramp down is a fall and then a wait for its step).
    fn settled(&self) -> Vec<Self> {
        let Kind::Apply(steps) = &self.verdict else {
            return Vec::new();
        };
        let succeeded = !self.outcomes.is_empty() && self.outcomes.iter().all(|o| MOVES[..2].contains(o));
        let Some(to) = steps.iter().rev().find_map(written).filter(|_| succeeded) else {
            return Vec::new();
        };
        let at = |verdict, reason| Self {
            held: Some(to),
            verdict,
            reason,
            field: passing(&self.field),
            outcomes: Vec::new(),
            clamped: None,
            ..self.clone()
        };
        let held = self
            .clamped
            .clone()
            .map(|(rule, direction)| at(Kind::Hold(rule, direction), Reason::Held));
        [at(Kind::Steady, Reason::Steady)].into_iter().chain(held).collect()
    }
}

/// The words of a profile that cannot be used. Those of a source are left out: they may hold a number that changes.
fn unusable_profile(told: &Told<'_>) -> Option<String> {
    let why = told.function.observation.demand.why()?;
    let problem = told.profile_problem.filter(|_| *why == Why::ProfileUnusable);
    problem.map(str::to_owned)
}

/// Outcomes after which the field has, or may have, another value. The first two are successes.
const MOVES: [&str; 3] = ["Applied", "Shadow", "TimedOut"];

/// Why the forecast, or a better one than the trailing peak, does not count.
pub fn distrust(forecast: &forewarm_core::forecast::Forecast) -> Option<Distrust> {
    match forecast.trust {
        Trust::Trusted => forecast.demoted,
        Trust::Untrusted(why) => Some(why),
    }
}

/// The value a step leaves in the field.
const fn written(step: &Step) -> Option<Replicas> {
    match step {
        Step::SetFloor { to, .. } => Some(*to),
        Step::Adopt { value, .. } => Some(*value),
        Step::DropClaim { .. } | Step::GiveBack { .. } | Step::Wake { .. } => None,
    }
}

/// The last rule that changed the value of a move.
fn clamped(decision: &Decision) -> Option<(RuleName, Direction)> {
    let to = decision.to()?;
    let rule = decision.clamps.last()?.rule.clone();
    Some((rule, toward(to, decision.wish.as_ref()?.to)))
}

/// Verdicts on the field that last one tick give way to `Free`; the others stay.
fn passing(field: &FieldVerdict) -> FieldVerdict {
    match field {
        FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::Renewed
        | FieldVerdict::NewUserFloor { .. } => FieldVerdict::Free,
        lasting => lasting.clone(),
    }
}

fn kind(decision: &Decision) -> Kind {
    match &decision.verdict {
        Verdict::Apply(steps) => Kind::Apply(steps.clone()),
        Verdict::Hold(rule) => Kind::Hold(rule.clone(), direction(decision)),
        Verdict::Steady => Kind::Steady,
    }
}

/// Where the wish would have gone.
fn direction(decision: &Decision) -> Direction {
    match (decision.held, &decision.wish) {
        (Some(held), Some(wish)) => toward(held, wish.to),
        _ => Direction::None,
    }
}

fn toward(from: Replicas, to: Replicas) -> Direction {
    match to.cmp(&from) {
        Ordering::Greater => Direction::Up,
        Ordering::Less => Direction::Down,
        Ordering::Equal => Direction::None,
    }
}

#[cfg(test)]
mod tests;
