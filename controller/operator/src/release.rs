//! `forewarm release`: what each target gets back when Forewarm leaves; the chart's pre-delete hook.
//!
//! Policies in, one line each out. It asks each kind of target ([`TargetKind::release`]); of the kinds there are,
//! none has anything to write back. The Lease stays: it anchors the log's last lines, and the operator, which
//! still runs while the hook does, would make it again.
//!
//! [`TargetKind::release`]: crate::target::TargetKind::release

use crate::apply::own_connection;
use crate::config;
use crate::record::Journal;
use crate::record::chain::Chain;
use crate::record::line::{ReleaseLine, print};
use crate::target::{Kinds, Release, Resource, TargetRef};
use forewarm_core::policy::Mode;
use forewarm_core::units::{Replicas, Wall};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use ulid::Ulid;

/// Policies a page; 10,000 of them are 20 pages.
const PAGE: u32 = 500;

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
    let client = own_connection(kube::Config::infer().await?)?;
    let told = give_back(client, &Kinds::new(&listed?), &journal, flags.all).await?;
    tracing::info!(policies = told, "Released.");
    Ok(())
}

/// Tells for each enforcing policy, or with `all` for every policy, what its target gets back. Returns how many
/// lines that were; none where the API server does not know the kind, so an uninstall goes on.
pub async fn give_back(client: Client, kinds: &Kinds, journal: &dyn Journal, all: bool) -> Result<usize, ReleaseError> {
    let policies = policies(client).await?;
    let mut told = 0;
    for policy in policies
        .iter()
        .map(Leaving::of)
        .filter(|policy| all || policy.mode == Mode::Enforce)
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
            note: self.note(kinds),
        }
    }

    fn note(&self, kinds: &Kinds) -> &'static str {
        let kind = self.target.as_ref().and_then(|target| kinds.find(target));
        match (self.mode, kind.map(|(_, kind)| kind.release())) {
            (Mode::Shadow, _) => "in Shadow nothing was written, so nothing is given back",
            (Mode::Enforce, Some(Release::Stays(note))) => note,
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
