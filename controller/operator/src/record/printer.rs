//! Lines in, bytes out. Here is the only write to standard output.
//!
//! Whoever reads our standard output can stop reading; a write then blocks for as long as they like. So the running
//! operator hands its lines to a thread: the tick and the lease go on, and a write whose intent has not been printed
//! does not happen (A1).

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Lines that may wait to be printed; one more is dropped, counted and leaves a gap. At 2.4 kB a line some 10 MB.
const WAITING: usize = 4096;

/// How long a write waits until its intent is printed: well under the 5 s that a request has.
const PATIENCE: Duration = Duration::from_secs(1);

/// Prints lines in the order in which they come.
#[derive(Debug)]
pub(super) struct Printer {
    to: To,
    told: Told,
}

/// What became of the lines so far. Clones share it.
#[derive(Clone, Debug, Default)]
struct Told {
    failures: Arc<AtomicU64>,
    last: Arc<Mutex<Option<Head>>>,
}

/// A line's place in its chain, and its hash.
pub(super) type Head = (u64, String);

enum To {
    /// Printed by whoever has the line.
    Here(Box<dyn Write + Send>),
    /// Printed by a thread.
    Thread(SyncSender<Job>),
}

/// A line, its place, and where to tell that it was printed.
struct Job {
    line: Vec<u8>,
    head: Option<Head>,
    done: oneshot::Sender<bool>,
}

/// Tells whether a line was printed.
#[derive(Debug)]
pub struct Receipt(Result<bool, oneshot::Receiver<bool>>);

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Here(_) => "Here",
            Self::Thread(_) => "Thread",
        })
    }
}

impl Receipt {
    /// That of a line which is out already, or never will be.
    pub const fn known(printed: bool) -> Self {
        Self(Ok(printed))
    }

    /// True when the line was handed to the reader of our standard output; false when that failed, or did not happen
    /// within a second.
    pub async fn printed(self) -> bool {
        match self.0 {
            Ok(printed) => printed,
            Err(waiting) => timeout(PATIENCE, waiting).await.is_ok_and(|told| told == Ok(true)),
        }
    }
}

impl Printer {
    /// Prints before it returns: for a command that has nothing else to do.
    pub(super) fn here(out: Box<dyn Write + Send>) -> Self {
        Self {
            to: To::Here(out),
            told: Told::default(),
        }
    }

    /// Prints on a thread of its own.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub(super) fn thread(out: Box<dyn Write + Send>) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING);
        let told = Told::default();
        let telling = told.clone();
        std::thread::Builder::new()
            .name("decision-log".to_owned())
            .spawn(move || print_all(&waiting, out, &telling))?;
        Ok(Self {
            to: To::Thread(jobs),
            told,
        })
    }

    /// Prints a whole line, or drops it where too many are waiting. `head`: its place; `None` for what is no line.
    pub(super) fn print(&mut self, line: Vec<u8>, head: Option<Head>) -> Receipt {
        match &mut self.to {
            To::Here(out) => Receipt::known(written(&mut **out, &line, head, &self.told)),
            To::Thread(jobs) => {
                let (done, told) = oneshot::channel();
                if jobs.try_send(Job { line, head, done }).is_err() {
                    self.told.failures.fetch_add(1, Ordering::Relaxed);
                    return Receipt::known(false);
                }
                Receipt(Err(told))
            }
        }
    }

    /// Lines that could not be printed since the start.
    pub(super) fn failures(&self) -> u64 {
        self.told.failures.load(Ordering::Relaxed)
    }

    /// Place and hash of the last line that was printed. `None`: none was.
    pub(super) fn last(&self) -> Option<Head> {
        self.told.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn print_all(waiting: &Receiver<Job>, mut out: Box<dyn Write + Send>, told: &Told) {
    for Job { line, head, done } in waiting {
        // Nobody may be waiting for the answer: most lines are not intents.
        done.send(written(&mut *out, &line, head, told)).ok();
    }
}

fn written(out: &mut dyn Write, line: &[u8], head: Option<Head>, told: &Told) -> bool {
    let written = out.write_all(line).and_then(|()| out.flush());
    if let Err(error) = &written {
        told.failures.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%error, "The decision log could not be written.");
    } else if head.is_some() {
        *told.last.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::memory::Memory;
    use std::sync::mpsc;

    /// A reader that takes nothing until it is told to.
    struct Stopped(mpsc::Receiver<()>);

    impl Write for Stopped {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn lines_come_out_in_order_and_are_confirmed() {
        let memory = Memory::default();
        let mut printer = Printer::thread(Box::new(memory.clone())).unwrap();
        let receipts: Vec<_> = (0..100)
            .map(|n| printer.print(format!("{n}\n").into_bytes(), Some((n, String::new()))))
            .collect();
        for receipt in receipts {
            assert!(receipt.printed().await);
        }
        let lines: Vec<u32> = memory.text().lines().map(|line| line.parse().unwrap()).collect();
        assert!(lines.into_iter().eq(0..100));
        assert_eq!(printer.last().map(|(seq, _)| seq), Some(99));
        assert_eq!(printer.failures(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stopped_holds_nobody_up_and_confirms_nothing() {
        let (_go_on, stopped) = mpsc::channel();
        let mut printer = Printer::thread(Box::new(Stopped(stopped))).unwrap();
        let receipt = printer.print(b"line\n".to_vec(), Some((7, String::new())));
        assert!(!receipt.printed().await, "not within a second");
        assert_eq!(printer.last(), None, "a line that waits is no anchor");
        // One is being printed, if the thread has come to it; so many wait, and the rest is dropped.
        let lost = (0..WAITING + 10)
            .filter(|_| matches!(printer.print(b"line\n".to_vec(), Some((7, String::new()))).0, Ok(false)))
            .count();
        assert!((10..=11).contains(&lost), "{lost}");
        assert_eq!(printer.failures(), u64::try_from(lost).unwrap());
    }

    #[tokio::test]
    async fn a_line_that_failed_is_not_confirmed() {
        let (go_on, stopped) = mpsc::channel();
        drop(go_on);
        let mut printer = Printer::thread(Box::new(Stopped(stopped))).unwrap();
        assert!(
            !printer
                .print(b"line\n".to_vec(), Some((7, String::new())))
                .printed()
                .await
        );
        assert_eq!(printer.failures(), 1);
    }
}
