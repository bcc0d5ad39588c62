//! Values in, one line of printable ASCII out. Pure.
//!
//! Names and messages in a line come from users and servers. Everything outside printable ASCII leaves as
//! `\uXXXX`, so that no newline, terminal sequence or reversed text reaches a reader, and every string is cut
//! at [`LONGEST`] characters, so that no object makes a line long.

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::{Map, Value};
use std::io::{self, Write};

/// Characters a string may have in a line. The longest that we read on purpose is a name of 253.
pub const LONGEST: usize = 512;

/// One JSON object on one line, printable ASCII only, members in the order given.
pub fn line(object: &Map<String, Value>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Ascii(CompactFormatter));
    object
        .serialize(&mut serializer)
        .expect("a JSON value with string keys always serializes into memory");
    out
}

/// Cuts every string in `value` at [`LONGEST`] characters; a cut one ends in `…`.
pub fn bound(value: &mut Value) {
    match value {
        Value::String(text) => cut(text, LONGEST),
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Object(members) => members.values_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Cuts `text` to `longest` characters, the last of which is then `…`.
pub fn cut(text: &mut String, longest: usize) {
    if text.len() <= longest || text.chars().count() <= longest {
        return;
    }
    let keep = text
        .char_indices()
        .nth(longest.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    text.truncate(keep);
    text.push('…');
}

/// True for what a terminal would not simply show: controls and the marks that turn the direction of text.
pub fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

struct Ascii(CompactFormatter);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| byte.is_ascii() && byte != 0x7f) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for c in fragment.chars() {
            if c.is_ascii() && c != '\u{7f}' {
                write!(writer, "{c}")?;
            } else {
                c.encode_utf16(&mut units)
                    .iter()
                    .try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn printed(value: Value) -> String {
        let Value::Object(object) = value else {
            panic!("an object")
        };
        String::from_utf8(line(&object)).unwrap()
    }

    #[test]
    fn whatever_a_string_holds_the_line_stays_one_line_of_printable_ascii() {
        let nasty = "a\nb\r\u{0}\u{1b}[31m\u{7f}\u{9b}2J\u{202e}\u{2028}é漢😀\"\\{\"x\":1}";
        let line = printed(json!({"name": nasty}));
        assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line}");
        let back: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["name"], nasty);
    }

    #[test]
    fn a_long_string_is_cut_and_says_so() {
        let mut value = json!({"a": ["é".repeat(10_000)], "b": "short"});
        bound(&mut value);
        let cut = value["a"][0].as_str().unwrap();
        assert_eq!(cut.chars().count(), LONGEST);
        assert!(cut.ends_with('…'));
        assert_eq!(value["b"], "short");
    }

    #[test]
    fn members_keep_their_order() {
        assert_eq!(printed(json!({"z": 1, "a": 0.1})), r#"{"z":1,"a":0.1}"#);
    }
}
