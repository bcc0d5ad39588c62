//! What one pass has found, laid beside each other: what is told of it, the steps to carry out, and what is in force
//! after them. No I/O and no arithmetic.

use std::collections::BTreeSet;

use forewarm_core::beside::beside;
use forewarm_core::decide::Decided;
use forewarm_core::decision::Verdict;
use forewarm_core::outcome::Outcome;
use forewarm_core::policy::FunctionKey;
use forewarm_core::standing::Standing;
use forewarm_core::units::Mono;
use ulid::Ulid;

use super::{Outcomes, Standings};
use crate::apply::Intent;
use crate::observe::{Seen, Snapshot};
use crate::record::{Learned, Told};

/// What one pass has found, before anything is done about it. `decided` and `learned` lie in the order of the
/// snapshot's functions, each of which has one.
pub(super) struct Pass<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) decided: &'a [Decided],
    pub(super) learned: &'a dyn Learned,
    pub(super) before: &'a Standings,
    pub(super) ids: Ids,
}

/// One function of a pass.
struct Row<'a> {
    key: &'a FunctionKey,
    seen: &'a Seen,
    decided: &'a Decided,
    before: &'a Standing,
    id: Ulid,
}

impl<'a> Pass<'a> {
    /// Every function, in the order of their keys.
    fn rows(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let ids = self.ids;
        let found = self.snapshot.functions.iter();
        let before = beside(self.snapshot.functions.keys(), self.before);
        let all = found.zip(self.decided).zip(before).zip(0..);
        all.filter_map(move |((((key, seen), decided), before), place)| {
            Some(Row {
                key,
                seen,
                decided,
                before: before?,
                id: ids.of(place),
            })
        })
    }

    /// What record is told of each function, in the order of their keys.
    pub(super) fn told<'b>(&'b self, outcomes: &'b Outcomes) -> Vec<Told<'b>> {
        let done = beside(self.snapshot.functions.keys(), outcomes);
        let one = |(row, outcomes): (Row<'b>, Option<&'b Vec<Outcome>>)| {
            self.told_of(&row, outcomes.map_or(&[], Vec::as_slice))
        };
        // Asked for as a whole: grown as it fills, it is moved a dozen times.
        let mut told = Vec::with_capacity(self.snapshot.functions.len());
        told.extend(self.rows().zip(done).map(one));
        told
    }

    /// What record is told, before they are carried out, of the functions for which there are steps.
    pub(super) fn told_of_steps(&self) -> Vec<Told<'a>> {
        let steps = |row: &Row<'_>| matches!(row.decided.decision.verdict, Verdict::Apply(_));
        let told = |row: Row<'a>| self.told_of(&row, &[]);
        self.rows().filter(steps).map(told).collect()
    }

    fn told_of<'b>(&self, row: &Row<'b>, outcomes: &'b [Outcome]) -> Told<'b>
    where
        'a: 'b,
    {
        let Row {
            key,
            seen,
            decided,
            before,
            id,
        } = *row;
        Told {
            key,
            target: Some(&*seen.target),
            function: &seen.function,
            fleet: decided.fleet,
            standing: before,
            policy: seen.stored.object(),
            now: self.snapshot.now,
            decision: &decided.decision,
            decision_id: id,
            outcomes,
            profile: seen.profile.as_deref(),
            profile_problem: seen.profile_problem.as_deref(),
            learned: self.learned,
        }
    }

    /// The steps to be carried out, on what the watches showed `viewed_at`. Left out: functions whose status does not
    /// yet hold what would undo the write.
    pub(super) fn intents(&self, viewed_at: Mono, barred: &BTreeSet<FunctionKey>) -> Vec<Intent> {
        let intent = |row: Row<'_>| {
            let Verdict::Apply(steps) = &row.decided.decision.verdict else {
                return None;
            };
            (!barred.contains(row.key)).then(|| Intent {
                key: row.key.clone(),
                target: row.seen.writes.as_ref().unwrap_or(&row.seen.target).clone(),
                mode: row.seen.function.policy.mode,
                decision: row.id.to_string(),
                viewed_at,
                steps: steps.clone(),
            })
        };
        self.rows().filter_map(intent).collect()
    }
}

/// Folds what was decided of the functions, in their order, and what became of it into what is in force. What nothing
/// was decided of keeps its standing.
pub(super) fn fold(standing: &mut Standings, snapshot: &Snapshot, decided: &[Decided], outcomes: &Outcomes) {
    let known = snapshot.functions.iter().zip(decided);
    let mut known = known.map(|((key, seen), decided)| (key, seen, decided)).peekable();
    let mut done = outcomes.iter().peekable();
    for (key, standing) in standing {
        while known.next_if(|(next, ..)| *next < key).is_some() {}
        while done.next_if(|(next, _)| *next < key).is_some() {}
        let outcomes = done.next_if(|(next, _)| *next == key).map_or(&[][..], |(_, done)| done);
        if let Some((_, seen, decided)) = known.next_if(|(next, ..)| *next == key) {
            standing.fold_in(&seen.function, &decided.decision, outcomes, snapshot.now);
        }
    }
}

/// The ids of a tick's decisions: ULIDs that count on from one drawn for the tick, so that only those that are written
/// anywhere cost anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids(Ulid);

impl Ids {
    pub(super) fn new() -> Self {
        Self(Ulid::new())
    }

    /// Of the function at that place.
    fn of(self, place: u128) -> Ulid {
        Ulid::from_parts(self.0.timestamp_ms(), self.0.random().wrapping_add(place))
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use std::collections::BTreeSet;
    use ulid::Ulid;

    #[test]
    fn no_two_decisions_have_one_id_also_where_the_count_runs_over() {
        let last = Ids(Ulid::from_parts(1_795_528_995_000, (1 << 80) - 2));
        let ids: BTreeSet<String> = (0..1000).map(|place| last.of(place).to_string()).collect();
        assert_eq!(ids.len(), 1000);
        assert_eq!(last.of(5).timestamp_ms(), 1_795_528_995_000);
    }
}
