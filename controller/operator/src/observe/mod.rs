//! Observe: the watched stores and Prometheus in, a snapshot out. Reads, decides nothing, fills in nothing.
//!
//! * [`watch`], [`heartbeat`]: one reflector a kind, and how old its view is.
//! * [`policies`], [`workloads`], [`pods`], [`knative`]: what is kept of each kind.
//! * [`quotas`], [`limit_ranges`], [`nodes`]: what a namespace and the nodes let pods have; [`newborn`]: what is written for newborn ones.
//! * [`vertical`]: vertical autoscalers that move memory; `optional`: an API that may not be installed.
//! * [`place`]: where a target's floor is written; [`left`]: what is still to be given back.
//! * [`health`]: what pods tell of their memory and health; [`quantity`]: sizes as objects have them.
//! * [`lead_time`]: how long a new pod takes, learned from pods.
//! * [`stores`]: all of them together; [`touched`]: what has changed on them; [`view`]: one function as they show it.
//! * `look`: all functions, those of which nothing has changed as they were; `claims`, `in_use`: whose a target is, and
//!   which profile counts; `seen`: one function from tick to tick.
//! * [`room`]: the same joined with demand; [`snapshot`]: what comes out; `world`: whether the lists are whole.

mod claims;
pub mod health;
pub mod heartbeat;
mod in_use;
pub mod knative;
pub mod lead_time;
pub mod left;
pub mod limit_ranges;
mod look;
pub mod newborn;
pub mod nodes;
mod optional;
pub mod place;
pub mod pods;
pub mod policies;
pub mod quantity;
pub mod quotas;
pub mod room;
mod seen;
pub mod snapshot;
pub mod stores;
pub mod touched;
pub mod vertical;
pub mod view;
pub mod watch;
pub mod workloads;
mod world;

pub use room::Observe;
pub use snapshot::{Seen, Snapshot};
pub use stores::Stores;

/// Watched things by name, with a hash that is seeded and quicker than std's: names are most of what a tick hashes.
type FastMap<K, V> = std::collections::HashMap<K, V, foldhash::quality::RandomState>;
