//! A simulated fleet on virtual time, for tests and benchmarks: nothing of it is linked by the operator. No I/O, no
//! clock; randomness comes from a seed.
//!
//! * [`arrivals`], [`durations`], [`overlap`]: calls a minute in, how many were in flight at once out.
//! * [`random`]: numbers from a seed.
//! * [`memory`]: working sets, start-up peaks, leaks and out-of-memory kills of one function's pods.
//! * [`scaler`]: the published scalers, re-stated.
//! * [`sizing`]: our memory plan beside VPA over one series of use.

pub mod arrivals;
pub mod durations;
pub mod memory;
pub mod overlap;
pub mod random;
pub mod scaler;
pub mod sizing;
