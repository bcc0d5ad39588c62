//! Metrics of the operator: what was told in, `OpenMetrics` text out. No I/O; [`crate::admin`] serves the text.
//!
//! Labels are bounded: words of the code, names that an administrator gave (profiles), and, only
//! behind a flag, namespaces. No name of a function is ever a label. docs/metrics.md lists every metric.

mod label;
mod sums;

use self::label::{
    Anomaly, Build, Kind, ModeState, Namespace, OfMode, Outcome, Profile, ProfileOf, ReasonVerdict, Room, Rule, What,
    Why,
};
use self::sums::Sums;
use super::Told;
use super::line::VERSION;
use super::status::Written;
use super::tell::Lines;
use forewarm_core::units::Wall;
use forewarm_source::ProfileState;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

type Number = Gauge<f64, AtomicU64>;

/// The metrics; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    by_namespace: bool,
    tick: Histogram,
    last_tick: Number,
    room: Family<Room, Histogram, Seconds>,
    functions: Family<ModeState, Gauge>,
    unusable: Gauge,
    decisions: Family<ReasonVerdict, Counter>,
    outcomes: Family<Outcome, Counter>,
    holds: Family<Rule, Gauge>,
    anomalies: Family<Anomaly, Gauge>,
    demand_untrusted: Family<Why, Gauge>,
    forecast_untrusted: Family<Why, Gauge>,
    forecast_demoted: Family<Why, Gauge>,
    above: Family<OfMode, Gauge>,
    above_by_namespace: Family<Namespace, Gauge>,
    watch_age: Family<Kind, Number>,
    watch_restarts: Family<Kind, Gauge>,
    source_up: Family<Profile, Gauge>,
    series: Family<ProfileOf, Gauge>,
    query: Family<Profile, Histogram, Seconds>,
    leader: Gauge,
    lease: Number,
    status_writes: Family<Outcome, Counter>,
    waiting: Family<What, Gauge>,
    events: Family<Outcome, Counter>,
    log_failures: Gauge,
    panics: Counter,
}

/// Buckets of durations: 1 ms to 32 s, doubling.
#[derive(Clone, Copy, Debug)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(
            0.001, 2.0, 16,
        ))
    }
}

impl Metrics {
    /// All metrics at nothing. `by_namespace`: also count by namespace, which shows tenants' names.
    #[allow(clippy::too_many_lines)] // one line a metric, in the order of docs/metrics.md
    pub fn new(by_namespace: bool) -> Self {
        let mut registry = Registry::with_prefix("forewarm");
        let mut new = Self {
            registry: Arc::default(),
            by_namespace,
            tick: Seconds.new_metric(),
            last_tick: Number::default(),
            room: Family::new_with_constructor(Seconds),
            functions: Family::default(),
            unusable: Gauge::default(),
            decisions: Family::default(),
            outcomes: Family::default(),
            holds: Family::default(),
            anomalies: Family::default(),
            demand_untrusted: Family::default(),
            forecast_untrusted: Family::default(),
            forecast_demoted: Family::default(),
            above: Family::default(),
            above_by_namespace: Family::default(),
            watch_age: Family::default(),
            watch_restarts: Family::default(),
            source_up: Family::default(),
            series: Family::default(),
            query: Family::new_with_constructor(Seconds),
            leader: Gauge::default(),
            lease: Number::default(),
            status_writes: Family::default(),
            waiting: Family::default(),
            events: Family::default(),
            log_failures: Gauge::default(),
            panics: Counter::default(),
        };
        registry.register(
            "build",
            "Version of the operator",
            Info::new(Build { version: VERSION }),
        );
        registry.register("tick_duration_seconds", "Time one tick took", new.tick.clone());
        registry.register(
            "last_tick_timestamp_seconds",
            "When the last tick ended",
            new.last_tick.clone(),
        );
        registry.register(
            "room_duration_seconds",
            "Time one room took of a tick",
            new.room.clone(),
        );
        registry.register("functions", "Functions by mode and state", new.functions.clone());
        registry.register(
            "policies_unusable",
            "Policies that cannot be used",
            new.unusable.clone(),
        );
        registry.register("decisions", "Decisions, one a function and tick", new.decisions.clone());
        registry.register("outcomes", "Outcomes of steps", new.outcomes.clone());
        registry.register(
            "anomalies",
            "Functions of which something lies far outside its own band",
            new.anomalies.clone(),
        );
        registry.register("holds", "Functions held now, by guard rule", new.holds.clone());
        registry.register(
            "metrics_untrusted",
            "Functions whose demand is not known",
            new.demand_untrusted.clone(),
        );
        registry.register(
            "forecast_untrusted",
            "Functions whose forecast may not raise",
            new.forecast_untrusted.clone(),
        );
        registry.register(
            "forecast_demoted",
            "Functions for which a baseline answers in place of a better model",
            new.forecast_demoted.clone(),
        );
        registry.register(
            "pods_above_user_floor",
            "Pods held above the users' own floors",
            new.above.clone(),
        );
        registry.register(
            "namespace_pods_above_user_floor",
            "The same by namespace, Enforce only, behind a flag",
            new.above_by_namespace.clone(),
        );
        registry.register(
            "watch_age_seconds",
            "Time since a watch was last known alive",
            new.watch_age.clone(),
        );
        registry.register(
            "watch_restarts",
            "Lists made anew because a watch was in doubt",
            new.watch_restarts.clone(),
        );
        registry.register(
            "source_up",
            "Whether a profile's questions were answered",
            new.source_up.clone(),
        );
        registry.register("profile_series", "Series in a profile's answer", new.series.clone());
        registry.register(
            "query_duration_seconds",
            "Time a profile's query took",
            new.query.clone(),
        );
        registry.register(
            "tick_panics",
            "Panics caught, of a tick or of one function's model",
            new.panics.clone(),
        );
        registry.register("leader", "Whether this replica leads", new.leader.clone());
        registry.register("lease_remaining_seconds", "Rest of the lease's term", new.lease.clone());
        registry.register(
            "status_writes",
            "Status writes by what became of them",
            new.status_writes.clone(),
        );
        registry.register(
            "waiting",
            "Lines and statuses left for the next tick",
            new.waiting.clone(),
        );
        registry.register("events", "Kubernetes Events by what became of them", new.events.clone());
        registry.register(
            "log_failures",
            "Lines of the log that were not written",
            new.log_failures.clone(),
        );
        new.registry = Arc::new(registry);
        new
    }

    /// The exposition (`OpenMetrics` 1.0).
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing into memory does not fail");
        text
    }

    /// A tick ended at `wall` after `took`.
    pub fn ticked(&self, took: Duration, wall: Wall) {
        self.tick.observe(took.as_secs_f64());
        self.last_tick
            .set(Duration::from_millis(u64::try_from(wall.0).unwrap_or_default()).as_secs_f64());
    }

    /// A room took so long of a tick: `observe`, `forecast`, `decide`, `apply` or `record`.
    pub fn room(&self, room: &'static str, took: Duration) {
        self.room.get_or_create(&Room { room }).observe(took.as_secs_f64());
    }

    /// Whether this replica leads, and for how long yet.
    pub fn lease(&self, leads: bool, remaining: Duration) {
        self.leader.set(i64::from(leads));
        self.lease.set(remaining.as_secs_f64());
    }

    /// How long ago the watch of `kind` was last known to be alive (B2), and how often it was begun anew.
    pub fn watched(&self, kind: &'static str, age: Duration, restarts: u64) {
        self.watch_age.get_or_create(&Kind { kind }).set(age.as_secs_f64());
        self.watch_restarts
            .get_or_create(&Kind { kind })
            .set(i64::try_from(restarts).unwrap_or(i64::MAX));
    }

    /// How the questions of every profile in use went in this tick.
    pub fn queried(&self, profiles: &BTreeMap<String, ProfileState>) {
        self.source_up.clear();
        self.series.clear();
        for (profile, state) in profiles {
            let name = Profile {
                profile: profile.clone(),
            };
            self.query.get_or_create(&name).observe(state.took.as_secs_f64());
            self.source_up
                .get_or_create(&name)
                .set(i64::from(state.failed.is_none()));
            let known = state.series.saturating_sub(state.foreign);
            for (of, count) in [("functions", known), ("nobody", state.foreign)] {
                self.series
                    .get_or_create(&ProfileOf {
                        profile: profile.clone(),
                        of,
                    })
                    .set(whole(count));
            }
        }
    }

    /// An Event was `sent`, `refused`, `unanswered` or `dropped`.
    pub fn event(&self, outcome: &'static str) {
        self.events.get_or_create(&Outcome { outcome }).inc();
    }

    /// What one tick told. `failures`: lines of the log lost so far.
    pub fn told(&self, all: &[Told<'_>], unusable: usize, lines: &Lines, status: Written, failures: u64) {
        let sums = Sums::of(all, self.by_namespace);
        let Sums {
            by_namespace: _,
            functions,
            decisions,
            outcomes,
            holds,
            anomalies,
            metrics,
            untrusted,
            demoted,
            above,
            namespaces,
        } = sums;
        replace(&self.functions, functions);
        self.unusable.set(whole(unusable));
        add(&self.decisions, decisions);
        add(&self.outcomes, outcomes);
        replace(&self.holds, holds);
        replace(&self.anomalies, anomalies);
        replace(&self.demand_untrusted, metrics);
        replace(&self.forecast_untrusted, untrusted);
        replace(&self.forecast_demoted, demoted);
        replace(&self.above, above);
        replace(&self.above_by_namespace, namespaces);
        self.statuses(status);
        self.waiting
            .get_or_create(&What { what: "lines" })
            .set(whole(lines.waiting));
        self.log_failures.set(i64::try_from(failures).unwrap_or(i64::MAX));
    }

    /// So many panics were caught, of a tick or of one function's model: bugs (P1).
    pub fn panicked(&self, times: u32) {
        self.panics.inc_by(times.into());
    }

    /// This replica does not lead: what it told of the fleet while it did is no longer true.
    pub fn follows(&self) {
        self.functions.clear();
        self.unusable.set(0);
        self.holds.clear();
        self.anomalies.clear();
        self.above.clear();
        self.above_by_namespace.clear();
        for family in [&self.demand_untrusted, &self.forecast_untrusted, &self.forecast_demoted] {
            family.clear();
        }
    }

    fn statuses(&self, status: Written) {
        let Written {
            written,
            outdated,
            refused,
            unanswered,
            waiting,
        } = status;
        let counts = [
            ("written", written),
            ("outdated", outdated),
            ("refused", refused),
            ("unanswered", unanswered),
        ];
        for (outcome, count) in counts {
            self.status_writes.get_or_create(&Outcome { outcome }).inc_by(count);
        }
        self.waiting
            .get_or_create(&What { what: "statuses" })
            .set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

/// Sets the series to `now`; those that are not in it go.
fn replace<L>(family: &Family<L, Gauge>, now: impl IntoIterator<Item = (L, i64)>)
where
    L: Clone + std::hash::Hash + Eq,
{
    family.clear();
    for (label, count) in now {
        family.get_or_create(&label).set(count);
    }
}

fn add<L>(family: &Family<L, Counter>, counts: impl IntoIterator<Item = (L, i64)>)
where
    L: Clone + std::hash::Hash + Eq,
{
    for (label, count) in counts {
        family
            .get_or_create(&label)
            .inc_by(u64::try_from(count).unwrap_or_default());
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
