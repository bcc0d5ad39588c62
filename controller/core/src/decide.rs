//! The product: observation, forecast and standing in, decisions out. Pure.
//!
//! [`decide_one`] is a function of its arguments alone, so the complete input in one log line gives the same
//! output again (A5). [`decide`] runs it over the fleet and works out what the brake needs to know.

use crate::decision::{Decision, FieldVerdict, Reason, Verdict};
use crate::forecast::Forecast;
use crate::observation::Observation;
use crate::policy::{FunctionKey, Policy};
use crate::standing::Standing;
use crate::units::Now;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One function in one tick: what is asked, what is seen, what is forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// What the user asks.
    pub policy: Policy,
    /// What is seen.
    pub observation: Observation,
    /// What is forecast.
    pub forecast: Forecast,
}

/// What one decision needs to know of all the others (F1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Targets known.
    pub targets: u32,
    /// Ramps down begun in the last five minutes.
    pub ramps_begun: u32,
    /// This function's place among those that would begin a ramp down in this tick, from 0.
    pub ramp_place: u32,
    /// Functions that would fall in this tick though nothing expected it.
    pub unexpected_falls: u32,
    /// More than half of the known policies or targets vanished from one list.
    pub world_vanished: bool,
}

/// What the tick knows of the lists behind the snapshot (F1: a partial world is not a small world).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// Policies known at the last complete look.
    pub policies_before: u32,
    /// Policies known now.
    pub policies_now: u32,
    /// Targets found at the last complete look.
    pub targets_before: u32,
    /// Targets found now.
    pub targets_now: u32,
}

/// The complete input of one decision, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The function.
    pub function: Function,
    /// The others.
    pub fleet: Fleet,
    /// What is in force because of us.
    pub standing: Standing,
    /// When.
    pub now: Now,
}

impl Inputs {
    /// Decides again.
    pub fn decide(&self) -> Decision {
        decide_one(&self.function, &self.fleet, &self.standing, self.now)
    }
}

/// A decision with the fleet's part of its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What was known of the others.
    pub fleet: Fleet,
    /// What was decided.
    pub decision: Decision,
}

/// Decides for every function.
pub fn decide(
    functions: &BTreeMap<FunctionKey, Function>,
    world: World,
    standing: &BTreeMap<FunctionKey, Standing>,
    now: Now,
) -> BTreeMap<FunctionKey, Decided> {
    let _ = world;
    let fresh = Standing::default();
    let fleet = Fleet::default();
    functions
        .iter()
        .map(|(key, function)| {
            let standing = standing.get(key).unwrap_or(&fresh);
            let decision = decide_one(function, &fleet, standing, now);
            (key.clone(), Decided { fleet, decision })
        })
        .collect()
}

/// Decides for one function.
pub fn decide_one(function: &Function, _fleet: &Fleet, _standing: &Standing, _now: Now) -> Decision {
    let _ = function;
    Decision {
        held: None,
        field: FieldVerdict::Unseen,
        wish: None,
        clamps: Vec::new(),
        verdict: Verdict::Steady,
        reason: Reason::Steady,
        counterfactual: crate::observation::Reading::Unknown(crate::observation::Why::NotYetRead),
    }
}
