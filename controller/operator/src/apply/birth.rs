//! Memory of newborn pods: the entry of one workload in its namespace's object, replaced, removed, or the object made.

use super::Apply;
use super::answer::refused;
use super::memory::{MemoryIntent, unfit};
use crate::target::FIELD_MANAGER;
use forewarm_api::newborn::{NAME, entry};
use forewarm_api::{GROUP, VERSION};
use forewarm_core::memory::{Birth, MemoryStep};
use forewarm_core::outcome::{Outcome, RefusedKind};
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// From the write until every API server's admission reads it; under 5 ms on one API server, each further one has a
/// watch of its own.
const SETTLES: Duration = Duration::from_secs(1);

impl Apply {
    /// Waits until pods that are made now are born with what was just written, where anything was.
    pub async fn settle(
        &self,
        intents: &[MemoryIntent],
        outcomes: &BTreeMap<forewarm_core::policy::FunctionKey, Vec<Outcome>>,
    ) {
        let written = |intent: &MemoryIntent| {
            let done = outcomes.get(&intent.key).map_or(&[][..], Vec::as_slice);
            let mut steps = intent.steps.iter().zip(done);
            steps.any(|(step, outcome)| matches!(step, MemoryStep::SetBirth { .. }) && *outcome == Outcome::Applied)
        };
        if intents.iter().any(written) {
            tokio::time::sleep(SETTLES).await;
        }
    }
}

/// The requests that write `containers` for the workload `key` (`KIND/NAME`), none of them: its entry is removed. The
/// second is for where the first finds no object.
pub(super) fn requests(
    namespace: &str,
    key: &str,
    containers: &BTreeMap<String, Birth>,
) -> Result<[Request<Vec<u8>>; 2], Outcome> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if namespace.is_empty() || !namespace.bytes().all(plain) || namespace.contains("..") {
        return Err(refused(RefusedKind::Invalid, "the namespace's name is none"));
    }
    let value = if containers.is_empty() {
        Value::Null
    } else {
        entry(containers).into()
    };
    let spec = json!({"functions": {key: value}});
    let all = format!("/apis/{GROUP}/{VERSION}/namespaces/{namespace}/newbornmemories");
    let query = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict");
    let patch = Request::patch(format!("{all}/{NAME}?{query}"))
        .header(http::header::CONTENT_TYPE, "application/merge-patch+json");
    let create = Request::post(format!("{all}?{query}")).header(http::header::CONTENT_TYPE, "application/json");
    let object = json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": "NewbornMemory",
        "metadata": {"name": NAME, "namespace": namespace}, "spec": spec});
    let body = |request: http::request::Builder, body: &Value| {
        let request = request.header(http::header::ACCEPT, "application/json");
        request
            .body(body.to_string().into_bytes())
            .map_err(|error| unfit(&error))
    };
    Ok([body(patch, &json!({"spec": spec}))?, body(create, &object)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarm_core::memory::Amounts;
    use forewarm_core::units::Bytes;

    fn body(request: &Request<Vec<u8>>) -> Value {
        serde_json::from_slice(request.body()).unwrap()
    }

    #[test]
    fn one_entry_is_replaced_or_removed_and_no_other_is_named() {
        let birth = Birth {
            own: Amounts::both(Bytes::mib(64)),
            amounts: Amounts::both(Bytes::mib(128)),
        };
        let containers = BTreeMap::from([("app".to_owned(), birth)]);
        let [patch, create] = requests("payments", "Deployment/fraud", &containers).unwrap();
        assert_eq!(
            patch.uri(),
            "/apis/forewarm.dev/v1alpha1/namespaces/payments/newbornmemories/forewarm?fieldManager=forewarm&fieldValidation=Strict"
        );
        let spec = json!({"functions": {"Deployment/fraud": "app=64Mi/64Mi>128Mi/128Mi"}});
        assert_eq!(body(&patch), json!({"spec": spec}));
        assert_eq!(body(&create)["spec"], spec);
        let [patch, _] = requests("payments", "Deployment/fraud", &BTreeMap::new()).unwrap();
        assert_eq!(body(&patch), json!({"spec": {"functions": {"Deployment/fraud": null}}}));
    }

    #[test]
    fn a_namespace_cannot_leave_its_part_of_the_path() {
        for namespace in ["", "a/b", "..", "a?x=1"] {
            assert!(
                requests(namespace, "Deployment/f", &BTreeMap::new()).is_err(),
                "{namespace}"
            );
        }
    }
}
