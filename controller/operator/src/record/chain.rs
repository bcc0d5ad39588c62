//! The decision log: events in, chained lines out.
//!
//! Each line carries the hash of the line before it (`prev`) and its own (`sha256`). The hash is taken over
//! the bytes as printed without the last member: `{..., "prev":"..."}`. Printing and checking therefore need
//! no rule for how JSON is spelt. One chain is one run of the process: `run` names it, `seq` counts its lines
//! from 1, `epoch` is the lease's number of transitions while it leads (0 before it ever led). The head is
//! anchored in the Lease, which tells later where the log must at least have reached (A3, TM13).

use super::Journal;
use super::ascii;
use super::human::{self, LogFormat};
use super::printer::{Printer, Receipt};
use forewarm_core::units::Wall;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What stands in for the hash before the first line of a run.
pub const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Members that only the chain writes; a caller's field of such a name is left out.
const OWN: [&str; 7] = ["time", "event.name", "run", "epoch", "seq", "prev", "sha256"];

/// The wall clock, handed in from the edge.
pub type Clock = Box<dyn Fn() -> Wall + Send + Sync>;

/// The decision log of one run of the process.
pub struct Chain {
    state: Mutex<State>,
    clock: Clock,
    run: String,
    human: bool,
}

struct State {
    printer: Printer,
    epoch: u64,
    seq: u64,
    /// Hash of the last line, or [`NOTHING_BEFORE`].
    last: String,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("run", &self.run)
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// A chain that has printed nothing, and prints before it returns. `run`: a ULID made at start; `clock`: the wall
    /// clock.
    pub fn new(out: Box<dyn Write + Send>, format: LogFormat, run: String, clock: Clock) -> Self {
        Self::of(Printer::here(out), format, run, clock)
    }

    /// As [`Chain::new`], but printed by a thread: whoever stops reading holds nobody up.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn threaded(out: Box<dyn Write + Send>, format: LogFormat, run: String, clock: Clock) -> io::Result<Self> {
        Ok(Self::of(Printer::thread(out)?, format, run, clock))
    }

    fn of(printer: Printer, format: LogFormat, run: String, clock: Clock) -> Self {
        let state = State {
            printer,
            epoch: 0,
            seq: 0,
            last: NOTHING_BEFORE.to_owned(),
        };
        Self {
            state: Mutex::new(state),
            clock,
            run,
            human: format.is_human(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while printing leaves at worst a seq without its line: the verifier calls that a gap.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line's members up to `prev`, in the order in which they are printed.
    fn object(&self, state: &State, event: &str, fields: Value) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("time".into(), rfc3339((self.clock)()).into());
        object.insert("event.name".into(), event.into());
        if let Value::Object(fields) = fields {
            object.extend(fields.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())));
        }
        object.insert("run".into(), self.run.as_str().into());
        object.insert("epoch".into(), state.epoch.into());
        object.insert("seq".into(), state.seq.into());
        object.insert("prev".into(), state.last.as_str().into());
        object
    }
}

impl Journal for Chain {
    fn write(&self, event: &'static str, mut fields: Value) -> Receipt {
        ascii::bound(&mut fields);
        let mut state = self.state();
        state.seq += 1;
        let object = self.object(&state, event, fields);
        let (mut line, hash) = sealed(&object);
        state.last = hash;
        if self.human {
            line = human::line(&object).into_bytes();
        }
        line.push(b'\n');
        let head = (state.seq, state.last.clone());
        state.printer.print(line, Some(head))
    }

    fn flush(&self) -> Receipt {
        self.state().printer.print(Vec::new(), None)
    }

    fn head(&self) -> String {
        let state = self.state();
        // Of what was printed: a line that waits may be lost with the process.
        let (seq, hash) = state.printer.last().unwrap_or_else(|| (0, NOTHING_BEFORE.to_owned()));
        format!("{}.{seq}.{hash}", state.epoch)
    }

    fn begin(&self, epoch: u64) {
        self.state().epoch = epoch;
    }

    fn failures(&self) -> u64 {
        self.state().printer.failures()
    }
}

/// The printed line and its hash.
fn sealed(object: &Map<String, Value>) -> (Vec<u8>, String) {
    let mut line = ascii::line(object);
    let hash = hash(&line);
    line.pop();
    line.extend_from_slice(format!(",\"sha256\":\"{hash}\"}}").as_bytes());
    (line, hash)
}

/// SHA-256 in lower-case hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// UTC with milliseconds, as in `2026-11-24T14:03:15.000Z`. A time that no calendar has prints as 1970.
pub fn rfc3339(wall: Wall) -> String {
    let time = jiff::Timestamp::from_millisecond(wall.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::memory::Memory;
    use serde_json::json;

    fn chain(memory: &Memory) -> Chain {
        let clock = Box::new(|| Wall(1_795_528_995_000));
        Chain::new(Box::new(memory.clone()), LogFormat::Json, "01JDRUN".to_owned(), clock)
    }

    #[test]
    fn a_line_has_its_envelope_around_the_fields_and_ends_in_its_own_hash() {
        let memory = Memory::default();
        let chain = chain(&memory);
        chain.begin(4);
        chain.write("forewarm.leader", json!({"state": "taken", "seq": 99}));
        let text = memory.text();
        let body = format!(
            r#"{{"time":"2026-11-24T14:03:15.000Z","event.name":"forewarm.leader","state":"taken","run":"01JDRUN","epoch":4,"seq":1,"prev":"{NOTHING_BEFORE}"}}"#
        );
        let hash = hash(body.as_bytes());
        let whole = format!("{},\"sha256\":\"{hash}\"}}\n", &body[..body.len() - 1]);
        assert_eq!(text, whole);
        assert_eq!(chain.head(), format!("4.1.{hash}"));
    }

    #[test]
    fn each_line_names_the_one_before() {
        let memory = Memory::default();
        let chain = chain(&memory);
        chain.write("forewarm.start", json!({}));
        let first = chain.head();
        chain.write("forewarm.start", json!({}));
        let second: Value = serde_json::from_str(memory.text().lines().nth(1).unwrap()).unwrap();
        assert_eq!(second["prev"], first.rsplit('.').next().unwrap());
        assert_eq!(second["seq"], 2);
    }

    #[test]
    fn a_line_that_cannot_be_written_is_counted_and_leaves_a_gap() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let chain = Chain::new(Box::new(Full), LogFormat::Json, String::new(), Box::new(|| Wall(0)));
        chain.write("forewarm.start", json!({}));
        assert_eq!(chain.failures(), 1);
        assert!(chain.head().starts_with("0.0."), "what was not printed is no anchor");
    }

    #[test]
    fn a_time_that_no_calendar_has_does_not_panic() {
        assert_eq!(rfc3339(Wall(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
