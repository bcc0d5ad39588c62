//! What is said, what is not, and what a slow API server costs.

use super::saying::{NOTE, printable};
use super::*;
use crate::api_server::{Kept, Reply, Seen, api_server};
use crate::record::sample::{Sample, hold, rise, steady};
use forewarm_api::PolicyProblem;
use forewarm_core::decision::FieldVerdict;
use forewarm_core::observation::{Reading, Why};
use forewarm_core::outcome::{Fence, Outcome, RefusedKind};
use forewarm_core::standing::AsideWhy;
use serde_json::Value;

/// A server that takes every Event, or never answers.
fn server(answers: bool) -> (Client, Kept<Seen>) {
    api_server(move |request| {
        if answers {
            Reply::Json(201, request.json())
        } else {
            Reply::Silence
        }
    })
}

/// Chosen, then sent to the end.
async fn sent(samples: &[Sample]) -> (Kept<Seen>, Metrics) {
    let (client, inbox) = server(true);
    let metrics = Metrics::new(false);
    let (mut events, worker) = events(client, "forewarm-0", metrics.clone());
    for sample in samples {
        let lines = Lines {
            changed: [sample.key.clone()].into(),
            ..Lines::default()
        };
        events.tick(&[sample.told()], &[], &lines, sample.now.wall, sample.now.mono);
    }
    drop(events);
    worker.run().await;
    (inbox, metrics)
}

async fn reasons(samples: &[Sample]) -> Vec<String> {
    let (inbox, _) = sent(samples).await;
    inbox
        .take()
        .iter()
        .map(|sent| sent.json()["reason"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_rise_is_one_post_in_the_policys_namespace() {
    let (inbox, _) = sent(&[Sample::new(rise(2, 12)).outcome(Outcome::Applied)]).await;
    let sent = inbox.take().remove(0);
    assert_eq!(sent.line(), "POST /apis/events.k8s.io/v1/namespaces/payments/events?");
    let expected = serde_json::json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": "fraud-scorer.1a20dde30b8.forecastrise", "namespace": "payments"},
        "action": "SetFloor", "reason": "ForecastRise", "type": "Normal",
        "eventTime": "2026-11-24T14:03:15.000000Z",
        "note": "Floor 2 -> 12: ForecastRise, wished 12, p80 212 in 47 s by trailing-peak, reactive 1.",
        "reportingController": "forewarm.dev/operator", "reportingInstance": "forewarm-0",
        "regarding": {"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy", "name": "fraud-scorer",
            "namespace": "payments", "resourceVersion": "17", "uid": crate::record::sample::POLICY_UID},
    });
    assert_eq!(sent.json(), expected);
}

#[tokio::test]
async fn what_needs_somebody_is_a_warning_and_what_passes_by_itself_is_nothing() {
    let refused = |kind| Outcome::Refused {
        kind,
        message: "forbidden\u{1b}[2J".into(),
    };
    let rows = [
        (refused(RefusedKind::PermissionDenied), vec!["PermissionDenied"]),
        (Outcome::TimedOut, vec!["TimedOut"]),
        (Outcome::Fenced { by: Fence::SwitchedOff }, vec!["SwitchedOff"]),
        (Outcome::Fenced { by: Fence::TickFull }, vec![]),
        (Outcome::Conflict, vec![]),
    ];
    for (outcome, expected) in rows {
        let (inbox, _) = sent(&[Sample::new(rise(2, 12)).outcome(outcome.clone())]).await;
        let sent = inbox.take();
        let reasons: Vec<Value> = sent.iter().map(|s| s.json()["reason"].clone()).collect();
        assert_eq!(reasons, expected, "{outcome:?}");
        assert!(
            sent.iter()
                .all(|s| s.json()["type"] == "Warning" && !s.json().to_string().contains("\\u001b"))
        );
    }
}

#[tokio::test]
async fn a_condition_that_goes_bad_is_said_once_in_five_minutes() {
    let down = |at| {
        Sample::new(hold("trust", 12, 2))
            .demand_reading(Reading::Unknown(Why::SourceDown))
            .at(at)
    };
    assert_eq!(
        reasons(&[down(0), down(15_000), down(310_000)]).await,
        ["SourceDown", "SourceDown"]
    );
    let mut taken = Sample::new(hold("stand_aside", 12, 2));
    taken.decision.field = FieldVerdict::Aside {
        by: "kubectl-scale".into(),
        why: AsideWhy::FieldTaken,
    };
    assert_eq!(reasons(&[taken]).await, ["FieldTaken"]);
    assert!(
        reasons(&[Sample::new(hold("slew", 12, 2)), Sample::new(steady(12))])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_policy_that_cannot_be_used_gets_one_too() {
    let (client, inbox) = server(true);
    let (mut events, worker) = events(client, "forewarm-0", Metrics::new(false));
    let sample = Sample::new(steady(2));
    let problems = [PolicyProblem::new("spec.floor.min", "50", "lower it to spec.floor.max")];
    let bad = Unusable {
        key: &sample.key,
        policy: sample.told().policy,
        problems: &problems,
    };
    let lines = Lines {
        changed: [sample.key.clone()].into(),
        ..Lines::default()
    };
    events.tick(&[], &[bad], &lines, sample.now.wall, sample.now.mono);
    drop(events);
    worker.run().await;
    let body = inbox.take().remove(0).json();
    assert_eq!(
        (&body["reason"], &body["type"]),
        (&"PolicyInvalid".into(), &"Warning".into())
    );
}

#[tokio::test]
async fn a_tick_queues_twenty_at_most_warnings_first_and_counts_the_rest() {
    let (client, inbox) = server(true);
    let metrics = Metrics::new(false);
    let (mut events, worker) = events(client, "forewarm-0", metrics.clone());
    let samples: Vec<Sample> = (0..30)
        .map(|n| {
            let outcome = if n == 29 { Outcome::TimedOut } else { Outcome::Applied };
            Sample::new(rise(2, 12)).outcome(outcome).named(n)
        })
        .collect();
    let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
    let lines = Lines {
        changed: samples.iter().map(|s| s.key.clone()).collect(),
        ..Lines::default()
    };
    events.tick(&told, &[], &lines, samples[0].now.wall, samples[0].now.mono);
    drop(events);
    worker.run().await;
    let sent = inbox.take();
    assert_eq!(sent.len(), 20);
    assert_eq!(sent[0].json()["reason"], "TimedOut");
    let text = metrics.text();
    assert!(text.contains("forewarm_events_total{outcome=\"sent\"} 20"), "{text}");
    assert!(text.contains("forewarm_events_total{outcome=\"dropped\"} 10"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_holds_the_worker_up_for_its_deadline_and_the_tick_not_at_all() {
    let (client, _) = server(false);
    let metrics = Metrics::new(false);
    let (mut events, worker) = events(client, "forewarm-0", metrics.clone());
    let begun = tokio::time::Instant::now();
    for n in 0..60 {
        let sample = Sample::new(rise(2, 12)).outcome(Outcome::Applied).named(n);
        let lines = Lines {
            changed: [sample.key.clone()].into(),
            ..Lines::default()
        };
        events.tick(&[sample.told()], &[], &lines, sample.now.wall, sample.now.mono);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    drop(events);
    worker.run().await;
    assert_eq!(begun.elapsed(), DEADLINE * 40);
    assert!(metrics.text().contains("forewarm_events_total{outcome=\"dropped\"} 20"));
}

#[test]
fn names_and_notes_fit() {
    let long = "a".repeat(198) + "--" + &"b".repeat(53);
    let name = name(&long, Wall(1_795_528_995_000), "WorseThanSeasonalNaive");
    assert!(
        name.len() <= 253 && name.starts_with(&"a".repeat(198)) && name.contains("a.1a2"),
        "{name}"
    );
    assert_eq!(printable(&"é".repeat(5000)).len(), NOTE);
}
