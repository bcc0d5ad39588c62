//! One page with the metrics of every pod of the fleet, as if a gateway spoke for all of them. Here is I/O.
//!
//! A process of its own, so that what it costs is not counted.

use crate::fleet::Fleet;
use forewarm_core::units::Wall;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

/// Answers every request with the page, one after another, until the process is killed.
pub(crate) fn serve(listen: SocketAddr, fleet: Fleet) -> anyhow::Result<()> {
    for connection in TcpListener::bind(listen)?.incoming() {
        if let Err(error) = answer(connection?, fleet) {
            eprintln!("exporter: {error}");
        }
    }
    Ok(())
}

fn answer(mut connection: TcpStream, fleet: Fleet) -> anyhow::Result<()> {
    // The request is read to its empty line; what it says does not matter.
    let request = BufReader::new(connection.try_clone()?);
    request
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .for_each(drop);
    let page = page(fleet)?;
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        page.len()
    )?;
    connection.write_all(page.as_bytes())?;
    Ok(())
}

fn page(fleet: Fleet) -> anyhow::Result<String> {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let mut page = String::from("# TYPE inflight_requests gauge\n");
    for (namespace, pod, value) in fleet.samples(Wall(i64::try_from(millis)?)) {
        writeln!(
            page,
            r#"inflight_requests{{namespace="{namespace}",pod="{pod}"}} {value}"#
        )?;
    }
    Ok(page)
}
