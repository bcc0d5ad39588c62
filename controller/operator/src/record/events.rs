//! Kubernetes Events on policies: what was told in, `events.k8s.io` objects out. This is the I/O.
//!
//! On change only: a move, a write that failed, a condition that went bad. Chosen in the tick, sent by a worker
//! of its own, so that a slow API server never holds a tick up; what does not fit is counted and dropped, since
//! the log is the record. Each Event is one POST: kube's recorder would keep the first note for six minutes and
//! only count the later ones, and names of 253 characters would not fit its Event names.

mod saying;

use self::saying::{Saying, complaint, of};
use super::change::WOBBLE;
use super::metrics::Metrics;
use super::tell::Lines;
use super::{PolicyObject, Told, Unusable};
use forewarm_core::beside::beside;
use forewarm_core::memory::MemoryDecision;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now, Wall};
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
        let news = beside(
            all.iter().map(|told| told.key),
            lines.changed.iter().map(|key| (key, ())),
        );
        let changed = all.iter().zip(news).filter_map(|(told, news)| news.map(|()| told));
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

    /// Queues what is worth an Event of a decision on memory and health; never waits.
    pub fn health(&mut self, key: &FunctionKey, object: PolicyObject<'_>, decision: &MemoryDecision, now: Now) {
        for saying in saying::health(decision) {
            if self.is_new(key, &saying, now.mono) {
                let event = self.event(key, object, saying, now.wall);
                if self.queue.try_send(event).is_err() {
                    self.metrics.event("dropped");
                }
            }
        }
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
            namespace: Some(key.namespace.to_string()),
            name: Some(key.name.to_string()),
            uid: Some(object.uid.to_owned()),
            resource_version: Some(object.resource_version.to_owned()),
            field_path: None,
        };
        Event {
            metadata: ObjectMeta {
                namespace: Some(key.namespace.to_string()),
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
mod tests;
