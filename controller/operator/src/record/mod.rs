//! Record: tells the world what was decided and done; changes nothing but the telling.

/// The decision log, as the rooms that write to it see it.
pub trait Journal: Send + Sync {
    /// Writes one line under a stable event name; `fields` is a JSON object. Returns when the line has been
    /// handed to the log, so an intent is always printed before its request (A1).
    fn write(&self, event: &'static str, fields: serde_json::Value);

    /// Epoch, sequence number and hash of the last line, as anchored in the Lease.
    fn head(&self) -> String;

    /// Starts the chain of a new leader: `epoch` is the lease's number of transitions.
    fn begin(&self, epoch: u64);
}
