//! What was decided about memory and health: steps, and why.

use super::birth::Birth;
use super::seen::{Amounts, Crash};
use super::standing::{Cause, MemoryStanding};
use crate::plan::remedy::outlier::Measure;
use crate::units::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was decided for one function in one tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryDecision {
    /// What is in force from now on, before the outcomes; must be on record before the steps are carried out.
    pub standing: MemoryStanding,
    /// What is to be done, in order.
    pub steps: Vec<MemoryStep>,
    /// Why, a word a container or pod, in the order they were found.
    pub said: Vec<Said>,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryStep {
    /// Give newborn pods these amounts; none: their template's.
    SetBirth {
        /// By container.
        containers: BTreeMap<String, Birth>,
    },
    /// Resize one container of a live pod.
    Resize {
        /// The pod.
        pod: String,
        /// Its identity.
        uid: String,
        /// The container.
        container: String,
        /// What it has; the write tests it.
        from: Amounts,
        /// What it gets.
        to: Amounts,
    },
    /// Evict a pod, within its disruption budget.
    Evict {
        /// The pod.
        pod: String,
        /// Its identity.
        uid: String,
    },
}

impl MemoryStep {
    /// True for a resize that takes memory away.
    pub fn lowers(&self) -> bool {
        match self {
            Self::Resize { from, to, .. } => to.limit < from.limit || to.request < from.request,
            Self::SetBirth { .. } | Self::Evict { .. } => false,
        }
    }
}

/// Why one thing is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The container or pod.
    pub subject: String,
    /// Why, in one stable word.
    pub reason: MemoryReason,
    /// The value it leads to, or that was held against. `None`: it is not about a value.
    pub value: Option<Bytes>,
    /// What a pod was found unlike its siblings by. `None`: it is not about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// What a pod was found unlike its siblings by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Of what.
    pub measure: Measure,
    /// The pod's value, in the measure's unit.
    pub own: u64,
    /// The median of its siblings.
    pub siblings: u64,
    /// For how long, in seconds.
    pub seconds: i64,
}

/// Why memory is, or is not, moved. The variant's name is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryReason {
    /// The largest use and its margin need more.
    WorkingSet,
    /// Use follows the load: the forecast load and its margin are sized for.
    FollowsLoad,
    /// A kill raised it.
    OomRaised,
    /// A kill was seen, and the policy only wants it reported.
    OomReported,
    /// The ladder has ended, for this cause.
    Quarantined(Cause),
    /// Eight days need less.
    Lowered,
    /// Our own decrease did harm: taken back.
    Reverted,
    /// Our own raise did harm: live pods keep what they have for a while.
    RaiseHarmful,
    /// Less would do, but use is not known for long or well enough (M2).
    HistoryShort,
    /// Less would do, but this runtime takes its size at its start.
    RuntimeKeeps,
    /// The Go runtime holds its heap under this: less would bring it to a stand, and more is not for its heap.
    GoLimit,
    /// The policy's, or the node's, maximum is reached.
    AtMaximum,
    /// Neither request nor limit is set, and the `QoS` class must stay.
    NoMemorySet,
    /// The template has no such container.
    NoContainer,
    /// Only newborn pods are to get it, and nothing can be written for them.
    NoBirth,
    /// A resize was refused or waited too long: put back.
    PutBack,
    /// Somebody else sizes this memory.
    Conflict,
    /// A pod is stuck; it is reported only, or cannot be replaced now.
    StuckReported,
    /// A pod is stuck: replaced.
    StuckReplaced,
    /// A pod should have ended long ago: reported.
    StuckTerminating,
    /// A pod fails more calls than its siblings, or takes longer; it is reported only, or cannot be replaced now.
    OutlierReported,
    /// A pod fails more calls than its siblings, or takes longer: replaced.
    OutlierReplaced,
    /// The newest revision's pods fail, for this cause.
    CrashLoop(Crash),
}

impl MemoryReason {
    /// The reason in one word, as status, Events and runbook name it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WorkingSet => "WorkingSet",
            Self::FollowsLoad => "FollowsLoad",
            Self::OomRaised => "OomRaised",
            Self::OomReported => "OomReported",
            Self::Quarantined(cause) => cause.label(),
            Self::Lowered => "Lowered",
            Self::Reverted => "Reverted",
            Self::RaiseHarmful => "RaiseHarmful",
            Self::HistoryShort => "HistoryShort",
            Self::RuntimeKeeps => "RuntimeKeeps",
            Self::GoLimit => "GoMemoryLimit",
            Self::AtMaximum => "AtMaximum",
            Self::NoMemorySet => "NoMemorySet",
            Self::NoContainer => "NoContainer",
            Self::PutBack => "PutBack",
            Self::NoBirth => "NoBirth",
            Self::Conflict => "MemoryConflict",
            Self::StuckReported => "StuckReported",
            Self::StuckReplaced => "StuckReplaced",
            Self::StuckTerminating => "StuckTerminating",
            Self::OutlierReported => "OutlierReported",
            Self::OutlierReplaced => "OutlierReplaced",
            Self::CrashLoop(cause) => cause.label(),
        }
    }
}
