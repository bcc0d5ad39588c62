//! Figures of the operator on this machine, one line each: `figure: NAME VALUE UNIT`. Progress goes to stderr.
//!
//! * [`forecast`]: forecasts over a folder of traces; [`prior`]: the shipped forests.
//! * `tick`: one pass of the line over many functions, without network; and what it holds in memory.
//! * `read`: demand of many series from a real Prometheus.
//! * `cost`: the model alone, a function-minute, a refit and what is held for a function.
//! * `fleet`: the functions that both of them have; `demand`: how many calls they serve.
//! * `spent`: processor time and memory of this process; `figure`: the lines.

mod cost;
#[cfg_attr(not(feature = "operator"), allow(dead_code))]
mod demand;
#[cfg(feature = "operator")]
mod exporter;
#[cfg_attr(not(feature = "operator"), allow(dead_code))]
mod figure;
#[cfg(feature = "operator")]
mod fleet;
// Scores and scored minutes, series and their values stand beside each other; equality means "exactly constant";
// `!(x > 0.0)` means "zero or not a number".
#[allow(clippy::similar_names, clippy::float_cmp, clippy::neg_cmp_op_on_partial_ord)]
mod forecast;
#[allow(clippy::similar_names)] // median and mean, count and counts
mod prior;
#[cfg(feature = "operator")]
mod prometheus;
#[cfg(feature = "operator")]
mod read;
mod spent;
#[cfg(feature = "operator")]
mod tick;

use clap::{Parser, Subcommand};
#[cfg(feature = "operator")]
use std::net::SocketAddr;
#[cfg(feature = "operator")]
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "forewarm-bench", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Forecasts over a folder of traces, ours and the classical forecasters.
    Forecast(forecast::Options),
    /// The shipped forests, made again from a seed.
    Prior(prior::Options),
    /// The model alone: microseconds a function-minute, seconds and memory of a refit, bytes of a function.
    Cost {
        /// Functions.
        #[arg(long, default_value_t = 10_000)]
        functions: u32,
    },
    /// One tick, in milliseconds of one core, and the memory it needs.
    #[cfg(feature = "operator")]
    Tick {
        /// Functions, of two pods each.
        #[arg(long, default_value_t = 10_000)]
        functions: u32,
    },
    #[cfg(feature = "operator")]
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
    #[cfg(feature = "operator")]
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

fn main() -> anyhow::Result<()> {
    match Cli::parse().verb {
        Verb::Forecast(options) => forecast::bench(&options),
        Verb::Prior(options) => prior::make(&options),
        Verb::Cost { functions } => cost::bench(functions),
        #[cfg(feature = "operator")]
        verb => with_operator(verb),
    }
}

#[cfg(feature = "operator")]
#[tokio::main]
async fn with_operator(verb: Verb) -> anyhow::Result<()> {
    // As in the operator: two users of TLS in one process must agree on the provider.
    rustls::crypto::ring::default_provider().install_default().ok();
    match verb {
        Verb::Forecast(_) | Verb::Prior(_) | Verb::Cost { .. } => unreachable!("done without it"),
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
