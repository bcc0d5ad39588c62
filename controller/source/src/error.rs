//! What can go wrong between a query and its answer, and what that means for a decision. Pure.

use forewarm_core::observation::Why;
use std::time::Duration;

/// Longest text of an upstream that is passed on, in characters.
pub(crate) const TEXT_MAX: usize = 200;

/// Why a query has no usable answer. Messages carry no body but Prometheus's own error field, cut and cleaned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No profile or source of that name, or the profile cannot be run.
    #[error("{0}")]
    Unusable(String),
    /// CA or token file.
    #[error("could not read {what} {path}: {text}")]
    File {
        /// `caFile` or `tokenFile`.
        what: &'static str,
        /// Its path.
        path: String,
        /// The system's message.
        text: String,
    },
    /// The deadline passed.
    #[error("the source did not answer within {:.1} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or it broke before the answer was whole.
    #[error("could not reach the source: {0}")]
    Unreachable(String),
    /// An HTTP status other than 200 without Prometheus's own error.
    #[error("the source answered HTTP {0}{hint}", hint = status_hint(*.0))]
    Status(u16),
    /// Prometheus's own error.
    #[error("the source refused the query ({kind}): {text}")]
    Refused {
        /// Prometheus's `errorType`.
        kind: String,
        /// Prometheus's `error`.
        text: String,
    },
    /// The answer carries warnings, so it may lack series.
    #[error("the answer is partial: {0}")]
    Partial(String),
    /// More bytes than the cap.
    #[error("the answer is larger than {0} MiB: aggregate in the query, for example with sum by (namespace, pod)")]
    TooManyBytes(usize),
    /// More series than the cap.
    #[error("the answer has more than {0} series: aggregate in the query, for example with sum by (namespace, pod)")]
    TooManySeries(usize),
    /// Not what an instant vector or a matrix of floats looks like.
    #[error("the answer has the wrong shape: {0}")]
    Shape(String),
}

impl SourceError {
    /// The reason that every function of this query gets.
    pub fn why(&self) -> Why {
        match self {
            Self::Unusable(_) => Why::ProfileUnusable,
            Self::File { .. } | Self::Timeout(_) | Self::Unreachable(_) | Self::Status(502..=504) => Why::SourceDown,
            Self::Status(_) | Self::Refused { .. } => Why::QueryFailed,
            Self::Partial(_) => Why::PartialAnswer,
            Self::TooManyBytes(_) | Self::TooManySeries(_) => Why::TooLarge,
            Self::Shape(_) => Why::WrongShape,
        }
    }

    /// Whether a smaller piece of the same question may be answered: limits of size, samples or time.
    pub fn may_fit_in_pieces(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::TooManyBytes(_) | Self::TooManySeries(_) => true,
            Self::Refused { kind, .. } => kind != "bad_data",
            Self::Unusable(_)
            | Self::File { .. }
            | Self::Unreachable(_)
            | Self::Status(_)
            | Self::Partial(_)
            | Self::Shape(_) => false,
        }
    }
}

fn status_hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": redirects are not followed, give the final url in sources",
        401 | 403 => ": check tokenFile in sources",
        429 => ": too many requests",
        _ => "",
    }
}

/// An upstream's message as [`cut`] leaves it, without label sets: they may name what belongs to others.
pub(crate) fn quoted(text: &str, secret: Option<&str>) -> String {
    let mut plain = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '{' => {
                depth += 1;
                if depth == 1 {
                    plain.push_str("{…}");
                }
            }
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    cut(&plain, secret)
}

/// `text` safe to show: without `secret`, on one line, without control and direction marks, at most 200
/// characters.
pub(crate) fn cut(text: &str, secret: Option<&str>) -> String {
    let text = match secret {
        Some(secret) if !secret.is_empty() => text.replace(secret, "[redacted]"),
        _ => text.to_owned(),
    };
    let mark = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| !c.is_control() && !mark(c);
    let mut cut: String = text
        .chars()
        .take(TEXT_MAX)
        .map(|c| if plain(c) { c } else { ' ' })
        .collect();
    if text.chars().nth(TEXT_MAX).is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_text_is_cut_cleaned_and_never_shows_the_token() {
        assert_eq!(cut("a\nb\u{202e}c", None), "a b c");
        assert_eq!(cut("bad token s3cret.", Some("s3cret")), "bad token [redacted].");
        let long = cut(&"x".repeat(1000), None);
        assert_eq!((long.chars().count(), long.ends_with('…')), (TEXT_MAX, true));
    }

    #[test]
    fn the_labels_of_others_are_left_out() {
        let text = r#"found duplicate series for the match group {a="b"} on the right: [{__name__="m", pod="x"}, {c"#;
        assert_eq!(
            quoted(text, None),
            "found duplicate series for the match group {…} on the right: [{…}, {…}"
        );
    }

    #[test]
    fn every_error_has_the_reason_a_decision_needs() {
        let rows = [
            (SourceError::Timeout(Duration::from_secs(5)), Why::SourceDown),
            (SourceError::Status(503), Why::SourceDown),
            (SourceError::Status(302), Why::QueryFailed),
            (SourceError::Status(401), Why::QueryFailed),
            (SourceError::Partial(String::new()), Why::PartialAnswer),
            (SourceError::TooManySeries(1), Why::TooLarge),
            (SourceError::Shape(String::new()), Why::WrongShape),
            (SourceError::Unusable(String::new()), Why::ProfileUnusable),
        ];
        for (error, why) in rows {
            assert_eq!(error.why(), why, "{error}");
        }
    }
}
