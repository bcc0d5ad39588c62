//! A Prometheus of our own that scrapes one page of ours; both end with the benchmark.

use anyhow::{Context as _, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// The process; it ends when this is dropped.
pub(crate) struct Prometheus {
    process: Child,
    pub(crate) url: String,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes `page` every five seconds.
    pub(crate) fn scraping(page: String) -> anyhow::Result<Self> {
        let target = serve(page)?;
        let folder = tempfile::tempdir().context("could not make a folder")?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = format!(
            "global: {{scrape_interval: 5s, scrape_timeout: 5s}}\n\
             scrape_configs: [{{job_name: bench, honor_labels: true, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).context("could not write the configuration")?;
        let process = Command::new(binary()?)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .args([&format!("--web.listen-address={address}"), "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start Prometheus")?;
        Ok(Self {
            process,
            url: format!("http://{address}"),
            _folder: folder,
        })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary named by `PROMETHEUS_BIN`, or built for the test cluster.
fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("PROMETHEUS_BIN") {
        return Ok(path.into());
    }
    let folder = Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cache/forewarm/bin");
    let named = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("prometheus-"))
    };
    let built = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(named);
    match built.max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok()) {
        Some(path) => Ok(path),
        None => bail!(
            "no prometheus in {}: set PROMETHEUS_BIN, or build the test cluster first",
            folder.display()
        ),
    }
}

/// Serves `page` to whoever asks for anything.
fn serve(page: String) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("could not listen")?;
    let (address, page) = (listener.local_addr()?, Arc::new(page));
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let page = page.clone();
            std::thread::spawn(move || answer(socket, &page));
        }
    });
    Ok(address)
}

fn answer(mut socket: TcpStream, page: &str) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _ = socket.read(&mut request)?;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n";
    write!(socket, "{head}content-length: {}\r\n\r\n{page}", page.len())
}
