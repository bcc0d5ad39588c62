//! `FunctionPolicy` to core policy: defaults, every field, every wrong field, all problems at once.

use forewarm_api::FunctionPolicy;
use forewarm_api::policy_parse::parse;
use forewarm_core::policy::{FloorBounds, ForecastMode, Mode, Objective, OnConflict, Policy, ScaleDown};
use forewarm_core::units::{Percent, Replicas, Seconds, Slots};
use serde_json::{Value, json};

fn policy(spec: Value, annotations: Value) -> FunctionPolicy {
    let mut object = json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
        "metadata": {"name": "fraud-scorer", "namespace": "payments", "generation": 7},
    });
    object["spec"] = spec;
    object["metadata"]["annotations"] = annotations;
    serde_json::from_value(object).expect("the policy decodes")
}

fn six_lines() -> FunctionPolicy {
    policy(
        json!({"targetRef": {"name": "fraud-scorer"}, "floor": {"max": 40}}),
        json!({}),
    )
}

/// The fields that `parse` complains of.
fn complaints(spec: Value) -> Vec<&'static str> {
    parse(&policy(spec, json!({})), false)
        .err()
        .unwrap_or_default()
        .iter()
        .map(|problem| problem.field)
        .collect()
}

#[test]
fn six_lines_get_the_defaults_of_a_target_without_a_scaler() {
    let parsed = parse(&six_lines(), false).expect("six lines are enough");
    let expected = Policy {
        generation: 7,
        mode: Mode::Shadow,
        paused: false,
        on_conflict: OnConflict::StandAside,
        floor: FloorBounds {
            min: None,
            max: Replicas(40),
        },
        scale_down: ScaleDown {
            stabilization: Seconds(300),
            step_percent: Percent::new(20).unwrap(),
            step: Seconds(60),
        },
        per_replica: None,
        utilization: Percent::new(70).unwrap(),
        forecast: ForecastMode::Auto,
        crash_loop: forewarm_core::policy::CrashLoop::Hold,
    };
    assert_eq!(parsed, expected);
    let target = &six_lines().spec.target_ref;
    assert_eq!(
        (target.api_version.as_str(), target.kind.as_str()),
        ("apps/v1", "Deployment")
    );
    assert_eq!(six_lines().key().to_string(), "payments/fraud-scorer");
    assert_eq!((six_lines().profile(), six_lines().lead_time()), (None, None));
    assert_eq!(six_lines().objective(), None);
}

#[test]
fn every_field_is_taken_over() {
    let whole = policy(
        json!({
            "mode": "Enforce",
            "targetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "ledger.writer"},
            "onConflict": "Take",
            "floor": {"min": 2, "max": 40},
            "scaleDown": {"stabilizationSeconds": 0, "stepPercent": 25, "stepSeconds": 15},
            "demand": {"profile": "http-inflight", "perReplica": "2500m", "utilizationPercent": 80},
            "objective": "NoWait",
            "forecast": {"mode": "Off", "leadTimeSeconds": 45},
        }),
        json!({}),
    );
    let expected = Policy {
        generation: 7,
        mode: Mode::Enforce,
        paused: false,
        on_conflict: OnConflict::Take,
        floor: FloorBounds {
            min: Some(Replicas(2)),
            max: Replicas(40),
        },
        scale_down: ScaleDown {
            stabilization: Seconds(0),
            step_percent: Percent::new(25).unwrap(),
            step: Seconds(15),
        },
        per_replica: Slots::new(2.5),
        utilization: Percent::new(80).unwrap(),
        forecast: ForecastMode::Off,
        crash_loop: forewarm_core::policy::CrashLoop::Hold,
    };
    assert_eq!(parse(&whole, false), Ok(expected));
    assert_eq!(
        (whole.profile(), whole.lead_time()),
        (Some("http-inflight"), Some(Seconds(45)))
    );
    assert_eq!(whole.objective(), Some(Objective::NoWait));
}

#[test]
fn a_pause_on_the_policy_or_its_namespace_pauses_unless_it_says_false() {
    let rows = [
        (json!({}), false, false),
        (json!({"forewarm.dev/paused": "true"}), false, true),
        (json!({"forewarm.dev/paused": ""}), false, true),
        (json!({"forewarm.dev/paused": "yes please"}), false, true),
        (json!({"forewarm.dev/paused": "false"}), false, false),
        (json!({"forewarm.dev/paused": "false"}), true, true),
        (json!({}), true, true),
    ];
    for (annotations, namespace_paused, paused) in rows {
        let spec = json!({"targetRef": {"name": "f"}, "floor": {"max": 4}});
        let parsed = parse(&policy(spec, annotations.clone()), namespace_paused).expect("the policy is usable");
        assert_eq!(parsed.paused, paused, "{annotations} {namespace_paused}");
    }
}

#[test]
fn each_wrong_field_is_named_even_where_the_schema_was_passed_by() {
    let with = |field: &str, value: Value| {
        let mut spec = json!({"targetRef": {"name": "f"}, "floor": {"max": 40}});
        *spec.pointer_mut(field).unwrap_or(&mut Value::Null) = value.clone();
        let (parent, key) = field.rsplit_once('/').expect("a pointer");
        if spec.pointer(parent).is_none() {
            spec[parent.trim_start_matches('/')] = json!({});
        }
        spec.pointer_mut(parent).expect("the parent is there")[key] = value;
        spec
    };
    let rows = [
        ("/floor/max", json!(0), "spec.floor.max"),
        ("/floor/max", json!(i32::MAX), "spec.floor.max"),
        ("/floor/max", json!(i32::MIN), "spec.floor.max"),
        ("/floor/min", json!(0), "spec.floor.min"),
        ("/floor/min", json!(-1), "spec.floor.min"),
        ("/floor/min", json!(41), "spec.floor.min"),
        (
            "/scaleDown/stabilizationSeconds",
            json!(-1),
            "spec.scaleDown.stabilizationSeconds",
        ),
        (
            "/scaleDown/stabilizationSeconds",
            json!(3601),
            "spec.scaleDown.stabilizationSeconds",
        ),
        ("/scaleDown/stepPercent", json!(0), "spec.scaleDown.stepPercent"),
        ("/scaleDown/stepPercent", json!(26), "spec.scaleDown.stepPercent"),
        ("/scaleDown/stepSeconds", json!(0), "spec.scaleDown.stepSeconds"),
        ("/demand/perReplica", json!("0"), "spec.demand.perReplica"),
        ("/demand/perReplica", json!("1e1000"), "spec.demand.perReplica"),
        ("/demand/perReplica", json!(i64::MIN), "spec.demand.perReplica"),
        ("/demand/utilizationPercent", json!(0), "spec.demand.utilizationPercent"),
        (
            "/demand/utilizationPercent",
            json!(101),
            "spec.demand.utilizationPercent",
        ),
        ("/demand/profile", json!("p".repeat(10_000)), "spec.demand.profile"),
        ("/demand/profile", json!("../../x"), "spec.demand.profile"),
        ("/forecast/leadTimeSeconds", json!(0), "spec.forecast.leadTimeSeconds"),
        (
            "/forecast/leadTimeSeconds",
            json!(3601),
            "spec.forecast.leadTimeSeconds",
        ),
        ("/targetRef/name", json!(""), "spec.targetRef.name"),
        ("/targetRef/name", json!("n".repeat(10_000)), "spec.targetRef.name"),
        ("/targetRef/name", json!("other/scale?x"), "spec.targetRef.name"),
        ("/targetRef/name", json!("-f"), "spec.targetRef.name"),
        ("/targetRef/kind", json!("Deployment\n"), "spec.targetRef.kind"),
        ("/targetRef/apiVersion", json!("apps/v1?x"), "spec.targetRef.apiVersion"),
    ];
    for (field, value, named) in rows {
        assert_eq!(complaints(with(field, value.clone())), vec![named], "{field} = {value}");
    }
}

#[test]
fn all_problems_are_told_at_once_with_value_and_fix() {
    let spec = json!({
        "targetRef": {"name": "f"}, "floor": {"min": 41, "max": 40},
        "demand": {"perReplica": "none"}, "forecast": {"leadTimeSeconds": 0},
    });
    let problems = parse(&policy(spec, json!({})), false).expect_err("three fields are wrong");
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "spec.floor.min is 41: must not exceed spec.floor.max (40): lower min or raise max",
            "spec.demand.perReplica is none: must be between 1m (0.001) and 1M, as in \"20\" or \"500m\": set what one replica can serve",
            "spec.forecast.leadTimeSeconds is 0: must be between 1 and 3600",
        ]
    );
}

#[test]
fn one_object_that_does_not_decode_leaves_the_others_readable() {
    use kube::core::DeserializeGuard;
    let good = serde_json::to_value(six_lines()).expect("a policy serialises");
    let mut bad = good.clone();
    bad["spec"]["mode"] = json!("Sometimes");
    bad["metadata"]["name"] = json!("odd");
    let read: Vec<DeserializeGuard<FunctionPolicy>> =
        serde_json::from_value(json!([bad, good])).expect("the list decodes");
    let odd = read[0].0.as_ref().expect_err("an unknown mode does not decode");
    assert_eq!(odd.metadata.name.as_deref(), Some("odd"));
    assert!(odd.error.contains("Sometimes"), "{}", odd.error);
    assert!(read[1].0.is_ok());
}
