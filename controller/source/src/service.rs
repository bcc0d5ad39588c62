//! The answers on how calls are served in, rate, failures and latency of each pod and function out. Pure.
//!
//! What is missing is not known: a pod without one of the series has that part unknown, and so has its function.

use crate::ask::Joins;
use crate::error::SourceError;
use crate::join::Joined;
use crate::membership::Membership;
use forewarm_api::profile::JoinBy;
use forewarm_core::service::Served;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The answers to one profile's three questions.
#[derive(Debug)]
pub(crate) struct ServiceAsked {
    pub(crate) requests: Joins,
    /// `None`: the profile does not ask.
    pub(crate) errors: Option<Joins>,
    /// `None`: the profile does not ask.
    pub(crate) latency: Option<Joins>,
}

/// How one function serves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServedBy {
    /// All of it. `None`: nobody asks, or it is not known.
    pub whole: Option<Served>,
    /// Its pods of which something is known, where the answers are by pod.
    pub pods: BTreeMap<Arc<str>, Served>,
    /// One of the questions was not answered.
    pub unanswered: bool,
}

/// Calls of a pod with the parts that are known.
struct Part {
    calls: f64,
    failed: Option<f64>,
    latency: Option<f64>,
}

impl ServiceAsked {
    /// Why a question was not answered. `None`: all were.
    pub(crate) fn error(&self) -> Option<&SourceError> {
        let parts = [Some(&self.requests), self.errors.as_ref(), self.latency.as_ref()];
        parts.into_iter().flatten().find_map(|joins| joins.as_ref().err())
    }

    /// How a member serves.
    pub(crate) fn of(&self, member: usize, members: &Membership, by: JoinBy) -> ServedBy {
        let unanswered = self.error().is_some();
        let nothing = ServedBy {
            unanswered,
            ..ServedBy::default()
        };
        let Ok(requests) = &self.requests else {
            return nothing;
        };
        let errors = answered(self.errors.as_ref());
        let latency = answered(self.latency.as_ref());
        if by != JoinBy::Pod {
            return ServedBy {
                whole: whole(member, requests, errors, latency),
                ..nothing
            };
        }
        if requests.tally(member).bad.is_some() {
            return nothing;
        }
        let part = |(slot, found): (usize, &crate::membership::Slot)| {
            let of = |joined: Option<&Joined>| joined.and_then(|joined| joined.pod(slot));
            let (calls, failed, latency) = (requests.pod(slot)?, of(errors), of(latency));
            let part = Part { calls, failed, latency };
            Some((found.name(), part))
        };
        let parts: Vec<(Arc<str>, Part)> = members.slots(member).filter_map(part).collect();
        ServedBy {
            whole: sum(&parts),
            pods: parts
                .into_iter()
                .filter_map(|(name, part)| Some((name, Served::of(part.calls, part.failed, part.latency)?)))
                .collect(),
            unanswered,
        }
    }
}

fn answered(joins: Option<&Joins>) -> Option<&Joined> {
    joins.and_then(|joins| joins.as_ref().ok())
}

/// Of a function whose series name it as a whole.
fn whole(member: usize, requests: &Joined, errors: Option<&Joined>, latency: Option<&Joined>) -> Option<Served> {
    let of = |joined: &Joined| {
        let tally = joined.tally(member);
        (tally.series > 0 && tally.bad.is_none()).then_some(tally.sum)
    };
    // Several series of one function (its revisions) add up, but not their latencies.
    let latency = latency.filter(|joined| joined.tally(member).series == 1);
    Served::of(of(requests)?, errors.and_then(of), latency.and_then(of))
}

/// Of a function by its pods: failures add up, latencies are weighed by their calls. A part that one of the pods with
/// calls lacks is not known.
fn sum(parts: &[(Arc<str>, Part)]) -> Option<Served> {
    if parts.is_empty() {
        return None;
    }
    let busy = || parts.iter().map(|(_, part)| part).filter(|part| part.calls > 0.0);
    let calls: f64 = busy().map(|part| part.calls).sum();
    let failed: Option<f64> = busy().map(|part| part.failed).sum();
    let spent: Option<f64> = busy().map(|part| Some(part.latency? * part.calls)).sum();
    Served::of(calls, failed, spent.map(|spent| spent / calls))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::join::tests::{body, by};
    use crate::membership::fixture::member;

    fn joins(members: &Membership, join_by: JoinBy, series: &[&str]) -> Joins {
        let body = body(series);
        Joined::of(&Answer::read(&body)?, &by(join_by), "p", members, 100)
    }

    fn served(join_by: JoinBy, requests: &[&str], errors: &[&str], latency: &[&str]) -> ServedBy {
        let members = Membership::new([member("a/f", &[("f-1", Some(0)), ("f-2", Some(0)), ("f-3", None)])]);
        let asked = ServiceAsked {
            requests: joins(&members, join_by, requests),
            errors: Some(joins(&members, join_by, errors)),
            latency: Some(joins(&members, join_by, latency)),
        };
        asked.of(0, &members, join_by)
    }

    #[test]
    fn pods_are_told_apart_and_make_the_whole_by_their_calls() {
        let found = served(
            JoinBy::Pod,
            &["a/f-1=3", "a/f-2=1"],
            &["a/f-1=0", "a/f-2=1"],
            &["a/f-1=0.1", "a/f-2=0.5"],
        );
        let of = |calls, failed, latency| Served::of(calls, Some(failed), Some(latency)).unwrap();
        assert_eq!(found.whole, Some(of(4.0, 1.0, 0.2)));
        assert_eq!(
            found.pods,
            BTreeMap::from([("f-1".into(), of(3.0, 0.0, 0.1)), ("f-2".into(), of(1.0, 1.0, 0.5))])
        );
    }

    #[test]
    fn what_is_missing_is_not_known_of_the_pod_nor_of_the_whole() {
        let found = served(
            JoinBy::Pod,
            &["a/f-1=3", "a/f-2=1"],
            &["a/f-1=0"],
            &["a/f-1=0.1", "a/f-2=NaN"],
        );
        let second = found.pods["f-2"];
        assert_eq!((second.failed_permille, second.latency_micros), (None, None));
        let whole = found.whole.unwrap();
        assert_eq!(
            (whole.calls_milli, whole.failed_permille, whole.latency_micros),
            (4000, None, None)
        );
        assert_eq!(
            served(JoinBy::Pod, &[], &["a/f-1=0"], &["a/f-1=0.1"]),
            ServedBy::default()
        );
        assert_eq!(
            served(JoinBy::Pod, &["a/f-1=NaN", "a/f-2=1"], &[], &[]),
            ServedBy::default()
        );
    }

    #[test]
    fn a_pod_without_calls_takes_nothing_from_the_others() {
        let found = served(
            JoinBy::Pod,
            &["a/f-1=2", "a/f-2=0"],
            &["a/f-1=1", "a/f-2=0"],
            &["a/f-1=0.1", "a/f-2=NaN"],
        );
        assert_eq!(found.whole, Served::of(2.0, Some(1.0), Some(0.1)));
    }

    #[test]
    fn a_series_of_the_workload_is_the_whole_and_twice_it_is_nothing() {
        let found = served(JoinBy::Workload, &["a/f=2"], &["a/f=1"], &["a/f=0.1"]);
        assert_eq!(
            (found.whole, found.pods.len()),
            (Served::of(2.0, Some(1.0), Some(0.1)), 0)
        );
        assert_eq!(
            served(JoinBy::Workload, &["a/f=2", "a/f=2"], &[], &[]),
            ServedBy::default()
        );
    }
}
