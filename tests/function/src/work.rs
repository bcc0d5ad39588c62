//! Work: a request to `/` in; a wait, a sleep and an answer that tells of them out.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::{CONNECTION, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::ballast::Ballast;
use crate::function::Function;
use crate::phase::Phase;
use crate::query::Query;
use crate::visit::Visit;

/// Milliseconds this request waited for a slot.
pub const X_QUEUE_MS: HeaderName = HeaderName::from_static("x-queue-ms");
/// Milliseconds from the start of the process to the arrival of this request.
pub const X_STARTED_MS: HeaderName = HeaderName::from_static("x-started-ms");
/// Host name of the pod that answered.
pub const X_POD: HeaderName = HeaderName::from_static("x-pod");

/// Waits for a slot, holds it for the service time, answers 200, or 500 where asked to fail.
/// A query that cannot be read is answered 400 and counted nowhere.
pub async fn work(State(function): State<Arc<Function>>, uri: Uri) -> Response {
    let arrived = Instant::now();
    let query = match Query::parse(uri.query().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let query = query.over(&function.becomes.lock().unwrap_or_else(PoisonError::into_inner));
    let mut visit = Visit::arrive(&function.metrics, arrived);
    let slot = function.slots.take().await;
    let waited = visit.begin();
    let status = serve(&function, &query).await;
    drop(slot);
    visit.end(status.as_u16());
    (status, headers(&function, arrived, waited), "done\n").into_response()
}

/// The service time, with the request's memory held.
async fn serve(function: &Function, query: &Query) -> StatusCode {
    let Ok(_memory) = hold(query.memory_mib).await else {
        return StatusCode::INSUFFICIENT_STORAGE;
    };
    tokio::time::sleep(query.work.unwrap_or(function.config.work)).await;
    if query.fail {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::OK
    }
}

/// Memory for one request; the usual request has none and needs no thread.
async fn hold(mib: u32) -> anyhow::Result<Option<Ballast>> {
    if mib == 0 {
        return Ok(None);
    }
    Ok(Some(tokio::task::spawn_blocking(move || Ballast::fill(mib)).await??))
}

fn headers(function: &Function, arrived: Instant, waited: Duration) -> HeaderMap {
    let age = arrived.duration_since(function.born);
    let mut headers = HeaderMap::new();
    headers.insert(X_QUEUE_MS, whole_millis(waited));
    headers.insert(X_STARTED_MS, whole_millis(age));
    if let Ok(pod) = HeaderValue::from_str(&function.config.hostname) {
        headers.insert(X_POD, pod);
    }
    if function.life.phase() == Phase::Draining {
        // A kept-alive connection outlives the removal of the endpoint: send its client elsewhere.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    headers
}

fn whole_millis(duration: Duration) -> HeaderValue {
    HeaderValue::from(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
