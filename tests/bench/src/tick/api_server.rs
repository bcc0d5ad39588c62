//! An API server that takes every write and shows it to the watches: requests in, objects on the shelves out. No
//! network.
//!
//! While a tick is measured it only keeps the requests; what they mean is worked out between two ticks.

use super::objects;
use anyhow::Context as _;
use forewarm_core::policy::FunctionKey;
use forewarm_operator::observe::Stores;
use forewarm_operator::observe::watch::{Read, Shelf};
use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// A status patch as it arrived: path and body.
type Patch = (String, Vec<u8>);

/// The server. Clones share what they have seen.
#[derive(Clone, Debug)]
pub(crate) struct ApiServer {
    stores: Stores,
    patches: Arc<Mutex<Vec<Patch>>>,
    version: u64,
    written: u64,
}

impl ApiServer {
    /// One that shows what is written to it in `stores`.
    pub(crate) fn new(stores: Stores) -> Self {
        Self {
            stores,
            patches: Arc::default(),
            version: objects::VERSION,
            written: 0,
        }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        let patches = Arc::clone(&self.patches);
        let service = tower::service_fn(move |request: Request<Body>| answer(request, Arc::clone(&patches)));
        Client::new(service, "default")
    }

    /// Statuses written so far.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// What a watch would bring: every policy whose status was written since the last call.
    pub(crate) fn deliver(&mut self) -> anyhow::Result<()> {
        let patches = std::mem::take(&mut *self.patches.lock().unwrap_or_else(PoisonError::into_inner));
        for (path, body) in patches {
            let key = key(&path).with_context(|| format!("a status of no policy: {path}"))?;
            self.apply(&key, &body)?;
            self.written += 1;
        }
        Ok(())
    }

    fn apply(&mut self, key: &FunctionKey, body: &[u8]) -> anyhow::Result<()> {
        let seen = self.stores.policies.get(key).context("no such policy")?;
        let patch: Value = serde_json::from_slice(body)?;
        let mut status = serde_json::to_value(&seen.status)?;
        merge(&mut status, &patch["status"]);
        self.version += 1;
        let policy = objects::policy(key, self.version, &status)?;
        self.stores.policies.put(Read::Good(policy));
        Ok(())
    }
}

async fn answer(request: Request<Body>, patches: Arc<Mutex<Vec<Patch>>>) -> Result<Response<Body>, tower::BoxError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = body.collect_bytes().await?.to_vec();
    let answer = if parts.method == Method::PATCH {
        patches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((path, body));
        objects::ANSWER.as_bytes().to_vec()
    } else {
        body
    };
    Ok(Response::new(Body::from(answer)))
}

/// The policy in `/apis/forewarm.dev/v1alpha1/namespaces/NAMESPACE/functionpolicies/NAME/status`.
fn key(path: &str) -> Option<FunctionKey> {
    let parts: Vec<&str> = path.split('/').collect();
    let &[
        "",
        "apis",
        _,
        _,
        "namespaces",
        namespace,
        "functionpolicies",
        name,
        "status",
    ] = parts.as_slice()
    else {
        return None;
    };
    Some(FunctionKey {
        namespace: namespace.into(),
        name: name.into(),
    })
}

/// A merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_adds_changes_and_takes_away() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut target, &json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(target, json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }

    #[test]
    fn a_path_names_its_policy() {
        let path = "/apis/forewarm.dev/v1alpha1/namespaces/a/functionpolicies/b/status";
        assert_eq!(key(path).map(|key| key.to_string()), Some("a/b".to_owned()));
        assert_eq!(key("/api/v1/namespaces/a/pods/b/status"), None);
    }
}
