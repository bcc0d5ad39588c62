//! Statuses on their way to be written, and how many of them are kept. Pure.

use super::A_TICK;
use crate::record::PolicyObject;
use forewarm_api::FunctionPolicyStatus;
use forewarm_core::policy::FunctionKey;

/// A status that is to be written and of which no patch is made yet.
pub(super) struct Draft<'a> {
    pub(super) key: &'a FunctionKey,
    pub(super) object: PolicyObject<'a>,
    /// It cannot wait; else its figures alone are others.
    pub(super) urgent: bool,
    pub(super) new: FunctionPolicyStatus,
}

/// The drafts of a tick. Of either sort no more are kept than may be written: after a restart every function has one.
#[derive(Default)]
pub(super) struct Drafts<'a> {
    pub(super) urgent: Vec<Draft<'a>>,
    pub(super) figures: Vec<Draft<'a>>,
    /// Those that were not kept, and wait for a later tick.
    pub(super) waiting: usize,
}

impl<'a> Extend<Draft<'a>> for Drafts<'a> {
    fn extend<I: IntoIterator<Item = Draft<'a>>>(&mut self, drafts: I) {
        for draft in drafts {
            let kept = if draft.urgent {
                &mut self.urgent
            } else {
                &mut self.figures
            };
            if kept.len() < A_TICK {
                kept.push(draft);
            } else {
                self.waiting += 1;
            }
        }
    }
}
