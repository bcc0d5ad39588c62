//! The custom resources: what the API server stores on one side, what the core decides with on the other.
//!
//! ```text
//! FunctionPolicy ──parse_policy──► core::Policy          DemandProfile ──parse_profile──► Profile
//! FunctionPolicyStatus ──restore──► core::Standing       types ──crds()──► crds/*.yaml
//! ```
//!
//! * [`policy`], [`profile`]: the two kinds that users write, as stored, with their bounds and CEL rules.
//! * [`status`], [`condition`]: what Forewarm writes back, and what of it survives a restart.
//! * [`policy_parse`], [`profile_parse`]: parse, don't validate; every problem at once, each with its fix.
//! * [`memory`]: memory and healing, and what of them survives a restart.
//! * [`newborn`]: what newborn pods get, as an admission policy reads it.
//! * [`amount`]: a Kubernetes quantity of demand or slots.
//! * [`crd`]: the YAML of `crds/`, made from the types.
//!
//! No client and no clock: this crate reads values and makes values.

pub mod amount;
pub mod condition;
pub mod crd;
pub mod memory;
pub mod newborn;
pub mod policy;
pub mod policy_parse;
pub mod problem;
pub mod profile;
pub mod profile_parse;
pub mod status;

pub use amount::Amount;
pub use crd::crds;
pub use newborn::{NewbornMemory, NewbornMemorySpec};
pub use policy::{FunctionPolicy, FunctionPolicySpec};
pub use policy_parse::parse;
pub use problem::PolicyProblem;
pub use profile::{DemandProfile, DemandProfileSpec};
pub use profile_parse::{Profile, parse_profile};
pub use status::FunctionPolicyStatus;

/// API group of the kinds.
pub const GROUP: &str = "forewarm.dev";
/// Version of the kinds.
pub const VERSION: &str = "v1alpha1";
/// Annotation on a policy or a namespace: nothing moves while it is there, whatever its value, unless that is `"false"`.
pub const PAUSED: &str = "forewarm.dev/paused";
/// Annotation on the one demand profile that policies without `demand.profile` use, set to `"true"`.
pub const IS_DEFAULT: &str = "forewarm.dev/is-default";
