//! Every word that the code shows as a reason has an entry in docs/runbook.md, and every entry says what it must.

use forewarm_core::guard::RULES;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

/// Every Rust source under `folder`, tests left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources can be read").path();
        let name = path
            .file_name()
            .expect("an entry has a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" && name != "sample.rs" {
            found.push(path);
        }
    }
    found
}

/// String literals that are one word in Pascal case: so the code writes its labels and reasons, and nothing else.
fn words(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let word = |text: &&str| {
        text.len() > 3
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_alphabetic())
    };
    code.split('"')
        .skip(1)
        .step_by(2)
        .filter(word)
        .map(str::to_owned)
        .collect()
}

/// Labels of enums, reasons of findings, and what record adds.
fn labels() -> BTreeSet<String> {
    let core = root().join("controller/core/src");
    let record = root().join("controller/operator/src/record");
    let mut files = sources(&core);
    files.push(record.join("labels.rs"));
    let mut labels: BTreeSet<String> = files.iter().flat_map(|file| words(&read(file))).collect();
    labels.insert(forewarm_operator::record::status::content::POLICY_INVALID.to_owned());
    // States of a condition, not reasons.
    for state in ["True", "False", "Unknown"] {
        labels.remove(state);
    }
    labels
}

/// The runbook's entries: heading and text.
fn entries() -> BTreeMap<String, String> {
    let runbook = read(&root().join("docs/runbook.md"));
    let entry = |part: &str| {
        let (heading, text) = part.split_once('\n').unwrap_or((part, ""));
        let text = text.split("\n## ").next().unwrap_or_default();
        (heading.trim().to_owned(), text.to_owned())
    };
    runbook.split("\n### ").skip(1).map(entry).collect()
}

#[test]
fn every_word_the_code_shows_has_an_entry_and_every_entry_is_of_such_a_word() {
    let mut expected = labels();
    expected.extend(RULES.iter().map(|rule| format!("rule `{}`", rule.name)));
    let found: BTreeSet<String> = entries().into_keys().collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let stale: Vec<_> = found.difference(&expected).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "no entry for {missing:?}; no such word: {stale:?}"
    );
}

#[test]
fn the_words_are_found_where_they_are_written() {
    let labels = labels();
    for word in [
        "ForecastRise",
        "Stale",
        "Undercovers",
        "StaleView",
        "IntentNotPrinted",
        "PermissionDenied",
        "InManifest",
        "Enforcing",
    ] {
        assert!(labels.contains(word), "{word} not among {labels:?}");
    }
}

#[test]
fn every_entry_says_what_it_means_what_happens_what_to_check_and_when_it_is_gone() {
    for (heading, text) in entries() {
        for part in ["**Means**", "**Now**", "**Check**", "**Gone**"] {
            assert_eq!(text.matches(part).count(), 1, "{heading}: {part}");
        }
    }
}
