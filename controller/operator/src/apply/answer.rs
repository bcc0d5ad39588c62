//! What an answer of the API server means: an error in, an [`Outcome`] out. Pure.

use forewarm_core::outcome::{Outcome, RefusedKind};
use kube::core::Status;
use std::error::Error;

/// Longest message kept.
const LONGEST: usize = 256;

/// What a failed call means. As seen on a real API server: a failed `test` of a JSON patch is a 422 without
/// details, refusals by validation or a rail have causes, and 409 comes from a claim or a version.
pub(super) fn outcome_of(error: &kube::Error) -> Outcome {
    match error {
        kube::Error::Api(status) => refusal(status),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            refused(RefusedKind::ServerError, "the answer could not be read")
        }
        other => refused(RefusedKind::Unreachable, &chain(other)),
    }
}

/// Whether the write surely did or surely did not happen. Otherwise only a look at the object tells.
pub(super) fn is_definite(outcome: &Outcome) -> bool {
    let open_ended = matches!(
        outcome,
        Outcome::TimedOut
            | Outcome::Refused {
                kind: RefusedKind::ServerError | RefusedKind::Unreachable,
                ..
            }
    );
    !open_ended
}

/// A refusal with a message that is fit for a log line.
pub(super) fn refused(kind: RefusedKind, message: &str) -> Outcome {
    Outcome::Refused {
        kind,
        message: short(message),
    }
}

fn refusal(status: &Status) -> Outcome {
    let causes = status
        .details
        .as_ref()
        .is_some_and(|details| !details.causes.is_empty());
    let named = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
    let kind = match status.code {
        409 => return Outcome::Conflict,
        422 if !causes && !named => return Outcome::Conflict,
        504 => return Outcome::TimedOut,
        401 => RefusedKind::PermissionDenied,
        403 if !causes => RefusedKind::PermissionDenied,
        400 | 403 | 413 | 415 | 422 => RefusedKind::Invalid,
        404 | 410 => RefusedKind::NotFound,
        _ => RefusedKind::ServerError,
    };
    refused(kind, &words(status))
}

fn words(status: &Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let causes = causes
        .filter(|cause| !cause.message.is_empty())
        .map(|cause| match cause.field.as_str() {
            "" => cause.message.clone(),
            field => format!("{field}: {}", cause.message),
        });
    let causes: Vec<_> = causes.collect();
    if causes.is_empty() {
        status.message.clone()
    } else {
        causes.join("; ")
    }
}

fn chain(error: &kube::Error) -> String {
    let mut words = vec![error.to_string()];
    let mut at = error.source();
    while let Some(cause) = at {
        words.push(cause.to_string());
        at = cause.source();
    }
    words.dedup();
    words.join(": ")
}

/// On one line, without the dump of an object that some messages quote, at most [`LONGEST`] characters.
fn short(message: &str) -> String {
    let (before, rest) = message.split_once('{').unwrap_or((message, ""));
    let after = rest
        .rsplit_once('}')
        .map(|(_, after)| after.split('{').next().unwrap_or_default());
    let plain = after.map_or_else(|| before.to_owned(), |after| format!("{before}...{after}"));
    let plain = plain.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LONGEST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn status(code: u16, message: &str, details: Value) -> kube::Error {
        let mut value = json!({"status": "Failure", "code": code, "message": message, "reason": "R"});
        if !details.is_null() {
            value["details"] = details;
        }
        kube::Error::Api(Box::new(serde_json::from_value(value).expect("a status of the test")))
    }

    fn is(kind: RefusedKind, message: &str) -> Outcome {
        Outcome::Refused {
            kind,
            message: message.into(),
        }
    }

    #[test]
    fn each_answer_seen_on_a_real_api_server_has_its_meaning() {
        let causes = json!({"name": "x", "causes": [{"field": "spec.replicas", "message": "must be >= 0"}]});
        let rail = json!({"name": "x", "causes": [{"message": "ValidatingAdmissionPolicy 'p' denied request: no"}]});
        let table = [
            ("a failed test", status(422, "rejected", json!({})), Outcome::Conflict),
            (
                "without details",
                status(422, "rejected", Value::Null),
                Outcome::Conflict,
            ),
            (
                "a claim or version",
                status(409, "conflict with helm", causes.clone()),
                Outcome::Conflict,
            ),
            (
                "validation",
                status(422, "x is invalid", causes.clone()),
                is(RefusedKind::Invalid, "spec.replicas: must be >= 0"),
            ),
            (
                "a rail",
                status(422, "forbidden", rail.clone()),
                is(RefusedKind::Invalid, "ValidatingAdmissionPolicy 'p' denied request: no"),
            ),
            (
                "named, no causes",
                status(422, "bad", json!({"name": "x"})),
                is(RefusedKind::Invalid, "bad"),
            ),
            (
                "not enrolled",
                status(403, "cannot patch", json!({"name": "x"})),
                is(RefusedKind::PermissionDenied, "cannot patch"),
            ),
            (
                "a rail that forbids",
                status(403, "f", rail),
                is(RefusedKind::Invalid, "ValidatingAdmissionPolicy 'p' denied request: no"),
            ),
            (
                "expired token",
                status(401, "Unauthorized", Value::Null),
                is(RefusedKind::PermissionDenied, "Unauthorized"),
            ),
            (
                "gone",
                status(404, "not found", Value::Null),
                is(RefusedKind::NotFound, "not found"),
            ),
            (
                "malformed",
                status(400, "invalid JSON patch", Value::Null),
                is(RefusedKind::Invalid, "invalid JSON patch"),
            ),
            (
                "busy",
                status(429, "too many", Value::Null),
                is(RefusedKind::ServerError, "too many"),
            ),
            (
                "broken",
                status(500, "etcd", Value::Null),
                is(RefusedKind::ServerError, "etcd"),
            ),
            (
                "may have happened",
                status(504, "timeout", Value::Null),
                Outcome::TimedOut,
            ),
        ];
        for (situation, error, expected) in table {
            assert_eq!(outcome_of(&error), expected, "{situation}");
        }
    }

    #[test]
    fn an_answer_that_is_no_json_is_a_server_error() {
        let error = serde_json::from_str::<Value>("<html>").unwrap_err();
        let expected = is(RefusedKind::ServerError, "the answer could not be read");
        assert_eq!(outcome_of(&kube::Error::SerdeError(error)), expected);
    }

    #[test]
    fn a_broken_connection_is_unreachable_and_says_why() {
        let refused: tower::BoxError = Box::new(std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "refused"));
        let outcome = outcome_of(&kube::Error::Service(refused));
        assert!(!is_definite(&outcome));
        assert_eq!(outcome, is(RefusedKind::Unreachable, "ServiceError: refused: refused"));
    }

    #[test]
    fn a_quoted_object_is_cut_out() {
        for (message, left) in [
            (
                "cannot convert Deployment: {\"secret\": 1}",
                "cannot convert Deployment: ...",
            ),
            (
                "patch: Invalid value: \"{\"a\":{}}\": cannot unmarshal",
                "patch: Invalid value: \"...\": cannot unmarshal",
            ),
            ("cut short: {\"secret\": ", "cut short:"),
            ("odd }{ braces", "odd }"),
            ("{}{ odd", "..."),
        ] {
            let error = status(422, message, json!({"name": "x"}));
            assert_eq!(outcome_of(&error), is(RefusedKind::Invalid, left));
        }
    }

    proptest! {
        /// A message is one short line, whatever the server says.
        #[test]
        fn n07_a_message_is_one_short_line(code in 400_u16..600, message in ".{0,600}", cause in ".{0,300}") {
            let details = json!({"name": "x", "causes": [{"message": cause}]});
            if let Outcome::Refused { message, .. } = outcome_of(&status(code, &message, details)) {
                prop_assert!(message.chars().count() <= LONGEST);
                let dump = message.contains('{') || message.chars().any(char::is_control);
                prop_assert!(!dump);
            }
        }
    }
}
