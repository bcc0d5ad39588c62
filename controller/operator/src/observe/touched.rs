//! What watch events have touched since the last look: names in, a set of names out. Memory only.
//!
//! What a look has made of a function stands until one of the names that it was looked up by is touched. A shelf notes
//! a change behind it, never ahead of it, and a look takes the names before it reads: so what is not among them is as
//! it was, and what changes during a look is looked at again in the next one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::FastMap;

/// Names kept one by one; where more are touched, everything is.
const MOST: usize = 50_000;

/// Names touched since they were last taken; shared by the shelves.
#[derive(Debug, Default)]
pub struct Touched(Mutex<Names>);

/// Names of objects, each in its namespace. None at first.
#[derive(Debug, Default)]
pub struct Names {
    by_namespace: FastMap<Arc<str>, HashSet<Arc<str>, foldhash::quality::RandomState>>,
    count: usize,
    everything: bool,
}

impl Touched {
    /// Something that is looked up by that name has changed.
    pub fn note(&self, namespace: &str, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(namespace, name);
    }

    /// Anything may have changed.
    pub fn note_everything(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Names {
            everything: true,
            ..Names::default()
        };
    }

    /// The names noted since the last call.
    pub fn take(&self) -> Names {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Names {
    fn note(&mut self, namespace: &str, name: &str) {
        if self.contains(namespace, name) {
            return;
        }
        if self.count >= MOST {
            *self = Self {
                everything: true,
                ..Self::default()
            };
            return;
        }
        self.count += 1;
        self.by_namespace
            .entry(namespace.into())
            .or_default()
            .insert(name.into());
    }

    /// True where nothing may be taken for as it was.
    pub const fn everything(&self) -> bool {
        self.everything
    }

    /// Whether that name is among them.
    pub fn contains(&self, namespace: &str, name: &str) -> bool {
        self.everything
            || self
                .by_namespace
                .get(namespace)
                .is_some_and(|names| names.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_touched_until_the_next_look_and_in_its_namespace_alone() {
        let touched = Touched::default();
        touched.note("payments", "fraud");
        let names = touched.take();
        assert!(names.contains("payments", "fraud") && !names.contains("ledger", "fraud"));
        assert!(!names.contains("payments", "orders") && !names.everything());
        assert!(!touched.take().contains("payments", "fraud"));
        touched.note_everything();
        touched.note("payments", "fraud");
        assert!(touched.take().contains("ledger", "orders"));
    }

    #[test]
    fn too_many_names_are_everything() {
        let touched = Touched::default();
        for name in 0..=MOST {
            touched.note("payments", &name.to_string());
        }
        assert!(touched.take().everything());
    }
}
