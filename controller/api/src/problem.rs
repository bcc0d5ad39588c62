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
    let plain =
        |c: char| !c.is_control() && !('\u{200e}'..='\u{202e}').contains(&c) && !('\u{2066}'..='\u{2069}').contains(&c);
    let cut: String = value
        .chars()
        .take(64)
        .map(|c| if plain(c) { c } else { '\u{fffd}' })
        .collect();
    match (cut.is_empty(), value.chars().nth(64).is_some()) {
        (true, _) => "empty".to_owned(),
        (false, true) => format!("{cut}…"),
        (false, false) => cut,
    }
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
}
