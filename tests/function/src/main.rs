//! Wiring only: flags, signals, runtime.

use std::future::Future;
use std::time::Instant;

use clap::Parser;
use forewarm_test_function::config::Config;
use forewarm_test_function::lifecycle;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<()> {
    let born = Instant::now();
    let config = Config::parse();
    // One thread: requests sleep, and a test bed runs dozens of these on a few cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async { lifecycle::run(config, born, asked_to_stop()?).await });
    // Not a plain drop: that would wait for memory that is still being filled.
    runtime.shutdown_background();
    outcome
}

/// Ends at SIGTERM or SIGINT. The handlers are in place when this returns: as PID 1 a process
/// without them ignores both.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
