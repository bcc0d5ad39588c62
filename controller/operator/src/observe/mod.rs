//! Observe: the watched stores and Prometheus in, a snapshot out. Reads, decides nothing, fills in nothing.
//!
//! * [`watch`], [`heartbeat`]: one reflector a kind, and how old its view is.
//! * [`policies`], [`workloads`], [`pods`], [`scalers`]: what is kept of each kind.
//! * [`lead_time`]: how long a new pod takes, learned from pods.
//! * [`stores`]: all of them together; [`view`]: one function as they show it; `look`: all functions.
//! * [`room`]: the same joined with demand; [`snapshot`]: what comes out; `world`: whether the lists are whole.

pub mod heartbeat;
pub mod lead_time;
mod look;
pub mod pods;
pub mod policies;
pub mod room;
pub mod scalers;
pub mod snapshot;
pub mod stores;
pub mod view;
pub mod watch;
pub mod workloads;
mod world;

pub use room::Observe;
pub use snapshot::{Seen, Snapshot};
pub use stores::Stores;
