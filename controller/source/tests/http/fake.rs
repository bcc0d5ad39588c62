//! A Prometheus that answers what a test tells it to, on a loopback socket.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response, Uri};
use forewarm_api::DemandProfile;
use forewarm_api::profile_parse::{Profile, parse_profile};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now, Wall};
use forewarm_source::{DemandReader, Member, MemberPod, Membership, Sources};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Path of the request.
    pub(crate) path: String,
    /// Its form fields.
    pub(crate) form: BTreeMap<String, String>,
    /// Its headers.
    pub(crate) headers: HeaderMap,
}

impl Asked {
    /// The PromQL.
    pub(crate) fn query(&self) -> &str {
        &self.form["query"]
    }
}

type Log = Arc<Mutex<Vec<Asked>>>;

type Behaviour = dyn Fn(&Asked) -> Reply + Send + Sync;

/// What a request gets.
pub(crate) enum Reply {
    /// This response.
    Now(Response<Body>),
    /// Nothing, for ever.
    Never,
}

/// The server; it lives as long as the test's runtime.
pub(crate) struct Fake {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    asked: Log,
}

impl Fake {
    /// Starts one that behaves like this.
    pub(crate) async fn start(behave: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        crypto();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let state = (asked.clone(), Arc::new(behave) as Arc<Behaviour>);
        let app = Router::new().fallback(serve).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, asked }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test has panicked").clone()
    }
}

/// rustls has to be told its provider once a process; in the operator `main` does it.
pub(crate) fn crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("the first one");
    });
}

async fn serve(State((log, behave)): State<(Log, Arc<Behaviour>)>, uri: Uri, request: Request<Body>) -> Response<Body> {
    let headers = request.headers().clone();
    let body: Bytes = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .expect("a small form");
    let form = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(&body))).expect("a form");
    let form = form.query_pairs().into_owned().collect();
    let asked = Asked {
        path: uri.path().to_owned(),
        form,
        headers,
    };
    log.lock().expect("no test has panicked").push(asked.clone());
    match behave(&asked) {
        Reply::Now(response) => response,
        Reply::Never => std::future::pending().await,
    }
}

/// A 200 with this body.
pub(crate) fn ok(body: impl Into<Body>) -> Reply {
    Reply::Now(Response::new(body.into()))
}

/// Another status with this body.
pub(crate) fn status(code: u16, body: &str) -> Reply {
    Reply::Now(
        Response::builder()
            .status(code)
            .body(Body::from(body.to_owned()))
            .expect("a response"),
    )
}

/// An instant vector of `namespace`, `pod` and value.
pub(crate) fn vector(series: &[(&str, &str, &str)]) -> String {
    let one = |(namespace, pod, value): &(&str, &str, &str)| {
        format!(r#"{{"metric":{{"namespace":"{namespace}","pod":"{pod}"}},"value":[1,"{value}"]}}"#)
    };
    success(
        "vector",
        &format!("[{}]", series.iter().map(one).collect::<Vec<_>>().join(",")),
    )
}

/// A success of that type.
pub(crate) fn success(kind: &str, result: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#)
}

/// A profile of that name from the YAML of its spec.
pub(crate) fn profile(name: &str, spec: &str) -> Profile {
    let yaml =
        format!("apiVersion: forewarm.dev/v1alpha1\nkind: DemandProfile\nmetadata: {{name: {name}}}\nspec: {spec}");
    let object: DemandProfile = serde_saphyr::from_str(&yaml).expect("a profile");
    parse_profile(&object).expect("a usable profile")
}

/// The plainest profile, called `p`.
pub(crate) fn plain() -> Profile {
    profile(
        "p",
        "{unit: Concurrency, query: 'sum by (namespace, pod) (m)', join: {by: Pod, nameLabel: pod}}",
    )
}

/// Function `a/<name>` of profile `p`, with these pods, all ready since long ago.
pub(crate) fn function(name: &str, pods: &[&str]) -> Member {
    Member {
        key: key(name),
        profile: "p".into(),
        kind: "Deployment".into(),
        workload: name.into(),
        revisions: vec![],
        pods: pods
            .iter()
            .map(|p| MemberPod {
                name: (*p).into(),
                ready_since: Some(Mono(0)),
            })
            .collect(),
    }
}

/// The key of function `a/<name>`.
pub(crate) fn key(name: &str) -> FunctionKey {
    FunctionKey {
        namespace: "a".into(),
        name: name.into(),
    }
}

/// Second `s` of the process, which began long after its pods were ready.
pub(crate) fn second(s: u64) -> Now {
    Now {
        wall: Wall(1_700_000_000_000 + i64::try_from(s).expect("a small number") * 1000),
        mono: Mono((1_000_000 + s) * 1000),
    }
}

/// A reader of one source `default` at `url`, with more fields in YAML's flow style.
pub(crate) fn reader(url: &str, more: &str) -> DemandReader {
    crypto();
    let yaml = format!("sources: [{{name: default, url: '{url}'{more}}}]");
    DemandReader::new(&Sources::from_yaml(&yaml).expect("usable sources"))
}

/// One profile and one function `a/f` with the pod `f-1`.
pub(crate) fn world() -> (BTreeMap<String, Profile>, Arc<Membership>) {
    (
        BTreeMap::from([("p".to_owned(), plain())]),
        Arc::new(Membership::new([function("f", &["f-1"])])),
    )
}

/// Long enough for anything that is meant to be answered.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);
