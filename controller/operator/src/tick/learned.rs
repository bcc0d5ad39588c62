//! What has been learned of a function, put together where something is told of it. No I/O.

use forewarm_core::policy::FunctionKey;

use crate::backfill::Backfill;
use crate::observe::Snapshot;
use crate::record::Learned;
use crate::record::line::{ForestsLine, LearnedLine};
use crate::remember::Remember;

/// Everything that knows a part of it.
pub(super) struct Known<'a> {
    snapshot: &'a Snapshot,
    remember: &'a Remember,
    backfill: &'a Backfill,
    forests: Option<ForestsLine>,
}

impl<'a> Known<'a> {
    /// In this tick.
    pub(super) fn new(snapshot: &'a Snapshot, remember: &'a Remember, backfill: &'a Backfill) -> Self {
        Self {
            snapshot,
            remember,
            backfill,
            forests: remember.forests(),
        }
    }
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Learned for Known<'_> {
    fn of(&self, key: &FunctionKey) -> LearnedLine {
        let Some(seen) = self.snapshot.functions.get(key) else {
            return LearnedLine::default();
        };
        LearnedLine {
            lead_time_seconds: seen.learned,
            per_replica_suggestion: seen.suggestion,
            history_minutes: self.remember.minutes(key),
            unmapped_percent: self.backfill.unmapped(seen.profile.as_deref()),
            trusted_since: self.remember.trusted_since(key),
            objective: seen.stored.objective(),
            forests: self.forests,
        }
    }
}
