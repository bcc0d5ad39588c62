//! The operator binary: parse the flags, run the verb.

use clap::Parser;
use forewarm_operator::config::{Cli, Verb};
use forewarm_operator::telemetry;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // First of all: two TLS users in one process must agree on the provider.
    rustls::crypto::ring::default_provider().install_default().ok();
    let verb = Cli::parse().verb;
    let _written_out_at_the_end = telemetry::init();
    match verb {
        Verb::Run(flags) => Box::pin(forewarm_operator::run::run(*flags)).await,
        Verb::Release(flags) => forewarm_operator::release::release(flags).await,
        Verb::Generate(flags) => forewarm_operator::generate::generate(&flags),
    }
}
