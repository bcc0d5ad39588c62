//! Clients for writes: a connection of their own, no retries.

use kube::{Client, Config};
use std::time::Duration;

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("make a client for the API server")]
pub struct ConnectError(#[source] kube::Error);

/// A client with its own connections, for writes or for the lease.
///
/// kube's default retry would deliver a write minutes after its decision (16 tries in 302 s were seen), so it
/// is off; a refused connection shows within 3 s. There is no read timeout: each call has its own deadline.
pub fn own_connection(mut config: Config) -> Result<Client, ConnectError> {
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(3));
    let agent = http::HeaderValue::from_static(concat!("forewarm/", env!("CARGO_PKG_VERSION")));
    config.headers.retain(|(name, _)| name != http::header::USER_AGENT);
    config.headers.push((http::header::USER_AGENT, agent));
    Client::try_from(config).map_err(ConnectError)
}
