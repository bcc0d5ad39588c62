//! What is wrong with one field of a policy or profile. Pure.

/// One field that cannot be used as it is, and what to do about it.
///
/// Shown in the `Ready` condition and in the log; the value is cut to 64 characters and control characters are
/// escaped, since it may come from an object that no rule has seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}: {fix}")]
pub struct PolicyProblem {
    /// Path of the field, as in `spec.floor.min`.
    pub field: &'static str,
    /// The value found, safe to print.
    pub value: String,
    /// What would make it usable.
    pub fix: String,
}

impl PolicyProblem {
    /// A problem of `field`, whose value is `value`; `fix` completes "…: ".
    pub fn new(field: &'static str, value: impl std::fmt::Display, fix: impl Into<String>) -> Self {
        Self {
            field,
            value: printable(&value.to_string()),
            fix: fix.into(),
        }
    }
}

/// All problems in one line, separated by `; `. Empty for none.
pub fn sentence(problems: &[PolicyProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// At most 64 characters, none of them a control or a direction mark.
fn printable(value: &str) -> String {
    let cut: String = value
        .chars()
        .take(64)
        .map(|c| if is_unprintable(c) { '\u{fffd}' } else { c })
        .collect();
    match (cut.is_empty(), value.chars().nth(64).is_some()) {
        (true, _) => "empty".to_owned(),
        (false, true) => format!("{cut}…"),
        (false, false) => cut,
    }
}

/// True for what a terminal would not simply show: controls and the marks that turn the direction of text.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_value_is_cut_and_cleaned() {
        let problem = PolicyProblem::new(
            "spec.x",
            format!("\u{1b}[31m\n\u{202e}{}", "a".repeat(2_000_000)),
            "mend it",
        );
        assert_eq!(
            problem.value,
            format!("\u{fffd}[31m\u{fffd}\u{fffd}{}…", "a".repeat(57))
        );
        assert_eq!(
            PolicyProblem::new("spec.x", "", "set it").to_string(),
            "spec.x is empty: set it"
        );
    }
    #[test]
    fn marks_of_direction_go_and_the_punctuation_between_them_stays() {
        let value = |text: &str| PolicyProblem::new("spec.x", text, "mend it").value;
        for mark in [0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069] {
            let mark = char::from_u32(mark).unwrap();
            assert_eq!(value(&format!("a{mark}b")), "a\u{fffd}b", "{mark:?}");
        }
        let kept = "fraud \u{2013} \u{201c}peak\u{201d} \u{2026} \u{2022}";
        assert_eq!(value(kept), kept);
    }
}
