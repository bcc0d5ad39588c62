//! The function that cluster tests scale: requests in, answers that say how long they waited out.
//!
//! ```text
//! SIGTERM -> phase ----------------------------+
//!                                              v
//! start: ballast, STARTUP_MS -> slots.open() · listen -> routes -> work -> visit -> metrics
//!                                                                   |        |
//!                                                                   v        v
//!                                                                 slots   inflight
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | flags and environment |
//! | [`lifecycle`] | start, listen, drain |
//! | [`listen`] | the socket |
//! | [`function`] | what all requests share |
//! | [`phase`] | starting, ready, draining |
//! | [`routes`] | paths, probes, `/metrics` |
//! | [`work`] | `/` |
//! | [`query`] | what one request may override |
//! | [`slots`] | the FIFO queue for `CONCURRENCY` slots |
//! | [`visit`] | one request's book-keeping, also when its client leaves |
//! | [`inflight`] | in-flight requests and their peak since the last scrape |
//! | [`metrics`] | the rest of what is exposed |
//! | [`ballast`] | resident memory |

pub mod ballast;
pub mod config;
pub mod function;
pub mod inflight;
pub mod lifecycle;
pub mod listen;
pub mod metrics;
pub mod phase;
pub mod query;
pub mod routes;
pub mod slots;
pub mod visit;
pub mod work;
