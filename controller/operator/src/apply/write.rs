//! A step in, what it would write and to what out. Pure.

use forewarm_core::decision::Step;
use forewarm_core::observation::Recorded;
use forewarm_core::units::Replicas;

/// What a step would write, and to what.
pub(super) struct Write<'a> {
    pub(super) uid: &'a str,
    /// The value it was decided for, as recorded where a scaler has it. `None`: it moves nothing.
    pub(super) from: Option<Recorded>,
    pub(super) to: Option<Replicas>,
    pub(super) falls: bool,
    /// It is made from a live look whatever the watch shows.
    pub(super) leaves: bool,
    /// It goes to another object than the intent's; its own test is all that guards it.
    pub(super) elsewhere: bool,
}

impl<'a> Write<'a> {
    pub(super) fn of(step: &'a Step) -> Self {
        let value = |value: Replicas| Some(Recorded::Value(value));
        match step {
            Step::SetFloor { uid, from, to, along } => Self {
                uid,
                from: if along.is_some_and(|along| along.absent) {
                    Some(Recorded::Absent)
                } else {
                    value(*from)
                },
                to: Some(*to),
                falls: to < from,
                leaves: false,
                elsewhere: false,
            },
            Step::Adopt { uid, value: at } => Self {
                uid,
                from: value(*at),
                to: Some(*at),
                falls: false,
                leaves: false,
                elsewhere: false,
            },
            Step::GiveBack { uid, from, to } => Self {
                uid,
                from: Some(*from),
                to: match to {
                    Recorded::Value(value) => Some(*value),
                    Recorded::Absent => None,
                },
                falls: true,
                leaves: true,
                elsewhere: false,
            },
            Step::Wake { uid, .. } => Self {
                uid,
                from: None,
                to: None,
                falls: false,
                leaves: false,
                elsewhere: true,
            },
            Step::DropClaim { uid } => Self {
                uid,
                from: None,
                to: None,
                falls: false,
                leaves: true,
                elsewhere: false,
            },
        }
    }
}
