//! All functions at one moment. No I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use forewarm_api::problem::PolicyProblem;
use forewarm_core::decide::{Function, World};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Now, Seconds, Slots};
use forewarm_source::{ProfileState, ServedBy};

use super::left::Left;
use super::policies::PolicySeen;
use super::seen::Origin;
use crate::target::{TargetRef, Workload};

/// One function as seen in one tick.
#[derive(Debug)]
pub struct Seen {
    /// Its stored policy, with the status.
    pub stored: Arc<PolicySeen>,
    /// What the user asks, with the namespace's pause, and what is seen. What is forecast is not known yet and comes
    /// with the next room.
    pub function: Function,
    /// How its calls are served, as far as its profile asks.
    pub served: ServedBy,
    /// What the policy names.
    pub target: Arc<TargetRef>,
    /// The object that has the floor field, where that is a scaler. `None`: the target itself.
    pub writes: Option<TargetRef>,
    /// That object as the watch shows it, to see own writes come back. `None`: it is not known.
    pub workload: Option<Arc<Workload>>,
    /// Demand profile in use. `None`: there is none.
    pub profile: Option<Arc<str>>,
    /// 95th percentile of its pods' starts. `None`: none seen.
    pub learned: Option<Seconds>,
    /// No pod that names the target as its own was killed, is not ready, or is to end.
    pub well: bool,
    /// The largest demand that one ready replica was seen to serve. `None`: none seen yet.
    pub suggestion: Option<Slots>,
    /// What is wrong with the profile, with the fix, as far as the profile itself or its source tells.
    pub profile_problem: Option<String>,
    /// What it was made of.
    pub(super) origin: Origin,
}

impl AsRef<Function> for Seen {
    fn as_ref(&self) -> &Function {
        &self.function
    }
}

/// The world at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// When.
    pub now: Now,
    /// How many policies and targets there are, and were.
    pub world: World,
    /// Functions that can be decided upon.
    pub functions: BTreeMap<FunctionKey, Seen>,
    /// Policies that cannot be used, each with its problems.
    pub unusable: BTreeMap<FunctionKey, (Arc<PolicySeen>, Vec<PolicyProblem>)>,
    /// State of every profile in use.
    pub profiles: BTreeMap<String, ProfileState>,
    /// Floors that no policy holds any more.
    pub left: Vec<Left>,
}
