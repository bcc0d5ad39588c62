//! Forecast: history in, the upper quantile of peak in-flight calls over the lead time out. Memory only:
//! no clock, no I/O, no threads; `now` and the seed are arguments, so the same history gives the same answer.
//!
//! ```text
//!   readings ─► history ─► window ─► features ─► expert (each: a guess) ─► calibration ─► gate ─► Forecast
//!                  ▲         what may be known        point, upper guess     theta, loss    who answers
//!               backfill     at one minute
//! ```
//!
//! - [`history`]: two bounded rings a function; gaps stay gaps.
//! - `features`: everything computed from a window, for learning and live alike.
//! - [`expert`]: one file a model, listed in [`expert::EXPERTS`].
//! - `calibration`: how far above a guess the wanted quantile lies, and how well that went.
//! - `gate`: which expert answers, and when the trailing peak answers in its place, with the reason.
//! - `recurring`: a peak that came at this minute of the hour or day before may raise the answer.
//! - `model`: one function's experts, tracks and open bets, moved on by one minute at a time.
//! - [`Forecaster`]: the fleet; recomputes once a closed minute and answers from memory in between.
//!
//! - [`engine`], [`tree`], [`prior`], [`fleet`], [`Wake`]: forests, experts and their mixture, which the benchmark
//!   measures; the operator does not forecast with them yet.
//!
//! What is forecast by all is the *peak* in-flight count over minutes `t+1..=t+h`, not the request rate:
//! the rate misses the overlaps that make calls wait.

pub mod draw;
pub mod engine;
pub mod expert;
pub mod features;
pub mod fleet;
pub mod history;
pub mod prior;
pub mod tree;

mod calibration;

mod forecaster;
mod gate;
mod horizon;
mod model;
mod recurring;
mod seed;
#[cfg(test)]
mod synthetic;
mod wake;

pub use forecaster::{Config, Forecaster, Request};
pub use history::History;
pub use horizon::{horizon_minutes, quantile_for};
pub use model::Scores;
pub use wake::Wake;
