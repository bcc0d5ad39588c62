//! A layer on the reading client that notes when each watch was last started with success.
//!
//! Watches are asked to end after [`WATCH_SECONDS`], so a healthy one is started again at least that often; the
//! library under it restarts watches without telling. A kind whose last success lies further back than
//! [`STALE_AFTER`] is stale: half-open connections, hanging servers and refusals all end up here (B2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;

/// How long the server keeps a watch open. 55 s: with the library's margin of 5 s a half-open one ends at 60 s.
pub const WATCH_SECONDS: u32 = 55;

/// A watch not started anew for this long is stale.
pub const STALE_AFTER: Duration = Duration::from_secs(65);

/// When each collection's watch was last started with success, by URL path. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Heartbeats(Arc<Mutex<HashMap<String, Instant>>>);

impl Heartbeats {
    /// Age of the watch of `path` (`/apis/apps/v1/deployments`) at `at`. `None`: never started.
    pub fn age(&self, path: &str, at: Instant) -> Option<Duration> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(path).map(|last| at.saturating_duration_since(*last))
    }

    fn beat(&self, path: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(path, Instant::now());
    }
}

impl<S> tower::Layer<S> for Heartbeats {
    type Service = Listen<S>;
    fn layer(&self, inner: S) -> Listen<S> {
        Listen {
            inner,
            heartbeats: self.clone(),
        }
    }
}

/// The service behind [`Heartbeats`].
#[derive(Clone, Debug)]
pub struct Listen<S> {
    inner: S,
    heartbeats: Heartbeats,
}

impl<S, B, R> tower::Service<http::Request<B>> for Listen<S>
where
    S: tower::Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let watched = watched_path(request.uri());
        let heartbeats = self.heartbeats.clone();
        self.inner
            .call(request)
            .map(move |answer| {
                if let (Some(path), Ok(response)) = (watched, &answer)
                    && response.status().is_success()
                {
                    heartbeats.beat(path);
                }
                answer
            })
            .boxed()
    }
}

/// The path of a request that starts a watch; `None` for any other.
fn watched_path(uri: &http::Uri) -> Option<String> {
    let watches = uri
        .query()?
        .split('&')
        .any(|pair| pair == "watch=true" || pair == "watch=1");
    watches.then(|| uri.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::{Layer, Service};

    async fn start(heartbeats: &Heartbeats, uri: &str, code: u16) {
        let inner = tower::service_fn(move |_: http::Request<()>| async move {
            Ok::<_, std::convert::Infallible>(http::Response::builder().status(code).body(()).expect("a response"))
        });
        let request = http::Request::builder().uri(uri).body(()).expect("a request");
        heartbeats.layer(inner).call(request).await.expect("infallible");
    }

    #[tokio::test]
    async fn only_a_started_watch_is_a_sign_of_life() {
        let heartbeats = Heartbeats::default();
        start(&heartbeats, "/api/v1/pods?limit=500", 200).await;
        start(&heartbeats, "/api/v1/pods?watch=true&resourceVersion=5", 410).await;
        assert_eq!(heartbeats.age("/api/v1/pods", Instant::now()), None);
        start(&heartbeats, "/api/v1/pods?watch=true&resourceVersion=5", 200).await;
        let age = heartbeats
            .age("/api/v1/pods", Instant::now() + STALE_AFTER)
            .expect("seen");
        assert!(age >= STALE_AFTER);
    }
}
