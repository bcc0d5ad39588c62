//! The operator: the straight line around the pure core, with its effects at the edges.
//!
//! ```text
//! observe ─► history/forecast ─► decide (forewarm-core) ─► apply ─► record
//! ```
//!
//! * [`run`]: wiring and the lease; [`tick`]: one pass of the line.
//! * [`remember`]: the past and the models on it.
//! * [`observe`]: reads Prometheus and the watched stores; decides nothing.
//! * [`target`]: the registry of target kinds, one file a kind.
//! * [`apply`]: the only owner of the mutating client.
//! * [`record`]: the decision log, status, Events and metrics.
//! * [`lease`], [`switch`], [`admin`], [`config`]: who leads, may we write, probes and metrics, flags.
//! * [`telemetry`]: the operational log.
//! * [`release`], [`generate`]: the other two verbs of the binary.

pub mod admin;
#[cfg(test)]
mod api_server;
pub mod apply;
pub mod backfill;
pub mod config;
pub mod generate;
pub mod health;
pub mod lease;
pub mod observe;
pub mod record;
pub mod release;
pub mod remember;
pub mod run;
pub mod switch;
pub mod target;
pub mod telemetry;
pub mod tick;

/// The allocator of the shipped binary and of the benchmark that measures it: musl's own takes one lock for all
/// threads, and a tick of 10,000 functions asks for memory a few hundred thousand times.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
