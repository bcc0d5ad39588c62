//! Operational logs: `tracing` events in, lines on standard error out. The decision log has standard output to
//! itself; where a log store mixes both, the verifier skips lines without the chain's members.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// What is logged unless `FOREWARM_LOG` says otherwise: connections and watches have metrics of their own.
const DEFAULT: &str = "info,hyper=warn,kube=warn,kube_client=warn,kube_runtime=warn";

/// Starts the operational log, JSON except on a terminal, and sends panics into it. Called once, first thing; a
/// filter in `FOREWARM_LOG` that cannot be read counts as none. Lines are written by a thread, which ends with what is
/// returned; where nobody reads standard error, lines beyond some 100,000 are dropped, and nothing waits.
pub fn init() -> WorkerGuard {
    let filter = EnvFilter::try_from_env("FOREWARM_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let (out, guard) = tracing_appender::non_blocking(std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(out);
    if std::io::stderr().is_terminal() {
        log.compact().init();
    } else {
        log.json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init();
    }
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message_of_panic = message(info), "A panic: this is a bug.");
    }));
    guard
}

/// A panic's message, where it is a constant of the code; one made at run time may hold data of a tenant or a
/// secret, and is withheld (TM21).
fn message(info: &PanicHookInfo<'_>) -> &'static str {
    info.payload()
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("withheld")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    static SEEN: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

    #[test]
    fn a_panic_tells_constants_and_withholds_data() {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(|info| {
            let ours = info.location().is_some_and(|at| at.file().ends_with("telemetry.rs"));
            if ours {
                SEEN.lock().unwrap().push(message(info));
            }
        }));
        let secret = String::from("hunter2");
        let one = std::panic::catch_unwind(|| panic!("a constant"));
        let two = std::panic::catch_unwind(|| panic!("token {secret}"));
        std::panic::set_hook(before);
        assert!(one.is_err() && two.is_err());
        assert_eq!(*SEEN.lock().unwrap(), ["a constant", "withheld"]);
    }
}
