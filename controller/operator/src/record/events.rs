//! Kubernetes Events on policies: what was told in, `events.k8s.io` objects out. This is the I/O.
//!
//! On change only: a move, a write that failed, a condition that went bad. Chosen in the tick, sent by a worker
//! of its own, so that a slow API server never holds a tick up; what does not fit is counted and dropped, since
//! the log is the record. Each Event is one POST: kube's recorder would keep the first note for six minutes and
//! only count the later ones, and names of 253 characters would not fit its Event names.

use super::change::WOBBLE;
use super::metrics::Metrics;
use super::named::findings;
use super::tell::Lines;
use super::{PolicyObject, Told, Unusable, ascii, labels};
use crate::record::status::content::POLICY_INVALID;
use forewarm_api::problem::sentence;
use forewarm_core::decision::{Decision, Step, Verdict};
use forewarm_core::finding::{Condition, Finding, State};
use forewarm_core::outcome::{Fence, Outcome};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Wall};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;

/// Reporting controller of every Event.
const CONTROLLER: &str = "forewarm.dev/operator";

/// Events of one tick, at most: 80 a minute at a tick of 15 s, and warnings go first.
const A_TICK: usize = 20;

/// Deadline of one POST.
const DEADLINE: Duration = Duration::from_secs(3);

/// Longest note, in bytes; the API server takes 1,024.
const NOTE: usize = 1000;

/// Chooses what is worth an Event and hands it to the worker.
#[derive(Debug)]
pub struct Events {
    queue: mpsc::Sender<Event>,
    /// What was last said of each function, and when.
    said: BTreeMap<FunctionKey, Vec<(&'static str, Mono)>>,
    instance: String,
    metrics: Metrics,
}

/// Sends what it is handed, one after the other. To be polled beside the ticks.
pub struct Worker {
    queue: mpsc::Receiver<Event>,
    client: Client,
    metrics: Metrics,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("waiting", &self.queue.len())
            .finish_non_exhaustive()
    }
}

/// What one Event says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Saying {
    warning: bool,
    reason: &'static str,
    action: &'static str,
    note: String,
}

/// Both ends. `instance`: this replica's name, cut to the 128 characters that the API server takes.
pub fn events(client: Client, instance: &str, metrics: Metrics) -> (Events, Worker) {
    let (sender, receiver) = mpsc::channel(2 * A_TICK);
    let instance = instance.chars().take(128).collect();
    let events = Events {
        queue: sender,
        said: BTreeMap::new(),
        instance,
        metrics: metrics.clone(),
    };
    (
        events,
        Worker {
            queue: receiver,
            client,
            metrics,
        },
    )
}

impl Events {
    /// Queues what is worth an Event; never waits.
    pub fn tick(&mut self, all: &[Told<'_>], unusable: &[Unusable<'_>], lines: &Lines, wall: Wall, mono: Mono) {
        let changed = all.iter().filter(|told| lines.changed.contains(told.key));
        let mut sayings: Vec<(&FunctionKey, PolicyObject<'_>, Saying)> = Vec::new();
        for told in changed {
            sayings.extend(of(told).into_iter().map(|saying| (told.key, told.policy, saying)));
        }
        let invalid = unusable.iter().filter(|bad| lines.changed.contains(bad.key));
        sayings.extend(invalid.map(|bad| (bad.key, bad.policy, complaint(bad))));
        sayings.retain(|(key, _, saying)| self.is_new(key, saying, mono));
        sayings.sort_by_key(|(_, _, saying)| !saying.warning);
        for (place, (key, object, saying)) in sayings.into_iter().enumerate() {
            let event = self.event(key, object, saying, wall);
            let queued = place < A_TICK && self.queue.try_send(event).is_ok();
            if !queued {
                self.metrics.event("dropped");
            }
        }
        self.said.retain(|_, said| !said.is_empty());
    }

    /// Moves are always said; a complaint once in the span in which a verdict is told once.
    fn is_new(&mut self, key: &FunctionKey, saying: &Saying, now: Mono) -> bool {
        if !saying.warning {
            return true;
        }
        let said = self.said.entry(key.clone()).or_default();
        said.retain(|(_, at)| !now.passed(*at, WOBBLE));
        let new = said.iter().all(|(reason, _)| *reason != saying.reason);
        if new {
            said.push((saying.reason, now));
        }
        new
    }

    fn event(&self, key: &FunctionKey, object: PolicyObject<'_>, saying: Saying, wall: Wall) -> Event {
        let Saying {
            warning,
            reason,
            action,
            note,
        } = saying;
        let regarding = ObjectReference {
            api_version: Some("forewarm.dev/v1alpha1".to_owned()),
            kind: Some("FunctionPolicy".to_owned()),
            namespace: Some(key.namespace.clone()),
            name: Some(key.name.clone()),
            uid: Some(object.uid.to_owned()),
            resource_version: Some(object.resource_version.to_owned()),
            field_path: None,
        };
        Event {
            metadata: ObjectMeta {
                namespace: Some(key.namespace.clone()),
                name: Some(name(&key.name, wall, reason)),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(time(wall))),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            action: Some(action.to_owned()),
            reason: Some(reason.to_owned()),
            regarding: Some(regarding),
            note: Some(note),
            type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }
}

impl Worker {
    /// Sends until the other end is gone.
    pub async fn run(mut self) {
        while let Some(event) = self.queue.recv().await {
            let outcome = self.send(&event).await;
            self.metrics.event(outcome);
        }
    }

    async fn send(&self, event: &Event) -> &'static str {
        let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        match tokio::time::timeout(DEADLINE, api.create(&PostParams::default(), event)).await {
            Ok(Ok(_)) => "sent",
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "Event was refused.");
                "refused"
            }
            Err(_) => "unanswered",
        }
    }
}

/// What there is to say of one function whose verdict changed.
fn of(told: &Told<'_>) -> Vec<Saying> {
    let mut sayings: Vec<Saying> = moved(told).into_iter().collect();
    let found = findings(told);
    sayings.extend(found.iter().filter(|finding| bad(finding)).map(gone_bad));
    sayings
}

/// A move, or one that failed. Nothing is said of a fence that the next tick passes by itself.
fn moved(told: &Told<'_>) -> Option<Saying> {
    let Verdict::Apply(steps) = &told.decision.verdict else {
        return None;
    };
    let (step, outcome) = (steps.last()?, told.outcomes.last()?);
    let what = match step {
        Step::SetFloor { from, to, .. } => format!("Floor {from} -> {to}"),
        Step::Adopt { value, .. } => format!("Floor field adopted at {value}"),
    };
    let action = match step {
        Step::SetFloor { .. } => "SetFloor",
        Step::Adopt { .. } => "Adopt",
    };
    let reason = told.decision.reason.label();
    let said = |warning, reason, note: String| {
        Some(Saying {
            warning,
            reason,
            action,
            note: printable(&note),
        })
    };
    match outcome {
        Outcome::Applied => said(false, reason, format!("{what}: {}.", because(told))),
        Outcome::Shadow => said(
            false,
            reason,
            format!("{what} (Shadow, nothing written): {}.", because(told)),
        ),
        Outcome::Refused { message, .. } => {
            said(true, labels::detail(outcome), format!("{what} was refused: {message}"))
        }
        Outcome::TimedOut => said(
            true,
            labels::detail(outcome),
            format!("{what} was not answered in time."),
        ),
        Outcome::Fenced {
            by: by @ (Fence::SwitchedOff | Fence::ForeignNamespace),
        } => said(true, labels::fence(*by), format!("{what} was not sent.")),
        Outcome::Conflict | Outcome::Fenced { .. } => None,
    }
}

/// What a move rests on.
fn because(told: &Told<'_>) -> String {
    let Decision {
        reason,
        wish,
        counterfactual,
        ..
    } = told.decision;
    let forecast = &told.function.forecast;
    let wished = wish
        .as_ref()
        .map_or_else(String::new, |wish| format!(", wished {}", wish.to));
    let reactive = counterfactual
        .known()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let (quantile, upper, horizon) = (forecast.quantile.get(), forecast.upper.get(), forecast.horizon.0);
    let forecast = forecast.trusted().map_or_else(
        || "forecast not trusted".to_owned(),
        |_| format!("p{quantile} {upper:.0} in {horizon} s by {}", forecast.model),
    );
    format!("{}{wished}, {forecast}, reactive {reactive}", reason.label())
}

/// A condition in a state that somebody should see.
fn bad(finding: &Finding) -> bool {
    match finding.condition {
        Condition::Ready | Condition::MetricsTrusted => finding.state == State::False,
        Condition::Conflict => finding.state == State::True,
        Condition::Active | Condition::ForecastTrusted => false,
    }
}

fn gone_bad(finding: &Finding) -> Saying {
    let note = printable(&finding.message);
    Saying {
        warning: true,
        reason: finding.reason,
        action: "Decide",
        note,
    }
}

fn complaint(bad: &Unusable<'_>) -> Saying {
    Saying {
        warning: true,
        reason: POLICY_INVALID,
        action: "Parse",
        note: printable(&sentence(bad.problems)),
    }
}

/// Cut to [`NOTE`] bytes, and nothing in it that a terminal would act upon.
fn printable(text: &str) -> String {
    let mut note: String = text
        .chars()
        .map(|c| if ascii::is_unprintable(c) { '\u{fffd}' } else { c })
        .collect();
    while note.len() > NOTE {
        note.pop();
    }
    note
}

/// `<policy>.<milliseconds>.<reason>`, at most 253 characters: a policy's own name may have as many.
fn name(policy: &str, wall: Wall, reason: &str) -> String {
    let policy: String = policy.chars().take(200).collect();
    format!(
        "{}.{:x}.{}",
        policy.trim_end_matches(['-', '.']),
        wall.0,
        reason.to_lowercase()
    )
}

fn time(wall: Wall) -> k8s_openapi::jiff::Timestamp {
    k8s_openapi::jiff::Timestamp::from_millisecond(wall.0).unwrap_or(k8s_openapi::jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{Kept, Reply, Seen, api_server};
    use crate::record::sample::{Sample, hold, rise, steady};
    use forewarm_api::PolicyProblem;
    use forewarm_core::decision::FieldVerdict;
    use forewarm_core::observation::{Reading, Why};
    use forewarm_core::outcome::RefusedKind;
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
}
