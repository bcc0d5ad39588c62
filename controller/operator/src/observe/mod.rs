//! Observe: the watched stores and Prometheus in, a snapshot out. Reads, decides nothing, fills in nothing.
//!
//! * [`watch`], [`heartbeat`]: one reflector a kind, and how old its view is.
//! * [`policies`], [`workloads`], [`pods`], [`scalers`]: what is kept of each kind.
//! * [`lead_time`]: how long a new pod takes, learned from pods.
//! * [`stores`]: all of them together; [`view`]: one function as they show it.
//! * [`snapshot`]: all functions at one moment.

pub mod heartbeat;
pub mod lead_time;
pub mod pods;
pub mod policies;
pub mod scalers;
pub mod snapshot;
pub mod stores;
pub mod view;
pub mod watch;
pub mod workloads;

pub use snapshot::{Observe, Seen, Snapshot};
pub use stores::Stores;
