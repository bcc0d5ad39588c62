//! Tells a function whose samples are stale from one that has none. Memory only.
//!
//! The question of a tick shows fresh samples alone, so both look the same. When functions fall silent the query
//! is asked once more as it is written; those that have a series in that answer are stale. Asked again when more
//! fall silent, and once a minute while any are.

use crate::join::Joined;
use crate::membership::Membership;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Seconds};
use std::collections::HashSet;

const AGAIN: Seconds = Seconds(60);

/// What is known of a profile's silent functions.
#[derive(Debug, Default)]
pub(crate) struct Diagnosis {
    stale: HashSet<FunctionKey>,
    silent: usize,
    at: Option<Mono>,
}

impl Diagnosis {
    /// Whether to ask, with `silent` functions without a fresh sample.
    pub(crate) fn is_due(&mut self, silent: usize, now: Mono) -> bool {
        if silent == 0 {
            *self = Self::default();
        }
        silent > self.silent || (silent > 0 && self.at.is_none_or(|at| now.passed(at, AGAIN)))
    }

    /// Takes in the answer; `None`: there was none, so nobody is called stale.
    pub(crate) fn note(&mut self, silent: usize, now: Mono, answer: Option<&Joined>, members: &Membership) {
        let has_series = |m: &usize| answer.is_some_and(|a| a.tally(*m).series > 0);
        self.stale = (0..members.len())
            .filter(has_series)
            .map(|m| members.key(m).clone())
            .collect();
        self.silent = silent;
        self.at = Some(now);
    }

    pub(crate) fn is_stale(&self, key: &FunctionKey) -> bool {
        self.stale.contains(key)
    }
}
