//! Forecast: history in, the upper quantile of peak in-flight calls over the lead time out. Memory only:
//! no clock, no I/O, no threads; `now` and the seed are arguments, so the same history gives the same answer.
//!
//! ```text
//!   readings ─► history ─► window ─► engine ─► mixture ─► gate ─► Forecast
//!                  ▲      what may be   │        of trees    who answers; raised by what recurs
//!               backfill  known then    │        and experts and by arrivals that are due
//!                                       └─► rows ─► fleet (refit) ─► a second forest
//! ```
//!
//! - [`history`]: two bounded rings a function; gaps stay gaps.
//! - [`engine`]: features, experts, trees and their mixture, one minute after the other; the same for learning,
//!   live and replay.
//! - [`tree`]: the forests, learned and asked; [`prior`]: what the shipped ones learn from, and they themselves.
//! - `gate`: whether the mixture answers, or a floor without a model in its place, with the reason.
//! - `recurring`: a peak that came at this minute of the hour or day before may raise the answer.
//! - `wake`: a call that is due may raise it to one.
//! - `model`: one function's engine, gate and open bets, moved on by one minute at a time.
//! - [`fleet`]: the bounded sample of the cluster's own functions, and the forest refitted on it.
//! - [`load`]: whether memory follows the calls in flight, and what those that are forecast will need.
//! - [`band`]: how calls are served, and demand, held against their own bands.
//! - [`Forecaster`]: the fleet; recomputes once a closed minute and answers from memory in between.
//!
//! What is forecast by all is the *peak* in-flight count over minutes `t+1..=t+h`, not the request rate:
//! the rate misses the overlaps that make calls wait.

pub mod band;
pub mod draw;
pub mod engine;
pub mod fleet;
pub mod history;
pub mod load;
pub mod prior;
pub mod tree;

mod forecaster;
mod gate;
mod horizon;
mod model;
mod recurring;
mod seed;
#[cfg(test)]
mod synthetic;
mod wake;

pub use forecaster::{Forecaster, Request};
pub use history::History;
pub use horizon::{Aim, aim, horizon_minutes};
pub use wake::Wake;
