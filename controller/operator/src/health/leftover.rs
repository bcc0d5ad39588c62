//! Entries for newborn pods that no policy names any more: kept for a while, then removed. No I/O.

use forewarm_core::units::{Mono, Seconds};
use std::collections::BTreeMap;

/// A policy that is deleted and made again within this time loses nothing.
const KEPT: Seconds = Seconds(600);

/// Namespace, and `KIND/NAME` of the workload.
type Entry = (String, String);

/// Since when which entries are left over. Memory only: a new leader waits anew.
#[derive(Debug, Default)]
pub(super) struct Leftovers(BTreeMap<Entry, Mono>);

impl Leftovers {
    /// The entries of `left` whose time is over. `vanished`: the list of policies lost most of its objects at once, so
    /// it is not believed, and nothing is due (F1).
    pub(super) fn due(&mut self, left: Vec<Entry>, vanished: bool, now: Mono) -> Vec<Entry> {
        let since = |entry: Entry, known: &BTreeMap<Entry, Mono>| (entry.clone(), *known.get(&entry).unwrap_or(&now));
        self.0 = left.into_iter().map(|entry| since(entry, &self.0)).collect();
        let over = self
            .0
            .iter()
            .filter(|(_, since)| !vanished && now.passed(**since, KEPT));
        over.map(|(entry, _)| entry.clone()).collect()
    }

    /// Another replica leads.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_removed_after_ten_minutes_without_a_policy_and_not_while_policies_vanish() {
        let entry = || vec![("payments".to_owned(), "Deployment/fraud".to_owned())];
        let mut leftovers = Leftovers::default();
        let minute = |minutes: u64| Mono(minutes * 60_000);
        assert!(leftovers.due(entry(), false, minute(0)).is_empty());
        assert!(
            leftovers.due(Vec::new(), false, minute(9)).is_empty(),
            "its policy is back"
        );
        assert!(leftovers.due(entry(), false, minute(10)).is_empty());
        assert!(leftovers.due(entry(), false, minute(19)).is_empty());
        assert!(leftovers.due(entry(), true, minute(20)).is_empty());
        assert_eq!(leftovers.due(entry(), false, minute(20)), entry());
    }
}
