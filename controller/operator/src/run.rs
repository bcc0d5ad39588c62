//! Wiring: clients, stores, lease, the tick.
