//! A simulated fleet on virtual time, for tests and benchmarks: nothing of it is linked by the operator. No I/O, no
//! clock; randomness comes from a seed.
//!
//! * [`random`]: numbers from a seed.
//! * [`memory`]: working sets, start-up peaks, leaks and out-of-memory kills of one function's pods.
//! * [`scaler`]: the published scalers, re-stated.

pub mod memory;
pub mod random;
pub mod scaler;
