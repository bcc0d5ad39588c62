//! The real thing: what we ask, asked of a real Prometheus that has scraped real exposition text.
//!
//! Needs the binaries of Prometheus and promtool: `PROMETHEUS_BIN` and `PROMTOOL_BIN`, or those that
//! `make cluster-up` builds into `~/.cache/forewarm/bin`. Without them these tests fail.

mod exporter;
mod history;
mod otlp;
mod profiles;
mod server;
mod staleness;
mod world;
