//! The name of a pod, also of one long dead, to the name of its workload. Pure.

/// The label that the history query puts on.
pub(crate) const LABEL: &str = "forewarm_owner";
