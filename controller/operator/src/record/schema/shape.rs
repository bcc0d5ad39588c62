//! Shapes of JSON as serde writes Rust types. Pure.

// A schema reads best when its parts are written in place.
#![allow(clippy::needless_pass_by_value)]

use serde_json::{Map, Value, json};

/// One of the definitions.
pub(super) fn at(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

pub(super) fn nullable(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

pub(super) fn or_null(name: &str) -> Value {
    nullable(at(name))
}

pub(super) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An enum without data.
pub(super) fn words(names: &[&str]) -> Value {
    json!({"type": "string", "enum": names})
}

/// An enum as serde tags it: bare words, or one member named after the variant.
pub(super) fn tagged(bare: &[&str], with_data: Value) -> Value {
    let mut choices = if bare.is_empty() { Vec::new() } else { vec![words(bare)] };
    if let Value::Object(variants) = with_data {
        choices.extend(
            variants
                .into_iter()
                .map(|(name, schema)| strict("", json!({name: schema}))),
        );
    }
    json!({"oneOf": choices})
}

/// `Known(value)` or `Unknown(why)`.
pub(super) fn reading(value: Value) -> Value {
    tagged(&[], json!({"Known": value, "Unknown": at("Why")}))
}

/// An object with exactly these members.
pub(super) fn strict(description: &str, properties: Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    let mut schema =
        json!({"type": "object", "required": names, "properties": properties, "additionalProperties": false});
    if let Some(object) = schema.as_object_mut().filter(|_| !description.is_empty()) {
        object.insert("description".into(), description.into());
    }
    schema
}
