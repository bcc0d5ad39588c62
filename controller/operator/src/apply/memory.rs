//! Steps on memory and health: requests for them, and their way through the gate.
//!
//! A raise is idempotent and is sent with the pod's UID as precondition; a decrease and an eviction look at the pod
//! itself first (W6, M1). One step's refusal keeps no other one: they concern different pods.

use super::Apply;
use super::answer::refused;
use super::birth;
use super::gate::{Gate, fenced, marked};
use super::turn::Turn;
use crate::observe::quantity;
use crate::record::line::{AnyStep, IntentLine, OutcomeLine, print};
use crate::target::{FIELD_MANAGER, TargetRef};
use forewarm_api::memory::Size;
use forewarm_core::memory::{Amounts, MemoryStep};
use forewarm_core::outcome::{Fence, Outcome, RefusedKind};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now, Seconds};
use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Oldest view of a pod on which it may be lowered or evicted (W6).
const OLDEST_VIEW: Seconds = Seconds(60);

/// The steps decided for one function's memory.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryIntent {
    /// The function.
    pub key: FunctionKey,
    /// Its workload.
    pub target: TargetRef,
    /// The decision's id.
    pub decision: String,
    /// When the watch that shows the pods was last known to be alive.
    pub viewed_at: Mono,
    /// In order.
    pub steps: Vec<MemoryStep>,
}

impl Apply {
    /// Carries out steps on memory; one outcome a step, by function.
    pub async fn memory(&self, intents: Vec<MemoryIntent>, now: Now) -> BTreeMap<FunctionKey, Vec<Outcome>> {
        let turn = Turn::begin(self.limits);
        let each = intents.into_iter().map(|intent| {
            let turn = &turn;
            async move {
                let mut outcomes = Vec::with_capacity(intent.steps.len());
                for (place, step) in intent.steps.iter().enumerate() {
                    outcomes.push(self.memory_step(&intent, place, step, now, turn).await);
                }
                (intent.key, outcomes)
            }
        });
        futures::stream::iter(each)
            .buffer_unordered(self.limits.at_once.max(1))
            .collect()
            .await
    }
}

impl Apply {
    async fn memory_step(
        &self,
        intent: &MemoryIntent,
        place: usize,
        step: &MemoryStep,
        now: Now,
        turn: &Turn,
    ) -> Outcome {
        let births = matches!(step, MemoryStep::SetBirth { .. });
        if let Some(refused) = births.then(|| self.refusals.of_births(&intent.target)).flatten() {
            return refused;
        }
        if !turn.take() {
            return Outcome::Fenced { by: Fence::TickFull };
        }
        let outcome = self.gate.memory(intent, place, step, now).await;
        if births {
            self.refusals.remember_births(&intent.target, &outcome);
        }
        outcome
    }
}

impl Gate {
    /// Carries out the step at `place` of `intent`.
    async fn memory(&self, intent: &MemoryIntent, place: usize, step: &MemoryStep, now: Now) -> Outcome {
        self.pass_memory(intent, place, step, now)
            .await
            .unwrap_or_else(|outcome| outcome)
    }

    async fn pass_memory(
        &self,
        intent: &MemoryIntent,
        place: usize,
        step: &MemoryStep,
        now: Now,
    ) -> Result<Outcome, Outcome> {
        self.open().await?;
        if *intent.target.namespace != *intent.key.namespace {
            return fenced(Fence::ForeignNamespace);
        }
        let id = super::audit_id(&intent.decision, place, 1);
        let Asked { request, otherwise } = asked(intent, step)?;
        let request = marked(request, &id)?;
        if step.lowers() || matches!(step, MemoryStep::Evict { .. }) {
            if now.mono.since(intent.viewed_at) > OLDEST_VIEW.millis() {
                return fenced(Fence::StaleView);
            }
            self.look_at_pod(&intent.key.namespace, step).await?;
            self.open().await?;
        }
        let (namespace, policy): (&str, &str) = (&intent.key.namespace, &intent.key.name);
        let line = IntentLine {
            namespace,
            policy,
            target: &intent.target,
            decision: &intent.decision,
            audit_id: &id,
            step: AnyStep::Memory(step),
        };
        let sent = Instant::now();
        let outcome = match self.ask_on_record(&line, request).await {
            Ok(_) => Outcome::Applied,
            Err(outcome) => self.otherwise(otherwise, outcome, &id).await,
        };
        let line = OutcomeLine {
            namespace,
            policy,
            decision: &intent.decision,
            audit_id: &id,
            outcome: &outcome,
            took_ms: u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        print(self.journal.as_ref(), &line);
        Ok(outcome)
    }

    /// What was to be changed is not there: it is made.
    async fn otherwise(&self, request: Option<Request<Vec<u8>>>, outcome: Outcome, id: &str) -> Outcome {
        let missing = matches!(
            outcome,
            Outcome::Refused {
                kind: RefusedKind::NotFound,
                ..
            }
        );
        let Some(request) = request.filter(|_| missing) else {
            return outcome;
        };
        let made = async {
            self.open().await?;
            self.ask(marked(request, id)?).await
        };
        made.await.map_or_else(|outcome| outcome, |_| Outcome::Applied)
    }

    /// The pod itself is still the one that was decided upon, with what it had.
    async fn look_at_pod(&self, namespace: &str, step: &MemoryStep) -> Result<(), Outcome> {
        let (MemoryStep::Resize { pod, uid, .. } | MemoryStep::Evict { pod, uid }) = step else {
            return Ok(());
        };
        let request = Request::get(path(namespace, pod)?)
            .body(Vec::new())
            .map_err(|error| unfit(&error))?;
        let text = self.ask(request).await?;
        let live: Value = serde_json::from_str(&text)
            .map_err(|_| refused(RefusedKind::ServerError, "the answer could not be read"))?;
        let same = live.pointer("/metadata/uid").and_then(Value::as_str) == Some(uid);
        let as_decided = match step {
            MemoryStep::Resize { container, from, .. } => amounts(&live, container) == Some(*from),
            _ => true,
        };
        if same && as_decided {
            Ok(())
        } else {
            Err(Outcome::Conflict)
        }
    }
}

fn amounts(pod: &Value, container: &str) -> Option<Amounts> {
    let containers = pod.pointer("/spec/containers")?.as_array()?;
    let found = containers
        .iter()
        .find(|one| one.get("name").and_then(Value::as_str) == Some(container))?;
    let of = |which: &str| {
        found
            .get("resources")?
            .get(which)?
            .get("memory")?
            .as_str()
            .and_then(quantity::bytes)
    };
    Some(Amounts {
        request: of("requests"),
        limit: of("limits"),
    })
}

/// The path of a pod; its name must stay within its part of the path (S1).
fn path(namespace: &str, pod: &str) -> Result<String, Outcome> {
    let plain = |name: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        (1..=253).contains(&name.len()) && name.bytes().all(inner) && !name.contains("..")
    };
    if plain(namespace) && plain(pod) {
        return Ok(format!("/api/v1/namespaces/{namespace}/pods/{pod}"));
    }
    Err(refused(RefusedKind::Invalid, "the pod's name is none"))
}

/// The request of a step.
struct Asked {
    request: Request<Vec<u8>>,
    /// The one for where that finds nothing.
    otherwise: Option<Request<Vec<u8>>>,
}

fn asked(intent: &MemoryIntent, step: &MemoryStep) -> Result<Asked, Outcome> {
    let namespace = &*intent.key.namespace;
    if let MemoryStep::SetBirth { containers } = step {
        let TargetRef { kind, name, .. } = &intent.target;
        let [change, make] = birth::requests(namespace, &format!("{kind}/{name}"), containers)?;
        // Where there is no object there is no entry to be removed either.
        return Ok(Asked {
            request: change,
            otherwise: Some(make).filter(|_| !containers.is_empty()),
        });
    }
    Ok(Asked {
        request: request(namespace, step)?,
        otherwise: None,
    })
}

fn request(namespace: &str, step: &MemoryStep) -> Result<Request<Vec<u8>>, Outcome> {
    let (request, body) = match step {
        MemoryStep::Resize {
            pod,
            uid,
            container,
            to,
            ..
        } => resize(namespace, pod, uid, container, *to)?,
        MemoryStep::Evict { pod, uid } => evict(namespace, pod, uid)?,
        MemoryStep::SetBirth { .. } => return Err(refused(RefusedKind::Invalid, "it is about no pod")),
    };
    let request = request.header(http::header::ACCEPT, "application/json");
    request
        .body(body.to_string().into_bytes())
        .map_err(|error| unfit(&error))
}

/// `pods/resize`: the container by its name, its memory alone (M4); another pod of that name is refused by its UID.
fn resize(
    namespace: &str,
    pod: &str,
    uid: &str,
    container: &str,
    to: Amounts,
) -> Result<(http::request::Builder, Value), Outcome> {
    let mut resources = serde_json::Map::new();
    for (which, amount) in [("requests", to.request), ("limits", to.limit)] {
        if let Some(amount) = amount {
            resources.insert(which.to_owned(), json!({"memory": Size::of(amount).0}));
        }
    }
    let body = json!({"metadata": {"uid": uid}, "spec": {"containers": [{"name": container, "resources": resources}]}});
    let uri = format!(
        "{}/resize?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
        path(namespace, pod)?
    );
    let request = Request::patch(uri).header(http::header::CONTENT_TYPE, "application/strategic-merge-patch+json");
    Ok((request, body))
}

/// `pods/eviction`: the disruption budget has the last word (M5).
fn evict(namespace: &str, pod: &str, uid: &str) -> Result<(http::request::Builder, Value), Outcome> {
    let body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": uid}},
    });
    let uri = format!("{}/eviction", path(namespace, pod)?);
    let request = Request::post(uri).header(http::header::CONTENT_TYPE, "application/json");
    Ok((request, body))
}

pub(super) fn unfit(error: &http::Error) -> Outcome {
    refused(RefusedKind::Invalid, &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarm_core::units::Bytes;

    #[test]
    fn a_resize_names_one_containers_memory_and_nothing_else() {
        let step = MemoryStep::Resize {
            pod: "f-7c9f-x".into(),
            uid: "u".into(),
            container: "app".into(),
            from: Amounts::both(Bytes::mib(64)),
            to: Amounts {
                request: None,
                limit: Some(Bytes::mib(164)),
            },
        };
        let request = request("payments", &step).unwrap();
        assert_eq!(
            request.uri(),
            "/api/v1/namespaces/payments/pods/f-7c9f-x/resize?fieldManager=forewarm&fieldValidation=Strict"
        );
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(
            body,
            json!({"metadata": {"uid": "u"}, "spec": {"containers": [
                {"name": "app", "resources": {"limits": {"memory": "164Mi"}}}]}})
        );
    }

    #[test]
    fn a_name_cannot_leave_its_part_of_the_path() {
        for name in ["", "a/b", "..", "a?x=1", "A"] {
            assert!(path("n", name).is_err(), "{name}");
        }
    }
}
