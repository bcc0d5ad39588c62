//! The CEL rules as the API server runs them, on objects that break exactly one of them.

use forewarm_api::{DemandProfile, FunctionPolicy};
use serde_json::{Value, json};

fn policy(spec: Value) -> FunctionPolicy {
    let mut object = json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
        "metadata": {"name": "fraud-scorer", "namespace": "payments"},
        "spec": {"targetRef": {"name": "fraud-scorer"}, "floor": {"max": 40}},
    });
    merge(&mut object["spec"], spec);
    serde_json::from_value(object).expect("the policy decodes")
}

fn profile(spec: Value) -> DemandProfile {
    let mut object = json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "DemandProfile", "metadata": {"name": "inflight"},
        "spec": {"unit": "Concurrency", "query": "sum by (namespace, pod) (inflight)", "join": {"by": "Pod", "nameLabel": "pod"}},
    });
    merge(&mut object["spec"], spec);
    serde_json::from_value(object).expect("the profile decodes")
}

/// Fields of `over` into `under`; objects one level deep.
fn merge(under: &mut Value, over: Value) {
    let Value::Object(over) = over else { return };
    for (key, value) in over {
        under[key] = value;
    }
}

/// The messages of the rules that refuse.
fn refused<E: std::fmt::Display>(verdict: Result<(), E>) -> String {
    verdict.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn six_lines_are_accepted() {
    assert_eq!(refused(policy(json!({})).validate_cel()), "");
}

#[test]
fn a_floor_whose_ends_are_swapped_is_refused() {
    assert_eq!(
        refused(policy(json!({"floor": {"min": 40, "max": 40}})).validate_cel()),
        ""
    );
    let message = refused(policy(json!({"floor": {"min": 41, "max": 40}})).validate_cel());
    assert!(
        message.contains("spec.floor.min must not exceed spec.floor.max: lower min or raise max"),
        "{message}"
    );
}

#[test]
fn a_target_never_changes() {
    let before = policy(json!({}));
    let renamed = policy(json!({"targetRef": {"name": "other"}}));
    let other_kind = policy(json!({"targetRef": {"name": "fraud-scorer", "kind": "StatefulSet"}}));
    let wider = policy(json!({"floor": {"max": 80}}));
    assert_eq!(refused(wider.validate_cel_update(&before)), "");
    for after in [renamed, other_kind] {
        let message = refused(after.validate_cel_update(&before));
        assert!(
            message.contains("spec.targetRef is immutable: delete this policy"),
            "{message}"
        );
    }
}

#[test]
fn slots_are_an_amount_between_a_thousandth_and_a_million() {
    for good in [
        json!("20"),
        json!(20),
        json!("500m"),
        json!("1m"),
        json!("0.001"),
        json!("1M"),
        json!(1_000_000),
    ] {
        let message = refused(policy(json!({"demand": {"perReplica": good}})).validate_cel());
        assert_eq!(message, "", "{good}");
    }
    let bad = [
        "0", "-1", "0.1m", "1e3", "1e1000", "1Ki", "9E", "NaN", "", "abc", "2M", "١",
    ]
    .map(|text| json!(text));
    for amount in bad
        .into_iter()
        .chain([json!(0), json!(-1), json!(1_000_001), json!(i64::MAX)])
    {
        let message = refused(policy(json!({"demand": {"perReplica": amount}})).validate_cel());
        assert!(
            message.contains("spec.demand.perReplica must be between 1m (0.001) and 1M"),
            "{amount}: {message:?}"
        );
        assert!(!message.contains("evaluation"), "{amount}: {message:?}");
    }
}

#[test]
fn a_step_of_more_than_a_quarter_is_refused_and_says_who_would_refuse_it() {
    assert_eq!(
        refused(policy(json!({"scaleDown": {"stepPercent": 25}})).validate_cel()),
        ""
    );
    let message = refused(policy(json!({"scaleDown": {"stepPercent": 26}})).validate_cel());
    assert!(
        message.contains("spec.scaleDown.stepPercent must be 25 or less: the admission policy"),
        "{message}"
    );
}

#[test]
fn zero_if_up_needs_a_query_that_says_up() {
    assert_eq!(
        refused(profile(json!({"absent": "ZeroIfUp", "upQuery": "sum(up)"})).validate_cel()),
        ""
    );
    let message = refused(profile(json!({"absent": "ZeroIfUp"})).validate_cel());
    assert!(message.contains("spec.absent ZeroIfUp needs spec.upQuery"), "{message}");
}

#[test]
fn drain_goes_with_a_backlog_and_only_with_it() {
    assert_eq!(
        refused(profile(json!({"unit": "Backlog", "drainSeconds": 60})).validate_cel()),
        ""
    );
    let without = refused(profile(json!({"unit": "Backlog"})).validate_cel());
    assert!(
        without.contains("spec.unit Backlog needs spec.drainSeconds"),
        "{without}"
    );
    let stray = refused(profile(json!({"drainSeconds": 60})).validate_cel());
    assert!(
        stray.contains("spec.drainSeconds goes with spec.unit Backlog only: remove it"),
        "{stray}"
    );
}

#[test]
fn the_age_is_that_of_a_functions_backlog() {
    let with = |by: &str, unit: Value| {
        let mut spec = json!({"ageQuery": "age", "join": {"by": by, "nameLabel": "n"}});
        spec.as_object_mut().unwrap().extend(unit.as_object().unwrap().clone());
        refused(profile(spec).validate_cel())
    };
    let backlog = || json!({"unit": "Backlog", "drainSeconds": 60});
    assert_eq!(with("Workload", backlog()), "");
    assert_eq!(with("Service", backlog()), "");
    assert!(
        with("Pod", backlog()).contains("spec.ageQuery is one age a function: set spec.join.by to Workload or Service")
    );
    assert!(with("Workload", json!({})).contains("spec.ageQuery goes with spec.unit Backlog only: remove it"));
}

#[test]
fn how_calls_are_served_is_a_rate_and_something_held_against_it() {
    let with = |spec: Value| refused(profile(spec).validate_cel());
    assert_eq!(with(json!({"requestQuery": "r", "errorQuery": "e"})), "");
    assert_eq!(
        with(json!({"requestQuery": "r", "latencyQuery": "l", "errorQuery": "e"})),
        ""
    );
    for half in [
        json!({"requestQuery": "r"}),
        json!({"errorQuery": "e"}),
        json!({"latencyQuery": "l"}),
    ] {
        let message = with(half);
        assert!(
            message.contains("spec.requestQuery goes with spec.errorQuery or spec.latencyQuery"),
            "{message}"
        );
    }
}

#[test]
fn a_profile_has_a_name_that_a_policy_can_hold() {
    let named = |length: usize| {
        let mut profile = profile(json!({}));
        profile.metadata.name = Some("p".repeat(length));
        refused(profile.validate_cel())
    };
    assert_eq!(named(63), "");
    assert!(
        named(64).contains("metadata.name must be at most 63 characters"),
        "{}",
        named(64)
    );
}
