//! `DemandProfile` in, [`Profile`] out: every query parsed, every number in range, or all problems at once. Pure.

use crate::problem::PolicyProblem;
use crate::profile::{AbsentMeans, DemandProfile, DemandProfileSpec, Join, JoinBy, Unit};
use forewarm_core::units::Seconds;
use promql_parser::parser::value::ValueType;

/// Longest query, in bytes.
const QUERY_MAX: usize = 4096;

/// A demand profile that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name of the object.
    pub name: String,
    /// What the queries count.
    pub unit: Demanded,
    /// Demand now.
    pub query: Query,
    /// Peak of the sum within the last step. `None`: the largest of the samples seen.
    pub peak: Option<Query>,
    /// Demand for backfill. `None`: as `query`.
    pub history: Option<Query>,
    /// How a series finds its function.
    pub join: JoinLabels,
    /// How long the oldest item of a backlog has waited, where the profile asks for it.
    pub age: Option<Query>,
    /// How calls are served, where the profile asks for it.
    pub service: Option<Service>,
    /// What no series means.
    pub absent: Absent,
    /// Says whether the source is up, where the profile has such a query.
    pub up: Option<Query>,
    /// Scrape interval.
    pub scrape: Seconds,
    /// Name of the Prometheus.
    pub source: String,
    /// Whether policies that name no profile use this one.
    pub is_default: bool,
}

impl Profile {
    /// Age from which a sample is stale: three scrapes, at least a minute.
    pub fn stale_after(&self) -> Seconds {
        Seconds((self.scrape.0 * 3).max(60))
    }
}

/// How calls are served: at least one of `errors` and `latency` is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Calls that ended, per second.
    pub requests: Query,
    /// Of them, those that failed, per second.
    pub errors: Option<Query>,
    /// Seconds a call takes.
    pub latency: Option<Query>,
}

/// What a profile counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demanded {
    /// Calls in flight.
    Concurrency,
    /// Requests per second.
    RequestsPerSecond,
    /// Items waiting, to be worked off within `drain` of their arrival: demand in items per second is the backlog by
    /// what is left of `drain`, which is all of it where nobody asks for the items' age.
    Backlog {
        /// At least a second.
        drain: Seconds,
    },
}

/// `PromQL` that parses and gives an instant vector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query(String);

impl Query {
    /// The text, as written in the profile.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses `text`; the error says what would make it usable.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > QUERY_MAX {
            return Err(format!(
                "at most {QUERY_MAX} bytes; move the work into a recording rule"
            ));
        }
        let expression = promql_parser::parser::parse(text)
            .map_err(|error| format!("does not parse as PromQL: {}", first_line(&error)))?;
        match expression.value_type() {
            ValueType::Vector => Ok(Self(text.to_owned())),
            ValueType::Scalar => Err("gives a scalar; wrap it in vector(...)".to_owned()),
            ValueType::Matrix => {
                Err("gives a range vector; wrap it in a function such as max_over_time(...)".to_owned())
            }
            ValueType::String => Err("gives a string; write a query that gives an instant vector".to_owned()),
        }
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The labels that tie a series to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinLabels {
    /// What the name label names.
    pub by: JoinBy,
    /// Label of the namespace.
    pub namespace: String,
    /// Label of the name; another one than that of the namespace.
    pub name: String,
}

/// What no series means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Not known.
    Unknown,
    /// Zero while this query gives a value above zero.
    ZeroIfUp(Query),
}

/// Parses a profile; on failure every problem of it.
pub fn parse_profile(profile: &DemandProfile) -> Result<Profile, Vec<PolicyProblem>> {
    let mut problems = Vec::new();
    let spec = &profile.spec;
    let query = required(&spec.query, "spec.query", &mut problems);
    let peak = optional(spec.peak_query.as_ref(), "spec.peakQuery", &mut problems);
    let history = optional(spec.history_query.as_ref(), "spec.historyQuery", &mut problems);
    let up = optional(spec.up_query.as_ref(), "spec.upQuery", &mut problems);
    let age = age(spec, &mut problems);
    let service = service(spec, &mut problems);
    let absent = absent(spec, up.as_ref(), &mut problems);
    let unit = unit(spec, &mut problems);
    let join = join(&spec.join, &mut problems);
    let scrape = seconds(spec.scrape_seconds, 600, "spec.scrapeSeconds", &mut problems);
    check_source(&spec.source, &mut problems);
    let (Some(query), Some(unit), Some(scrape), true) = (query, unit, scrape, problems.is_empty()) else {
        return Err(problems);
    };
    Ok(Profile {
        name: profile.metadata.name.clone().unwrap_or_default(),
        unit,
        query,
        peak,
        history,
        join,
        age,
        service,
        absent,
        up,
        scrape,
        source: spec.source.clone(),
        is_default: profile.is_default(),
    })
}

fn required(text: &str, field: &'static str, problems: &mut Vec<PolicyProblem>) -> Option<Query> {
    Query::parse(text)
        .map_err(|fix| problems.push(PolicyProblem::new(field, text, fix)))
        .ok()
}

fn optional(text: Option<&String>, field: &'static str, problems: &mut Vec<PolicyProblem>) -> Option<Query> {
    text.and_then(|text| required(text, field, problems))
}

/// The query for a backlog's age, where it can be told of a function as a whole.
fn age(spec: &DemandProfileSpec, problems: &mut Vec<PolicyProblem>) -> Option<Query> {
    let text = spec.age_query.as_ref()?;
    let fix = match (spec.unit, spec.join.by) {
        (Unit::Backlog, JoinBy::Workload | JoinBy::Service) => return required(text, "spec.ageQuery", problems),
        (Unit::Backlog, _) => "is one age a function: set spec.join.by to Workload or Service, or remove it",
        (Unit::Concurrency | Unit::RequestsPerSecond, _) => "remove it: it goes with unit Backlog only",
    };
    problems.push(PolicyProblem::new("spec.ageQuery", text, fix));
    None
}

/// The queries for how calls are served: a rate, and what it is held against.
fn service(spec: &DemandProfileSpec, problems: &mut Vec<PolicyProblem>) -> Option<Service> {
    let requests = optional(spec.request_query.as_ref(), "spec.requestQuery", problems);
    let errors = optional(spec.error_query.as_ref(), "spec.errorQuery", problems);
    let latency = optional(spec.latency_query.as_ref(), "spec.latencyQuery", problems);
    let parts = spec.error_query.as_ref().or(spec.latency_query.as_ref());
    if spec.request_query.is_some() != parts.is_some() {
        let text = spec.request_query.as_ref().or(parts).map_or("", String::as_str);
        let fix = "goes with spec.errorQuery or spec.latencyQuery: set it and at least one of the two, or none";
        problems.push(PolicyProblem::new("spec.requestQuery", text, fix));
    }
    requests.map(|requests| Service {
        requests,
        errors,
        latency,
    })
}

fn absent(spec: &DemandProfileSpec, up: Option<&Query>, problems: &mut Vec<PolicyProblem>) -> Absent {
    match (spec.absent, up) {
        (AbsentMeans::Unknown, _) => Absent::Unknown,
        (AbsentMeans::ZeroIfUp, Some(up)) => Absent::ZeroIfUp(up.clone()),
        (AbsentMeans::ZeroIfUp, None) => {
            problems.push(PolicyProblem::new(
                "spec.absent",
                "ZeroIfUp",
                "set a usable spec.upQuery, or Unknown here",
            ));
            Absent::Unknown
        }
    }
}

fn unit(spec: &DemandProfileSpec, problems: &mut Vec<PolicyProblem>) -> Option<Demanded> {
    match (spec.unit, spec.drain_seconds) {
        (Unit::Concurrency, None) => Some(Demanded::Concurrency),
        (Unit::RequestsPerSecond, None) => Some(Demanded::RequestsPerSecond),
        (Unit::Backlog, Some(drain)) => {
            seconds(drain, 3600, "spec.drainSeconds", problems).map(|drain| Demanded::Backlog { drain })
        }
        (Unit::Backlog, None) => {
            problems.push(PolicyProblem::new(
                "spec.unit",
                "Backlog",
                "set spec.drainSeconds as well",
            ));
            None
        }
        (Unit::Concurrency | Unit::RequestsPerSecond, Some(drain)) => {
            problems.push(PolicyProblem::new(
                "spec.drainSeconds",
                drain,
                "remove it: it goes with unit Backlog only",
            ));
            None
        }
    }
}

fn join(join: &Join, problems: &mut Vec<PolicyProblem>) -> JoinLabels {
    for (field, label) in [
        ("spec.join.namespaceLabel", &join.namespace_label),
        ("spec.join.nameLabel", &join.name_label),
    ] {
        if !is_label(label) {
            problems.push(PolicyProblem::new(
                field,
                label,
                "must be a Prometheus label name of at most 128 characters",
            ));
        }
    }
    if join.namespace_label == join.name_label {
        problems.push(PolicyProblem::new(
            "spec.join.nameLabel",
            &join.name_label,
            "must differ from namespaceLabel",
        ));
    }
    JoinLabels {
        by: join.by,
        namespace: join.namespace_label.clone(),
        name: join.name_label.clone(),
    }
}

fn seconds(value: i32, most: u32, field: &'static str, problems: &mut Vec<PolicyProblem>) -> Option<Seconds> {
    let seconds = u32::try_from(value)
        .ok()
        .filter(|s| (1..=most).contains(s))
        .map(Seconds);
    if seconds.is_none() {
        problems.push(PolicyProblem::new(
            field,
            value,
            format!("must be between 1 and {most}"),
        ));
    }
    seconds
}

fn check_source(source: &str, problems: &mut Vec<PolicyProblem>) {
    let plain = source
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain || !(1..=63).contains(&source.len()) {
        problems.push(PolicyProblem::new(
            "spec.source",
            source,
            "must be the name of a source in the chart value sources",
        ));
    }
}

fn is_label(label: &str) -> bool {
    let starts = label
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    starts && label.len() <= 128 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The first line of a parser's message, at most 160 characters.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(160).collect()
}
