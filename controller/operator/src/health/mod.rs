//! Health: the pods of a snapshot in; their memory and health decided, on record, carried out. The line once more,
//! beside the floor's and before it: newborn memory is written before the floor that makes the pods.
//!
//! * [`ask`]: working sets and eight days of them from Prometheus (I/O).
//! * `leak`: whether a working set grows steadily.
//! * `allowed`: what quotas and limit ranges leave; `leftover`: entries for newborn pods that no policy names.
//! * [`room`]: all of it, once a tick.

mod allowed;
mod ask;
mod leak;
mod leftover;
mod room;

pub use ask::MemoryQuestions;
pub use room::Health;
