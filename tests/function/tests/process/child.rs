//! The real binary as a child process, and the least HTTP client that can talk to it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longest any step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running function; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// An answer, in parts.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    head: String,
    pub(crate) body: String,
}

impl Process {
    /// Starts a function on a port of the kernel's choice and returns once it listens.
    pub(crate) fn listening(env: &[(&str, &str)]) -> Self {
        let mut child = spawn("127.0.0.1:0", env);
        let mut line = String::new();
        let said = child.stderr.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap();
        let address = address.parse().unwrap();
        Self { child, address }
    }

    /// Starts a function on a port known beforehand and returns at once.
    pub(crate) fn starting(env: &[(&str, &str)]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = spawn(&address.to_string(), env);
        Self { child, address }
    }

    /// One request on a connection of its own.
    pub(crate) fn get(&self, path: &str) -> io::Result<Answer> {
        get(self.address, path)
    }

    /// The value of one series, as it is written.
    pub(crate) fn metric(&self, series: &str) -> String {
        let page = self.get("/metrics").unwrap().body;
        let value = page.lines().find_map(|l| l.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series} in\n{page}")).to_owned()
    }

    /// Returns once `count` requests are in flight. Resets the peak, as each scrape does.
    pub(crate) fn until_in_flight(&self, count: u32) {
        until(|| self.metric("function_inflight_requests") == count.to_string());
    }

    /// Whether the process has its handler for SIGTERM in place.
    pub(crate) fn catches_sigterm(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:\t"));
        // Bit 14: SIGTERM is signal 15, and signal 1 has bit 0.
        u64::from_str_radix(caught.unwrap(), 16).unwrap() >> 14 & 1 == 1
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the exit.
    pub(crate) fn exit(&mut self) -> ExitStatus {
        let mut status = None;
        until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// When the request got its slot, in milliseconds of the process's age.
    pub(crate) fn slot_millis(&self) -> u64 {
        self.millis("x-started-ms") + self.millis("x-queue-ms")
    }

    /// A header's value as a number of milliseconds.
    pub(crate) fn millis(&self, name: &str) -> u64 {
        self.header(name).unwrap().parse().unwrap()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// One request on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    connection.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let code = head[9..12].parse().unwrap();
    Ok(Answer {
        code,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Polls until `reached`.
pub(crate) fn until(mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < PATIENCE, "not reached in {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn spawn(listen: &str, env: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_test-function"))
        .env("LISTEN", listen)
        .envs(env.iter().copied())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
