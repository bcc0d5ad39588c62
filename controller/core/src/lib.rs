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
//! * [`decide`]: the function that the operator, the replay and the tests all call.
//!
//! No clock, no random numbers, no files, no network, no log, no kube types, no panics on data.

pub mod decide;
pub mod decision;
pub mod forecast;
pub mod observation;
pub mod outcome;
pub mod policy;
pub mod standing;
pub mod units;
pub mod wish;
