//! The types in, the YAML of `crds/` out. Pure.

use crate::newborn::NewbornMemory;
use crate::policy::FunctionPolicy;
use crate::profile::DemandProfile;
use kube::CustomResourceExt;
use serde_json::{Number, Value};

/// All definitions as (file name, YAML), in the order of their names.
pub fn crds() -> Vec<(&'static str, String)> {
    definitions()
        .into_iter()
        .map(|(name, definition)| (name, yaml(&definition)))
        .collect()
}

/// All definitions as (file name, JSON).
pub fn definitions() -> Vec<(&'static str, Value)> {
    let json = |definition| {
        let mut value = serde_json::to_value(definition).expect("a definition made from the types serialises");
        tidy(&mut value);
        value
    };
    vec![
        ("forewarm.dev_demandprofiles.yaml", json(DemandProfile::crd())),
        ("forewarm.dev_functionpolicies.yaml", json(FunctionPolicy::crd())),
        ("forewarm.dev_newbornmemories.yaml", json(NewbornMemory::crd())),
    ]
}

/// A definition as one YAML document, with the line that says where it comes from.
pub fn yaml(definition: &Value) -> String {
    let body = serde_saphyr::to_string(definition).expect("JSON is YAML");
    format!("# Made by `forewarm generate`; edit controller/api/src instead.\n{body}")
}

/// Takes out what the generator adds and the API server does not need: `nullable` (a null is dropped instead, so that
/// `has()` in a rule means what it says), `1.0` where a whole number is meant, line ends of a comment. Sorts the keys.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("nullable") == Some(&Value::Bool(true)) {
                map.remove("nullable");
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            map.values_mut().for_each(tidy);
            map.sort_keys();
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Number(number) => *number = whole(number),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// `1.0` as `1`; anything else as it is.
fn whole(number: &Number) -> Number {
    let text = number.to_string();
    text.strip_suffix(".0")
        .and_then(|digits| digits.parse::<i64>().ok())
        .map_or_else(|| number.clone(), Number::from)
}
