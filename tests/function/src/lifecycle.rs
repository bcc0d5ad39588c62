//! Lifecycle: config and a stop signal in; start, serve, drain. Returns when the process may exit.

use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::time::sleep;

use crate::ballast::Ballast;
use crate::config::Config;
use crate::function::Function;
use crate::listen::listen;
use crate::phase::Phase;
use crate::routes::router;

/// Runs one function from its start to the end of its drain.
///
/// `born`: when the process started. `stop`: ends when the process is asked to stop.
/// Errors when the ballast cannot be allocated or the port cannot be opened.
pub async fn run(config: Config, born: Instant, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let function = Arc::new(Function::new(config, born));
    let told = Arc::clone(&function);
    tokio::spawn(async move {
        stop.await;
        told.life.advance(Phase::Draining);
    });
    if function.config.startup_refuse {
        start_then_serve(&function).await
    } else {
        serve_while_starting(&function).await
    }
}

/// The port opens when the function is ready.
async fn start_then_serve(function: &Arc<Function>) -> anyhow::Result<()> {
    let _ballast: Ballast = tokio::select! {
        started = function.start() => started?,
        () = function.life.draining() => return Ok(()),
    };
    serve(function).await
}

/// The port is open from the beginning; requests queue until the function is ready.
async fn serve_while_starting(function: &Arc<Function>) -> anyhow::Result<()> {
    let mut serving = std::pin::pin!(serve(function));
    let _ballast: Ballast = tokio::select! {
        started = function.start() => started?,
        served = &mut serving => return served,
    };
    serving.await
}

/// Keeps more every second, for as long as the process lives.
async fn leak(mib: u32) {
    let mut kept = Vec::new();
    loop {
        sleep(Duration::from_secs(1)).await;
        if let Some(more) = Some(mib).filter(|mib| *mib > 0).and_then(|mib| Ballast::fill(mib).ok()) {
            kept.push(more);
        }
    }
}

/// Serves until drained, or until the drain takes too long.
async fn serve(function: &Arc<Function>) -> anyhow::Result<()> {
    let address = function.config.listen;
    let listener = listen(address).with_context(|| format!("listening on {address}"))?;
    say(&format!("listening on {}", listener.local_addr()?));
    // Small answers must not wait for more data to come.
    let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));

    let leaving = Arc::clone(function);
    let last_accept = async move {
        leaving.life.draining().await;
        sleep(leaving.config.linger).await;
    };
    let drained = axum::serve(listener, router(Arc::clone(function))).with_graceful_shutdown(last_accept);
    tokio::select! {
        served = drained => Ok(served?),
        () = leak(function.config.leak_mib) => Ok(()),
        () = patience(function) => {
            say("drain took too long, requests in flight are cut");
            Ok(())
        }
    }
}

/// Ends when a drain has lasted too long.
async fn patience(function: &Function) {
    function.life.draining().await;
    sleep(function.config.drain).await;
}

/// One line on stderr. Not `eprintln!`: that panics when nobody holds the other end.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
