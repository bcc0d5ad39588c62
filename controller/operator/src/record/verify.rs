//! The log read back: printed lines and anchors in, whether they are as printed out. Pure.
//!
//! A log store mixes in other output (operational logs, a panic), so lines that have none of the chain's
//! members are skipped; a line that has some but not all of them, rightly spelt, has been edited.

use super::chain::{self, NOTHING_BEFORE};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A log that is as printed, as far as its anchors reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intact {
    /// Chained lines.
    pub lines: usize,
    /// Lines that are none of the chain's.
    pub skipped: usize,
    /// Runs of the process.
    pub runs: usize,
}

/// What is wrong with a log. Line numbers count from 1 over all lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Lines are missing.
    #[error("gap: line {line} of run {run} has seq {found}, after {after}; the lines between are missing")]
    Gap {
        /// Where it shows.
        line: usize,
        /// The run of the process.
        run: String,
        /// The last number before the gap; 0: the beginning is missing.
        after: u64,
        /// The first one after it.
        found: u64,
    },
    /// The log ends before an anchor.
    #[error("gap: no line has the anchored head {anchor}")]
    ShortOf {
        /// The anchor, as in the Lease.
        anchor: String,
    },
    /// A line is not as it was printed, or not where it was printed.
    #[error("edit: line {line}: {what}")]
    Edit {
        /// Where.
        line: usize,
        /// What does not fit.
        what: &'static str,
    },
    /// The line that an anchor names is there with another hash: the chain was written anew.
    #[error("edit: the line that {anchor} names has another hash")]
    Rewritten {
        /// The anchor, as in the Lease.
        anchor: String,
    },
}

/// Checks `lines` (without their newlines) against each other and against `anchors`, heads as
/// [`super::Journal::head`] gives them. Lines printed after the last anchor may have been cut off unseen:
/// no chain can tell. Returns the first break, in the order of the lines.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a [u8]>, anchors: &[&str]) -> Result<Intact, Broken> {
    let mut chained = Vec::new();
    let mut skipped = 0;
    let mut spoilt = None;
    for (index, line) in lines.into_iter().enumerate() {
        match read(line) {
            Ok(Some((envelope, hash))) => chained.push(Link {
                line: index + 1,
                envelope,
                hash,
            }),
            Ok(None) => skipped += 1,
            Err(what) => {
                spoilt = Some(Broken::Edit { line: index + 1, what });
                break;
            }
        }
    }
    let runs = follow(&chained)?;
    spoilt.map_or(Ok(()), Err)?;
    anchors.iter().try_for_each(|anchor| reaches(&chained, anchor))?;
    Ok(Intact {
        lines: chained.len(),
        skipped,
        runs,
    })
}

#[derive(Deserialize)]
struct Envelope {
    run: String,
    epoch: u64,
    seq: u64,
    prev: String,
}

struct Link {
    line: usize,
    envelope: Envelope,
    hash: String,
}

impl Link {
    fn place(&self) -> (&str, u64) {
        (&self.envelope.run, self.envelope.seq)
    }
}

/// `Ok(None)`: not a line of the chain. `Err`: one that was changed.
fn read(line: &[u8]) -> Result<Option<(Envelope, String)>, &'static str> {
    let Some((body, hash)) = split(line) else {
        let marks: [&[u8]; 3] = [b"\"sha256\":\"", b"\"prev\":\"", b",\"seq\":"];
        let marked = marks
            .iter()
            .any(|mark| line.windows(mark.len()).any(|window| window == *mark));
        return if marked {
            Err("it does not end in its hash")
        } else {
            Ok(None)
        };
    };
    let whole = [body, b"}"].concat();
    if chain::hash(&whole) != hash {
        return Err("its hash is not that of its text");
    }
    let envelope = serde_json::from_slice(&whole).map_err(|_| "it lacks run, epoch, seq or prev")?;
    Ok(Some((envelope, hash.to_owned())))
}

/// The hashed text without its closing brace, and the hash.
fn split(line: &[u8]) -> Option<(&[u8], &str)> {
    let rest = line.strip_suffix(b"\"}")?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    let body = rest.strip_suffix(b",\"sha256\":\"")?;
    let hex = hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| std::str::from_utf8(hash).ok())
        .flatten()
        .map(|hash| (body, hash))
}

/// Each run's lines in turn; the number of runs.
fn follow(links: &[Link]) -> Result<usize, Broken> {
    let present: BTreeSet<(&str, u64)> = links.iter().map(Link::place).collect();
    let mut ends: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for link in links {
        let (run, found) = link.place();
        let (after, last) = ends.get(run).copied().unwrap_or((0, NOTHING_BEFORE));
        if found <= after || present.range((run, after + 1)..(run, found)).next().is_some() {
            return Err(Broken::Edit {
                line: link.line,
                what: "it is not where it was printed",
            });
        }
        if found > after + 1 {
            return Err(Broken::Gap {
                line: link.line,
                run: run.to_owned(),
                after,
                found,
            });
        }
        if link.envelope.prev != last {
            return Err(Broken::Edit {
                line: link.line,
                what: "it does not follow the line before it",
            });
        }
        ends.insert(run, (found, &link.hash));
    }
    Ok(ends.len())
}

/// That the line an anchor names is there, as it was.
fn reaches(links: &[Link], anchor: &str) -> Result<(), Broken> {
    let mut parts = anchor.splitn(3, '.');
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
    let (Some(epoch), Some(seq)) = (number(), number()) else {
        return Err(Broken::ShortOf {
            anchor: anchor.to_owned(),
        });
    };
    let hash = parts.next().unwrap_or_default();
    if seq == 0 || links.iter().any(|link| link.hash == hash) {
        return Ok(());
    }
    let named = links
        .iter()
        .any(|link| link.envelope.epoch == epoch && link.envelope.seq == seq);
    let anchor = anchor.to_owned();
    Err(if named {
        Broken::Rewritten { anchor }
    } else {
        Broken::ShortOf { anchor }
    })
}

#[cfg(test)]
mod tests;
