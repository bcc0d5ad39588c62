//! The registry of target kinds: one file a kind, one line in `TARGETS`.

use serde::{Deserialize, Serialize};

/// A workload by kind and name, in the namespace of its policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetRef {
    /// Group and version, as in `apps/v1`.
    pub api_version: String,
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Namespace: always the policy's own (W4).
    pub namespace: String,
    /// Name.
    pub name: String,
}
