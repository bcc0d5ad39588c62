//! What is in force because of us, for one function: types only. [`crate::fold`] makes the next one from it,
//! plan and guard read it. Pure.

use crate::policy::Mode;
use crate::units::{Mono, Replicas, Seconds};
use serde::{Deserialize, Serialize};

/// What is in force because of us for one function. `Default` is a function just met: nothing held, nothing
/// remembered, so nothing may be lowered (R12).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Since when this process has watched the function without a gap, in the present mode.
    pub since: Option<Mono>,
    /// The mode of the last decision; a change starts `since` anew.
    pub mode: Mode,
    /// The user's own floor: remembered at take-over, re-recorded when a deploy tool sets another.
    pub user: Option<UserFloor>,
    /// The floor we hold; in Shadow the virtual one. `None`: not taken over yet. In Enforce it is the live
    /// field, except after a deploy's reset: then it stays what we held until that is written again.
    pub held: Option<Replicas>,
    /// The live value that we wrote, or accepted as found, last: any other is somebody else's. `None`: none yet.
    pub written: Option<Replicas>,
    /// When that was. `None` beside a value: restored from the status, not yet compared with the live field.
    pub written_at: Option<Mono>,
    /// What our last accepted write replaced; a read that still shows it may be older than the write.
    pub replaced: Option<Replicas>,
    /// Values of ours that may turn up live though the last read did not show them: of writes without an
    /// answer, or just reset. Newest last, at most [`Self::MAX_UNSETTLED`].
    pub unsettled: Vec<Replicas>,
    /// Wishes of the stabilisation window, newest last; only those that no later one is at least as large as.
    pub wishes: Vec<Wished>,
    /// How far back `wishes` reaches: the stabilisation window it was kept for.
    pub wishes_span: Seconds,
    /// Our falls within the policy's step, oldest first, at most [`Self::MAX_FALLS`].
    pub falls: Vec<Fall>,
    /// How far back `falls` reaches: the step it was kept for.
    pub falls_span: Seconds,
    /// When the present ramp down was begun. `None`: not coming down.
    pub ramp_since: Option<Mono>,
    /// Ramps down begun in the last five minutes, oldest first, at most [`Self::MAX_RAMPS`] (F1).
    pub ramps_begun: Vec<Mono>,
    /// Resets by deploy tools in the last ten minutes, oldest first.
    pub resets: Vec<Mono>,
    /// Set when somebody else has taken the field; cleared when the user touches the policy.
    pub aside: Option<Aside>,
    /// Set when pods of ours found no node; cleared when more of them have. It is not restored: a new process tries.
    #[serde(default)]
    pub full: Option<Full>,
}

impl Standing {
    /// Bound of `wishes`; 300 s at a tick of 15 s need 21.
    pub const MAX_WISHES: usize = 64;
    /// Bound of `falls`; slew lets none through beyond it. A step of 60 s has 4 ticks of 15 s.
    pub const MAX_FALLS: usize = 64;
    /// Bound of `unsettled`; one a tick, and the gate gives up on a value after 30 s.
    pub const MAX_UNSETTLED: usize = 4;
    /// Bound of `ramps_begun`; the brake holds a function that has begun as many.
    pub const MAX_RAMPS: usize = 16;
    /// Span of the brake's count of ramps (F1).
    pub const BRAKE_SPAN: Seconds = Seconds(300);
    /// Span in which deploy resets are counted.
    pub const RESET_SPAN: Seconds = Seconds(600);

    /// A warm start from the policy's status: the next tick compares `held` with the live field, and nothing is
    /// lowered before the function has been watched for its windows (R12).
    ///
    /// `held` is `None` where the status never named one.
    pub fn restored(user: Option<UserFloor>, held: Option<Replicas>, aside: Option<Aside>, mode: Mode) -> Self {
        let written = held.filter(|_| mode == Mode::Enforce);
        Self {
            mode,
            user,
            held,
            written,
            aside,
            ..Self::default()
        }
    }
}

/// The cluster had no place for more pods of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Full {
    /// Pods that had a node.
    pub most: Replicas,
    /// When pods were last seen to wait in vain.
    pub at: Mono,
    /// Attempts in a row that ended so, at least 1.
    pub tries: u32,
}

impl Full {
    /// Wait after the first attempt; each further one doubles it.
    pub const FIRST: Seconds = Seconds(60);
    /// Longest wait between two attempts.
    pub const LONGEST: Seconds = Seconds(1800);

    /// How long after `at` more is tried again: 60 s, 120 s, ... 1800 s.
    pub fn back_off(self) -> Seconds {
        let doublings = self.tries.saturating_sub(1).min(5);
        Seconds(Self::FIRST.0 << doublings).min(Self::LONGEST)
    }

    /// True while no more is tried.
    pub fn waits(self, now: Mono) -> bool {
        !now.passed(self.at, self.back_off())
    }
}

/// The user's own floor, and how we know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserFloor {
    /// Pods.
    pub value: Replicas,
    /// How we know it.
    pub from: UserFloorFrom,
}

/// How we know the user's own floor. It matters where the policy names a `min`: that replaces what was found at
/// take-over, but not what a deploy tool set later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserFloorFrom {
    /// Found on the target.
    TakeOver,
    /// Set by a deploy tool while we had the field.
    Deploy,
}

/// A wish remembered for stabilisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wished {
    /// When.
    pub at: Mono,
    /// How many.
    pub floor: Replicas,
}

/// One of our falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fall {
    /// When.
    pub at: Mono,
    /// The floor before it.
    pub from: Replicas,
    /// The floor after it.
    pub to: Replicas,
}

/// Somebody else has the field, so we keep off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Why.
    pub why: AsideWhy,
    /// The policy's generation when it began: another one means the user has answered.
    pub generation: i64,
    /// The other writer, where known.
    pub by: String,
}

/// Why we keep off a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AsideWhy {
    /// A person or an unknown controller wrote it.
    FieldTaken,
    /// Deploys reset it for the third time in ten minutes.
    ResetTooOften,
}

impl AsideWhy {
    /// The variant's name, for conditions and metric labels.
    pub const fn label(self) -> &'static str {
        match self {
            Self::FieldTaken => "FieldTaken",
            Self::ResetTooOften => "ResetTooOften",
        }
    }
}
