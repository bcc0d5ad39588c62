//! Probes and metrics over HTTP, on a listener of their own.
//!
//! * `/livez`: the tick loop goes round. 503 when no tick has begun for [`Pulse::limit`]: only a restart helps.
//! * `/readyz`: the stores are synced; also true on the replica that does not lead.
//! * `/metrics`: `OpenMetrics`.
//!
//! Reads what others set; nothing here waits for Prometheus or the API server, so a probe answers in a bad hour.

use crate::record::metrics::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// Content type of the metrics.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// When the tick loop last went round; clones share it.
#[derive(Clone, Debug)]
pub struct Pulse {
    last: Arc<Mutex<Instant>>,
    limit: Duration,
}

impl Pulse {
    /// A loop that begins now and is to go round every `tick`.
    pub fn new(tick: Duration) -> Self {
        Self {
            last: Arc::new(Mutex::new(Instant::now())),
            limit: Self::limit(tick),
        }
    }

    /// Longest time between two beats: four ticks, and 30 s for the deadlines that one tick may run into
    /// (questions 0.6 ticks, status 2 x 5 s, writes 10 s).
    pub fn limit(tick: Duration) -> Duration {
        tick * 4 + Duration::from_secs(30)
    }

    /// The loop goes round.
    pub fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether the last beat is recent enough.
    pub fn is_alive(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed() <= self.limit
    }
}

/// What the pages show.
#[derive(Clone)]
pub struct Admin {
    /// Of the tick loop.
    pub pulse: Pulse,
    /// Whether the stores are synced.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Everything counted.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin")
            .field("pulse", &self.pulse)
            .finish_non_exhaustive()
    }
}

/// Serves until the listener fails.
pub async fn serve(listener: TcpListener, admin: Admin) -> std::io::Result<()> {
    axum::serve(listener, router(admin)).await
}

/// The three pages.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

async fn livez(State(admin): State<Admin>) -> impl IntoResponse {
    verdict(admin.pulse.is_alive(), "no tick has begun for too long")
}

async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    verdict((admin.ready)(), "the stores are not synced yet")
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPENMETRICS)], admin.metrics.text())
}

fn verdict(good: bool, why: &'static str) -> (StatusCode, &'static str) {
    if good {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request};
    use std::sync::atomic::{AtomicBool, Ordering};
    use tower::Service;

    fn admin() -> (Admin, Arc<AtomicBool>) {
        let synced = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&synced);
        let ready = Arc::new(move || asked.load(Ordering::Relaxed));
        (
            Admin {
                pulse: Pulse::new(Duration::from_secs(15)),
                ready,
                metrics: Metrics::new(false),
            },
            synced,
        )
    }

    async fn ask(admin: &Admin, method: Method, path: &str) -> (u16, String, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router(admin.clone()).call(request).await.unwrap();
        let content_type = response
            .headers()
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned());
        let code = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (
            code,
            content_type.unwrap_or_default(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_loop_is_alive_while_it_goes_round() {
        let (admin, _) = admin();
        let code = async || ask(&admin, Method::GET, "/livez").await.0;
        assert_eq!(code().await, 200, "before the first tick");
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(code().await, 200);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(code().await, 503);
        admin.pulse.clone().beat();
        assert_eq!(code().await, 200);
    }

    #[tokio::test]
    async fn it_is_ready_once_the_stores_are_synced() {
        let (admin, synced) = admin();
        assert_eq!(ask(&admin, Method::GET, "/readyz").await.0, 503);
        synced.store(true, Ordering::Relaxed);
        assert_eq!(ask(&admin, Method::GET, "/readyz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_come_as_openmetrics_and_nothing_else_is_served() {
        let (admin, _) = admin();
        let (code, content_type, body) = ask(&admin, Method::GET, "/metrics").await;
        assert_eq!((code, content_type.as_str()), (200, OPENMETRICS));
        assert!(body.contains("forewarm_build_info") && body.ends_with("# EOF\n"));
        assert_eq!(ask(&admin, Method::GET, "/").await.0, 404);
        assert_eq!(ask(&admin, Method::POST, "/metrics").await.0, 405);
    }
}
