//! Conditions of a policy: their types, and the bounds that `metav1.Condition` lacks. Pure.

use schemars::{Schema, SchemaGenerator, json_schema};

/// The policy is usable and its target is watched.
pub const READY: &str = "Ready";
/// Forewarm moves the floor: mode `Enforce`, not paused, not standing aside.
pub const ACTIVE: &str = "Active";
/// The forecast may raise the floor.
pub const FORECAST_TRUSTED: &str = "ForecastTrusted";
/// The demand of now is known.
pub const METRICS_TRUSTED: &str = "MetricsTrusted";
/// Somebody else owns the floor field, or the target. Normal value: False.
pub const CONFLICT: &str = "Conflict";
/// The cluster does not take as many pods as are wished for. Normal value: False.
pub const CAPACITY_LIMITED: &str = "CapacityLimited";
/// A backlog needs more pods than the ceiling allows. Normal value: False.
pub const BACKPRESSURE: &str = "Backpressure";

/// Longest message the schema takes, in characters.
pub const MESSAGE_MAX: usize = 1024;

/// Schema of the list: a map by type, at most eight entries, every string bounded.
pub(crate) fn list_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "description": "One thing that holds, does not hold, or is not known.",
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Z][A-Za-z]*$", "description": "What the condition is about."},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "True, False or Unknown."},
                "reason": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Z][A-Za-z0-9]*$", "description": "Stable word for the cause of the status."},
                "message": {"type": "string", "maxLength": MESSAGE_MAX, "description": "The cause and the fix in a sentence."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "maxLength": 35, "description": "When the status last changed."},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0, "description": "Generation of the policy it was found for."}
            }
        }
    })
}
