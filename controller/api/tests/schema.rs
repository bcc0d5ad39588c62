//! The schema of both kinds: every part bounded, nothing for a tenant to aim elsewhere, and as committed.

use forewarm_api::{crd, crds};
use serde_json::Value;

/// Calls `look` on every schema node below `node`, with its path.
fn walk(node: &Value, path: &str, look: &mut dyn FnMut(&Value, &str)) {
    look(node, path);
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), look);
    }
    if node["items"].is_object() {
        walk(&node["items"], &format!("{path}[]"), look);
    }
    if node["additionalProperties"].is_object() {
        walk(&node["additionalProperties"], &format!("{path}{{}}"), look);
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let schema = |definition: Value| definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    crd::definitions()
        .into_iter()
        .map(|(name, definition)| (name, schema(definition)))
        .collect()
}

/// What a node lacks; empty when it is bounded.
fn lacks(node: &Value) -> Vec<&'static str> {
    let has = |key: &str| !node[key].is_null();
    let mut lacking = Vec::new();
    let mut need = |needed: bool, what| {
        if needed {
            lacking.push(what);
        }
    };
    let int_or_string = node["x-kubernetes-int-or-string"] == true;
    match node["type"].as_str() {
        Some("string") => need(!has("maxLength") && !has("enum"), "maxLength or enum"),
        Some("array") => need(!has("maxItems") || !has("items"), "maxItems and items"),
        Some("integer") => {
            let rule = node["x-kubernetes-validations"][0]["rule"].as_str().unwrap_or_default();
            need(!has("minimum"), "minimum");
            // A count that Forewarm writes has the end of its type as its maximum.
            need(
                !has("maximum") && !has("format") && !rule.starts_with("self <="),
                "maximum",
            );
        }
        Some("number") => need(true, "another type: an amount is a Quantity or a whole number"),
        Some("object") => {
            need(has("additionalProperties") && !has("maxProperties"), "maxProperties");
            need(!has("properties") && !has("additionalProperties"), "properties");
        }
        Some("boolean") => {}
        Some(_) => need(true, "a known type"),
        None => need(
            !int_or_string || !has("maxLength"),
            "a type, or int-or-string with maxLength",
        ),
    }
    need(!has("description"), "description");
    need(
        has("nullable"),
        "no nullable: has() in a rule would not mean what it says",
    );
    need(
        node["x-kubernetes-preserve-unknown-fields"] == true,
        "a schema of its own",
    );
    lacking
}

#[test]
fn every_string_list_map_and_number_is_bounded_and_described() {
    let mut unbounded = Vec::new();
    let mut seen = 0;
    for (file, schema) in schemas() {
        walk(&schema, "", &mut |node, path| {
            seen += 1;
            let described_by_key = path.is_empty();
            let lacking: Vec<_> = lacks(node)
                .into_iter()
                .filter(|l| !(described_by_key && *l == "description"))
                .collect();
            if !lacking.is_empty() {
                unbounded.push(format!("{file} {path} lacks {}", lacking.join(", ")));
            }
        });
    }
    assert!(unbounded.is_empty(), "{}", unbounded.join("\n"));
    assert!(seen > 60, "the walk saw only {seen} nodes");
}

#[test]
fn numbers_that_a_user_writes_have_both_ends() {
    let mut open = Vec::new();
    for (file, schema) in schemas() {
        walk(&schema["properties"]["spec"], "spec", &mut |node, path| {
            let rule = node["x-kubernetes-validations"][0]["rule"].as_str().unwrap_or_default();
            if node["type"] == "integer" && node["maximum"].is_null() && !rule.starts_with("self <=") {
                open.push(format!("{file} {path}"));
            }
        });
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn the_walk_finds_what_is_unbounded() {
    let rows = [
        (
            serde_json::json!({"type": "string", "description": "d"}),
            "maxLength or enum",
        ),
        (
            serde_json::json!({"type": "array", "description": "d", "items": {}}),
            "maxItems and items",
        ),
        (
            serde_json::json!({"type": "object", "description": "d", "additionalProperties": {}}),
            "maxProperties",
        ),
        (
            serde_json::json!({"type": "integer", "minimum": 0, "description": "d"}),
            "maximum",
        ),
        (
            serde_json::json!({"description": "d", "x-kubernetes-int-or-string": true}),
            "a type, or int-or-string with maxLength",
        ),
        (serde_json::json!({"type": "string", "maxLength": 1}), "description"),
    ];
    for (node, lacking) in rows {
        assert_eq!(lacks(&node), vec![lacking], "{node}");
    }
}

#[test]
fn no_field_of_a_tenant_names_an_address_a_path_a_query_or_a_secret() {
    let (_, policy) = schemas()
        .into_iter()
        .find(|(name, _)| name.contains("functionpolicies"))
        .expect("both kinds are there");
    walk(&policy["properties"]["spec"], "spec", &mut |_, path| {
        let lower = path.to_lowercase();
        for word in [
            "url",
            "query",
            "path",
            "secret",
            "token",
            "namespace",
            "endpoint",
            "address",
            "selector",
        ] {
            assert!(!lower.contains(word), "{path}");
        }
    });
}

#[test]
fn every_rule_has_a_message_that_names_a_field() {
    let mut rules = 0;
    for (file, schema) in schemas() {
        walk(&schema, "", &mut |node, path| {
            for rule in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
                let message = rule["message"].as_str().unwrap_or_default();
                assert!(
                    message.contains("spec.") || message.contains("metadata."),
                    "{file} {path}: {message:?}"
                );
                assert!(
                    message.contains(": "),
                    "{file} {path}: {message:?} does not say what to do"
                );
                rules += 1;
            }
        });
    }
    assert_eq!(
        rules, 15,
        "a rule was added or lost: keep docs/policy-reference.md in step"
    );
}

#[test]
fn committed_definitions_are_what_the_types_say() {
    for (name, yaml) in crds() {
        let path = format!("{}/../../crds/{name}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(&path).expect("the definition is committed");
        assert!(committed == yaml, "{name} differs from the types: run `make generate`");
    }
}

#[test]
fn the_reference_tells_of_every_field() {
    let path = format!("{}/../../docs/policy-reference.md", env!("CARGO_MANIFEST_DIR"));
    let reference = std::fs::read_to_string(path).expect("the reference is there");
    let mut missing = Vec::new();
    for (file, schema) in schemas() {
        walk(&schema, "", &mut |node, path| {
            let leaf = node["properties"].is_null() && !path.contains("[]") && !path.contains("{}");
            let field = path.trim_start_matches('.');
            if leaf && !reference.contains(&format!("`{field}`")) {
                missing.push(format!("{file} {field}"));
            }
        });
    }
    assert_eq!(missing, Vec::<String>::new());
}
