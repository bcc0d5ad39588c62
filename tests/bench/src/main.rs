//! Benchmarks of the operator's parts, outside a cluster. Each figure is one line: `figure: NAME VALUE UNIT`.

mod figure;
mod prometheus;
mod read;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 50,000 series from a real Prometheus, read and joined to 10,000 functions.
    Read,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Read => read::run(),
    }
}
