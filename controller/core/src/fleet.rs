//! What the brake needs to know of the fleet: every function's decision as if it were alone in, counts out. Pure.

use crate::decide::Function;
use crate::decision::Decision;
use crate::guard::brake;
use crate::policy::Mode;
use crate::standing::Standing;
use crate::units::Now;
use serde::{Deserialize, Serialize};

/// What one decision needs to know of all the others (F1). It counts the functions of its own mode: what would
/// happen in Shadow must neither brake nor free what happens in Enforce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Targets known.
    pub targets: u32,
    /// Ramps down begun in the last five minutes.
    pub ramps_begun: u32,
    /// This function's place among those that would begin a ramp down in this tick, from 0.
    pub ramp_place: u32,
    /// Functions that would fall in this tick though nothing expected it.
    pub unexpected_falls: u32,
    /// More than half of the known policies or targets vanished from one list.
    pub world_vanished: bool,
}

/// What the tick knows of the lists behind the snapshot (F1: a partial world is not a small world).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// Policies known at the last complete look.
    pub policies_before: u32,
    /// Policies known now.
    pub policies_now: u32,
    /// Targets found at the last complete look.
    pub targets_before: u32,
    /// Targets found now.
    pub targets_now: u32,
}

impl World {
    /// True when more than half, and more than five, of the policies or of the targets are gone.
    pub fn vanished(self) -> bool {
        let Self {
            policies_before,
            policies_now,
            targets_before,
            targets_now,
        } = self;
        gone(policies_before, policies_now) || gone(targets_before, targets_now)
    }
}

/// True when more than half and more than five of `before` are missing `now`.
fn gone(before: u32, now: u32) -> bool {
    let lost = before.saturating_sub(now);
    lost > 5 && lost > before / 2
}

impl Fleet {
    /// A fleet so large and quiet that the brake has no word.
    pub fn alone() -> Self {
        Self {
            targets: u32::MAX,
            ..Self::default()
        }
    }
}

/// The fleets of both modes, and the places in them handed out so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fleets {
    shadow: Fleet,
    enforce: Fleet,
}

impl Fleets {
    /// Counts the fleet from what each function would do alone.
    pub fn of<'a>(
        alone: impl Iterator<Item = (&'a Function, &'a Standing, &'a Decision)>,
        world: World,
        now: Now,
    ) -> Self {
        let world_vanished = world.vanished();
        let empty = Fleet {
            world_vanished,
            ..Fleet::default()
        };
        let mut fleets = Self {
            shadow: empty,
            enforce: empty,
        };
        for (function, standing, decision) in alone {
            fleets
                .of_mode(function.policy.mode)
                .count(function, standing, decision, now);
        }
        fleets
    }

    /// The fleet as one function sees it. To be called once a function, in the order of the keys: one that would
    /// begin a ramp takes the next place.
    pub fn next(&mut self, function: &Function, standing: &Standing, decision: &Decision) -> Fleet {
        let fleet = self.of_mode(function.policy.mode);
        let seen = *fleet;
        if decision.falls() && standing.ramp_since.is_none() {
            fleet.ramp_place = fleet.ramp_place.saturating_add(1);
        }
        seen
    }

    fn of_mode(&mut self, mode: Mode) -> &mut Fleet {
        match mode {
            Mode::Shadow => &mut self.shadow,
            Mode::Enforce => &mut self.enforce,
        }
    }
}

impl Fleet {
    fn count(&mut self, function: &Function, standing: &Standing, decision: &Decision, now: Now) {
        let begun = standing
            .ramps_begun
            .iter()
            .filter(|at| !now.mono.passed(**at, Standing::BRAKE_SPAN))
            .count();
        let known = function.observation.target.known().is_some();
        let surprise = decision.falls() && !brake::expected(function);
        self.targets = self.targets.saturating_add(u32::from(known));
        self.ramps_begun = self
            .ramps_begun
            .saturating_add(u32::try_from(begun).unwrap_or(u32::MAX));
        self.unexpected_falls = self.unexpected_falls.saturating_add(u32::from(surprise));
    }
}

#[cfg(test)]
mod tests {
    use super::World;

    fn lists(policies_before: u32, policies_now: u32, targets_before: u32, targets_now: u32) -> bool {
        World {
            policies_before,
            policies_now,
            targets_before,
            targets_now,
        }
        .vanished()
    }

    #[test]
    fn a_world_has_vanished_when_more_than_half_and_more_than_five_are_gone() {
        assert!(lists(12, 5, 12, 12));
        assert!(lists(12, 12, 12, 5));
        assert!(lists(u32::MAX, 0, 0, 0));
        assert!(!lists(12, 6, 12, 6), "half is not more than half");
        assert!(!lists(5, 0, 5, 0), "five is not more than five");
        assert!(!lists(0, 12, 0, 12), "growth");
    }
}
