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
mod tests {
    use super::*;
    use crate::record::Journal;
    use crate::record::chain::Chain;
    use crate::record::human::LogFormat;
    use crate::record::memory::Memory;
    use forewarm_core::units::Wall;
    use serde_json::json;

    const FOREIGN: &str = r#"{"timestamp":"2026","level":"WARN","message":"quotes \"prev\":\"x\" and \"seq\":1"}"#;

    /// A log of two runs, the second of which leads twice, with operational lines between; its anchors.
    fn log() -> (Vec<u8>, Vec<String>) {
        let memory = Memory::default();
        let mut anchors = Vec::new();
        let mut text = Vec::new();
        for run in ["01RUNA", "01RUNB"] {
            let chain = Chain::new(
                Box::new(memory.clone()),
                LogFormat::Json,
                run.to_owned(),
                Box::new(|| Wall(0)),
            );
            chain.write("forewarm.start", json!({"version": "0.1.0"}));
            for epoch in [3, 5] {
                chain.begin(epoch + u64::from(run == "01RUNB"));
                chain.write("forewarm.leader", json!({"state": "taken", "name": "a\u{1b}é"}));
                chain.write("forewarm.leader", json!({"state": "lost"}));
                anchors.push(chain.head());
                text.extend_from_slice(memory.take().as_bytes());
                text.extend_from_slice(format!("{FOREIGN}\n").as_bytes());
            }
        }
        (text, anchors)
    }

    fn check(text: &[u8], anchors: &[String]) -> Result<Intact, Broken> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let anchors: Vec<&str> = anchors.iter().map(String::as_str).collect();
        verify(text.split(|byte| *byte == b'\n'), &anchors)
    }

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        text.split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// Places of the chain's own lines.
    fn chained(lines: &[Vec<u8>]) -> Vec<usize> {
        (0..lines.len())
            .filter(|at| lines[*at] != format!("{FOREIGN}\n").into_bytes())
            .collect()
    }

    #[test]
    fn a3_a_log_as_printed_is_accepted_with_what_others_printed_between() {
        let (text, anchors) = log();
        assert_eq!(
            check(&text, &anchors),
            Ok(Intact {
                lines: 10,
                skipped: 4,
                runs: 2
            })
        );
    }

    #[test]
    fn a3_every_flipped_bit_of_the_chain_is_an_edit() {
        let (text, anchors) = log();
        let lines = lines(&text);
        let mut at = 0;
        for (index, line) in lines.iter().enumerate() {
            let ours = chained(&lines).contains(&index);
            for offset in 0..line.len() {
                for bit in 0..8 {
                    let mut flipped = text.clone();
                    flipped[at + offset] ^= 1 << bit;
                    let verdict = check(&flipped, &anchors);
                    let found = matches!(verdict, Err(Broken::Edit { .. }));
                    assert!(found || !ours, "line {index} byte {offset} bit {bit}: {verdict:?}");
                }
            }
            at += line.len();
        }
    }

    #[test]
    fn a3_every_dropped_line_is_a_gap() {
        let (text, anchors) = log();
        let lines = lines(&text);
        for at in chained(&lines) {
            let mut fewer = lines.clone();
            fewer.remove(at);
            let verdict = check(&fewer.concat(), &anchors);
            assert!(
                matches!(verdict, Err(Broken::Gap { .. } | Broken::ShortOf { .. })),
                "line {at}: {verdict:?}"
            );
        }
    }

    #[test]
    fn a3_every_swapped_doubled_or_moved_line_is_an_edit() {
        let (text, anchors) = log();
        let lines = lines(&text);
        let ours = chained(&lines);
        for run in [&ours[..5], &ours[5..]] {
            for (i, from) in run.iter().enumerate() {
                for to in &run[i..] {
                    let mut changed = lines.clone();
                    if from == to {
                        changed.insert(*from, lines[*from].clone());
                    } else {
                        changed.swap(*from, *to);
                    }
                    let verdict = check(&changed.concat(), &anchors);
                    assert!(matches!(verdict, Err(Broken::Edit { .. })), "{from} {to}: {verdict:?}");
                }
            }
        }
    }

    #[test]
    fn a3_a_cut_tail_is_found_by_its_anchor_and_a_run_written_anew_too() {
        let (text, anchors) = log();
        let lines = lines(&text);
        let cut = lines[..lines.len() - 2].concat();
        assert!(check(&cut, &[]).is_ok());
        assert_eq!(
            check(&cut, &anchors),
            Err(Broken::ShortOf {
                anchor: anchors[3].clone()
            })
        );

        let memory = Memory::default();
        let chain = Chain::new(
            Box::new(memory.clone()),
            LogFormat::Json,
            "01RUNA".to_owned(),
            Box::new(|| Wall(0)),
        );
        chain.write("forewarm.start", json!({}));
        chain.begin(3);
        chain.write("forewarm.leader", json!({"state": "taken"}));
        chain.write("forewarm.leader", json!({"state": "forged"}));
        let forged = memory.text().into_bytes();
        assert_eq!(
            check(&forged, &anchors[..1]),
            Err(Broken::Rewritten {
                anchor: anchors[0].clone()
            })
        );
    }

    #[test]
    fn an_empty_log_is_intact_until_an_anchor_says_otherwise() {
        assert_eq!(
            verify([], &[]),
            Ok(Intact {
                lines: 0,
                skipped: 0,
                runs: 0
            })
        );
        let nothing = format!("0.0.{NOTHING_BEFORE}");
        assert!(verify([], &[&nothing]).is_ok());
        assert!(matches!(verify([], &["4.1.abc"]), Err(Broken::ShortOf { .. })));
        assert!(matches!(verify([], &["garbage"]), Err(Broken::ShortOf { .. })));
    }
}
