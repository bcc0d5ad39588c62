//! A profile in, the `PromQL` of its past out: the peak of each minute, by workload. Pure.
//!
//! What history keeps is the peak *of the sum* over a function's pods within a minute, and of pods that are long
//! gone only the names remain. So the sum is taken on the side of the source, grouped by the owner that a pod's
//! name tells, at every scrape; the largest of a minute's sums is its peak. Fetching pods apart instead would be
//! twenty times the data for 10,000 functions, and the sum of their single peaks would be too high
//! (docs/decisions/0004-history-by-owner-name.md).

use crate::owner::{LABEL, labelled};
use crate::series::WORKLOAD;
use forewarm_api::profile::JoinBy;
use forewarm_api::profile_parse::Profile;

/// Resolution of a piece of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resolution {
    /// The peak of each minute.
    Minute,
    /// The peak of each quarter hour.
    Quarter,
}

impl Resolution {
    /// Minutes between two points.
    pub fn minutes(self) -> u16 {
        match self {
            Self::Minute => 1,
            Self::Quarter => 15,
        }
    }
}

/// The peak of the minute that ends with the time of evaluation.
///
/// Evaluated at second 59 of a minute, the window holds exactly the evaluations of that minute, whether the
/// source counts the window's left end (Prometheus 2) or not (3).
pub(crate) fn minute_peaks(profile: &Profile) -> String {
    match (&profile.history, &profile.peak) {
        (None, Some(peak)) => by_owner(profile, peak.as_str()),
        (history, _) => {
            let query = by_owner(profile, history.as_ref().unwrap_or(&profile.query).as_str());
            format!("max_over_time(({query})[1m:{}s])", profile.scrape.0.clamp(1, 60))
        }
    }
}

/// The largest of a quarter hour's minute peaks, evaluated at the quarter's end. 14 m 30 s hold its 15 minutes
/// and no other, whichever end of the window counts.
pub(crate) fn quarter_peaks(profile: &Profile) -> String {
    format!("max_over_time(({})[14m30s:1m])", minute_peaks(profile))
}

/// A query by pod, summed by the owner its name tells; every other as it is. A query that is by workload already
/// (label `workload`) comes through the same sum unchanged.
fn by_owner(profile: &Profile, query: &str) -> String {
    let join = &profile.join;
    if join.by != JoinBy::Pod {
        return query.to_owned();
    }
    format!(
        "sum by ({}, {LABEL}, {WORKLOAD}) ({})",
        join.namespace,
        labelled(query, &join.name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::tests::profile;
    use forewarm_api::profile_parse::{Absent, Query};

    fn query(text: &str) -> Query {
        Query::parse(text).expect("is PromQL")
    }

    #[test]
    fn a_minute_is_evaluated_once_a_scrape() {
        let mut by_workload = profile(JoinBy::Workload, Absent::Unknown);
        assert_eq!(minute_peaks(&by_workload), "max_over_time((m)[1m:15s])");
        by_workload.scrape.0 = 120;
        assert_eq!(minute_peaks(&by_workload), "max_over_time((m)[1m:60s])");
        by_workload.peak = Some(query("peak"));
        assert_eq!(minute_peaks(&by_workload), "peak");
        by_workload.history = Some(query("past"));
        assert_eq!(minute_peaks(&by_workload), "max_over_time((past)[1m:60s])");
    }

    #[test]
    fn every_history_query_is_promql() {
        let mut by_pod = profile(JoinBy::Pod, Absent::Unknown);
        for (peak, history) in [(None, None), (Some(query("peak")), None), (None, Some(query("past")))] {
            (by_pod.peak, by_pod.history) = (peak, history);
            for text in [minute_peaks(&by_pod), quarter_peaks(&by_pod)] {
                assert!(
                    text.contains("sum by (namespace, forewarm_owner, workload) (label_replace("),
                    "{text}"
                );
                promql_parser::parser::parse(&text).expect("is PromQL");
            }
        }
    }
}
