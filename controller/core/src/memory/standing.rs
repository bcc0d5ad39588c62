//! What is in force on a function's memory because of us.

use super::seen::Amounts;
use crate::units::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is in force for one function. `Default`: a function just met, so nothing is lowered (M6).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryStanding {
    /// By container.
    pub containers: BTreeMap<String, ContainerStanding>,
    /// Set when the ladder has ended; cleared by a new revision.
    pub quarantine: Option<Quarantine>,
    /// Sizes that a pod's node or the API server has refused, newest last, at most [`Self::MAX_REFUSED`].
    pub refused: Vec<Refused>,
    /// Our last eviction: the next one waits until the workload is whole again (M5).
    pub evicted: Option<Evicted>,
    /// When we evicted (seconds since 1970 UTC), newest last, at most [`Self::MAX_EVICTIONS`].
    #[serde(default)]
    pub evictions: Vec<i64>,
    /// Pods that are unlike their siblings, by identity.
    #[serde(default)]
    pub suspects: BTreeMap<String, Suspect>,
}

impl MemoryStanding {
    /// Bound of `refused`.
    pub const MAX_REFUSED: usize = 32;
    /// Bound of `evictions`: so many in a day, and no outlier is replaced any more.
    pub const MAX_EVICTIONS: usize = 3;
}

/// A pod that is unlike its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Since when, in seconds since 1970 UTC.
    pub since: i64,
    /// When it was last seen to be, in seconds since 1970 UTC.
    pub seen: i64,
}

/// One container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerStanding {
    /// What we hold: newborn pods get it, live ones are brought to it. `None`: just met.
    pub held: Option<Amounts>,
    /// What the template gives, when it was last seen. In memory alone: a process that starts anew reads it from what is
    /// written for newborn pods. `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Amounts>,
    /// The request of live pods past their start, where it is less than what is held. `None`: what is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Bytes>,
    /// Memory is never held below this. `None`: no OOM is remembered.
    pub oom_floor: Option<Bytes>,
    /// Until then (seconds since 1970 UTC).
    pub oom_floor_until: i64,
    /// Steps climbed since the last clean day.
    pub rung: u8,
    /// The last OOM that was counted, in seconds since 1970 UTC; zero: none.
    pub last_oom: i64,
    /// The last decision to lower, in seconds since 1970 UTC. `None`: none is known.
    pub lowered_at: Option<i64>,
    /// Until then nothing is lowered: our last decrease did harm (seconds since 1970 UTC).
    pub no_decrease_until: i64,
    /// The decrease under watch.
    pub trial: Option<Trial>,
    /// The raise of live pods under watch. In memory alone: a process that starts anew watches the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raise: Option<Raise>,
    /// Until then live pods keep what they have unless they are in need: our last raise did harm (seconds since 1970
    /// UTC). In memory alone, as what is lost must not keep a pod from what it needs.
    #[serde(default)]
    pub no_raise_until: i64,
}

/// A raise of live pods under watch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    /// How each pod was before, by identity; those that were not raised are there for comparison.
    pub pods: BTreeMap<String, Before>,
}

/// One pod before a raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Restarts of the container.
    pub restarts: u32,
    /// It had been ready for as long as a raise is watched.
    pub well: bool,
    /// When it was raised, in seconds since 1970 UTC. `None`: it was not.
    pub raised_at: Option<i64>,
}

/// A decrease under watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// What was held before: the undo.
    pub from: Amounts,
    /// Since when, in seconds since 1970 UTC.
    pub since: i64,
    /// Restarts of the container over all pods before it.
    pub restarts: u64,
    /// Pods that were ready before it.
    pub ready: u32,
}

/// Nothing more is done about a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The revision. Empty: not known.
    pub revision: String,
    /// The container.
    pub container: String,
    /// Why.
    pub cause: Cause,
    /// Since when, in seconds since 1970 UTC.
    pub since: i64,
}

/// Why a revision is in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// Its working set grows steadily: more memory only makes it last longer.
    Leak,
    /// It was killed again with as much as the ladder gives.
    OutOfMemory,
    /// It was killed at the policy's maximum, or the node's.
    AtMaximum,
}

impl Cause {
    /// The variant's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Leak => "Leak",
            Self::OutOfMemory => "OutOfMemory",
            Self::AtMaximum => "AtMaximum",
        }
    }
}

/// A size that was refused (M5): no later attempt on that pod at as much or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Identity of the pod.
    pub uid: String,
    /// The container.
    pub container: String,
    /// The size.
    pub size: Bytes,
}

/// Our last eviction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    /// Identity of the pod.
    pub uid: String,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
}
