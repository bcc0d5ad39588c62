//! The rooms of the operator, wired as `forewarm run` wires them but for the ends: no watches, no lease, no network.

use super::TICK;
use super::api_server::ApiServer;
use super::objects;
use crate::fleet::{self, Fleet};
use forewarm_core::units::Now;
use forewarm_operator::apply::{Apply, Gate, Limits};
use forewarm_operator::backfill::Backfill;
use forewarm_operator::health::Health;
use forewarm_operator::lease::Term;
use forewarm_operator::observe::watch::{Read, Shelf};
use forewarm_operator::observe::{Observe, Stores};
use forewarm_operator::record::Journal;
use forewarm_operator::record::chain::Chain;
use forewarm_operator::record::events::events;
use forewarm_operator::record::human::LogFormat;
use forewarm_operator::record::metrics::Metrics;
use forewarm_operator::record::room::Record;
use forewarm_operator::record::status::StatusWriter;
use forewarm_operator::remember::Remember;
use forewarm_operator::switch::Switch;
use forewarm_operator::target::Kinds;
use forewarm_operator::tick::Rooms;
use forewarm_source::{DemandReader, Sources};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Name of the demand profile in use.
pub(crate) const PROFILE: &str = "http-inflight";

/// The source that its queries would go to; nobody listens there, and nobody asks.
const SOURCES: &str = "sources: [{name: default, url: 'http://127.0.0.1:9'}]";

/// All of it.
pub(crate) struct House {
    pub(crate) fleet: Fleet,
    pub(crate) rooms: Rooms,
    pub(crate) api: ApiServer,
    pub(crate) lines: Lines,
}

impl House {
    /// The rooms, with the fleet's objects on the shelves.
    pub(crate) fn build(fleet: Fleet, now: Now) -> anyhow::Result<Self> {
        let kinds = Arc::new(Kinds::new(&[]));
        let stores = Stores::unwatched(&kinds);
        fill(&stores, fleet)?;
        let (api, lines) = (ApiServer::new(stores.clone()), Lines::default());
        let rooms = rooms(fleet, &kinds, stores, &api, lines.clone(), now)?;
        Ok(Self {
            fleet,
            rooms,
            api,
            lines,
        })
    }
}

impl House {
    /// Time that each room has taken so far, as `/metrics` tells it.
    pub(crate) fn times(&self) -> BTreeMap<String, Duration> {
        let text = self.rooms.record.metrics().text();
        let sum = |line: &str| {
            let (room, seconds) = line
                .strip_prefix("forewarm_room_duration_seconds_sum{room=\"")?
                .split_once("\"} ")?;
            Some((
                room.to_owned(),
                Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?,
            ))
        };
        text.lines().filter_map(sum).collect()
    }
}

/// Puts the objects where the watches would.
fn fill(stores: &Stores, fleet: Fleet) -> anyhow::Result<()> {
    let policies = fleet
        .all()
        .map(|function| objects::policy(&fleet::key(function), objects::VERSION, &Value::Null).map(Read::Good));
    stores.policies.replace(policies.collect::<Result<_, _>>()?);
    stores.profiles.replace(vec![Read::Good(objects::profile()?)]);
    for shelf in stores
        .workloads
        .iter()
        .filter(|shelf| shelf.resource().kind == "Deployment")
    {
        let deployments = fleet
            .all()
            .map(|function| objects::deployment(function, fleet).map(Read::Good));
        shelf.replace(deployments.collect::<Result<_, _>>()?);
    }
    let of = |function| (0..fleet.pods).map(move |number| objects::pod(function, number).map(Read::Good));
    stores.pods.replace(fleet.all().flat_map(of).collect::<Result<_, _>>()?);
    Ok(())
}

fn rooms(
    fleet: Fleet,
    kinds: &Arc<Kinds>,
    stores: Stores,
    api: &ApiServer,
    lines: Lines,
    now: Now,
) -> anyhow::Result<Rooms> {
    let wall = now.wall;
    let journal: Arc<dyn Journal> = Arc::new(Chain::new(
        Box::new(lines),
        LogFormat::Json,
        "01BENCH".to_owned(),
        Box::new(move || wall),
    ));
    let switch = Switch::new(api.client(), "forewarm", "forewarm-switch", Arc::clone(&journal));
    let (_, term) = watch::channel(Term {
        epoch: 1,
        valid_until: Some(Instant::now() + Duration::from_hours(24)),
    });
    let gate = Gate::new(
        api.client(),
        Arc::clone(kinds),
        Arc::new(switch),
        term.clone(),
        Arc::clone(&journal),
    );
    let metrics = Metrics::new(false);
    let (events, worker) = events(api.client(), "bench", metrics.clone());
    tokio::spawn(worker.run());
    Ok(Rooms {
        observe: Observe::new(stores, DemandReader::new(&Sources::from_yaml(SOURCES)?), kinds, false),
        backfill: Backfill::knowing(fleet.all().map(fleet::key)),
        remember: Remember::new(TICK),
        standing: BTreeMap::new(),
        health: Health::new(37, TICK),
        apply: Apply::new(gate, Limits::default()),
        record: Record::new(journal, StatusWriter::new(api.client(), term), events, metrics),
        within: Duration::from_secs(9),
    })
}

/// Standard output's place: counts the lines of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<AtomicU64>);

impl Lines {
    /// Lines so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The chain hands over whole lines.
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
