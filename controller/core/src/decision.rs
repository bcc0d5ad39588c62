//! The result of plan and guard for one function: the wish, every clamp in order, and the verdict.

use crate::observation::{Reading, Recorded};
use crate::units::Replicas;
use crate::wish::FloorWish;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Name of a guard rule, as listed in `guard::RULES`.
pub type RuleName = Cow<'static, str>;

/// What was decided for one function in one tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The floor held before (`h`). After a deploy's reset it is what was held before that, not the live value.
    /// `None`: the target is not known.
    pub held: Option<Replicas>,
    /// Who has the field, and what follows from it.
    pub field: FieldVerdict,
    /// What plan would like. `None`: nothing can be planned, `verdict` says why.
    pub wish: Option<FloorWish>,
    /// What the guard rules made of it, in their order; rules that passed are left out.
    pub clamps: Vec<Clamp>,
    /// What is to be done.
    pub verdict: Verdict,
    /// Why, in one word: the stable reason of status, Event and log.
    pub reason: Reason,
    /// What a reactive scaler with the same slots and utilisation would hold now.
    pub counterfactual: Reading<Replicas>,
}

impl Decision {
    /// The floor to be written, where one is.
    pub fn to(&self) -> Option<Replicas> {
        let Verdict::Apply(steps) = &self.verdict else {
            return None;
        };
        steps.iter().find_map(|step| match step {
            Step::SetFloor { to, .. } => Some(*to),
            Step::Adopt { .. } | Step::DropClaim { .. } | Step::GiveBack { .. } | Step::Wake { .. } => None,
        })
    }

    /// True when what is held is to come down.
    pub fn falls(&self) -> bool {
        self.to().zip(self.held).is_some_and(|(to, held)| to < held)
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    /// These steps, in order; a later one only after the earlier one succeeded.
    Apply(Vec<Step>),
    /// Something else was wished for, and this rule kept it.
    Hold(RuleName),
    /// What is held is what is wished for.
    Steady,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Move the floor field.
    SetFloor {
        /// UID of the target the decision was made for.
        uid: String,
        /// The field's value it was made for; the write tests it. In Shadow the virtual floor.
        from: Replicas,
        /// The new value.
        to: Replicas,
        /// What the write of a scaler's field takes along. `None`: the target has no scaler.
        along: Option<Along>,
    },
    /// Take our name off the field after a write, so that no deploy of its owner fails; moves nothing.
    DropClaim {
        /// UID of the object that has the field.
        uid: String,
    },
    /// Leave: the user's own value back and our annotation off, in one write.
    GiveBack {
        /// UID of the object that has the field.
        uid: String,
        /// The field's present value; the write tests it.
        from: Recorded,
        /// The user's own value.
        to: Recorded,
    },
    /// Start the pods that a floor already written asks for, where the scaler does not look at it.
    Wake {
        /// UID of the workload, which has no replica.
        uid: String,
        /// The floor.
        to: Replicas,
    },
    /// Become a second owner of the field by applying its present value; moves nothing.
    Adopt {
        /// UID of the target.
        uid: String,
        /// The present value.
        value: Replicas,
    },
}

/// What the write of a scaler's floor field takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Along {
    /// The field is not there yet.
    pub absent: bool,
    /// The object has no annotations at all.
    pub bare: bool,
    /// The user's own value, to be recorded in the same write. `None`: it is recorded already, or elsewhere.
    pub record: Option<Recorded>,
}

/// What one guard rule did to the wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clamp {
    /// The rule.
    pub rule: RuleName,
    /// Value before it.
    pub from: Replicas,
    /// Value after it.
    pub to: Replicas,
}

/// What follows from who has the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldVerdict {
    /// The target is not known, so neither is its field.
    Unseen,
    /// Ours, or nobody's: go on.
    Free,
    /// First sight: the value found becomes the user's own floor (where the policy names no `min`).
    TakeOver {
        /// The value found.
        user: Replicas,
    },
    /// A deploy set it back to the remembered value: raise again at once, and count.
    Reset {
        /// The deploy tool's manager.
        by: String,
    },
    /// A deploy set another value: the user's new own floor.
    NewUserFloor {
        /// The value found.
        user: Replicas,
        /// The deploy tool's manager.
        by: String,
    },
    /// A server-side manifest has the line; Enforce is refused until it is adopted and the line deleted.
    InManifest {
        /// The manager.
        by: String,
        /// Forewarm has adopted the field: the line can go now.
        adopted: bool,
    },
    /// Somebody else took it: keep off until the policy is touched.
    Aside {
        /// Who.
        by: String,
        /// `FieldTaken` or `ResetTooOften`.
        why: crate::standing::AsideWhy,
    },
    /// Several known scalers have the target, or one that is not ours to move.
    Scaler {
        /// Its kind and name.
        by: String,
    },
    /// Zero replicas: a person has paused the target.
    AtZero,
    /// The scaler is paused by its own annotation.
    ScalerPaused {
        /// Its kind and name.
        by: String,
    },
    /// A new object has the field, made by a rollout: what was held is written again at once.
    Renewed,
    /// The read still shows what our last write replaced: wait until it shows the write (W5).
    Lagging,
}

/// Why a decision is what it is. The variant's name is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The forecast asks for more.
    ForecastRise,
    /// The demand of now asks for more.
    ReactiveRise,
    /// The user's own floor or the policy's `min` is above what is held.
    UserFloor,
    /// A deploy set the floor back; raised again.
    DeployReset,
    /// Less is needed, and has been for long enough.
    Quiet,
    /// The policy's `max` is now below what is held.
    LoweredMax,
    /// More is held than the cluster has a place for; back to what can run.
    CapacityLimited,
    /// What is held is what is wished for.
    Steady,
    /// The field is being adopted, so that its line can go from the manifest.
    Adopting,
    /// Our name is taken off the field, left there by a write that was cut short.
    ClaimDropped,
    /// A rollout made a new object at the user's own floor; raised again.
    Rollout,
    /// The scaler was restarted at zero and does not look at its floor: the pods are started in its place.
    Woken,
    /// A guard rule holds; its name is in the verdict.
    Held,
    /// The target is not known.
    TargetUnknown,
}

impl Reason {
    /// The variant's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ForecastRise => "ForecastRise",
            Self::ReactiveRise => "ReactiveRise",
            Self::UserFloor => "UserFloor",
            Self::DeployReset => "DeployReset",
            Self::Quiet => "Quiet",
            Self::LoweredMax => "LoweredMax",
            Self::CapacityLimited => "CapacityLimited",
            Self::Steady => "Steady",
            Self::Adopting => "Adopting",
            Self::ClaimDropped => "ClaimDropped",
            Self::Rollout => "Rollout",
            Self::Woken => "Woken",
            Self::Held => "Held",
            Self::TargetUnknown => "TargetUnknown",
        }
    }
}
