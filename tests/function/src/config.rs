//! Config: flags and environment in, typed values out. Pure.

use std::net::SocketAddr;
use std::num::{NonZeroU32, ParseIntError};
use std::time::Duration;

/// A function to scale in tests: settable start-up, concurrency, work and memory.
#[derive(Debug, Clone, clap::Parser)]
#[command(version, about)]
pub struct Config {
    /// Address of the one port: work, probes and metrics
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Milliseconds from process start until ready
    #[arg(long = "startup-ms", env = "STARTUP_MS", default_value = "0", value_parser = millis)]
    pub startup: Duration,

    /// Until ready, true: the port is closed and refuses; false: it listens, /readyz says 503 and requests queue
    #[arg(long, env = "STARTUP_REFUSE", default_value_t = true, action = clap::ArgAction::Set)]
    pub startup_refuse: bool,

    /// Requests worked on at once; those beyond it queue first in, first out
    #[arg(long, env = "CONCURRENCY", default_value = "1")]
    pub concurrency: NonZeroU32,

    /// Milliseconds a request holds its slot, asleep; one request overrides it with `?work_ms=`
    #[arg(long = "work-ms", env = "WORK_MS", default_value = "100", value_parser = millis)]
    pub work: Duration,

    /// MiB touched before ready and kept resident
    #[arg(long = "memory-mb", env = "MEMORY_MB", default_value_t = 0)]
    pub memory_mib: u32,

    /// Further series on the metrics page, `function_further{series="0"}` and so on: for answers that are too large
    #[arg(long, env = "FURTHER_SERIES", default_value_t = 0)]
    pub further_series: u32,

    /// MiB more each second once ready: a leak
    #[arg(long = "leak-mb-per-second", env = "LEAK_MB_PER_SECOND", default_value_t = 0)]
    pub leak_mib: u32,

    /// Milliseconds after SIGTERM in which new connections are still accepted: endpoints learn late
    #[arg(long = "linger-ms", env = "LINGER_MS", default_value = "2000", value_parser = millis)]
    pub linger: Duration,

    /// Milliseconds after SIGTERM at which requests still in flight are cut
    #[arg(long = "drain-ms", env = "DRAIN_MS", default_value = "9500", value_parser = millis)]
    pub drain: Duration,

    /// Name answered in `X-Pod`; Kubernetes sets it to the pod's name
    #[arg(long, env = "HOSTNAME", default_value = "unknown")]
    pub hostname: String,
}

/// Whole milliseconds, at most 49 days: a sum with an `Instant` cannot overflow.
pub(crate) fn millis(text: &str) -> Result<Duration, ParseIntError> {
    Ok(Duration::from_millis(u64::from(text.parse::<u32>()?)))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[test]
    fn flags_are_consistent() {
        Config::command().debug_assert();
    }

    #[test]
    fn a_function_without_slots_is_refused() {
        assert!(Config::try_parse_from(["test-function", "--concurrency", "0"]).is_err());
    }
}
