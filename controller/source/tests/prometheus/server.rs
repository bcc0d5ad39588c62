//! A Prometheus of our own on a loopback port, with an empty store or a given one; it ends with the test.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for a process to do what it is about to do.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Prometheus {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Prometheus {
    /// Starts one with these scrape jobs (YAML list) in an empty store.
    pub(crate) async fn scraping(jobs: &str) -> Self {
        Self::start(jobs, tempfile::tempdir().expect("a folder")).await
    }

    /// Starts one whose store is `folder/data`.
    pub(crate) async fn start(jobs: &str, folder: TempDir) -> Self {
        let address = free_port();
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             otlp: {{promote_resource_attributes: [k8s.namespace.name, k8s.pod.name]}}\n\
             scrape_configs: {jobs}\n"
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).expect("written");
        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let process = Command::new(binary("prometheus", "PROMETHEUS_BIN"))
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .args([
                &format!("--web.listen-address={address}"),
                "--storage.tsdb.retention.time=60d",
            ])
            .args(["--web.enable-otlp-receiver", "--log.level=warn"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Prometheus starts");
        let mut prometheus = Self {
            process,
            address,
            folder,
        };
        prometheus.until_ready().await;
        prometheus
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends the process a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.process.id().to_string()])
            .status();
        assert!(status.is_ok_and(|s| s.success()), "kill -{name}");
    }

    async fn until_ready(&mut self) {
        let http = http();
        let url = format!("{}/-/ready", self.url());
        until("Prometheus is ready", async || {
            let ended = self.process.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "Prometheus ended: {}", self.log());
            let answer = http.get(&url).send().await;
            answer
                .is_ok_and(|a| a.status().is_success())
                .then_some(())
                .ok_or_else(|| "it is not".to_owned())
        })
        .await;
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client for what a test does itself.
pub(crate) fn http() -> reqwest::Client {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("the first one");
    });
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// Asks again until there is an answer; fails with the last reason why there is none.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let (began, mut pause) = (Instant::now(), tokio::time::interval(Duration::from_millis(100)));
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(why) => assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}: {why}"),
        }
        pause.tick().await;
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port")
}

/// Writes `OpenMetrics` text into blocks under `folder/data`, as `promtool` does.
pub(crate) fn load(folder: &Path, text: &str) {
    let file = folder.join("metrics");
    std::fs::write(&file, text).expect("written");
    let status = Command::new(binary("promtool", "PROMTOOL_BIN"))
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&file, &folder.join("data")])
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|s| s.success()), "promtool");
}

/// The binary named by the environment, or built for the test cluster.
fn binary(name: &str, variable: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let home = std::env::var_os("HOME").unwrap_or_default();
    let folder = Path::new(&home).join(".cache/forewarm/bin");
    let named = |path: &PathBuf| {
        path.file_name()
            .and_then(|n| n.to_str())
            .is_some_and(|n| n.strip_prefix(name).is_some_and(|v| v.starts_with('-')))
    };
    let built = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(named);
    let newest = built.max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok());
    newest.unwrap_or_else(|| {
        panic!(
            "no {name} in {}: set {variable}, or build the test cluster first",
            folder.display()
        )
    })
}
