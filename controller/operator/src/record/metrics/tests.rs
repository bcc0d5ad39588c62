//! A tick counted, and the documentation held to what is registered.

use super::*;
use crate::record::sample::{Sample, hold, rise, steady};
use forewarm_core::forecast::Distrust;
use forewarm_core::observation::{Reading, Why as CoreWhy};
use forewarm_core::outcome::{Fence, Outcome as CoreOutcome};
use forewarm_core::policy::Mode;
use std::collections::BTreeSet;

fn fleet() -> Vec<Sample> {
    let fenced = CoreOutcome::Fenced { by: Fence::SwitchedOff };
    vec![
        Sample::new(rise(2, 12)).outcome(CoreOutcome::Shadow).named(1),
        Sample::new(rise(2, 12)).mode(Mode::Enforce).outcome(fenced).named(2),
        Sample::new(hold("trust", 12, 2))
            .demand_reading(Reading::Unknown(CoreWhy::SourceDown))
            .named(3),
        Sample::new(steady(2)).distrust(Distrust::ModelFailed).named(4),
        Sample::new(steady(2)).demoted(Distrust::Undercovers).paused().named(5),
    ]
}

/// Everything set once, so that every metric has a series.
fn full() -> Metrics {
    let metrics = Metrics::new(true);
    let samples = fleet();
    let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
    let lines = Lines {
        waiting: 3,
        ..Lines::default()
    };
    let status = Written {
        written: 4,
        waiting: 5,
        ..Written::default()
    };
    metrics.told(&told, 2, &lines, status, 0);
    metrics.ticked(Duration::from_millis(30), Wall(1_795_528_995_000));
    metrics.room("observe", Duration::from_millis(3));
    metrics.lease(true, Duration::from_secs(9));
    metrics.watched("pods", Duration::from_secs(2), 1);
    let state = ProfileState {
        series: 9,
        foreign: 2,
        took: Duration::from_millis(70),
        ..ProfileState::default()
    };
    metrics.queried(&[("http-inflight".to_owned(), state)].into());
    metrics.event("sent");
    metrics
}

#[test]
fn a_tick_is_counted_by_bounded_words() {
    let text = full().text();
    for line in [
        "forewarm_build_info{version=\"0.1.0\"} 1",
        "forewarm_functions{mode=\"Shadow\",state=\"Deciding\"} 3",
        "forewarm_functions{mode=\"Enforce\",state=\"Deciding\"} 1",
        "forewarm_functions{mode=\"Shadow\",state=\"Paused\"} 1",
        "forewarm_policies_unusable 2",
        "forewarm_decisions_total{reason=\"ForecastRise\",verdict=\"Apply\"} 2",
        "forewarm_outcomes_total{outcome=\"SwitchedOff\"} 1",
        "forewarm_holds{rule=\"trust\"} 1",
        "forewarm_holds{rule=\"brake\"} 0",
        "forewarm_metrics_untrusted{why=\"SourceDown\"} 1",
        "forewarm_forecast_untrusted{why=\"ModelFailed\"} 1",
        "forewarm_forecast_demoted{why=\"Undercovers\"} 1",
        "forewarm_pods_above_user_floor{mode=\"Shadow\"} 20",
        "forewarm_namespace_pods_above_user_floor{namespace=\"payments\"} 10",
        "forewarm_watch_age_seconds{kind=\"pods\"} 2.0",
        "forewarm_watch_restarts{kind=\"pods\"} 1",
        "forewarm_source_up{profile=\"http-inflight\"} 1",
        "forewarm_profile_series{profile=\"http-inflight\",of=\"functions\"} 7",
        "forewarm_leader 1",
        "forewarm_lease_remaining_seconds 9.0",
        "forewarm_status_writes_total{outcome=\"written\"} 4",
        "forewarm_waiting{what=\"lines\"} 3",
        "forewarm_log_failures 0",
    ] {
        assert!(text.lines().any(|have| have == line), "{line} not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(
        !text.contains("fraud-scorer") && !text.contains("f00001"),
        "no function's name"
    );
}

#[test]
fn what_is_over_leaves_no_series_behind() {
    let metrics = full();
    let sample = Sample::new(steady(2));
    metrics.told(&[sample.told()], 0, &Lines::default(), Written::default(), 0);
    let text = metrics.text();
    assert!(!text.contains("SourceDown") && !text.contains("ModelFailed"), "{text}");
    assert!(text.contains("forewarm_decisions_total{reason=\"ForecastRise\",verdict=\"Apply\"} 2"));
}

#[test]
fn a_replica_that_lost_the_lease_shows_no_fleet() {
    let metrics = full();
    metrics.follows();
    let text = metrics.text();
    for name in ["functions", "holds", "metrics_untrusted", "pods_above_user_floor"] {
        assert!(!text.contains(&format!("\nforewarm_{name}{{")), "{text}");
    }
}

#[test]
fn namespaces_are_shown_only_behind_the_flag() {
    let metrics = Metrics::new(false);
    let samples = fleet();
    let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
    metrics.told(&told, 0, &Lines::default(), Written::default(), 0);
    assert!(!metrics.text().contains("payments"));
}

#[test]
fn the_documentation_lists_exactly_what_is_registered() {
    let text = full().text();
    let registered: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
        .collect();
    let documented: BTreeSet<String> = include_str!("../../../../../docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `forewarm_"))
        .filter_map(|line| line.split(['`', '{']).next())
        .map(|name| format!("forewarm_{name}"))
        .collect();
    assert_eq!(registered, documented);
}
