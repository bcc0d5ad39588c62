//! A real Prometheus on a loopback port that scrapes the fleet's exporter; both end with this value. Here is I/O.

use crate::fleet::Fleet;
use anyhow::Context as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Both processes and their files.
pub(crate) struct Prometheus {
    address: SocketAddr,
    children: [Child; 2],
    _folder: TempDir,
}

impl Prometheus {
    /// Starts them; nothing has been scraped yet.
    pub(crate) fn start(binary: &Path, fleet: Fleet) -> anyhow::Result<Self> {
        let (folder, address, target) = (tempfile::tempdir()?, free_port()?, free_port()?);
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, scraping(target))?;
        let mut exporter = Command::new(std::env::current_exe()?);
        exporter.args(["exporter", &format!("--listen={target}")]).args([
            format!("--functions={}", fleet.functions),
            format!("--pods={}", fleet.pods),
        ]);
        let mut prometheus = Command::new(binary);
        prometheus
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .stdout(Stdio::null());
        let exporter = exporter.spawn().context("start the exporter")?;
        let prometheus = prometheus
            .spawn()
            .with_context(|| format!("start {}", binary.display()))?;
        Ok(Self {
            address,
            children: [exporter, prometheus],
            _folder: folder,
        })
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails when one of the processes has ended.
    pub(crate) fn alive(&mut self) -> anyhow::Result<()> {
        for child in &mut self.children {
            let ended = child.try_wait()?;
            anyhow::ensure!(ended.is_none(), "the exporter or Prometheus has ended");
        }
        Ok(())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn scraping(target: SocketAddr) -> String {
    format!(
        "global: {{scrape_interval: 15s, scrape_timeout: 10s}}\n\
         scrape_configs:\n\
         - job_name: pods\n  honor_labels: true\n  static_configs: [{{targets: ['{target}']}}]\n"
    )
}

fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
