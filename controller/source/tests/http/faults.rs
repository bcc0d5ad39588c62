//! Every way a source can fail, over a real socket: each gives its own reason, and none a number.

use crate::fake::{Asked, Fake, PATIENT, Reply, function, ok, profile, reader, second, status, success, vector, world};
use axum::body::{Body, Bytes};
use axum::http::Response;
use flate2::{Compression, write::GzEncoder};
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::units::{Demand, Replicas, Seconds};
use forewarm_source::{Failure, Membership};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The reading of `a/f` and the failure of its profile against a source that behaves like this.
async fn read(
    behave: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    within: Duration,
) -> (Reading<DemandSample>, Option<Failure>) {
    let fake = Fake::start(behave).await;
    let (profiles, members) = world();
    let mut reader = reader(&fake.url(), ", maxSeries: 1000, maxMebibytes: 1");
    let mut readings = reader.read(&profiles, &members, second(0), within).await;
    let state = readings.profiles.remove("p").expect("the profile is in use");
    (readings.demand.swap_remove(0), state.failed)
}

async fn expect(name: &str, why: Why, text: &str, behave: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
    let (reading, failed) = read(behave, PATIENT).await;
    assert_eq!(reading, Reading::Unknown(why.clone()), "{name}");
    let failed = failed.unwrap_or_else(|| panic!("{name}: the profile's state says nothing"));
    assert_eq!(failed.why, why, "{name}");
    assert!(failed.text.contains(text), "{name}: {}", failed.text);
    assert!(
        !failed.text.contains("canary"),
        "{name}: quotes a body: {}",
        failed.text
    );
    assert!(failed.text.chars().count() <= 200, "{name}: {}", failed.text);
}

/// Name, reason, part of the text, status and body.
type Row = (&'static str, Why, &'static str, u16, String);

async fn expect_all(rows: impl IntoIterator<Item = Row>) {
    for (name, why, text, code, body) in rows {
        expect(name, why, text, move |_| status(code, &body)).await;
    }
}

#[tokio::test]
async fn every_refusal_has_its_reason() {
    let error = r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected <by>"}"#;
    let timeout = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    let (failed, down) = (Why::QueryFailed, Why::SourceDown);
    expect_all([
        (
            "bad PromQL",
            failed.clone(),
            "(bad_data): 1:5: parse error",
            400,
            error.to_owned(),
        ),
        (
            "an error with status 200",
            failed.clone(),
            "(bad_data)",
            200,
            error.to_owned(),
        ),
        (
            "the query timed out there",
            failed.clone(),
            "(timeout): query timed out",
            503,
            timeout.to_owned(),
        ),
        (
            "no token",
            failed.clone(),
            "HTTP 401: check tokenFile",
            401,
            "canary".to_owned(),
        ),
        ("forbidden", failed.clone(), "HTTP 403", 403, "canary".to_owned()),
        (
            "no such path",
            failed.clone(),
            "HTTP 404",
            404,
            "<html>canary".to_owned(),
        ),
        (
            "too many requests",
            failed.clone(),
            "HTTP 429: too many",
            429,
            String::new(),
        ),
        ("broken", failed.clone(), "HTTP 500", 500, "canary".to_owned()),
        ("an empty 204", failed, "HTTP 204", 204, String::new()),
        (
            "not there behind a proxy",
            down.clone(),
            "HTTP 502",
            502,
            "canary".to_owned(),
        ),
        ("starting", down, "HTTP 503", 503, "Service Unavailable".to_owned()),
    ])
    .await;
}

#[tokio::test]
async fn every_answer_of_another_kind_has_its_reason() {
    let warned =
        r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["no store for us-east"]}"#;
    let wrong = Why::WrongShape;
    expect_all([
        (
            "warnings",
            Why::PartialAnswer,
            "partial: no store for us-east",
            200,
            warned.to_owned(),
        ),
        (
            "HTML",
            wrong.clone(),
            "not an answer of Prometheus's API",
            200,
            "<html>canary".to_owned(),
        ),
        (
            "JSON of something else",
            wrong.clone(),
            "not an answer",
            200,
            r#"{"canary": 1}"#.to_owned(),
        ),
        (
            "a scalar",
            wrong.clone(),
            "it is a scalar",
            200,
            success("scalar", r#"[1,"2"]"#),
        ),
        (
            "a string",
            wrong.clone(),
            "it is a string",
            200,
            success("string", r#"[1,"canary"]"#),
        ),
        ("a matrix", wrong, "it is a matrix", 200, success("matrix", "[]")),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused() {
    let series: Vec<(String, String)> = (0..100_000)
        .map(|i| (format!("n{}", i % 100), format!("pod-{i}")))
        .collect();
    let series: Vec<_> = series.iter().map(|(n, p)| (n.as_str(), p.as_str(), "1")).collect();
    let (some, many) = (vector(&series[..1001]), vector(&series));
    expect(
        "1,001 series",
        Why::TooLarge,
        "more than 1000 series: aggregate",
        move |_| ok(some.clone()),
    )
    .await;
    expect(
        "100,000 series",
        Why::TooLarge,
        "larger than 1 MiB: aggregate",
        move |_| ok(many.clone()),
    )
    .await;
    expect("a gzip bomb", Why::TooLarge, "larger than 1 MiB", |_| {
        Reply::Now(
            Response::builder()
                .header("content-encoding", "gzip")
                .body(Body::from(bomb()))
                .expect("a response"),
        )
    })
    .await;
    expect("a body without end", Why::TooLarge, "larger than 1 MiB", |_| {
        ok(Body::from_stream(endless()))
    })
    .await;
}

/// 64 MiB of zeros in 64 KiB.
fn bomb() -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b'0'; 64 << 20]).expect("memory");
    gzip.finish().expect("memory")
}

fn endless() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    futures::stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 4096])))
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    let half = vector(&[("a", "f-1", "1")]);
    expect(
        "cut at half",
        Why::SourceDown,
        "could not reach the source",
        move |_| {
            let chunk = Bytes::copy_from_slice(&half.as_bytes()[..half.len() / 2]);
            let broken = Err(std::io::Error::other("the wire was cut"));
            ok(Body::from_stream(futures::stream::iter([Ok(chunk), broken])))
        },
    )
    .await;
    let half = vector(&[("a", "f-1", "1")]);
    let cut = half[..half.len() / 2].to_owned();
    expect("cut JSON", Why::WrongShape, "not an answer", move |_| ok(cut.clone())).await;
}

#[tokio::test]
async fn nobody_there_is_a_source_that_is_down() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port")
        .local_addr()
        .expect("an address");
    let (profiles, members) = world();
    let readings = reader(&format!("http://{free}"), "")
        .read(&profiles, &members, second(0), PATIENT)
        .await;
    assert_eq!(readings.demand[0], Reading::Unknown(Why::SourceDown));
    let text = &readings.profiles["p"].failed.as_ref().expect("it failed").text;
    assert!(
        text.contains("refused") && !text.contains(&free.port().to_string()),
        "{text}"
    );
}

#[tokio::test]
async fn a_source_that_never_ends_its_answer_is_down_when_the_deadline_passes() {
    let brief = Duration::from_millis(200);
    let down = Reading::Unknown(Why::SourceDown);
    let (reading, failed) = read(|_| Reply::Never, brief).await;
    assert_eq!(
        (&reading, failed.map(|f| f.text)),
        (&down, Some("the source did not answer within 0.2 s".to_owned()))
    );
    let trickle = |_: &Asked| {
        let head = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        ok(Body::from_stream(futures::StreamExt::chain(
            head,
            futures::stream::pending(),
        )))
    };
    assert_eq!(read(trickle, brief).await.0, down);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let trap = Fake::start(|_| ok(vector(&[("a", "f-1", "1")]))).await;
    let to = trap.url();
    for code in [301, 302, 307, 308] {
        let to = to.clone();
        expect(
            "a redirect",
            Why::QueryFailed,
            "redirects are not followed",
            move |_| {
                Reply::Now(
                    Response::builder()
                        .status(code)
                        .header("location", &to)
                        .body(Body::empty())
                        .expect("a response"),
                )
            },
        )
        .await;
    }
    assert!(trap.asked().is_empty());
}

#[tokio::test]
async fn a_value_that_cannot_be_used_is_no_number() {
    let rows = [
        ("NaN", Why::NotANumber),
        ("+Inf", Why::Infinite),
        ("-1", Why::Negative),
        ("", Why::WrongShape),
        (
            "1e6",
            Why::ImplausibleJump {
                from: Demand::ZERO,
                to: Demand::new(1e6).expect("an amount"),
            },
        ),
    ];
    for (value, why) in rows {
        let (reading, failed) = read(move |_| ok(vector(&[("a", "f-1", value), ("b", "f-1", "1")])), PATIENT).await;
        assert_eq!(reading, Reading::Unknown(why), "{value:?}");
        assert_eq!(failed, None, "the question itself was answered");
    }
}

#[tokio::test]
async fn an_answer_without_the_function_is_absent_and_a_source_with_stale_samples_is_stale() {
    let (reading, _) = read(|_| ok(vector(&[])), PATIENT).await;
    assert_eq!(reading, Reading::Unknown(Why::Absent));
    let stale = |asked: &Asked| {
        if asked.query().contains("timestamp") {
            ok(vector(&[]))
        } else {
            ok(vector(&[("a", "f-1", "1")]))
        }
    };
    let (reading, _) = read(stale, PATIENT).await;
    assert_eq!(reading, Reading::Unknown(Why::Stale { age: Seconds(60) }));
}

#[tokio::test]
async fn a_function_that_was_well_when_another_fell_silent_is_not_called_stale_later() {
    let lost = Arc::new(AtomicBool::new(false));
    let gone = lost.clone();
    let fake = Fake::start(move |_| {
        let seen = [("a", "f-1", "1")];
        let left = usize::from(!gone.load(Ordering::SeqCst));
        ok(vector(&seen[..left]))
    })
    .await;
    let (profiles, alone) = world();
    let both = Arc::new(Membership::new([function("f", &["f-1"]), function("g", &["g-1"])]));
    let mut reader = reader(&fake.url(), "");
    let first = reader.read(&profiles, &both, second(0), PATIENT).await;
    assert_eq!(first.demand[1], Reading::Unknown(Why::Absent));
    lost.store(true, Ordering::SeqCst);
    let then = reader.read(&profiles, &alone, second(2), PATIENT).await;
    assert_eq!(then.demand[0], Reading::Unknown(Why::Absent));
}

#[tokio::test]
async fn fewer_pods_than_are_ready_is_incomplete() {
    let fake = Fake::start(|_| ok(vector(&[("a", "f-1", "1")]))).await;
    let (profiles, _) = world();
    let members = Arc::new(Membership::new([function("f", &["f-1", "f-2", "f-3"])]));
    let readings = reader(&fake.url(), "")
        .read(&profiles, &members, second(0), PATIENT)
        .await;
    let why = Why::Incomplete {
        reporting: Replicas(1),
        ready: Replicas(3),
        at_least: Demand::new(1.0).expect("an amount"),
    };
    assert_eq!(readings.demand[0], Reading::Unknown(why));
}

#[tokio::test]
async fn a_profile_or_source_that_does_not_exist_is_named() {
    let (mut profiles, members) = world();
    profiles.insert(
        "p".to_owned(),
        profile(
            "p",
            "{unit: Concurrency, query: m, join: {by: Pod, nameLabel: pod}, source: thanos}",
        ),
    );
    let mut reader = reader("http://127.0.0.1:1", "");
    let readings = reader.read(&profiles, &members, second(0), PATIENT).await;
    assert_eq!(readings.demand[0], Reading::Unknown(Why::ProfileUnusable));
    let text = |r: &forewarm_source::Readings| r.profiles["p"].failed.clone().expect("it failed").text;
    assert_eq!(
        text(&readings),
        "profile p names source thanos, which the chart value sources does not have"
    );
    let readings = reader.read(&BTreeMap::new(), &members, second(0), PATIENT).await;
    assert_eq!(text(&readings), "there is no usable demand profile p");
}
