//! Both kinds at once: requests, and the rail's CEL evaluated here; the same expressions run on a real API server
//! in the cluster tests.

use super::*;
use crate::target::{Complaint, Hpa, Keda, Rail, TargetKind, Validation};
use forewarm_core::observation::Halted;
use kube::core::cel::KubeCelExt;
use kube::core::cel::cel::{Context, Program, Value as Cel, to_value};
use serde_json::{Value, json};

const KINDS: [(&dyn TargetKind, &str); 2] = [(&Hpa, "minReplicas"), (&Keda, "minReplicaCount")];

/// An object of the kind with this floor, and this record of the user's own.
fn object(field: &str, floor: Option<u32>, record: Option<&str>) -> Value {
    let mut value = json!({"apiVersion": "x/v1", "kind": "X",
        "metadata": {"name": "f", "namespace": "a", "uid": "u-1", "resourceVersion": "7", "generation": 1,
                     "annotations": {"team": "x"},
                     "managedFields": [{"manager": "helm", "operation": "Apply", "time": "2026-01-01T00:00:00Z",
                                        "fieldsV1": {"f:spec": {"f:scaleTargetRef": {}}}}]},
        "spec": {"scaleTargetRef": {"name": "f"}, "maxReplicas": 50, "maxReplicaCount": 50}});
    if let Some(floor) = floor {
        value["spec"][field] = floor.into();
    }
    if let Some(record) = record {
        value["metadata"]["annotations"][USER_FLOOR] = record.into();
        value["metadata"]["managedFields"].as_array_mut().unwrap().push(
            json!({"manager": "forewarm", "operation": "Update", "time": "2026-01-01T00:01:00Z",
                   "fieldsV1": {"f:metadata": {"f:annotations": {"f:forewarm.dev/user-floor": {}}}}}),
        );
    }
    value
}

fn dynamic(value: &Value) -> DynamicObject {
    serde_json::from_value(value.clone()).expect("an object of the test")
}

fn read(kind: &dyn TargetKind, value: &Value) -> Workload {
    kind.read(&kind.resources(&[])[0], &dynamic(value))
        .expect("a readable object")
}

fn body(kind: &dyn TargetKind, step: &Step) -> Value {
    let resource = &kind.resources(&[])[0];
    let target = TargetRef {
        api_version: resource.api_version(),
        kind: resource.kind.clone(),
        namespace: "a".into(),
        name: "f".into(),
    };
    let request = kind.request(resource, &target, step).expect("a request");
    assert!(
        request
            .uri()
            .to_string()
            .ends_with("/f?fieldManager=forewarm&fieldValidation=Strict")
    );
    serde_json::from_slice(request.body()).expect("a JSON body")
}

fn set(from: u32, absent: bool, bare: bool, record: Option<Recorded>) -> Step {
    Step::SetFloor {
        uid: "u-1".into(),
        from: Replicas(from),
        to: Replicas(12),
        along: Some(Along { absent, bare, record }),
    }
}

#[test]
fn the_first_write_tests_the_value_and_records_it_and_later_ones_do_not() {
    let uid = json!({"op": "test", "path": "/metadata/uid", "value": "u-1"});
    for (kind, field) in KINDS {
        let at = format!("/spec/{field}");
        let floor = json!({"op": "add", "path": at, "value": 12});
        let note = json!({"op": "add", "path": USER_FLOOR_PATH, "value": "2"});
        let value = Some(Recorded::Value(Replicas(2)));
        assert_eq!(
            body(kind, &set(2, false, false, value)),
            json!([uid, {"op": "test", "path": at, "value": 2}, floor, note])
        );
        assert_eq!(
            body(kind, &set(2, false, false, None)),
            json!([uid, {"op": "test", "path": at, "value": 2}, floor])
        );
        let absent = body(kind, &set(0, true, true, Some(Recorded::Absent)));
        assert_eq!(absent[1], json!({"op": "test", "path": at, "value": null}));
        assert_eq!(
            absent[3],
            json!({"op": "test", "path": "/metadata/annotations", "value": null})
        );
        assert_eq!(absent[4]["value"], json!({USER_FLOOR: ""}));
    }
}

#[test]
fn giving_back_restores_what_was_recorded_and_takes_the_record_off() {
    let step = |from, to| Step::GiveBack {
        uid: "u-1".into(),
        from,
        to,
    };
    let value = |n| Recorded::Value(Replicas(n));
    for (kind, field) in KINDS {
        let at = format!("/spec/{field}");
        let off = json!({"op": "remove", "path": USER_FLOOR_PATH});
        let back = body(kind, &step(value(12), value(2)));
        assert_eq!(
            (&back[2], &back[3]),
            (&json!({"op": "add", "path": at, "value": 2}), &off)
        );
        let gone = body(kind, &step(value(12), Recorded::Absent));
        assert_eq!((&gone[2], &gone[3]), (&json!({"op": "remove", "path": at}), &off));
        let nothing = body(kind, &step(Recorded::Absent, Recorded::Absent));
        assert_eq!(nothing[2], off);
    }
}

#[test]
fn the_claim_is_dropped_by_its_place_and_the_whole_entry_when_we_leave() {
    for (kind, field) in KINDS {
        let resource = kind.resources(&[])[0].clone();
        let target = TargetRef {
            api_version: resource.api_version(),
            kind: resource.kind.clone(),
            namespace: "a".into(),
            name: "f".into(),
        };
        let drop = |value: &Value| {
            let request = kind.drop_claim(&resource, &target, &dynamic(value)).expect("a request");
            request.map(|request| serde_json::from_slice::<Value>(request.body()).expect("a JSON body")[3].clone())
        };
        let mut claimed = object(field, Some(12), Some("2"));
        assert_eq!(drop(&claimed), None, "there is no claim");
        claimed["metadata"]["managedFields"][1]["fieldsV1"]["f:spec"] = json!({format!("f:{field}"): {}});
        assert_eq!(
            drop(&claimed),
            Some(json!({"op": "remove", "path": "/metadata/managedFields/1/fieldsV1/f:spec"}))
        );
        claimed["metadata"]["annotations"] = json!({});
        assert_eq!(
            drop(&claimed),
            Some(json!({"op": "remove", "path": "/metadata/managedFields/1"}))
        );
        assert_eq!(drop(&object(field, Some(12), None)), None);
    }
}

#[test]
fn a_pruned_object_reads_the_same() {
    for (kind, field) in KINDS {
        for record in [None, Some(""), Some("2"), Some("x")] {
            let mut pruned = dynamic(&object(field, Some(12), record));
            let whole = read(kind, &object(field, Some(12), record));
            kind.prune(&mut pruned);
            assert_eq!(kind.read(&kind.resources(&[])[0], &pruned), Ok(whole), "{record:?}");
        }
    }
}

#[test]
fn what_one_replica_serves_is_read_where_there_is_exactly_one_target_per_replica() {
    let external = |value: &str| {
        json!({"type": "External", "external": {"metric": {"name": "q"},
        "target": {"type": "AverageValue", "averageValue": value}}})
    };
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}});
    let hpa = |metrics: Value| {
        let mut value = object("minReplicas", Some(2), None);
        value["spec"]["metrics"] = metrics;
        read(&Hpa, &value).scales.unwrap().slots
    };
    let aim = |n| Some(workload::Serves::Aim(Slots::new(n).unwrap()));
    assert_eq!(hpa(json!([cpu, external("20")])), aim(20.0));
    assert_eq!(hpa(json!([external("500m")])), aim(0.5));
    assert_eq!(hpa(json!([external("20"), external("5")])), None);
    assert_eq!(hpa(json!([cpu])), None);
    let keda = |triggers: Value| {
        let mut value = object("minReplicaCount", Some(2), None);
        value["spec"]["triggers"] = triggers;
        read(&Keda, &value).scales.unwrap().slots
    };
    let prometheus = json!({"type": "prometheus", "metadata": {"threshold": "14"}});
    assert_eq!(keda(json!([prometheus])), aim(14.0));
    assert_eq!(
        keda(json!([prometheus, {"type": "cron", "metadata": {"desiredReplicas": "3"}}])),
        aim(14.0)
    );
    assert_eq!(keda(json!([prometheus, prometheus])), None);
    assert_eq!(
        keda(json!([{"type": "prometheus", "metricType": "Value", "metadata": {"threshold": "14"}}])),
        None
    );
}

#[test]
fn a_paused_or_idle_scaled_object_and_an_autoscaler_that_may_be_at_zero_say_so() {
    let mut paused = object("minReplicaCount", Some(2), None);
    paused["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"] = "0".into();
    assert_eq!(read(&Keda, &paused).scales.unwrap().field.halted, Some(Halted::Paused));
    paused["metadata"]["annotations"] = json!({"autoscaling.keda.sh/paused": "false"});
    assert_eq!(read(&Keda, &paused).scales.unwrap().field.halted, None);
    let mut idle = object("minReplicaCount", Some(2), None);
    assert_eq!(read(&Keda, &idle).scales.unwrap().field.idle, None);
    idle["spec"]["idleReplicaCount"] = 0.into();
    assert_eq!(read(&Keda, &idle).scales.unwrap().field.idle, Some(Replicas::ZERO));
    idle["spec"]["idleReplicaCount"] = (-1).into();
    assert_eq!(read(&Keda, &idle).scales.unwrap().field.idle, None);
    let mut zero = object("minReplicas", Some(0), None);
    assert!(!read(&Hpa, &zero).scales.unwrap().own_zero);
    zero["status"]["conditions"] = json!([{"type": "ScaledToZero", "status": "True"}]);
    assert!(read(&Hpa, &zero).scales.unwrap().own_zero);
}

/// `variables.NAME` replaced by what it stands for.
fn inlined(rail: &Rail, expression: &str) -> String {
    rail.variables
        .iter()
        .rev()
        .fold(expression.to_owned(), |text, variable| {
            text.replace(
                &format!("variables.{}", variable.name),
                &format!("({})", variable.expression),
            )
        })
}

fn evaluate(rail: &Rail, expression: &str, old: &Value, new: &Value) -> Cel {
    let request = json!({"options": {"fieldManager": "forewarm"}});
    let mut context = Context::default().with_all();
    for (name, value) in [("object", new), ("oldObject", old), ("request", &request)] {
        context.add_variable_from_value(name, to_value(value).expect("JSON as a CEL value"));
    }
    Program::compile(&inlined(rail, expression))
        .expect("the rail compiles")
        .execute(&context)
        .unwrap_or_else(|error| panic!("{expression}: {error}"))
}

/// The words of the first validation that refuses.
fn refusal(rail: &Rail, old: &Value, new: &Value) -> Option<&'static str> {
    let refuses = |rule: &&Validation| evaluate(rail, rule.expression, old, new) != Cel::Bool(true);
    rail.validations.iter().find(refuses).map(|rule| match rule.complaint {
        Complaint::Says(words) | Complaint::Computes(words) => words.split('\'').find(|part| !part.is_empty()).unwrap(),
    })
}

#[test]
fn the_rail_lets_through_taking_moving_and_giving_back_and_nothing_else() {
    for (kind, field) in KINDS {
        let rail = kind.rail();
        let of = |floor: u32, record: Option<&str>| object(field, Some(floor), record);
        let at = |floor: u32, record: &str, time: &str| {
            let mut value = of(floor, Some(record));
            value["metadata"]["managedFields"][1]["time"] = time.into();
            value
        };
        let passes = |old: &Value, new: &Value| assert_eq!(refusal(&rail, old, new), None, "{field}: {old} {new}");
        passes(&of(2, None), &of(12, Some("2")));
        passes(&of(12, Some("2")), &of(20, Some("2")));
        passes(&of(12, Some("2")), &at(9, "2", "2026-01-01T00:01:05Z"));
        passes(&of(12, Some("2")), &of(2, None));
        passes(&object(field, None, None), &of(5, Some("")));
        let refused = |old: &Value, new: &Value, words: &str| {
            let said = refusal(&rail, old, new);
            assert!(
                said.is_some_and(|said| said.contains(words)),
                "{field}: {said:?}, not {words}"
            );
        };
        refused(
            &of(12, Some("2")),
            &at(8, "2", "2026-01-01T00:01:05Z"),
            "at most a quarter",
        );
        refused(
            &of(12, Some("2")),
            &at(9, "2", "2026-01-01T00:01:04Z"),
            "at most once in 5 s",
        );
        refused(&of(2, None), &of(12, Some("9")), "must record the value");
        refused(&of(12, Some("2")), &of(20, Some("12")), "only when another manager");
        refused(&of(12, Some("2")), &of(3, None), "restore the value recorded");
        refused(&of(2, None), &of(12, None), "beside the record");
        refused(
            &of(6, Some("6")),
            &at(5, "6", "2026-01-01T00:02:00Z"),
            "no floor goes under",
        );
        let mut other = of(12, Some("2"));
        other["spec"]["maxReplicas"] = 99.into();
        refused(&of(2, None), &other, "may change only spec.");
        let mut labelled = of(12, Some("2"));
        labelled["metadata"]["labels"] = json!({"a": "b"});
        refused(&of(2, None), &labelled, "only the annotation");
        let mut annotated = of(12, Some("2"));
        annotated["metadata"]["annotations"]["b"] = "c".into();
        refused(&of(2, None), &annotated, "only the annotation");
        let mut cleared = of(12, Some("2"));
        cleared["metadata"]["managedFields"] = json!([]);
        refused(&of(12, Some("2")), &cleared, "other managers");
    }
}

#[test]
fn a_record_is_made_anew_when_its_owner_set_another_value() {
    for (kind, field) in KINDS {
        let rail = kind.rail();
        let mut deployed = object(field, Some(5), Some("2"));
        deployed["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"][format!("f:{field}")] = json!({});
        let mut raised = object(field, Some(10), Some("5"));
        raised["metadata"]["managedFields"][0] = deployed["metadata"]["managedFields"][0].clone();
        assert_eq!(refusal(&rail, &deployed, &raised), None);
    }
}
