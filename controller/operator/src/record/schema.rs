//! The published JSON Schema of the decision log: the line types in, `docs/log-schema.json` out. Pure.
//!
//! The lines' own members come from their types; the core's types, which carry no schema of their own so that
//! the core stays lean, are described in [`core`]. Unknown members are refused at every level: a type that
//! grows fails the test that holds every line to this schema.

mod core;
mod shape;

use super::health::MemoryLine;
use super::line::{
    BrakeLine, DecisionLine, IntentLine, LeaderLine, OutcomeLine, PolicyLine, ReleaseLine, SCHEMA, SourceLine,
    StartLine, SwitchLine, event,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

pub(super) use core::{
    hash, inputs, memory_decision, memory_inputs, memory_step, mode, objective, outcome, outcomes, output, reason,
    target_ref,
};

/// The schema as a document.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut defs = core::definitions();
    let mut choices = Vec::new();
    for (name, schema) in lines(&mut generator) {
        choices.push(json!({"$ref": format!("#/$defs/{name}")}));
        defs.insert(name.to_owned(), line(name, schema));
    }
    for (name, mut schema) in generator.take_definitions(true) {
        close(&mut schema);
        defs.insert(name, schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Decision log of Forewarm, form {SCHEMA}"),
        "description": "One line of the decision log. Made by `forewarm generate`; see docs/log-reference.md.",
        "oneOf": choices,
        "$defs": defs,
    })
}

/// The document as it is stored: two spaces, a newline at the end.
pub fn text() -> String {
    let document = serde_json::to_string_pretty(&document()).expect("a JSON value prints");
    format!("{document}\n")
}

/// Each event with the schema of its own members.
fn lines(generator: &mut SchemaGenerator) -> [(&'static str, Schema); 12] {
    [
        (event::DECISION, DecisionLine::json_schema(generator)),
        (event::HEARTBEAT, DecisionLine::json_schema(generator)),
        (event::INTENT, IntentLine::json_schema(generator)),
        (event::OUTCOME, OutcomeLine::json_schema(generator)),
        (event::LEADER, LeaderLine::json_schema(generator)),
        (event::START, StartLine::json_schema(generator)),
        (event::SWITCH, SwitchLine::json_schema(generator)),
        (event::BRAKE, BrakeLine::json_schema(generator)),
        (event::RELEASE, ReleaseLine::json_schema(generator)),
        (event::SOURCE, SourceLine::json_schema(generator)),
        (event::POLICY, PolicyLine::json_schema(generator)),
        (event::MEMORY, MemoryLine::json_schema(generator)),
    ]
}

/// A line's own members within the envelope.
fn line(name: &str, schema: Schema) -> Value {
    let mut schema = schema.to_value();
    let mut properties = envelope(name);
    if let Some(own) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.append(own);
    }
    let description = schema.get("description").cloned().unwrap_or_default();
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "description": description,
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The members that the chain adds to every line.
fn envelope(name: &str) -> Map<String, Value> {
    let members = json!({
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "description": "UTC, with milliseconds."},
        "event.name": {"const": name},
        "run": {"type": "string", "maxLength": 26, "description": "Run of the process (a ULID): the name of the chain."},
        "epoch": {"type": "integer", "minimum": 0, "description": "The lease's number of transitions; 0 before this run led."},
        "seq": {"type": "integer", "minimum": 1, "description": "Number of the line within the run."},
        "prev": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "sha256 of the line before; zeros in the first."},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "Hash of this line as printed, without this member."},
    });
    let Value::Object(members) = members else {
        unreachable!("an object literal")
    };
    members
}

/// Refuses unknown members of an object's definition.
fn close(schema: &mut Value) {
    if let Some(object) = schema
        .as_object_mut()
        .filter(|object| object.contains_key("properties"))
    {
        object.insert("additionalProperties".into(), false.into());
    }
}
