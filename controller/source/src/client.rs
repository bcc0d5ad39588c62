//! A query in, the body of its answer out: one source's HTTP client. Here is the I/O.
//!
//! No redirects (a source may not send us elsewhere, TM4), no proxies from the environment, no trust in any
//! certificate but those of `caFile`, no retries: the next tick asks again.

use crate::answer::refusal;
use crate::error::{SourceError, cut};
use crate::sources::{Limits, SourceConfig};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use prometheus_http_query::{Client, Error as ClientError};
use reqwest::{Certificate, Response, redirect};
use std::error::Error;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A connection inside a cluster takes milliseconds; three seconds are a lost SYN and its first two repeats.
const CONNECT: Duration = Duration::from_secs(3);
/// Of an error's body, this much is read to find Prometheus's message in it.
const ERROR_BODY: usize = 64 * 1024;
/// Largest CA or token file.
const FILE_MAX: usize = 1024 * 1024;

/// One source that can be asked.
pub struct Source {
    config: SourceConfig,
    /// The client and the CA file's bytes it was made with.
    built: Mutex<Option<(Vec<u8>, Client)>>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A span of a range query: evaluated at `start`, `start + step`, ... up to `end`, in seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First evaluation.
    pub start: i64,
    /// Last evaluation, at most.
    pub end: i64,
    /// Distance between two.
    pub step: u32,
}

impl Source {
    /// A client of `config`; files are read at the first request, not here.
    pub fn new(config: SourceConfig) -> Self {
        Self {
            config,
            built: Mutex::new(None),
        }
    }

    /// The caps of one answer.
    pub fn limits(&self) -> Limits {
        self.config.limits
    }

    /// The body of the answer to an instant query at the source's own now, read whole within `within`.
    pub async fn instant(&self, query: &str, within: Duration) -> Result<Vec<u8>, SourceError> {
        self.within(within, self.send(Ask::Instant, query, within, self.limit()))
            .await
    }

    /// The body of the answer to a range query, of at most `mebibytes` or the source's own cap.
    ///
    /// `lookback`: how long a sample counts when no newer one comes. Sources that do not know
    /// `lookback_delta` use their own five minutes.
    pub async fn range(
        &self,
        query: &str,
        span: Span,
        lookback: Duration,
        mebibytes: usize,
        within: Duration,
    ) -> Result<Vec<u8>, SourceError> {
        let limit = self.limit().min(mebibytes * 1024 * 1024);
        self.within(within, self.send(Ask::Range(span, lookback), query, within, limit))
            .await
    }

    fn limit(&self) -> usize {
        self.config.limits.mebibytes * 1024 * 1024
    }

    async fn within(
        &self,
        within: Duration,
        request: impl Future<Output = Result<Vec<u8>, SourceError>>,
    ) -> Result<Vec<u8>, SourceError> {
        tokio::time::timeout(within, request)
            .await
            .unwrap_or(Err(SourceError::Timeout(within)))
    }

    async fn send(&self, ask: Ask, query: &str, within: Duration, limit: usize) -> Result<Vec<u8>, SourceError> {
        let client = self.client()?;
        let token = self.token()?;
        let mut headers = Vec::new();
        if let Some(token) = &token {
            headers.push((AUTHORIZATION, bearer(token)?));
        }
        if let Some(tenant) = &self.config.tenant {
            let name = http::HeaderName::try_from(&tenant.header).expect("checked when sources.yaml was read");
            headers.push((
                name,
                HeaderValue::try_from(&tenant.value).expect("checked when sources.yaml was read"),
            ));
        }
        let response = ask
            .post(&client, query, within, headers)
            .await
            .map_err(|e| unreachable_source(&e))?;
        body(response, limit, token.as_deref()).await
    }

    /// The client, made anew when the CA file's content has changed.
    fn client(&self) -> Result<Client, SourceError> {
        let ca = match &self.config.ca_file {
            Some(path) => read("caFile", path)?,
            None => Vec::new(),
        };
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_with, client)) = built.as_ref()
            && *made_with == ca
        {
            return Ok(client.clone());
        }
        let client = build(&self.config, &ca)?;
        *built = Some((ca, client.clone()));
        Ok(client)
    }

    fn token(&self) -> Result<Option<String>, SourceError> {
        let Some(path) = &self.config.token_file else {
            return Ok(None);
        };
        let bytes = read("tokenFile", path)?;
        let token = String::from_utf8_lossy(&bytes).trim().to_owned();
        if token.is_empty() {
            return Err(file_error("tokenFile", path, "it is empty"));
        }
        Ok(Some(token))
    }
}

enum Ask {
    Instant,
    Range(Span, Duration),
}

impl Ask {
    async fn post(
        self,
        client: &Client,
        query: &str,
        within: Duration,
        headers: Vec<(http::HeaderName, HeaderValue)>,
    ) -> Result<Response, ClientError> {
        // The source is told our deadline, so that it does not work on for nobody.
        let millis = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
        match self {
            Self::Instant => {
                let mut ask = client.query(query).timeout(millis).query("partial_response", "false");
                for (name, value) in headers {
                    ask = ask.header(name, value);
                }
                ask.post_raw().await
            }
            Self::Range(span, lookback) => {
                let mut ask = client
                    .query_range(query, span.start, span.end, f64::from(span.step))
                    .timeout(millis)
                    .query("partial_response", "false")
                    .query("lookback_delta", format!("{}s", lookback.as_secs()));
                for (name, value) in headers {
                    ask = ask.header(name, value);
                }
                ask.post_raw().await
            }
        }
    }
}

fn build(config: &SourceConfig, ca: &[u8]) -> Result<Client, SourceError> {
    let fail = |text: &str| match &config.ca_file {
        Some(path) => file_error("caFile", path, text),
        None => SourceError::Unusable(format!("source {} cannot be used: {text}", config.name)),
    };
    let certificates = Certificate::from_pem_bundle(ca).map_err(|e| fail(&root(&e)))?;
    if config.ca_file.is_some() && certificates.is_empty() {
        return Err(fail("there is no certificate in it"));
    }
    let http = reqwest::Client::builder()
        .user_agent(concat!("forewarm/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .gzip(true)
        .tls_certs_only(certificates)
        .build()
        .map_err(|e| fail(&root(&e)))?;
    Client::from(http, &config.url).map_err(|e| fail(&e.to_string()))
}

/// The whole body of a 200; everything else is an error.
async fn body(mut response: Response, limit: usize, token: Option<&str>) -> Result<Vec<u8>, SourceError> {
    let status = response.status().as_u16();
    if status != 200 {
        let body = collect(&mut response, ERROR_BODY).await.unwrap_or_default();
        return Err(refusal(&body, token).unwrap_or(SourceError::Status(status)));
    }
    collect(&mut response, limit).await
}

/// The decompressed body, counted while it comes: a small gzip may hold gigabytes.
async fn collect(response: &mut Response, limit: usize) -> Result<Vec<u8>, SourceError> {
    let announced = response
        .content_length()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0);
    let mut body = Vec::with_capacity(announced.min(limit));
    while let Some(chunk) = response.chunk().await.map_err(|e| SourceError::Unreachable(root(&e)))? {
        if body.len() + chunk.len() > limit {
            return Err(SourceError::TooManyBytes(limit / (1024 * 1024)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn bearer(token: &str) -> Result<HeaderValue, SourceError> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| SourceError::Unusable("tokenFile holds what may not stand in an HTTP header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, SourceError> {
    let bytes = std::fs::read(path).map_err(|e| file_error(what, path, &e.to_string()))?;
    if bytes.len() > FILE_MAX {
        return Err(file_error(what, path, "it is larger than 1 MiB"));
    }
    Ok(bytes)
}

fn file_error(what: &'static str, path: &Path, text: &str) -> SourceError {
    SourceError::File {
        what,
        path: cut(&path.display().to_string(), None),
        text: cut(text, None),
    }
}

fn unreachable_source(error: &ClientError) -> SourceError {
    SourceError::Unreachable(root(error))
}

/// The innermost message: the outer ones carry the address, which a tenant's status must not show.
fn root(error: &dyn Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    cut(&inner.to_string(), None)
}
