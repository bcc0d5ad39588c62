//! A stand-in API server for tests of status and Events: keeps what it is sent, answers as it is told.

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Method and path with query.
    pub(crate) line: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// Requests so far; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox(Arc<Mutex<Vec<Sent>>>);

impl Inbox {
    /// All requests so far, forgotten afterwards.
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Answers every request with `code`; 0 never answers. 2xx echo the body.
pub(crate) fn api_server(code: u16) -> (Client, Inbox) {
    let inbox = Inbox::default();
    let kept = inbox.clone();
    let service = tower::service_fn(move |request: Request<Body>| answer(kept.clone(), request, code));
    (Client::new(service, "default"), inbox)
}

async fn answer(kept: Inbox, request: Request<Body>, code: u16) -> Result<Response<Body>, tower::BoxError> {
    let (parts, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&body.collect_bytes().await?)?;
    let content_type = parts
        .headers
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let sent = Sent {
        line: format!("{} {}", parts.method, parts.uri),
        content_type: content_type.to_owned(),
        body: body.clone(),
    };
    kept.0.lock().unwrap().push(sent);
    if code == 0 {
        std::future::pending::<()>().await;
    }
    let answer = if code < 300 && parts.method == http::Method::POST {
        body
    } else if code < 300 {
        json!({
            "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
            "metadata": {"name": "fraud-scorer", "namespace": "payments"},
            "spec": {"targetRef": {"name": "fraud-scorer"}, "floor": {"max": 40}},
            "status": body["status"],
        })
    } else {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "Test", "message": ""})
    };
    Ok(Response::builder()
        .status(code)
        .body(Body::from(answer.to_string().into_bytes()))?)
}
