//! `forewarm release`: what each target gets back when Forewarm leaves; the chart's pre-delete hook.
//!
//! Policies and scalers in, one line each out. The operator still runs while the hook does, and would raise again
//! what is given back: so the Lease is taken from it, and kept until it ends by itself.

mod scalers;

use crate::apply::{Apply, Gate, Limits, own_connection};
use crate::config;
use crate::lease::{Elector, Timing};
use crate::record::Journal;
use crate::record::chain::Chain;
use crate::record::line::{ReleaseLine, print};
use crate::run::Clocks;
use crate::switch::Switch;
use crate::target::{Kinds, Release, Resource, TargetRef};
use anyhow::Context as _;
use forewarm_core::policy::Mode;
use forewarm_core::units::{Replicas, Wall};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ulid::Ulid;

/// Policies a page; 10,000 of them are 20 pages.
const PAGE: u32 = 500;

/// How long the Lease may take to be taken.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// Deadline of one page.
const DEADLINE: Duration = Duration::from_secs(30);

/// The policies could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The API server refused, or could not be reached.
    #[error("list the policies")]
    List(#[source] kube::Error),
    /// It did not answer in time.
    #[error("list the policies: no answer in time")]
    Late,
}

/// Runs the verb: prints to standard output.
pub async fn release(flags: config::Release) -> anyhow::Result<()> {
    let listed: Result<Vec<Resource>, _> = flags.scale_kinds.iter().map(|kind| kind.parse()).collect();
    let clock = Box::new(|| Wall(jiff::Timestamp::now().as_millisecond()));
    let journal = Chain::new(
        Box::new(std::io::stdout()),
        flags.log_format,
        Ulid::new().to_string(),
        clock,
    );
    let journal: Arc<dyn Journal> = Arc::new(journal);
    let config = kube::Config::infer().await?;
    let kinds = Arc::new(Kinds::new(&listed?));
    let client = own_connection(config.clone())?;
    let told = give_back(client.clone(), &kinds, journal.as_ref(), flags.all).await?;
    if scalers::held(&client, &kinds).await?.is_empty() {
        tracing::info!(policies = told, scalers = 0, "Released.");
        return Ok(());
    }
    let (apply, lease) = seized(&flags, &config, &kinds, &journal).await?;
    // Only now: what the operator wrote until its term ended is in it.
    let held = scalers::held(&client, &kinds).await?;
    let failed = scalers::release(&apply, &held, journal.as_ref(), Clocks::start().now()).await;
    lease.abort();
    tracing::info!(policies = told, scalers = held.len(), failed, "Released.");
    anyhow::ensure!(
        failed == 0,
        "{failed} scalers keep a floor of ours: the lines above say why"
    );
    Ok(())
}

/// The room that writes, once the Lease is ours and whoever had it has stopped. The Lease is renewed until the task
/// is aborted and stays for a minute after: by then the release has gone.
async fn seized(
    flags: &config::Release,
    config: &kube::Config,
    kinds: &Arc<Kinds>,
    journal: &Arc<dyn Journal>,
) -> anyhow::Result<(Apply, JoinHandle<()>)> {
    let timing = Timing {
        lease: Duration::from_mins(1),
        ..Timing::default()
    };
    let (elector, leadership) = Elector::new(
        own_connection(config.clone())?,
        &flags.namespace,
        &flags.lease_name,
        format!("release-{}", Ulid::new()),
        timing,
        Arc::clone(journal),
    );
    let task = tokio::spawn(elector.seizing().run(std::future::pending()));
    timeout(TAKEN_WITHIN, leadership.taken())
        .await
        .context("take the Lease from the operator: no answer in time")?;
    tokio::time::sleep(timing.renew).await;
    let switch = Switch::new(
        own_connection(config.clone())?,
        &flags.namespace,
        &flags.switch,
        Arc::clone(journal),
    );
    let gate = Gate::new(
        own_connection(config.clone())?,
        Arc::clone(kinds),
        Arc::new(switch),
        leadership.term.clone(),
        Arc::clone(journal),
    );
    let limits = Limits {
        requests: usize::MAX,
        within: Duration::from_mins(3),
        ..Limits::default()
    };
    Ok((Apply::new(gate, limits), task))
}

/// Tells for each enforcing policy, or with `all` for every policy, what its target gets back. Returns how many
/// lines that were; none where the API server does not know the kind, so an uninstall goes on.
pub async fn give_back(client: Client, kinds: &Kinds, journal: &dyn Journal, all: bool) -> Result<usize, ReleaseError> {
    let policies = policies(client).await?;
    let mut told = 0;
    for policy in policies
        .iter()
        .map(Leaving::of)
        .filter(|policy| !policy.scaled && (all || policy.mode == Mode::Enforce))
    {
        print(journal, &policy.line(kinds, &Ulid::new().to_string()));
        told += 1;
    }
    Ok(told)
}

/// What is read of a policy. Nothing of it is trusted to be well-formed: a policy that cannot be parsed leaves, too.
struct Leaving {
    namespace: String,
    name: String,
    mode: Mode,
    target: Option<TargetRef>,
    held: Option<Replicas>,
    /// A scaler has the floor: it has a line of its own.
    scaled: bool,
}

impl Leaving {
    fn of(policy: &DynamicObject) -> Self {
        let namespace = policy.metadata.namespace.clone().unwrap_or_default();
        let spec = &policy.data["spec"];
        let enforces = spec["mode"] == "Enforce";
        Self {
            target: target(&namespace, &spec["targetRef"]),
            name: policy.metadata.name.clone().unwrap_or_default(),
            namespace,
            mode: if enforces { Mode::Enforce } else { Mode::Shadow },
            scaled: policy.data["status"]["scaler"]["field"]
                .as_str()
                .is_some_and(|field| !field.is_empty() && field != "spec.replicas"),
            held: replicas(&policy.data["status"]["floor"]["held"]).filter(|_| enforces),
        }
    }

    fn line<'a>(&'a self, kinds: &Kinds, decision: &'a str) -> ReleaseLine<'a> {
        ReleaseLine {
            namespace: &self.namespace,
            policy: &self.name,
            target: self.target.as_ref(),
            decision,
            stays: self.held,
            outcomes: &[],
            note: self.note(kinds),
        }
    }

    fn note(&self, kinds: &Kinds) -> &'static str {
        let kind = self.target.as_ref().and_then(|target| kinds.find(target));
        match (self.mode, kind.map(|(_, kind)| kind.release())) {
            (Mode::Shadow, _) => "in Shadow nothing was written, so nothing is given back",
            (Mode::Enforce, Some(Release::Stays(note))) => note,
            (Mode::Enforce, Some(Release::GivenBack)) => "nothing was written to it, or a line of its own says so",
            (Mode::Enforce, None) => "this kind was not listed, so nothing was written",
        }
    }
}

fn target(namespace: &str, reference: &Value) -> Option<TargetRef> {
    let word = |key: &str, default: &str| reference[key].as_str().unwrap_or(default).to_owned();
    let name = reference["name"].as_str()?.to_owned();
    let (api_version, kind) = (word("apiVersion", "apps/v1"), word("kind", "Deployment"));
    Some(TargetRef {
        api_version,
        kind,
        namespace: namespace.to_owned(),
        name,
    })
}

fn replicas(value: &Value) -> Option<Replicas> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).map(Replicas)
}

async fn policies(client: Client) -> Result<Vec<DynamicObject>, ReleaseError> {
    let kind = GroupVersionKind::gvk("forewarm.dev", "v1alpha1", "FunctionPolicy");
    let api = Api::<DynamicObject>::all_with(client, &ApiResource::from_gvk_with_plural(&kind, "functionpolicies"));
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = match timeout(DEADLINE, api.list(&params))
            .await
            .map_err(|_| ReleaseError::Late)?
        {
            Ok(page) => page,
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(all),
            Err(error) => return Err(ReleaseError::List(error)),
        };
        let more = page.metadata.continue_.clone().filter(|token| !token.is_empty());
        all.extend(page);
        match more {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{Reply, Seen, api_server, journal};
    use forewarm_core::decision::Step;
    use serde_json::json;

    fn policy(name: &str, spec: &Value, status: &Value) -> Value {
        json!({"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
               "metadata": {"namespace": "payments", "name": name}, "spec": spec, "status": status})
    }

    fn list(items: &[Value], more: &str) -> Reply {
        let list = json!({"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicyList",
                          "metadata": {"continue": more}, "items": items});
        Reply::Json(200, list)
    }

    async fn told(all: bool, answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> (Vec<Value>, Vec<String>) {
        let (client, seen) = api_server(answer);
        let (journal, lines) = journal();
        let count = give_back(client, &Kinds::new(&[]), journal.as_ref(), all)
            .await
            .unwrap();
        let lines: Vec<_> = lines.all().into_iter().map(|(_, fields)| fields).collect();
        assert_eq!(count, lines.len());
        (lines, seen.all().iter().map(Seen::line).collect())
    }

    fn policies() -> Vec<Value> {
        vec![
            policy(
                "enforced",
                &json!({"mode": "Enforce", "targetRef": {"name": "f"}}),
                &json!({"floor": {"held": 7}}),
            ),
            policy(
                "shadowed",
                &json!({"targetRef": {"name": "g"}}),
                &json!({"floor": {"held": 9}}),
            ),
            policy(
                "odd",
                &json!({"mode": "Enforce", "targetRef": {"kind": "DaemonSet", "name": "h"}}),
                &Value::Null,
            ),
            policy("broken", &json!({"mode": "Enforce"}), &json!("garbage")),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn each_enforcing_policy_is_told_that_its_replicas_stay() {
        let (lines, requests) = told(false, |_| list(&policies(), "")).await;
        let names: Vec<_> = lines.iter().map(|line| line["policy"].clone()).collect();
        assert_eq!(names, ["enforced", "odd", "broken"]);
        assert_eq!(lines[0]["stays"], 7);
        assert_eq!(lines[0]["target"]["kind"], "Deployment");
        assert_eq!(lines[0]["note"], "replicas stay as they are; nothing else was changed");
        assert_eq!(lines[1]["note"], "this kind was not listed, so nothing was written");
        assert_eq!(lines[2]["target"], Value::Null);
        assert_eq!(
            requests,
            ["GET /apis/forewarm.dev/v1alpha1/functionpolicies?&limit=500"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn with_all_the_policies_in_shadow_are_told_too() {
        let (lines, _) = told(true, |_| list(&policies(), "")).await;
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1]["stays"], Value::Null, "a virtual floor stays nowhere");
        assert_eq!(
            lines[1]["note"],
            "in Shadow nothing was written, so nothing is given back"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn all_pages_are_read() {
        let (lines, requests) = told(false, |request| {
            let more = if request.uri.contains("continue=") { "" } else { "next" };
            list(&policies()[..1], more)
        })
        .await;
        assert_eq!((lines.len(), requests.len()), (2, 2));
        assert!(requests[1].ends_with("&limit=500&continue=next"), "{requests:?}");
    }

    /// What is at scalers, by requests and steps; an API that is not there answers in plain words.
    #[tokio::test(start_paused = true)]
    async fn what_is_held_at_scalers_is_found_and_missing_apis_are_passed_over() {
        let hpa = json!({"metadata": {"name": "f", "namespace": "payments", "uid": "u-1",
                                      "annotations": {"forewarm.dev/user-floor": "2"}},
                         "spec": {"minReplicas": 12, "maxReplicas": 20, "scaleTargetRef": {"kind": "Deployment", "name": "f"}}});
        let (client, seen) = api_server(move |request| {
            if request.uri.contains("horizontalpodautoscalers") {
                let items = json!([hpa, {"metadata": {"name": "g", "namespace": "payments", "uid": "u-2"},
                                         "spec": {"minReplicas": 3, "maxReplicas": 20, "scaleTargetRef": {"name": "g"}}},
                                        {"metadata": {"name": "h", "namespace": "payments", "uid": "u-3", "managedFields": [
                                            {"manager": "forewarm", "operation": "Update", "fieldsV1": {"f:spec": {"f:minReplicas": {}}}}]},
                                         "spec": {"minReplicas": 2, "maxReplicas": 20, "scaleTargetRef": {"name": "h"}}}]);
                return Reply::Json(
                    200,
                    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscalerList",
                                               "metadata": {}, "items": items}),
                );
            }
            Reply::status(404, "Failed to parse error data", "404 page not found")
        });
        let held = scalers::held(&client, &Kinds::new(&[])).await.unwrap();
        assert_eq!(held.len(), 2);
        assert_eq!(
            held[1].steps,
            [Step::DropClaim { uid: "u-3".into() }],
            "the value is back, our entry is not off"
        );
        assert_eq!(
            (held[0].writes.kind.as_str(), held[0].writes.name.as_str()),
            ("HorizontalPodAutoscaler", "f")
        );
        assert_eq!(held[0].steps.len(), 2, "the value and the record, then our entry");
        assert_eq!(
            seen.all().len(),
            4,
            "autoscalers, ScaledObjects, Services and Revisions of Knative"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_server_without_the_kind_is_no_error_and_one_that_fails_is() {
        let (lines, _) = told(true, |_| Reply::status(404, "NotFound", "no such kind")).await;
        assert!(lines.is_empty());
        for reply in [Reply::status(403, "Forbidden", "no"), Reply::Reset, Reply::Silence] {
            let (client, _) = api_server(move |_| reply.clone());
            let (journal, _) = journal();
            assert!(
                give_back(client, &Kinds::new(&[]), journal.as_ref(), true)
                    .await
                    .is_err()
            );
        }
    }
}
