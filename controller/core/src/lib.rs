//! The pure core of Forewarm: what is seen and forecast in, decisions out.
//!
//! ```text
//!            ┌──────────────────── standing ◄──────────────────┐
//!            ▼                                                 │
//! observe ─► forecast ─► plan ─► guard ─► apply ─► record ─────┘
//!                        └─ decide(): this crate ─┘
//! ```
//!
//! * [`units`]: numbers with their unit in the type.
//! * [`policy`]: what the user asks, parsed.
//! * [`observation`]: what is seen; [`observation::Reading`] is `Known` or `Unknown(why)`.
//! * [`forecast`]: what is forecast; made elsewhere, read here.
//! * [`standing`]: what is in force because of us.
//! * [`wish`], [`decision`], [`outcome`]: what we would like, what was decided, what became of it.
//! * [`plan`]: who has the field, what is held, what we would like.
//! * [`guard`]: what of it is allowed now, one rule a file.
//! * [`decide`]: the function that the operator, the replay and the tests all call.
//! * [`service`]: how calls are served: failures and latency.
//! * [`memory`]: the same for the memory of pods and for their health.
//! * [`fleet`]: what the brake needs to know of the others.
//! * [`fold`]: the standing after a tick.
//! * [`beside`]: maps by function walked beside each other.
//! * [`finding`]: the same decision as conditions, for the status.
//!
//! No clock, no random numbers, no files, no network, no log, no kube types, no panics on data.

#![deny(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::float_cmp,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable
)]

pub mod beside;
pub mod decide;
pub mod decision;
pub mod finding;
pub mod fleet;
pub mod fold;
pub mod forecast;
pub mod guard;
pub mod memory;
pub mod observation;
pub mod outcome;
pub mod plan;
pub mod policy;
#[cfg(test)]
mod sample;
pub mod service;
pub mod standing;
pub mod units;
pub mod wish;
