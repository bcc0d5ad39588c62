//! `DemandProfile` to something that can be run: defaults, every wrong field, odd queries.

use forewarm_api::DemandProfile;
use forewarm_api::profile::{AbsentMeans, JoinBy, Unit};
use forewarm_api::profile_parse::{Absent, Demanded, JoinLabels, Profile, Query, parse_profile};
use forewarm_core::units::Seconds;
use serde_json::{Value, json};

fn profile(field: &str, value: Value) -> DemandProfile {
    let mut object = json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "DemandProfile", "metadata": {"name": "inflight"},
        "spec": {
            "unit": "Concurrency",
            "query": "sum by (namespace, pod) (inflight_requests)",
            "join": {"by": "Pod", "nameLabel": "pod"},
        },
    });
    if let Some((parent, key)) = field.rsplit_once('/') {
        object.pointer_mut(parent).expect("the parent is there")[key] = value;
    }
    serde_json::from_value(object).expect("the profile decodes")
}

#[test]
fn a_small_profile_gets_its_defaults() {
    let parsed = parse_profile(&profile("", Value::Null)).expect("it is usable");
    let expected = Profile {
        name: "inflight".into(),
        unit: Demanded::Concurrency,
        query: Query::parse("sum by (namespace, pod) (inflight_requests)").unwrap(),
        peak: None,
        history: None,
        join: JoinLabels {
            by: JoinBy::Pod,
            namespace: "namespace".into(),
            name: "pod".into(),
        },
        age: None,
        service: None,
        absent: Absent::Unknown,
        up: None,
        scrape: Seconds(15),
        source: "default".into(),
        is_default: false,
    };
    assert_eq!(parsed, expected);
    assert_eq!(parsed.stale_after(), Seconds(60));
}

#[test]
fn a_sample_is_stale_after_three_scrapes_and_never_before_a_minute() {
    for (scrape, stale) in [(1, 60), (20, 60), (21, 63), (600, 1800)] {
        let parsed = parse_profile(&profile("/spec/scrapeSeconds", json!(scrape))).expect("it is usable");
        assert_eq!(parsed.stale_after(), Seconds(stale), "scraped every {scrape} s");
    }
}

#[test]
fn the_annotation_makes_a_default_only_when_it_says_true() {
    for (value, default) in [("true", true), ("false", false), ("", false)] {
        let annotated = profile("/metadata/annotations", json!({"forewarm.dev/is-default": value}));
        assert_eq!(annotated.is_default(), default, "{value:?}");
    }
}

#[test]
fn each_wrong_field_is_named_with_its_fix() {
    let rows = [
        (
            "/spec/query",
            json!("sum by (pod (x)"),
            "spec.query",
            "does not parse as PromQL",
        ),
        ("/spec/query", json!(""), "spec.query", "does not parse as PromQL"),
        ("/spec/query", json!("\"text\""), "spec.query", "gives a string"),
        ("/spec/query", json!("1"), "spec.query", "wrap it in vector(...)"),
        ("/spec/query", json!("x[5m]"), "spec.query", "max_over_time"),
        (
            "/spec/query",
            json!("max_over_time(x)"),
            "spec.query",
            "does not parse as PromQL",
        ),
        (
            "/spec/query",
            json!(format!("x{}", " ".repeat(4096))),
            "spec.query",
            "recording rule",
        ),
        ("/spec/peakQuery", json!("x["), "spec.peakQuery", "does not parse"),
        ("/spec/historyQuery", json!("x["), "spec.historyQuery", "does not parse"),
        ("/spec/upQuery", json!("x["), "spec.upQuery", "does not parse"),
        (
            "/spec/absent",
            json!("ZeroIfUp"),
            "spec.absent",
            "set a usable spec.upQuery",
        ),
        ("/spec/unit", json!("Backlog"), "spec.unit", "set spec.drainSeconds"),
        ("/spec/drainSeconds", json!(60), "spec.drainSeconds", "remove it"),
        (
            "/spec/requestQuery",
            json!("r"),
            "spec.requestQuery",
            "at least one of the two",
        ),
        (
            "/spec/errorQuery",
            json!("e"),
            "spec.requestQuery",
            "at least one of the two",
        ),
        ("/spec/ageQuery", json!("age"), "spec.ageQuery", "unit Backlog only"),
        (
            "/spec/scrapeSeconds",
            json!(0),
            "spec.scrapeSeconds",
            "between 1 and 600",
        ),
        (
            "/spec/join/nameLabel",
            json!("a-b"),
            "spec.join.nameLabel",
            "label name",
        ),
        (
            "/spec/join/nameLabel",
            json!("namespace"),
            "spec.join.nameLabel",
            "differ",
        ),
        (
            "/spec/join/namespaceLabel",
            json!("9"),
            "spec.join.namespaceLabel",
            "label name",
        ),
        (
            "/spec/source",
            json!("http://evil"),
            "spec.source",
            "chart value sources",
        ),
    ];
    for (path, value, field, fix) in rows {
        let problems = parse_profile(&profile(path, value.clone())).expect_err("one field is wrong");
        assert_eq!(problems.len(), 1, "{path} = {value}: {problems:?}");
        assert_eq!(problems[0].field, field, "{path} = {value}");
        assert!(problems[0].fix.contains(fix), "{path} = {value}: {}", problems[0].fix);
    }
}

#[test]
fn a_backlog_and_a_zero_carry_what_they_need() {
    let mut spec = profile("/spec/drainSeconds", json!(60));
    spec.spec.unit = Unit::Backlog;
    spec.spec.absent = AbsentMeans::ZeroIfUp;
    spec.spec.up_query = Some("sum(up)".into());
    let parsed = parse_profile(&spec).expect("it is usable");
    assert_eq!(parsed.unit, Demanded::Backlog { drain: Seconds(60) });
    assert_eq!(parsed.absent, Absent::ZeroIfUp(Query::parse("sum(up)").unwrap()));
    assert_eq!(parsed.age, None);
    spec.spec.age_query = Some("max by (namespace, workload) (age)".into());
    let problems = parse_profile(&spec).expect_err("a pod has no queue of its own");
    assert!(problems[0].fix.contains("Workload or Service"), "{problems:?}");
    spec.spec.join.by = JoinBy::Workload;
    let parsed = parse_profile(&spec).expect("it is usable");
    assert_eq!(parsed.age.unwrap().as_str(), "max by (namespace, workload) (age)");
}

#[test]
fn nested_and_odd_queries_end_in_a_verdict() {
    let deep = format!("{}x{}", "(".repeat(2000), ")".repeat(2000));
    assert!(Query::parse(&deep).is_ok());
    for odd in [
        "\0",
        "x{a=\"\u{202e}\"}",
        "x{a=~\"(\"}",
        "{}",
        "x offset 1e1000d",
        "sum by () (x)",
        "x @ end()",
        "👻",
    ] {
        let _verdict: Result<Query, String> = Query::parse(odd);
    }
}
