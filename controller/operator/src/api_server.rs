//! A stand-in API server for tests: requests are kept, answers come from a closure; and a journal in memory.

use crate::record::{Journal, Receipt};
use http::{HeaderMap, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    /// Method and path with query.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }

    /// A header's value, empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the request's body is JSON")
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    /// No answer, ever.
    Silence,
    /// The connection breaks.
    Reset,
    /// Another reply, later.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// A `Status` without details.
    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::Json(
            code,
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}),
        )
    }
}

/// A list that grows while the test runs.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Kept<T> {
    pub(crate) fn push(&self, item: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    }

    /// Everything so far, forgotten afterwards.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A client of a server that answers by `answer`, and the requests it has seen.
pub(crate) fn api_server(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> (Client, Kept<Seen>) {
    let seen = Kept::default();
    let (kept, answer) = (seen.clone(), Arc::new(Mutex::new(answer)));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (kept, answer) = (kept.clone(), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            let request = Seen {
                method: parts.method.to_string(),
                uri: parts.uri.to_string(),
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            kept.push(request.clone());
            let reply = (answer.lock().unwrap_or_else(PoisonError::into_inner))(&request);
            carry_out(reply).await
        }
    });
    (Client::new(service, "default"), seen)
}

async fn carry_out(mut reply: Reply) -> Result<Response<Body>, tower::BoxError> {
    while let Reply::After(wait, then) = reply {
        tokio::time::sleep(wait).await;
        reply = *then;
    }
    let (code, body) = match reply {
        Reply::Json(code, body) => (code, body.to_string()),
        Reply::Text(code, body) => (code, body.to_owned()),
        Reply::Reset => return Err(Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset))),
        Reply::Silence | Reply::After(..) => std::future::pending().await,
    };
    Ok(Response::builder().status(code).body(Body::from(body.into_bytes()))?)
}

/// A journal in memory, and its lines.
pub(crate) fn journal() -> (Arc<dyn Journal>, Kept<(String, Value)>) {
    let lines = Kept::default();
    (Arc::new(Memory { lines: lines.clone() }), lines)
}

struct Memory {
    lines: Kept<(String, Value)>,
}

impl Journal for Memory {
    fn write(&self, event: &'static str, fields: Value) -> Receipt {
        self.lines.push((event.to_owned(), fields));
        Receipt::known(true)
    }

    fn head(&self) -> String {
        format!("head-{}", self.lines.all().len())
    }

    fn begin(&self, epoch: u64) {
        self.lines.push(("begin".to_owned(), json!(epoch)));
    }
}
