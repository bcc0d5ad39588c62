//! Each shipped profile against a real Prometheus that has the series it is made for, in the shapes and labels in
//! which they really come: query, peak, up and history give the numbers that were put in.

use crate::exporter::{Exporter, Shape, page};
use crate::server::{Prometheus, until};
use crate::world::{FRAUD, LEDGER, clock, demand, key, members, now, read, reader, shipped};
use Shape::{Gauge, Rate, Turns};
use forewarm_api::profile_parse::Profile;
use forewarm_source::{Backfill, DemandReader, Found, Readings};

/// What a profile has to find of one function.
struct Expected {
    function: &'static str,
    /// Any of these: a gauge that turns is caught at either.
    current: &'static [f64],
    /// Any of these.
    peak: &'static [f64],
    /// The peak of each minute of the past. `None`: there is no past to be found.
    minute: Option<f64>,
}

impl Expected {
    fn is_in(&self, readings: &Readings) -> Result<(), String> {
        let found = demand(readings, self.function)?;
        let near = near_any(found.0, self.current) && near_any(found.1, self.peak);
        near.then_some(()).ok_or_else(|| {
            format!(
                "{}: {found:?} is none of {:?}, {:?}",
                self.function, self.current, self.peak
            )
        })
    }
}

fn steady(function: &'static str, value: &'static [f64]) -> Expected {
    Expected {
        function,
        current: value,
        peak: value,
        minute: value.first().copied(),
    }
}

/// A page for each path, each scraped as a job of its own with these settings and target labels.
type Pages<'a> = &'a [(&'a str, &'a str, &'a str, &'a [(&'a str, Shape)])];

async fn scraping(pages: Pages<'_>) -> (Exporter, Prometheus) {
    let exporter = Exporter::start().await;
    let now = clock();
    for (path, _, _, series) in pages {
        exporter.put(path, page(series, now - 50 * 60, now + 120));
    }
    let jobs: Vec<String> = pages
        .iter()
        .map(|(path, settings, labels, _)| exporter.job(path, settings, labels))
        .collect();
    let prometheus = Prometheus::scraping(&format!("[{}]", jobs.join(", "))).await;
    (exporter, prometheus)
}

async fn check(name: &str, prometheus: &Prometheus, expected: &[Expected]) {
    let profile = shipped(name);
    let mut reader = reader(&prometheus.url());
    until(&format!("{name}: all is scraped"), async || {
        let readings = read(&mut reader, &profile).await;
        expected.iter().try_for_each(|expected| expected.is_in(&readings))
    })
    .await;
    check_history(&profile, &reader, expected).await;
}

/// Each pod that serves, with thousandths of a call a second, failed ones of a thousand, and microseconds a call; rates
/// over a minute of scrapes are near what was put in.
fn serves(readings: &Readings, name: &str, expected: &[(&str, u64, Option<u64>, Option<u64>)]) {
    let found = &readings.served[&key(name)].pods;
    assert_eq!(found.len(), expected.len(), "{name}: {found:?} {:?}", readings.profiles);
    let near = |found: Option<u64>, put: Option<u64>| match (found, put) {
        (Some(found), Some(put)) => found.abs_diff(put) <= put / 50,
        (found, put) => found == put,
    };
    for (pod, calls, failed, latency) in expected {
        let served = &found[*pod];
        let all = near(Some(served.calls_milli), Some(*calls))
            && near(served.failed_permille, *failed)
            && near(served.latency_micros, *latency);
        assert!(all, "{name} {pod}: {served:?}");
    }
}

/// Every minute from 40 minutes ago up to the last whole quarter hour has the peak that was put in.
async fn check_history(profile: &Profile, reader: &DemandReader, expected: &[Expected]) {
    let source = reader.source("default").expect("there is one");
    let (members, now) = (members(&profile.name), now());
    let mut backfill = Backfill::new(profile.clone(), now);
    let mut minutes = Vec::new();
    while backfill.progress().left > 0 {
        let progress = backfill.run(&source, &members, now.mono, |found| {
            if let Found::Minutes(past) = found {
                minutes.push(past);
            }
        });
        assert_eq!(progress.await.failed, None, "{}", profile.name);
    }
    let from = now.wall.minute() - 40;
    for Expected { function, minute, .. } in expected {
        let of = minutes
            .iter()
            .filter(|past| past.key == key(function))
            .flat_map(|past| &past.points);
        let points: Vec<f64> = of.filter(|(at, _)| *at >= from).map(|(_, peak)| peak.get()).collect();
        let name = &profile.name;
        match minute {
            Some(value) => {
                assert!(points.len() >= 20, "{name} {function}: {} minutes", points.len());
                assert!(
                    points.iter().all(|p| near_any(*p, &[*value])),
                    "{name} {function}: {value} is not {points:?}"
                );
            }
            None => assert!(points.is_empty(), "{name} {function}: {points:?}"),
        }
    }
}

fn near_any(found: f64, expected: &[f64]) -> bool {
    expected.iter().any(|e| (found - e).abs() <= 0.01 * e.abs())
}

/// One of two reports.
fn missed(readings: &Readings, name: &str) -> Result<(), String> {
    match demand(readings, name) {
        Err(why) if why.starts_with("Incomplete { reporting: Replicas(1), ready: Replicas(2), ") => Ok(()),
        other => Err(format!("{name} is {other:?}")),
    }
}

fn pod(pod: &str) -> String {
    format!("namespace: payments, pod: {pod},")
}

#[tokio::test]
async fn http_inflight_sums_whatever_gauge_each_pod_has() {
    let labels = [FRAUD[0], FRAUD[1], LEDGER[0]].map(pod);
    let (_exporter, prometheus) = scraping(&[
        (
            "/1",
            "",
            &labels[0],
            &[
                ("inflight_requests", Turns(3.0, 6.0)),
                ("http_server_active_requests", Gauge(90.0)),
            ],
        ),
        (
            "/2",
            "",
            &labels[1],
            &[
                (
                    r#"http_server_active_requests{http_request_method="GET"}"#,
                    Turns(4.0, 1.0),
                ),
                (
                    r#"http_server_active_requests{http_request_method="POST"}"#,
                    Turns(1.0, 0.0),
                ),
            ],
        ),
        (
            "/3",
            "",
            &labels[2],
            &[(
                r#"http_server_requests_active_seconds_count{uri="UNKNOWN"}"#,
                Gauge(2.0),
            )],
        ),
    ])
    .await;
    let fraud = Expected {
        function: "fraud",
        current: &[8.0, 7.0],
        peak: &[8.0, 7.0],
        minute: Some(8.0),
    };
    check("http-inflight", &prometheus, &[fraud, steady("ledger", &[2.0])]).await;
}

#[tokio::test]
async fn http_requests_counts_a_pod_without_calls_as_zero_while_it_is_scraped() {
    let labels = [FRAUD[0], FRAUD[1], LEDGER[0]].map(pod);
    let (exporter, prometheus) = scraping(&[
        (
            "/1",
            "",
            &labels[0],
            &[
                (r#"http_requests_total{code="200"}"#, Rate(4.0)),
                (r#"http_requests_total{code="500"}"#, Rate(1.0)),
                ("http_request_duration_seconds_sum", Rate(0.25)),
                ("http_request_duration_seconds_count", Rate(5.0)),
            ],
        ),
        ("/2", "", &labels[1], &[]),
        (
            "/3",
            "",
            &labels[2],
            &[
                (
                    r#"http_server_requests_seconds_count{uri="/pay",outcome="SUCCESS"}"#,
                    Rate(2.0),
                ),
                (
                    r#"http_server_requests_seconds_sum{uri="/pay",outcome="SUCCESS"}"#,
                    Rate(0.5),
                ),
                (
                    r#"http_server_requests_seconds_count{uri="/actuator/health"}"#,
                    Rate(7.0),
                ),
            ],
        ),
    ])
    .await;
    check(
        "http-requests",
        &prometheus,
        &[steady("fraud", &[5.0]), steady("ledger", &[2.0])],
    )
    .await;
    let (mut reader, profile) = (reader(&prometheus.url()), shipped("http-requests"));
    let readings = read(&mut reader, &profile).await;
    serves(&readings, "fraud", &[(FRAUD[0], 5000, Some(200), Some(50_000))]);
    serves(&readings, "ledger", &[(LEDGER[0], 2000, Some(0), Some(250_000))]);
    exporter.take_away("/2");
    until("the pod that cannot be scraped is missed", async || {
        let readings = read(&mut reader, &profile).await;
        assert!(
            demand(&readings, "ledger").is_ok(),
            "the other function is not disturbed"
        );
        missed(&readings, "fraud")
    })
    .await;
}

#[tokio::test]
async fn knative_sums_the_revisions_of_a_service() {
    let series = |metric: &str, revision: u8| {
        format!(
            "{metric}{{k8s_namespace_name=\"payments\",kn_service_name=\"fraud\",kn_configuration_name=\"fraud\",\
             kn_revision_name=\"fraud-0000{revision}\"}}"
        )
    };
    let (stable, panic) = ("kn_revision_concurrency_stable", "kn_revision_concurrency_panic");
    let short = |metric: &str| series(metric, 1).replace("fraud", "ledger");
    let [a, b, c, d] = [series(stable, 1), series(stable, 2), series(panic, 1), series(panic, 2)];
    let (_exporter, prometheus) = scraping(&[(
        "/autoscaler",
        "honor_labels: true,",
        "namespace: knative-serving, pod: autoscaler-1,",
        &[
            (&a, Gauge(6.0)),
            (&b, Gauge(1.0)),
            (&c, Turns(9.0, 3.0)),
            (&d, Turns(1.0, 7.0)),
            (&short(stable), Gauge(0.5)),
            (&short(panic), Gauge(0.0)),
        ],
    )])
    .await;
    let fraud = Expected {
        function: "fraud",
        current: &[7.0],
        peak: &[10.0 / 0.7],
        minute: Some(10.0 / 0.7),
    };
    // A call that no scrape met while it was under way.
    let ledger = Expected {
        function: "ledger",
        current: &[0.5],
        peak: &[0.5 / 0.7],
        minute: Some(0.5 / 0.7),
    };
    check("knative", &prometheus, &[fraud, ledger]).await;
}

#[tokio::test]
async fn ingress_nginx_adds_its_controllers_up_with_and_without_honor_labels() {
    let series = |status: u16| {
        format!(
            "nginx_ingress_controller_request_duration_seconds_sum{{namespace=\"payments\",ingress=\"fraud\",\
             service=\"fraud\",status=\"{status}\",method=\"POST\",path=\"/\",host=\"pay.example\",canary=\"\"}}"
        )
    };
    let (fine, failing) = (series(200), series(503));
    let count = fine.replace("_sum{", "_count{");
    let process =
        r#"nginx_ingress_controller_nginx_process_connections{state="active",controller_class="k8s.io/ingress-nginx"}"#;
    let target = |pod: &str| format!("namespace: ingress-nginx, service: ingress-nginx-controller, pod: {pod},");
    let targets = [target("c-1"), target("c-2")];
    let (exporter, prometheus) = scraping(&[
        (
            "/1",
            "",
            &targets[0],
            &[
                (&fine, Rate(1.5)),
                (&failing, Rate(0.5)),
                (&count, Rate(9.0)),
                (process, Gauge(3.0)),
            ],
        ),
        (
            "/2",
            "honor_labels: true,",
            &targets[1],
            &[(&fine, Rate(1.0)), (process, Gauge(3.0))],
        ),
    ])
    .await;
    let idle = Expected {
        function: "ledger",
        current: &[0.0],
        peak: &[0.0],
        minute: None,
    };
    check("ingress-nginx", &prometheus, &[steady("fraud", &[3.0]), idle]).await;
    exporter.take_away("/2");
    let (mut reader, profile) = (reader(&prometheus.url()), shipped("ingress-nginx"));
    until("a controller that is down makes no zero", async || {
        let readings = read(&mut reader, &profile).await;
        missed(&readings, "fraud").and_then(|()| missed(&readings, "ledger"))
    })
    .await;
}

#[tokio::test]
async fn istio_takes_the_callees_own_word_in_milliseconds() {
    let series = |metric: &str, reporter: &str| {
        format!(
            "{metric}{{reporter=\"{reporter}\",source_workload=\"web\",destination_workload=\"fraud\",\
             destination_workload_namespace=\"payments\",destination_service_name=\"fraud\",response_code=\"200\"}}"
        )
    };
    let sum = "istio_request_duration_milliseconds_sum";
    let (to, from) = (series(sum, "destination"), series(sum, "source"));
    let total = series("istio_requests_total", "destination");
    let failed = total.replace("200", "503");
    let count = series("istio_request_duration_milliseconds_count", "destination");
    let labels = [FRAUD[0], FRAUD[1], LEDGER[0]].map(pod);
    let (_exporter, prometheus) = scraping(&[
        (
            "/1",
            "",
            &labels[0],
            &[
                (&to, Rate(2500.0)),
                (&from, Rate(9000.0)),
                (&total, Rate(4.0)),
                (&failed, Rate(1.0)),
                (&count, Rate(5.0)),
            ],
        ),
        (
            "/2",
            "",
            &labels[1],
            &[(&to, Rate(1500.0)), (&total, Rate(10.0)), (&count, Rate(10.0))],
        ),
        ("/3", "", &labels[2], &[]),
    ])
    .await;
    let idle = Expected {
        function: "ledger",
        current: &[0.0],
        peak: &[0.0],
        minute: None,
    };
    check("istio", &prometheus, &[steady("fraud", &[4.0]), idle]).await;
    let readings = read(&mut reader(&prometheus.url()), &shipped("istio")).await;
    let each = [
        (FRAUD[0], 5000, Some(200), Some(500_000)),
        (FRAUD[1], 10_000, Some(0), Some(150_000)),
    ];
    serves(&readings, "fraud", &each);
    serves(&readings, "ledger", &[]);
}

#[tokio::test]
async fn otel_http_reads_what_was_pushed() {
    let prometheus = Prometheus::scraping("[]").await;
    let now = clock();
    let (from, to) = (now - 50 * 60, now + 120);
    crate::otlp::push(&prometheus.url(), FRAUD[0], Some(2.5), from, to).await;
    crate::otlp::push(&prometheus.url(), FRAUD[1], None, from, to).await;
    check("otel-http", &prometheus, &[steady("fraud", &[2.5])]).await;
}

#[tokio::test]
async fn kafka_lag_is_spread_over_the_minute_it_is_to_be_drained_in() {
    let series = |group: &str, partition: u8| {
        format!("kafka_consumergroup_lag{{consumergroup=\"{group}\",topic=\"calls\",partition=\"{partition}\"}}")
    };
    let [a, b, none, other] = [
        series("payments.fraud", 0),
        series("payments.fraud", 1),
        series("payments.fraud", 2),
        series("batch", 0),
    ];
    let exporter: &[(&str, Shape)] = &[
        (&a, Gauge(200.0)),
        (&b, Gauge(100.0)),
        (&none, Gauge(-1.0)),
        (&other, Gauge(5e6)),
    ];
    let (_exporter, prometheus) = scraping(&[
        ("/1", "", "namespace: kafka, pod: exporter-1,", exporter),
        ("/2", "", "namespace: kafka, pod: exporter-2,", exporter),
    ])
    .await;
    check("kafka-lag", &prometheus, &[steady("fraud", &[5.0])]).await;
}

#[tokio::test]
async fn a_prometheus_without_the_series_has_none_of_the_sources() {
    let prometheus = Prometheus::scraping("[]").await;
    let mut reader = reader(&prometheus.url());
    for name in [
        "http-inflight",
        "http-requests",
        "knative",
        "ingress-nginx",
        "istio",
        "otel-http",
        "kafka-lag",
    ] {
        let profile = shipped(name);
        let readings = read(&mut reader, &profile).await;
        for function in ["fraud", "ledger"] {
            assert!(
                demand(&readings, function).is_err_and(|why| why.starts_with("Absent")),
                "{name} {function}"
            );
        }
    }
}
