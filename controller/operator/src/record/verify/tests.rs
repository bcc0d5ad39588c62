//! A3: whatever is done to a log is found, and told as gap or edit.

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
