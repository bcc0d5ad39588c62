//! Samples that stop: each way a real Prometheus goes on, and what a function's reading is meanwhile.

use crate::exporter::{Exporter, Shape::Gauge, page};
use crate::server::{Prometheus, until};
use crate::world::{FRAUD, LEDGER, clock, demand, members, now, profile, read, reader, shipped};
use forewarm_api::profile_parse::Profile;
use std::collections::BTreeMap;
use std::time::Duration;

const PODS: [&str; 3] = [FRAUD[0], FRAUD[1], LEDGER[0]];

/// Three pods with a gauge whose samples end at `last`, or carry no time of their own.
async fn scraping(last: Option<i64>) -> (Exporter, Prometheus) {
    let exporter = Exporter::start().await;
    let mut jobs = Vec::new();
    for name in PODS {
        let path = format!("/{name}");
        let text = last.map_or_else(
            || "inflight_requests 3\n".to_owned(),
            |last| page(&[("inflight_requests", Gauge(3.0))], last - 60, last),
        );
        exporter.put(&path, text);
        jobs.push(exporter.job(&path, "", &format!("namespace: payments, pod: {name},")));
    }
    let prometheus = Prometheus::scraping(&format!("[{}]", jobs.join(", "))).await;
    (exporter, prometheus)
}

/// Reads, each time as if for the first, until `fraud` and `ledger` are as told.
async fn until_read(what: &str, prometheus: &Prometheus, fraud: &str, ledger: &str) {
    let profile = shipped("http-inflight");
    until(what, async || {
        let readings = read(&mut reader(&prometheus.url()), &profile).await;
        let is = |name, told: &str| match demand(&readings, name) {
            Ok((current, _)) if format!("{current}") == told => Ok(()),
            Err(why) if why.starts_with(told) => Ok(()),
            other => Err(format!("{name} is {other:?}")),
        };
        is("fraud", fraud).and_then(|()| is("ledger", ledger))
    })
    .await;
}

#[tokio::test]
async fn a_source_that_shows_an_old_sample_is_stale_not_current() {
    let (_exporter, prometheus) = scraping(Some(clock() - 75)).await;
    until_read(
        "both are stale",
        &prometheus,
        "Stale { age: Seconds(60) }",
        "Stale { age: Seconds(60) }",
    )
    .await;
}

#[tokio::test]
async fn a_target_that_is_lost_is_missed_at_the_next_scrape_and_found_again() {
    let (exporter, prometheus) = scraping(None).await;
    until_read("all report", &prometheus, "6", "3").await;
    let path = format!("/{}", FRAUD[1]);
    exporter.take_away(&path);
    until_read(
        "one of two is lost",
        &prometheus,
        "Incomplete { reporting: Replicas(1), ready: Replicas(2), at_least: Demand(3.0) }",
        "3",
    )
    .await;
    exporter.put(&path, "inflight_requests 4\n".to_owned());
    until_read("it is back", &prometheus, "7", "3").await;
    for name in PODS {
        exporter.take_away(&format!("/{name}"));
    }
    until_read("all are lost", &prometheus, "Absent", "Absent").await;
}

#[tokio::test]
async fn a_prometheus_that_is_stopped_is_down_within_the_deadline_and_back_with_its_first_scrape() {
    let (_exporter, prometheus) = scraping(None).await;
    until_read("all report", &prometheus, "6", "3").await;
    prometheus.signal("STOP");
    let profile = shipped("http-inflight");
    let readings = in_half_a_second(&prometheus, &profile).await;
    assert!(demand(&readings, "fraud").is_err_and(|why| why.starts_with("SourceDown")));
    prometheus.signal("CONT");
    until_read("all report again", &prometheus, "6", "3").await;
}

async fn in_half_a_second(prometheus: &Prometheus, profile: &Profile) -> forewarm_source::Readings {
    let profiles = BTreeMap::from([(profile.name.clone(), profile.clone())]);
    reader(&prometheus.url())
        .read(&profiles, &members(&profile.name), now(), Duration::from_millis(500))
        .await
}

#[tokio::test]
async fn promql_that_prometheus_refuses_is_told_in_its_own_words() {
    let (_exporter, prometheus) = scraping(None).await;
    until_read("all report", &prometheus, "6", "3").await;
    let told = |query: &str| {
        profile(&format!(
            "apiVersion: forewarm.dev/v1alpha1\nkind: DemandProfile\nmetadata: {{name: p}}\nspec:\n  unit: Concurrency\n  \
             join: {{by: Pod, nameLabel: pod}}\n  query: '{query}'"
        ))
    };
    let rows = [
        (
            "inflight_requests * on (namespace) inflight_requests",
            "QueryFailed",
            "found duplicate series for the match group {…}",
        ),
        (
            "sum(inflight_requests)",
            "WrongShape",
            "no series has both labels namespace and pod",
        ),
    ];
    for (query, why, text) in rows {
        let readings = read(&mut reader(&prometheus.url()), &told(query)).await;
        assert!(demand(&readings, "fraud").is_err_and(|w| w.starts_with(why)), "{query}");
        let failure = readings.profiles["p"].failed.clone().expect("it failed");
        assert!(failure.text.contains(text), "{query}: {}", failure.text);
    }
}

#[tokio::test]
async fn a_prometheus_that_has_just_begun_never_makes_a_busy_function_idle() {
    let exporter = Exporter::start().await;
    let jobs = PODS.map(|name| {
        exporter.put(&format!("/{name}"), "http_requests_total SCRAPES\n".to_owned());
        exporter.job(&format!("/{name}"), "", &format!("namespace: payments, pod: {name},"))
    });
    let prometheus = Prometheus::scraping(&format!("[{}]", jobs.join(", "))).await;
    let (mut reader, profile) = (reader(&prometheus.url()), shipped("http-requests"));
    until("both are read", async || {
        let readings = read(&mut reader, &profile).await;
        for name in ["fraud", "ledger"] {
            let idle = demand(&readings, name).is_ok_and(|(current, _)| current == 0.0);
            assert!(!idle, "{name}, which serves all the time, was read as idle");
        }
        demand(&readings, "fraud").and(demand(&readings, "ledger"))
    })
    .await;
}
