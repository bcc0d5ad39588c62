//! A source that answers well: what a function's reading is from tick to tick, and what is sent for it.

use crate::fake::{Asked, Fake, PATIENT, Reply, function, ok, plain, profile, reader, second, vector, world};
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::units::{Demand, Replicas};
use forewarm_source::{Member, Membership};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn sample(current: f64, peak: f64) -> Reading<DemandSample> {
    let demand = |amount| Demand::new(amount).expect("an amount");
    Reading::Known(DemandSample {
        current: demand(current),
        peak: demand(peak),
        unheard: forewarm_core::units::Replicas::ZERO,
    })
}

/// A source that answers with the value it is told to.
async fn told() -> (Fake, Arc<AtomicU64>) {
    let value = Arc::new(AtomicU64::new(0));
    let told = value.clone();
    let fake = Fake::start(move |_| ok(vector(&[("a", "f-1", &told.load(Ordering::SeqCst).to_string())]))).await;
    (fake, value)
}

#[tokio::test]
async fn the_peak_is_the_largest_sum_of_the_last_minute() {
    let (fake, value) = told().await;
    let (profiles, members) = world();
    let mut reader = reader(&fake.url(), "");
    for (at, current, peak) in [(0, 3, 3), (15, 9, 9), (30, 4, 9), (60, 2, 9), (75, 0, 4), (200, 1, 1)] {
        value.store(current, Ordering::SeqCst);
        let readings = reader.read(&profiles, &members, second(at), PATIENT).await;
        #[allow(clippy::cast_precision_loss)]
        let expected = sample(current as f64, f64::from(peak));
        assert_eq!(readings.demand[0], expected, "at {at} s");
    }
}

#[tokio::test]
async fn a_profile_that_changes_forgets_what_was_in_another_unit() {
    let (fake, value) = told().await;
    let (mut profiles, members) = world();
    let mut reader = reader(&fake.url(), "");
    value.store(9000, Ordering::SeqCst);
    reader.read(&profiles, &members, second(0), PATIENT).await;
    let spec =
        "{unit: Backlog, drainSeconds: 60, query: 'sum by (namespace, pod) (m)', join: {by: Pod, nameLabel: pod}}";
    profiles.insert("p".to_owned(), profile("p", spec));
    let readings = reader.read(&profiles, &members, second(15), PATIENT).await;
    assert_eq!(readings.demand[0], sample(150.0, 150.0));
}

#[tokio::test]
async fn a_peak_query_raises_the_peak_and_its_failure_makes_the_demand_unknown() {
    let answers = |peak: &'static str| {
        move |asked: &Asked| match asked.query() {
            query if query.starts_with("max_over_time") => ok(peak),
            _ => ok(vector(&[("a", "f-1", "3")])),
        }
    };
    let by_workload = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"namespace":"a","workload":"f"},"value":[1,"7"]}]}}"#;
    let refused = r#"{"status":"error","errorType":"execution","error":"too many samples"}"#;
    let none = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    let spec = "{unit: Concurrency, query: 'sum by (namespace, pod) (m)', join: {by: Pod, nameLabel: pod},
                peakQuery: 'max_over_time(sum by (namespace, workload) (m)[1m:15s])'}";
    let profiles = BTreeMap::from([("p".to_owned(), profile("p", spec))]);
    let rows = [
        (by_workload, sample(3.0, 7.0)),
        (refused, Reading::Unknown(Why::QueryFailed)),
        (none, sample(3.0, 3.0)),
    ];
    for (peak, expected) in rows {
        let fake = Fake::start(answers(peak)).await;
        let readings = reader(&fake.url(), "")
            .read(&profiles, &world().1, second(0), PATIENT)
            .await;
        assert_eq!(readings.demand[0], expected, "{peak}");
    }
}

/// 600 items in a minute are ten a second; half of the minute gone, they are twenty.
#[tokio::test]
async fn a_backlog_that_has_waited_is_spread_over_the_time_that_is_left_to_it() {
    let series = |value: &str| {
        format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"namespace":"a","workload":"f"}},"value":[1,"{value}"]}}]}}}}"#
        )
    };
    let none = || r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#.to_owned();
    let refused = || r#"{"status":"error","errorType":"execution","error":"too many samples"}"#.to_owned();
    let spec = "{unit: Backlog, drainSeconds: 60, query: 'sum by (namespace, workload) (depth)',
                ageQuery: 'max by (namespace, workload) (age)', join: {by: Workload, nameLabel: workload}}";
    let profiles = BTreeMap::from([("p".to_owned(), profile("p", spec))]);
    let part = Why::Incomplete {
        reporting: Replicas(0),
        ready: Replicas(1),
        at_least: Demand::new(10.0).expect("an amount"),
    };
    for (depth, age, expected) in [
        ("600", series("0"), sample(10.0, 10.0)),
        ("600", series("30"), sample(20.0, 20.0)),
        ("0", none(), sample(0.0, 0.0)),
        ("600", none(), Reading::Unknown(part)),
        ("600", refused(), Reading::Unknown(Why::QueryFailed)),
    ] {
        let (depth, told) = (series(depth), age.clone());
        let fake = Fake::start(move |asked: &Asked| match asked.query() {
            query if query.contains("age") => ok(told.clone()),
            _ => ok(depth.clone()),
        })
        .await;
        let readings = reader(&fake.url(), "")
            .read(&profiles, &world().1, second(0), PATIENT)
            .await;
        assert_eq!(readings.demand[0], expected, "{age}");
        let fresh = fake.asked().iter().all(|asked| asked.query().contains("timestamp("));
        assert!(fresh, "a stale age is none");
    }
}

#[tokio::test]
async fn a_profile_that_hangs_disturbs_no_other() {
    let fake = Fake::start(|asked| {
        if asked.query().contains("slow") {
            Reply::Never
        } else {
            ok(vector(&[("a", "f-1", "3")]))
        }
    })
    .await;
    let slow = "{unit: Concurrency, query: 'sum by (namespace, pod) (slow)', join: {by: Pod, nameLabel: pod}}";
    let profiles = BTreeMap::from([("p".to_owned(), plain()), ("slow".to_owned(), profile("slow", slow))]);
    let other = Member {
        profile: "slow".into(),
        ..function("g", &["g-1"])
    };
    let members = Arc::new(Membership::new([function("f", &["f-1"]), other]));
    let readings = reader(&fake.url(), "")
        .read(&profiles, &members, second(0), Duration::from_secs(1))
        .await;
    assert_eq!(readings.demand[0], sample(3.0, 3.0));
    assert_eq!(readings.demand[1], Reading::Unknown(Why::SourceDown));
    assert_eq!(
        (
            readings.profiles["p"].failed.is_none(),
            readings.profiles["slow"].failed.is_some()
        ),
        (true, true)
    );
}

#[tokio::test]
async fn one_post_a_tick_carries_query_deadline_token_and_tenant() {
    let fake = Fake::start(|_| ok(vector(&[("a", "f-1", "3"), ("b", "x", "1"), ("a", "y", "1")]))).await;
    let (profiles, members) = world();
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "first\n").expect("written");
    let more = format!(
        ", tokenFile: '{}', tenant: {{header: X-Scope-OrgID, value: payments}}",
        token.display()
    );
    let mut reader = reader(&fake.url(), &more);
    let readings = reader
        .read(&profiles, &members, second(0), Duration::from_secs(9))
        .await;
    let state = &readings.profiles["p"];
    assert_eq!((state.failed.clone(), state.series, state.foreign), (None, 3, 2));
    std::fs::write(&token, "second").expect("written");
    reader.read(&profiles, &members, second(15), PATIENT).await;
    let asked = fake.asked();
    assert_eq!(asked.len(), 2, "one request a tick");
    assert_eq!(asked[0].path, "/api/v1/query");
    assert_eq!(
        asked[0].query(),
        "sum by (namespace, pod) ((m and (timestamp(m) > (time() - 60))))"
    );
    assert_eq!(asked[0].form["partial_response"], "false");
    let millis: u64 = asked[0].form["timeout"]
        .strip_suffix("ms")
        .expect("ms")
        .parse()
        .expect("a number");
    assert!((1..=9000).contains(&millis), "{millis}");
    assert!(!asked[0].form.contains_key("time"), "the source's own clock decides");
    let header = |n: usize, name: &str| asked[n].headers[name].to_str().expect("text").to_owned();
    assert_eq!(
        (header(0, "authorization"), header(1, "authorization")),
        ("Bearer first".to_owned(), "Bearer second".to_owned())
    );
    assert_eq!(header(0, "x-scope-orgid"), "payments");
    std::fs::remove_file(&token).expect("removed");
    let readings = reader.read(&profiles, &members, second(30), PATIENT).await;
    assert_eq!(readings.demand[0], Reading::Unknown(Why::SourceDown));
    assert!(
        readings.profiles["p"]
            .failed
            .as_ref()
            .is_some_and(|f| f.text.starts_with("could not read tokenFile"))
    );
    assert_eq!(fake.asked().len(), 2, "nothing is asked without the token");
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    let fake = Fake::start(|_| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(vector(&[("a", "f-1", "3")]).as_bytes()).expect("memory");
        let body = axum::body::Body::from(gzip.finish().expect("memory"));
        Reply::Now(
            axum::http::Response::builder()
                .header("content-encoding", "gzip")
                .body(body)
                .expect("a response"),
        )
    })
    .await;
    let (profiles, members) = world();
    let readings = reader(&fake.url(), "")
        .read(&profiles, &members, second(0), PATIENT)
        .await;
    assert_eq!(readings.demand[0], sample(3.0, 3.0));
    assert_eq!(fake.asked()[0].headers["accept-encoding"], "gzip");
}

#[tokio::test]
async fn up_is_asked_where_it_is_needed_and_tells_zero_from_silence() {
    let spec = "{unit: Concurrency, query: 'sum by (namespace, pod) (m)', join: {by: Workload, nameLabel: pod}, absent: ZeroIfUp,
                upQuery: 'up{job=\"gateway\"}'}";
    let profiles = BTreeMap::from([("p".to_owned(), profile("p", spec))]);
    let part = |value: u8| format!(r#"{{"metric":{{"instance":"{value}"}},"value":[1,"{value}"]}}"#);
    let rows = [
        (format!("[{}]", part(1)), sample(0.0, 0.0)),
        ("[]".to_owned(), Reading::Unknown(Why::Absent)),
        (
            format!("[{},{}]", part(1), part(0)),
            Reading::Unknown(Why::Incomplete {
                reporting: forewarm_core::units::Replicas(1),
                ready: forewarm_core::units::Replicas(2),
                at_least: Demand::ZERO,
            }),
        ),
    ];
    for (up, expected) in rows {
        let up = crate::fake::success("vector", &up);
        let fake = Fake::start(move |asked| {
            if asked.query().starts_with("(up{") {
                ok(up.clone())
            } else {
                ok(vector(&[]))
            }
        })
        .await;
        let readings = reader(&fake.url(), "")
            .read(&profiles, &world().1, second(0), PATIENT)
            .await;
        assert_eq!(readings.demand[0], expected);
    }
}
