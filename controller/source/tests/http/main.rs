//! The client and the reader over real sockets, against a Prometheus that does what each test wants.

mod backfill;
mod fake;
mod faults;
mod shipped;
mod ticks;
mod tls;
