//! Routes: paths in, handlers out. Only `/` takes a slot and is counted.

use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::function::Function;
use crate::metrics;
use crate::phase::Phase;
use crate::query::Query;
use crate::work::work;

/// All paths of the one port.
pub fn router(function: Arc<Function>) -> Router {
    Router::new()
        .route("/", any(work))
        .route("/become", any(becomes))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        // A HEAD of its own: `get` would answer it too, and reset a peak that nobody read.
        .route("/metrics", get(scrape).head(|| async { StatusCode::OK }))
        .with_state(function)
}

/// 200 between start-up and SIGTERM, otherwise 503 and the reason.
async fn readyz(State(function): State<Arc<Function>>) -> (StatusCode, &'static str) {
    match function.life.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Phase::Ready => (StatusCode::OK, "ready\n"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    }
}

/// From now on every request has the query's overrides: one pod of several can be made slow, or fail, until it ends.
async fn becomes(State(function): State<Arc<Function>>, uri: Uri) -> Response {
    match Query::parse(uri.query().unwrap_or_default()) {
        Ok(query) => {
            *function.becomes.lock().unwrap_or_else(PoisonError::into_inner) = query;
            "so it is\n".into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

async fn scrape(State(function): State<Arc<Function>>) -> Response {
    match function.metrics.scrape() {
        Ok(page) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
