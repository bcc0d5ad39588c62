//! Figures of the operator on this machine, one line each: `figure: NAME VALUE UNIT`. Progress goes to stderr.
//!
//! * [`tick`]: one pass of the line over many functions, without network; and what it holds in memory.
//! * [`read`]: demand of many series from a real Prometheus.
//! * [`fleet`]: the functions that both of them have; [`demand`]: how many calls they serve.
//! * [`spent`]: processor time and memory of this process; [`figure`]: the lines.

mod demand;
mod exporter;
mod figure;
mod fleet;
mod prometheus;
mod read;
mod spent;
mod tick;

use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "forewarm-bench", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// One tick, in milliseconds of one core, and the memory it needs.
    Tick {
        /// Functions, of two pods each.
        #[arg(long, default_value_t = 10_000)]
        functions: u32,
    },
    /// Demand read from a Prometheus and joined with the functions.
    Read {
        /// The binary of Prometheus; `tests/cluster/bed.sh build prometheus` builds it and prints its path.
        #[arg(long, env = "PROMETHEUS_BIN")]
        prometheus: PathBuf,
        /// Functions.
        #[arg(long, default_value_t = 10_000)]
        functions: u32,
        /// Pods of each, one series a pod.
        #[arg(long, default_value_t = 5)]
        pods: u32,
    },
    /// Serves the metrics of all pods in one page; `read` starts it.
    #[command(hide = true)]
    Exporter {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        functions: u32,
        #[arg(long)]
        pods: u32,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // As in the operator: two users of TLS in one process must agree on the provider.
    rustls::crypto::ring::default_provider().install_default().ok();
    match Cli::parse().verb {
        Verb::Tick { functions } => tick::bench(functions).await,
        Verb::Read {
            prometheus,
            functions,
            pods,
        } => read::bench(&prometheus, fleet::Fleet { functions, pods }).await,
        Verb::Exporter {
            listen,
            functions,
            pods,
        } => exporter::serve(listen, fleet::Fleet { functions, pods }),
    }
}
