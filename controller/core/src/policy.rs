//! What the user asked for, after parsing: every value here is in range and needs no second look.
//!
//! `forewarm-api` makes a [`Policy`] from a stored `FunctionPolicy`; nothing else does.

use crate::units::{Percent, Replicas, Seconds, Slots};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The name of a function: its policy's namespace and name. A clone shares the text, and two of one origin are equal
/// without a look at it; ordered by the text for stable output.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
pub struct FunctionKey {
    /// Namespace of the policy, and so of everything it may touch (W4).
    pub namespace: Arc<str>,
    /// Name of the policy.
    pub name: Arc<str>,
}

// `Arc<str>` looks at the text also of two of one origin, and a tick compares some ten times a function.
impl PartialEq for FunctionKey {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &Arc<str>, b: &Arc<str>| Arc::ptr_eq(a, b) || a == b;
        same(&self.namespace, &other.namespace) && same(&self.name, &other.name)
    }
}

impl Hash for FunctionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { namespace, name } = self;
        namespace.hash(state);
        name.hash(state);
    }
}

impl Ord for FunctionKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let text = |a: &Arc<str>, b: &Arc<str>| if Arc::ptr_eq(a, b) { Ordering::Equal } else { a.cmp(b) };
        text(&self.namespace, &other.namespace).then_with(|| text(&self.name, &other.name))
    }
}

impl PartialOrd for FunctionKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for FunctionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// How far Forewarm may go for one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Decide and tell, write nothing.
    #[default]
    Shadow,
    /// Decide, write and tell.
    Enforce,
}

/// What to do when a server-side manifest owns the floor field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnConflict {
    /// Refuse to enforce and name the manager and the line.
    #[default]
    StandAside,
    /// Become a second owner by applying the present value, and say when the line can go.
    Take,
}

/// Whether the forecast may raise the floor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForecastMode {
    /// Yes, whenever it is trusted.
    #[default]
    Auto,
    /// Never; it is still made, scored and shown.
    Off,
}

/// What to spend to save a waiting call. Without one the lead time decides; see the forecast crate's `aim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// Few pods; some calls wait.
    Thrifty,
    /// What usually pays.
    Balanced,
    /// More pods; few calls wait.
    Fast,
    /// Many pods; next to no call waits.
    NoWait,
}

/// What follows a revision whose new pods fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CrashLoop {
    /// It is reported.
    Report,
    /// The floor is not raised while they fail.
    #[default]
    Hold,
}

/// The user's bounds of the floor; `min <= max` and `max >= 1` hold by construction in the api crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorBounds {
    /// Lowest floor. `None`: the user's own floor as found on the target.
    pub min: Option<Replicas>,
    /// Highest floor.
    pub max: Replicas,
}

/// How fast what *we* hold may come down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleDown {
    /// The floor never falls below the largest wish of this long (R6).
    pub stabilization: Seconds,
    /// Largest fall within one step, as percent of the floor at its start (R5).
    pub step_percent: Percent,
    /// Length of a step.
    pub step: Seconds,
}

impl ScaleDown {
    /// The default of a target without a scaler: 5 minutes, then 20 % a minute.
    pub fn alone() -> Self {
        Self {
            stabilization: Seconds(300),
            step_percent: Percent::new(20).expect("20 is a percentage"),
            step: Seconds(60),
        }
    }

    /// The default beside a scaler, which does the coming down itself: a floor that is late by less than 45 s needs
    /// no window. The step is what the admission rail lets through at a time.
    pub fn beside_a_scaler(lead: Seconds) -> Self {
        Self {
            stabilization: if lead < Seconds(45) { Seconds(0) } else { Seconds(300) },
            step_percent: Percent::new(25).expect("25 is a percentage"),
            step: Seconds(15),
        }
    }
}

/// One function's policy, parsed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// `metadata.generation`: changes when the user touches the spec.
    pub generation: i64,
    /// How far Forewarm may go.
    pub mode: Mode,
    /// A pause is set on the policy or its namespace: nothing moves.
    pub paused: bool,
    /// What to do about a manifest that owns the field.
    pub on_conflict: OnConflict,
    /// Bounds of the floor.
    pub floor: FloorBounds,
    /// How fast the floor may fall.
    pub scale_down: ScaleDown,
    /// What one replica can serve. `None`: not known, so the function holds (`PerReplicaUnknown`).
    pub per_replica: Option<Slots>,
    /// Used part of the slots for the reactive need; the forecast's floor uses the whole slots.
    pub utilization: Percent,
    /// Whether the forecast may raise the floor.
    pub forecast: ForecastMode,
    /// What follows a revision whose new pods fail.
    pub crash_loop: CrashLoop,
}
