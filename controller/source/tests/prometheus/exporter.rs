//! Exporters on loopback: pages of exposition text whose samples carry their own times, so that a minute of
//! scraping need not be waited for. One scrape brings 50 minutes of the past and two of the future.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// Seconds between two samples.
pub(crate) const EVERY: i64 = 15;

/// What a series does.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// A gauge that stays.
    Gauge(f64),
    /// A gauge that is the first in every even scrape and the second in every odd one.
    Turns(f64, f64),
    /// A counter that grows by so much a second.
    Rate(f64),
}

impl Shape {
    fn at(self, second: i64) -> f64 {
        match self {
            Self::Gauge(value) => value,
            Self::Turns(even, odd) => {
                if second.div_euclid(EVERY) % 2 == 0 {
                    even
                } else {
                    odd
                }
            }
            // Since a fixed day, so that a counter only ever grows.
            Self::Rate(rate) => rate * f64::from(i32::try_from(second - 1_700_000_000).expect("this century")),
        }
    }
}

/// The page of these series, with samples from `from` up to `to`.
pub(crate) fn page(series: &[(&str, Shape)], from: i64, to: i64) -> String {
    let mut text = String::new();
    for (name, shape) in series {
        for second in (from.div_euclid(EVERY)..=to.div_euclid(EVERY)).map(|k| k * EVERY) {
            writeln!(text, "{name} {} {}", shape.at(second), second * 1000).expect("memory");
        }
    }
    text
}

type Pages = Arc<Mutex<HashMap<String, (String, u64)>>>;

/// A server of pages by path; a page that is taken away is a 500. `SCRAPES` in a page is the number of its scrapes.
#[derive(Clone)]
pub(crate) struct Exporter {
    pub(crate) address: SocketAddr,
    pages: Pages,
}

impl Exporter {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let pages = Pages::default();
        let app = Router::new().fallback(serve).with_state(pages.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, pages }
    }

    pub(crate) fn put(&self, path: &str, page: String) {
        self.pages
            .lock()
            .expect("no test has panicked")
            .insert(path.to_owned(), (page, 0));
    }

    pub(crate) fn take_away(&self, path: &str) {
        self.pages.lock().expect("no test has panicked").remove(path);
    }

    /// A scrape job of one page, with these target labels and settings (YAML flow style, each ending in a comma).
    pub(crate) fn job(&self, path: &str, settings: &str, labels: &str) -> String {
        let name = path.trim_start_matches('/').replace('/', "-");
        format!(
            "{{job_name: {name}, metrics_path: {path}, {settings} static_configs: [{{targets: ['{}'], labels: {{{labels} instance: {name}}}}}]}}",
            self.address
        )
    }
}

async fn serve(State(pages): State<Pages>, uri: Uri) -> Result<String, StatusCode> {
    let mut pages = pages.lock().expect("no test has panicked");
    let (page, scrapes) = pages.get_mut(uri.path()).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    *scrapes += 1;
    Ok(page.replace("SCRAPES", &scrapes.to_string()))
}
