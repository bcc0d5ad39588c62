//! The rail's CEL, evaluated here; the same expressions run on a real API server in the cluster tests.

use super::*;
use kube::core::cel::KubeCelExt;
use kube::core::cel::cel::{Context, Program, Value as Cel, to_value};
use proptest::prelude::*;

/// `variables.NAME` replaced by what it stands for.
fn inlined(expression: &str) -> String {
    RAIL.variables
        .iter()
        .rev()
        .fold(expression.to_owned(), |text, variable| {
            text.replace(
                &format!("variables.{}", variable.name),
                &format!("({})", variable.expression),
            )
        })
}

fn evaluate(expression: &str, old: &Value, new: &Value, manager: Option<&str>) -> Cel {
    let options = manager.map_or_else(|| json!({}), |manager| json!({"fieldManager": manager}));
    let mut context = Context::default().with_all();
    for (name, value) in [
        ("object", new),
        ("oldObject", old),
        ("request", &json!({"options": options})),
    ] {
        context.add_variable_from_value(name, to_value(value).expect("JSON as a CEL value"));
    }
    Program::compile(&inlined(expression))
        .expect("the rail compiles")
        .execute(&context)
        .expect("the rail evaluates")
}

/// The words of the first validation that refuses.
fn refusal(old: &Value, new: &Value, manager: Option<&str>) -> Option<String> {
    let refuses = |rule: &&Validation| evaluate(rule.expression, old, new, manager) != Cel::Bool(true);
    RAIL.validations.iter().find(refuses).map(|rule| match rule.complaint {
        Complaint::Says(words) => words.to_owned(),
        Complaint::Computes(expression) => match evaluate(expression, old, new, manager) {
            Cel::String(words) => words.to_string(),
            other => panic!("a complaint is text, not {other:?}"),
        },
    })
}

/// A `Scale` as the API server shows it to a policy: at zero, `spec` is empty.
fn scale(replicas: u32) -> Value {
    let spec = if replicas == 0 {
        json!({})
    } else {
        json!({"replicas": replicas})
    };
    json!({"metadata": {"name": "f", "namespace": "a", "uid": "u", "resourceVersion": "1"}, "spec": spec,
           "status": {"replicas": 3, "selector": "app=f"}})
}

fn moved(from: u32, to: u32) -> Option<String> {
    refusal(&scale(from), &scale(to), Some("forewarm"))
}

#[test]
fn the_rail_lets_through_what_forewarm_does_and_nothing_else() {
    for (from, to) in [(2, 12), (12, 9), (20, 15), (3, 2), (2, 1), (5, 5), (1, 4_000)] {
        assert_eq!(moved(from, to), None, "{from} to {to}");
    }
    let fall = |from, to| {
        Some(format!(
            "replicas may fall by at most a quarter (or 1) at a time: {from} to {to}"
        ))
    };
    for (from, to) in [(12, 5), (20, 14), (5, 3), (3, 1)] {
        assert_eq!(moved(from, to), fall(from, to));
    }
    assert_eq!(
        moved(0, 3).as_deref(),
        Some("zero replicas mean that a person has paused this workload")
    );
    assert_eq!(moved(1, 0).as_deref(), Some("Forewarm never scales to zero"));
}

#[test]
fn the_rail_lets_no_other_field_and_no_other_manager_through() {
    let only = Some("Forewarm may change only spec.replicas".to_owned());
    for (path, value) in [
        ("spec", json!({"replicas": 3, "other": 1})),
        ("metadata", json!({"name": "g"})),
    ] {
        let mut new = scale(3);
        new[path] = value;
        assert_eq!(refusal(&scale(3), &new, Some("forewarm")), only, "{path}");
    }
    let mut labelled = scale(4);
    labelled["metadata"]["labels"] = json!({"a": "b"});
    assert_eq!(refusal(&scale(3), &labelled, Some("forewarm")), only);
    let mut later = scale(4);
    later["metadata"]["resourceVersion"] = "2".into();
    assert_eq!(
        refusal(&scale(3), &later, Some("forewarm")),
        None,
        "the version may move"
    );
    for manager in [None, Some("kubectl")] {
        let refused = refusal(&scale(3), &scale(4), manager);
        assert_eq!(refused.as_deref(), Some("Forewarm writes as field manager forewarm"));
    }
}

proptest! {
    /// What the core's slew rule lets fall, and only that, passes the rail.
    #[test]
    fn w3_the_rail_holds_a_fall_to_a_quarter(from in 1_u32..5_000, to in 0_u32..6_000) {
        let allowed = to >= 1 && to >= from - (from / 4).max(1).min(from);
        prop_assert_eq!(moved(from, to).is_none(), allowed);
    }
}
