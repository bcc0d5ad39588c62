//! Listen: an address in, an open port out.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel holds until they are accepted; it cuts this to `net.core.somaxconn`,
/// 4096 by default. The usual 1024 overflows when a burst meets a function that was just started.
const BACKLOG: u32 = 65_535;

/// Opens `address` with a large backlog.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A container that restarts in its pod meets the closing connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
