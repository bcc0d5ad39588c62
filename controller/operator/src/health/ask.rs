//! Working sets by container, of now and of eight days: questions to Prometheus in, bytes out. This is the I/O.
//!
//! One query each for the whole fleet, no tenant's word in it. What is not answered is not known, and never zero.

use forewarm_core::memory::Past;
use forewarm_core::observation::{Reading, Why};
use forewarm_core::plan::memory::plateau;
use forewarm_core::units::{Bytes, Mono, Percent, Seconds};
use forewarm_source::Source;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The series: of the kubelet's cadvisor endpoint, or its resource endpoint.
const SERIES: &str = "container_memory_working_set_bytes{container!=\"\",container!=\"POD\"}";
/// A sample of now is at most this old (M1).
const FRESH: &str = "30s";
/// How far back the past is asked for: what a decrease needs (M2), and a little more.
const BACK: &str = "195h";
/// Steps of five minutes in eight days.
const SLOTS: f64 = 8.0 * 288.0;
/// Since when a container runs, of the same endpoints.
const STARTED: &str = "container_start_time_seconds{container!=\"\",container!=\"POD\"}";
/// Five minutes that end when a container is older than this lie past its start.
const PAST_START: i64 = plateau::START + 300;
/// How often the past is asked for.
const PAST_EVERY: Seconds = Seconds(600);

/// A container of a pod: namespace, pod, container.
type Key = (String, String, String);

/// The past of one container of one pod.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct PodPast {
    peak: Option<Bytes>,
    plateau: Option<Bytes>,
    first: Option<i64>,
    slots: f64,
}

/// What Prometheus told.
#[derive(Debug, Default)]
pub struct MemoryQuestions {
    now: HashMap<Key, Bytes>,
    failed: Option<Why>,
    past: HashMap<(String, String), HashMap<String, PodPast>>,
    past_at: Option<Mono>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    result: Vec<Series<'a>>,
}

#[derive(Deserialize)]
struct Series<'a> {
    #[serde(borrow)]
    metric: Metric<'a>,
    #[serde(borrow)]
    value: (f64, Cow<'a, str>),
}

#[derive(Deserialize)]
struct Metric<'a> {
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    pod: Cow<'a, str>,
    #[serde(borrow, default)]
    container: Cow<'a, str>,
}

impl MemoryQuestions {
    /// Asks `source` what is due. `plateau`: also what containers used past their start, which is a long question.
    pub async fn ask(&mut self, source: Option<Arc<Source>>, plateau: bool, now: Mono, within: Duration) {
        let Some(source) = source else {
            self.now.clear();
            self.failed = Some(Why::SourceDown);
            return;
        };
        let query = format!("max by (namespace, pod, container) (max_over_time({SERIES}[{FRESH}]))");
        self.now.clear();
        self.failed = Some(Why::QueryFailed);
        if let Some(found) = series(&source, &query, within).await {
            let sized = found
                .into_iter()
                .filter_map(|(key, value)| Some((key, Bytes::of(value)?)));
            self.now = sized.collect();
            self.failed = None;
        }
        if self.past_at.is_none_or(|at| now.passed(at, PAST_EVERY)) {
            self.ask_past(&source, within).await;
            if plateau {
                self.ask_plateau(&source, within).await;
            }
            self.past_at = Some(now);
        }
    }

    async fn ask_past(&mut self, source: &Source, within: Duration) {
        let by = "by (namespace, pod, container)";
        let queries = [
            format!("max {by} (max_over_time({SERIES}[{BACK}]))"),
            format!("min {by} (min_over_time(timestamp({SERIES})[{BACK}:5m]))"),
            format!("max {by} (count_over_time({SERIES}[8d:5m]))"),
        ];
        let mut past: HashMap<(String, String), HashMap<String, PodPast>> = HashMap::new();
        for (which, query) in queries.iter().enumerate() {
            // A part that is missing leaves the whole past unknown: nothing is lowered on half of it.
            let Some(found) = series(source, query, within).await else {
                self.past.clear();
                return;
            };
            for ((namespace, pod, container), value) in found {
                let of = past.entry((namespace, container)).or_default().entry(pod).or_default();
                match which {
                    0 => of.peak = Bytes::of(value),
                    1 => of.first = Bytes::of(value).and_then(|seconds| i64::try_from(seconds.0).ok()),
                    _ => of.slots = value,
                }
            }
        }
        self.past = past;
    }

    /// Windows of five minutes lie side by side, so no sample is left out; those that a start reaches into are. What is not
    /// answered is not known, and no plateau is told from it.
    async fn ask_plateau(&mut self, source: &Source, within: Duration) {
        let by = "(namespace, pod, container)";
        let query = format!(
            "max by {by} (max_over_time((max by {by} (max_over_time({SERIES}[5m])) \
             and on {by} (min by {by} (time() - {STARTED}) > {PAST_START}))[{BACK}:5m]))"
        );
        for ((namespace, pod, container), value) in series(source, &query, within).await.unwrap_or_default() {
            let pods = self.past.get_mut(&(namespace, container));
            if let Some(past) = pods.and_then(|pods| pods.get_mut(&pod)) {
                past.plateau = Bytes::of(value);
            }
        }
    }

    /// The past is asked anew at the next tick: a policy has just begun to need it.
    pub fn past_is_due(&mut self) {
        self.past_at = None;
    }

    /// Working set of a container now.
    pub fn working_set(&self, namespace: &str, pod: &str, container: &str) -> Reading<Bytes> {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        match self.now.get(&key) {
            Some(bytes) => Reading::Known(*bytes),
            None => Reading::Unknown(self.failed.clone().unwrap_or(Why::Absent)),
        }
    }

    /// The past of a container over the pods that `own` names, dead ones included: the largest peak, how far back any
    /// of them reaches, and the coverage of the best covered one. The parts that other pods covered are not added up,
    /// which errs to the side of not lowering.
    pub fn past(&self, namespace: &str, container: &str, own: impl Fn(&str) -> bool, now: i64) -> Reading<Past> {
        let Some(pods) = self.past.get(&(namespace.to_owned(), container.to_owned())) else {
            return Reading::Unknown(self.failed.clone().unwrap_or(Why::Absent));
        };
        let own: Vec<&PodPast> = pods.iter().filter(|(pod, _)| own(pod)).map(|(_, past)| past).collect();
        let peak = own.iter().filter_map(|past| past.peak).max();
        let plateau = own.iter().filter_map(|past| past.plateau).max();
        let first = own.iter().filter_map(|past| past.first).min();
        let slots = own.iter().map(|past| past.slots).fold(0.0, f64::max);
        let coverage = Percent::of_share(slots / SLOTS);
        match (peak, first) {
            (Some(peak), Some(first)) => Reading::Known(Past {
                peak,
                plateau,
                span: Seconds(u32::try_from(now.saturating_sub(first)).unwrap_or(0)),
                coverage,
            }),
            _ => Reading::Unknown(Why::Absent),
        }
    }
}

/// The series of an answer. `None`: it did not come, or could not be read.
async fn series(source: &Source, query: &str, within: Duration) -> Option<Vec<(Key, f64)>> {
    let body = match source.instant(query, within).await {
        Ok(body) => body,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Container memory could not be read."
            );
            return None;
        }
    };
    read(&body)
}

fn read(body: &[u8]) -> Option<Vec<(Key, f64)>> {
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    let one = |series: Series<'_>| {
        let Metric {
            namespace,
            pod,
            container,
        } = series.metric;
        let value: f64 = series.value.1.parse().ok()?;
        Some((
            (namespace.into_owned(), pod.into_owned(), container.into_owned()),
            value,
        ))
    };
    Some(answer.data.result.into_iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_nonsense_is_left_out() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"namespace":"n","pod":"p","container":"app"},"value":[1.5,"1024"]},
            {"metric":{"namespace":"n","pod":"q"},"value":[1.5,"NaN"]}]}}"#;
        let found = read(body).unwrap();
        assert_eq!(found[0], (("n".into(), "p".into(), "app".into()), 1024.0));
        assert_eq!(Bytes::of(found[1].1), None);
        assert_eq!(read(b"{}"), None);
    }
}
