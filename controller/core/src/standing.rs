//! What is in force because of us, for one function. Pure: the next standing is a fold of the decision and
//! its outcome.

use crate::policy::Mode;
use crate::units::{Mono, Replicas};
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
    pub user: Option<Replicas>,
    /// The floor we hold; in Shadow the virtual one. `None`: not taken over yet.
    pub held: Option<Replicas>,
    /// What we wrote last to the live field, to tell our value from somebody else's. `None`: nothing yet.
    pub written: Option<Replicas>,
    /// When that was.
    pub written_at: Option<Mono>,
    /// Wishes of the stabilisation window, newest last; only those that no later one is at least as large as.
    pub wishes: Vec<Wished>,
    /// Our falls within the policy's step, oldest first.
    pub falls: Vec<Fall>,
    /// When the present ramp down was begun. `None`: not coming down.
    pub ramp_since: Option<Mono>,
    /// Resets by deploy tools in the last ten minutes, oldest first.
    pub resets: Vec<Mono>,
    /// Set when somebody else has taken the field; cleared when the user touches the policy.
    pub aside: Option<Aside>,
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
