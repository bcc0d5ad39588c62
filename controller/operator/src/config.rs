//! Flags and files of the operator.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::record::human::LogFormat;

/// Raises the floor of warm replicas before the load comes.
#[derive(Debug, Parser)]
#[command(name = "forewarm", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs of the binary.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the operator.
    Run(Box<Run>),
    /// Give back what was taken; the chart's pre-delete hook.
    Release(Release),
    /// Write CRDs, RBAC, admission rails and the log schema from the code.
    Generate(Generate),
}

/// Flags of `forewarm run`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Seconds between two ticks, 1 to 60.
    #[arg(long, env = "FOREWARM_TICK_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub tick_seconds: u32,
    /// File with the Prometheis to read (see docs/install.md).
    #[arg(long, env = "FOREWARM_SOURCES", default_value = "/etc/forewarm/sources.yaml")]
    pub sources: PathBuf,
    /// Namespace of the Lease and the switch.
    #[arg(long, env = "POD_NAMESPACE", default_value = "forewarm")]
    pub namespace: String,
    /// Who we are in the Lease: the pod's name; a random suffix is added.
    #[arg(long, env = "POD_NAME", default_value = "forewarm")]
    pub identity: String,
    /// Name of the Lease.
    #[arg(long, default_value = "forewarm")]
    pub lease_name: String,
    /// Name of the `ConfigMap` that stops all writes.
    #[arg(long, default_value = "forewarm-switch")]
    pub switch: String,
    /// Where probes and metrics are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub admin_listen: std::net::SocketAddr,
    /// Form of the decision log.
    #[arg(long, env = "FOREWARM_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
    /// Further kinds with a `/scale`, as `group/version/Kind/plural`, separated by commas.
    #[arg(long, env = "FOREWARM_SCALE_KINDS", value_delimiter = ',')]
    pub scale_kinds: Vec<String>,
    /// Count held pods by namespace too; shows the names of tenants to whoever reads the metrics.
    #[arg(long, env = "FOREWARM_METRICS_BY_NAMESPACE")]
    pub metrics_by_namespace: bool,
    /// Newborn memory is installed: policies may say what new pods are born with (Kubernetes 1.36).
    #[arg(long, env = "FOREWARM_NEWBORN_MEMORY")]
    pub newborn_memory: bool,
    /// Nodes may be read: no container is held at more memory than the largest lets pods have.
    #[arg(long, env = "FOREWARM_NODE_SIZES")]
    pub node_sizes: bool,
    /// Writes a tick may send at most; the largest shortfall goes first.
    #[arg(long, default_value_t = 200)]
    pub writes_per_tick: usize,
}

impl Run {
    /// Time between two ticks.
    pub fn tick(&self) -> Duration {
        Duration::from_secs(u64::from(self.tick_seconds))
    }
}

/// Flags of `forewarm release`.
#[derive(Clone, Debug, Args)]
pub struct Release {
    /// Form of the lines.
    #[arg(long, env = "FOREWARM_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
    /// Further kinds with a `/scale`, as `group/version/Kind/plural`, separated by commas.
    #[arg(long, env = "FOREWARM_SCALE_KINDS", value_delimiter = ',')]
    pub scale_kinds: Vec<String>,
    /// Namespace of the Lease and the switch.
    #[arg(long, env = "POD_NAMESPACE", default_value = "forewarm")]
    pub namespace: String,
    /// Name of the Lease: it is taken from the operator, which would raise again what is given back.
    #[arg(long, default_value = "forewarm")]
    pub lease_name: String,
    /// Name of the `ConfigMap` that stops all writes.
    #[arg(long, default_value = "forewarm-switch")]
    pub switch: String,
    /// Policies in Shadow too, not only those that enforce.
    #[arg(long)]
    pub all: bool,
}

/// Flags of `forewarm generate`.
#[derive(Clone, Debug, Args)]
pub struct Generate {
    /// Root of the checkout.
    #[arg(long, default_value = ".")]
    pub out: PathBuf,
}
