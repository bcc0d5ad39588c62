//! How many policies and targets there are, beside how many there were: a partial world is not a small one (F1). No
//! I/O.

use std::collections::BTreeMap;

use forewarm_core::decide::World;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Seconds};

use super::snapshot::Seen;

/// A list that lost more than half of its objects is believed after this long.
const BELIEVED_AFTER: Seconds = Seconds(600);

/// The last complete look, and since when it is the last.
#[derive(Debug, Default)]
pub(super) struct Worlds {
    before: Option<(World, Mono)>,
}

impl Worlds {
    /// The lists of now beside the last complete ones. A great loss stays one until the rest is back, or until it has
    /// lasted. `policies`: all of them, usable or not.
    pub(super) fn next(&mut self, policies: usize, functions: &BTreeMap<FunctionKey, Seen>, now: Mono) -> World {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let found = functions
            .values()
            .filter(|seen| seen.function.observation.target.known().is_some())
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
