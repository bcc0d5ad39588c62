//! What docs/log-reference.md says about the log, held to the log.

use forewarm_core::units::Wall;
use forewarm_operator::record::Journal;
use forewarm_operator::record::chain::Chain;
use forewarm_operator::record::human::LogFormat;
use forewarm_operator::record::line::event;
use forewarm_operator::record::schema;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const REFERENCE: &str = include_str!("../../../docs/log-reference.md");

/// Printed into memory.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panics while printing")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> String {
    let output = Output::default();
    let chain = Chain::new(
        Box::new(output.clone()),
        LogFormat::Json,
        "01JDRUN".to_owned(),
        Box::new(|| Wall(0)),
    );
    let awkward = "back\\slash 'quote' \"double\" $HOME `date` %s é \u{1b}[31m";
    for stopped in [true, false] {
        chain.write(event::SWITCH, serde_json::json!({"stopped": stopped, "why": awkward}));
    }
    let bytes = output.0.lock().expect("nobody panics while printing").clone();
    String::from_utf8(bytes).expect("the log is ASCII")
}

/// The first shell block with `mark` in it.
fn script(mark: &str) -> &'static str {
    let blocks = REFERENCE
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks
        .into_iter()
        .find(|block| block.contains(mark))
        .expect("the block is in the reference")
}

fn run(script: &str, input: &str) -> String {
    let mut shell = Command::new("sh")
        .arg("-c")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut stdin = shell.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("the shell reads it");
    drop(stdin);
    let output = shell.wait_with_output().expect("the shell ends");
    String::from_utf8(output.stdout).expect("the log is ASCII")
}

#[test]
fn the_shell_script_accepts_what_was_printed_and_finds_what_was_changed() {
    let script = script("verify-lines");
    let log = log();
    assert_eq!(run(script, &log), "");
    let noise = format!("{{\"level\":\"INFO\",\"message\":\"Tick finished.\"}}\n{log}");
    assert_eq!(run(script, &noise), "");
    let edited = log.replacen("true", "false", 1);
    assert_eq!(
        run(script, &edited),
        format!("edited: {}\n", edited.lines().next().unwrap())
    );
}

#[test]
fn the_reference_lists_every_event_and_every_member_of_a_decision() {
    let events: BTreeSet<&str> = REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("| `forewarm."))
        .filter_map(|line| line.split('`').next())
        .collect();
    let known: BTreeSet<&str> = event::ALL
        .iter()
        .map(|name| name.trim_start_matches("forewarm."))
        .collect();
    assert_eq!(events, known);
    let document = schema::document();
    for name in event::ALL {
        let members = document["$defs"][name]["properties"].as_object().unwrap();
        for member in members.keys() {
            assert!(
                REFERENCE.contains(&format!("`{member}`")),
                "{name}: {member} is not in the reference"
            );
        }
    }
}
