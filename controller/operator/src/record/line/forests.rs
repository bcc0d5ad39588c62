//! Forests, as a line names them: which ones the forecast was made with. Pure.

use forewarm_forecast::fleet::Fit;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// The forests in use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForestsLine {
    /// The shipped one.
    #[schemars(schema_with = "super::super::schema::hash")]
    pub prior: Hash,
    /// The one learned from the cluster's own functions. `null`: none is in use.
    pub fleet: Option<FitLine>,
}

/// Where a forest learned in the cluster comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitLine {
    /// Its hash.
    #[schemars(schema_with = "super::super::schema::hash")]
    pub hash: Hash,
    /// Rows it was learned from.
    pub rows: u32,
    /// Minute since 1970 UTC in which the oldest of them was taken.
    pub from_minute: i64,
    /// Minute of the newest.
    pub to_minute: i64,
}

impl FitLine {
    /// As a line names it.
    pub const fn of(fit: Fit) -> Self {
        let Fit { hash, rows, from, to } = fit;
        Self {
            hash: Hash(hash),
            rows,
            from_minute: from,
            to_minute: to,
        }
    }
}

/// A hash of forests: 16 hexadecimal digits in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub u64);

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}
