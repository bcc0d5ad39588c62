//! Tells a function whose samples are stale from one that has none. Memory only.
//!
//! The question of a tick shows fresh samples alone, so both look the same. When functions fall silent the query
//! is asked once more as it is written; those of them that have a series in that answer are stale. Asked again when
//! another one falls silent, and once a minute while any are.

use crate::join::Joined;
use crate::membership::Membership;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Seconds};
use std::collections::{HashMap, HashSet};

const AGAIN: Seconds = Seconds(60);

/// What is known of a profile's silent functions.
#[derive(Debug, Default)]
pub(crate) struct Diagnosis {
    /// Those that have been silent since it was last asked; whether they are stale.
    silent: HashMap<FunctionKey, bool>,
    at: Option<Mono>,
}

impl Diagnosis {
    /// Whether to ask, when the members `silent` are without a fresh sample. Forgets who no longer is.
    pub(crate) fn is_due(&mut self, silent: &[usize], now: Mono, members: &Membership) -> bool {
        let silent: HashSet<&FunctionKey> = silent.iter().map(|m| members.key(*m)).collect();
        self.silent.retain(|key, _| silent.contains(key));
        let another = self.silent.len() < silent.len();
        another || (!silent.is_empty() && self.at.is_none_or(|at| now.passed(at, AGAIN)))
    }

    /// Takes in the answer; `None`: there was none, so nobody is called stale.
    pub(crate) fn note(&mut self, silent: &[usize], now: Mono, answer: Option<&Joined>, members: &Membership) {
        let has_series = |m: usize| answer.is_some_and(|a| a.tally(m).series > 0);
        self.silent = silent
            .iter()
            .map(|m| (members.key(*m).clone(), has_series(*m)))
            .collect();
        self.at = Some(now);
    }

    pub(crate) fn is_stale(&self, key: &FunctionKey) -> bool {
        self.silent.get(key) == Some(&true)
    }
}
