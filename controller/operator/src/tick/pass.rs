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
use crate::record::Told;
use crate::record::line::LearnedLine;

/// What one pass has found, before anything is done about it. `decided` and `learned` lie in the order of the
/// snapshot's functions, each of which has one.
pub(super) struct Pass<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) decided: &'a [Decided],
    pub(super) learned: &'a [LearnedLine],
    pub(super) before: &'a Standings,
    pub(super) ids: Ids,
}

/// One function of a pass.
struct Row<'a> {
    key: &'a FunctionKey,
    seen: &'a Seen,
    decided: &'a Decided,
    learned: LearnedLine,
    before: &'a Standing,
    id: Ulid,
}

impl<'a> Pass<'a> {
    /// Every function, in the order of their keys.
    fn rows(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let ids = self.ids;
        let found = self.snapshot.functions.iter();
        let known = self.decided.iter().zip(self.learned);
        let before = beside(self.snapshot.functions.keys(), self.before);
        let all = found.zip(known).zip(before).zip(0..);
        all.filter_map(move |((((key, seen), (decided, learned)), before), place)| {
            Some(Row {
                key,
                seen,
                decided,
                learned: *learned,
                before: before?,
                id: ids.of(place),
            })
        })
    }

    /// What record is told of each function, in the order of their keys.
    pub(super) fn told<'b>(&self, after: &'b Standings, outcomes: &'b Outcomes) -> Vec<Told<'b>>
    where
        'a: 'b,
    {
        let keys = || self.snapshot.functions.keys();
        let done = beside(keys(), after).zip(beside(keys(), outcomes));
        let one = |(row, (after, outcomes)): (Row<'b>, (Option<&'b Standing>, Option<&'b Vec<Outcome>>))| {
            Some(self.told_of(&row, after?, outcomes.map_or(&[], Vec::as_slice)))
        };
        self.rows().zip(done).filter_map(one).collect()
    }

    /// What record is told, before they are carried out, of the functions for which there are steps.
    pub(super) fn told_of_steps(&self) -> Vec<Told<'a>> {
        let steps = |row: &Row<'_>| matches!(row.decided.decision.verdict, Verdict::Apply(_));
        let told = |row: Row<'a>| self.told_of(&row, row.before, &[]);
        self.rows().filter(steps).map(told).collect()
    }

    fn told_of<'b>(&self, row: &Row<'b>, after: &'b Standing, outcomes: &'b [Outcome]) -> Told<'b> {
        let Row {
            key,
            seen,
            decided,
            learned,
            before,
            id,
        } = *row;
        Told {
            key,
            target: Some(&*seen.target),
            function: &seen.function,
            fleet: decided.fleet,
            standing: before,
            after,
            policy: seen.stored.object(),
            now: self.snapshot.now,
            decision: &decided.decision,
            decision_id: id,
            outcomes,
            profile: seen.profile.as_deref(),
            profile_problem: seen.profile_problem.as_deref(),
            learned,
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

    /// What is in force after the outcomes. A function of which nothing was decided keeps its standing.
    pub(super) fn fold(&self, outcomes: &Outcomes) -> Standings {
        let (keys, now) = (|| self.before.keys(), self.snapshot.now);
        let decided = self.snapshot.functions.iter().zip(self.decided);
        let decided = decided.map(|((key, seen), decided)| (key, (seen, decided)));
        let done = beside(keys(), decided).zip(beside(keys(), outcomes));
        let after = |standing: &Standing, found: Option<(&Seen, &Decided)>, outcomes: Option<&Vec<Outcome>>| {
            found.map_or_else(
                || standing.clone(),
                |(seen, decided)| {
                    let outcomes = outcomes.map_or(&[][..], Vec::as_slice);
                    standing.fold(&seen.function, &decided.decision, outcomes, now)
                },
            )
        };
        self.before
            .iter()
            .zip(done)
            .map(|((key, standing), (found, outcomes))| (key.clone(), after(standing, found, outcomes)))
            .collect()
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
