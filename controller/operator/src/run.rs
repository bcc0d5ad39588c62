//! `forewarm run`: clients, stores, lease and the tick. Wiring only.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use forewarm_core::units::{Mono, Now, Seconds, Wall};
use forewarm_source::{DemandReader, Sources};
use futures::FutureExt;
use kube::Client;
use kube::client::ClientBuilder;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use ulid::Ulid;

use crate::admin::{Admin, Pulse, serve};
use crate::apply::{Apply, Gate, Limits, own_connection};
use crate::backfill::Backfill;
use crate::config::Run;
use crate::health::Health;
use crate::lease::{Elector, Leadership, Timing};
use crate::observe::heartbeat::Heartbeats;
use crate::observe::stores::Switched;
use crate::observe::{Observe, Stores};
use crate::record::Journal;
use crate::record::chain::Chain;
use crate::record::events::events;
use crate::record::human::LogFormat;
use crate::record::line::{SCHEMA, StartLine, VERSION, print};
use crate::record::metrics::Metrics;
use crate::record::room::Record;
use crate::record::status::StatusWriter;
use crate::remember::Remember;
use crate::switch::Switch;
use crate::target::{Kinds, Resource};
use crate::tick::{Rooms, TickReport, follow, tick};

/// A read that brings no byte for this long is over; a healthy watch is renewed every 55 s.
const READ_TIMEOUT: Duration = Duration::from_secs(65);
/// Changes of policies that come within this long make one tick.
const DEBOUNCE: Duration = Duration::from_secs(1);
/// Part of the tick that questions to Prometheus may take.
const QUESTIONS: f64 = 0.6;

/// The edge's clocks: read here and nowhere below.
#[derive(Clone, Copy, Debug)]
pub struct Clocks(Instant);

impl Clocks {
    /// Monotonic time starts at an hour, so that windows that reach back before the start have room.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Both clocks now.
    pub fn now(&self) -> Now {
        let mono = u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now {
            wall: wall(),
            mono: Mono(mono.saturating_add(3_600_000)),
        }
    }
}

/// The wall clock, in milliseconds since 1970 UTC.
pub fn wall() -> Wall {
    Wall(jiff::Timestamp::now().as_millisecond())
}

/// Runs until SIGTERM or SIGINT; a tick that has begun ends first, then the lease is given up.
pub async fn run(flags: Run) -> anyhow::Result<()> {
    let edge = Edge::new(&flags).await?;
    let Edge {
        config,
        journal,
        kinds,
        sources,
        identity,
    } = &edge;
    print(&**journal, &start(identity, &flags));
    let heartbeats = Heartbeats::default();
    let reading = reading_client(config.clone(), &heartbeats)?;
    let on = Switched {
        newborn_memory: flags.newborn_memory,
        node_sizes: flags.node_sizes,
    };
    let stores = Stores::watch(&reading, &heartbeats, kinds, on);
    let (elector, leadership) = Elector::new(
        own_connection(config.clone())?,
        &flags.namespace,
        &flags.lease_name,
        identity.clone(),
        Timing::default(),
        Arc::clone(journal),
    );
    let metrics = Metrics::new(flags.metrics_by_namespace);
    let (events, worker) = events(own_connection(config.clone())?, &flags.identity, metrics.clone());
    let rooms = Rooms {
        observe: Observe::new(stores.clone(), DemandReader::new(sources), kinds, true),
        backfill: Backfill::default(),
        remember: Remember::new(Seconds(flags.tick_seconds)),
        standing: std::collections::BTreeMap::new(),
        health: Health::new(
            minor(&own_connection(config.clone())?).await?,
            Seconds(flags.tick_seconds),
        ),
        apply: edge.apply(&flags, &leadership)?,
        record: Record::new(
            Arc::clone(journal),
            StatusWriter::new(own_connection(config.clone())?, leadership.term.clone()),
            events,
            metrics.clone(),
        ),
        within: flags.tick().mul_f64(QUESTIONS),
    };
    let pulse = Pulse::new(flags.tick());
    let synced = stores.clone();
    let ready = Arc::new(move || synced.synced());
    let listener = TcpListener::bind(flags.admin_listen)
        .await
        .context("listen at --admin-listen")?;
    let admin = Admin {
        pulse: pulse.clone(),
        ready,
        metrics: metrics.clone(),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let election = tokio::spawn(elector.run(async { stopped.await.unwrap_or(()) }));
    let ticker = Ticker {
        rooms,
        stores,
        leadership,
        every: flags.tick(),
        pulse,
        metrics,
    };
    tokio::select! {
        signal = ticker.run() => tracing::info!(signal, "Stopping."),
        () = worker.run() => {}
        served = serve(listener, admin) => served.context("serve probes and metrics")?,
    }
    // The last write has ended: only now may another replica begin.
    stop.send(()).ok();
    let given_up = election.await.context("give the lease up");
    journal.flush().printed().await;
    given_up
}

/// What is made of the flags before anything is asked.
struct Edge {
    config: kube::Config,
    journal: Arc<dyn Journal>,
    kinds: Arc<Kinds>,
    sources: Sources,
    identity: String,
}

impl Edge {
    async fn new(flags: &Run) -> anyhow::Result<Self> {
        let run_id = Ulid::new().to_string();
        let identity = format!("{}_{run_id}", flags.identity);
        Ok(Self {
            sources: sources(flags)?,
            kinds: Arc::new(Kinds::new(&listed(flags)?)),
            journal: Arc::new(journal(flags.log_format, run_id)?),
            config: kube::Config::infer().await.context("find the API server")?,
            identity,
        })
    }

    /// The room that writes, behind the switch and the lease.
    fn apply(&self, flags: &Run, leadership: &Leadership) -> anyhow::Result<Apply> {
        let connect = || own_connection(self.config.clone());
        let switch = Switch::new(connect()?, &flags.namespace, &flags.switch, Arc::clone(&self.journal));
        let (kinds, journal) = (Arc::clone(&self.kinds), Arc::clone(&self.journal));
        let gate = Gate::new(connect()?, kinds, Arc::new(switch), leadership.term.clone(), journal);
        let usual = Limits::default();
        let within = usual.within.min(flags.tick());
        Ok(Apply::new(
            gate,
            Limits {
                requests: flags.writes_per_tick,
                within,
                ..usual
            },
        ))
    }
}

/// Ticks: on time, when the lease is taken, and soon after a policy changed.
struct Ticker {
    rooms: Rooms,
    stores: Stores,
    leadership: Leadership,
    every: Duration,
    pulse: Pulse,
    metrics: Metrics,
}

impl Ticker {
    /// Ticks until a signal, whose name it returns; a signal waits for the end of the tick.
    async fn run(mut self) -> &'static str {
        let clocks = Clocks::start();
        let mut interval = tokio::time::interval(self.every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let signal = shutdown();
        tokio::pin!(signal);
        loop {
            tokio::select! {
                biased;
                name = &mut signal => return name,
                () = self.leadership.taken() => {}
                _ = interval.tick() => {}
                () = self.stores.policies.changed.notified() => tokio::time::sleep(DEBOUNCE).await,
            }
            self.pulse.beat();
            measure(&self.metrics, &self.stores, &self.leadership);
            if self.stores.synced() {
                self.one(&clocks).await;
            }
        }
    }

    /// One tick. A panic in it is a bug; it ends this tick, and the next one starts from what the policies' status
    /// remembers (P1).
    async fn one(&mut self, clocks: &Clocks) {
        let begun = Instant::now();
        let pass = async {
            if self.leadership.held() {
                let TickReport {
                    functions,
                    applied,
                    held,
                } = tick(&mut self.rooms, clocks.now()).await;
                tracing::info!(functions, applied, held, "Tick finished.");
            } else {
                follow(&mut self.rooms, clocks.now()).await;
            }
        };
        if AssertUnwindSafe(pass).catch_unwind().await.is_err() {
            self.rooms.standing.clear();
            self.rooms.health.forget();
            self.metrics.panicked(1);
        }
        self.metrics.ticked(begun.elapsed(), clocks.now().wall);
    }
}

/// What is known beside the ticks: the lease and the watches.
fn measure(metrics: &Metrics, stores: &Stores, leadership: &Leadership) {
    let left = leadership.term.borrow().left(tokio::time::Instant::now());
    metrics.lease(leadership.held(), left);
    let at = Instant::now();
    for health in stores.health() {
        if let Some(age) = health.age(at) {
            metrics.watched(health.kind(), age, health.restarts());
        }
    }
}

fn journal(format: LogFormat, run: String) -> anyhow::Result<Chain> {
    Chain::threaded(Box::new(std::io::stdout()), format, run, Box::new(wall)).context("start the decision log's thread")
}

fn start<'a>(holder: &'a str, flags: &Run) -> StartLine<'a> {
    StartLine {
        version: VERSION,
        schema: SCHEMA,
        holder,
        tick_seconds: flags.tick_seconds,
    }
}

async fn shutdown() -> &'static str {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("the process may install signal handlers");
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = tokio::signal::ctrl_c() => "SIGINT",
    }
}

/// Minor version of the API server; what it can do in place depends on it.
async fn minor(client: &Client) -> anyhow::Result<u32> {
    let version = client
        .apiserver_version()
        .await
        .context("read the API server's version")?;
    let digits: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .with_context(|| format!("read the API server's minor version {:?}", version.minor))
}

fn reading_client(mut config: kube::Config, heartbeats: &Heartbeats) -> anyhow::Result<Client> {
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(3));
    config.read_timeout = Some(READ_TIMEOUT);
    Ok(ClientBuilder::try_from(config)
        .context("make a client for the API server")?
        .with_layer(heartbeats)
        .build())
}

fn sources(flags: &Run) -> anyhow::Result<Sources> {
    let path = flags.sources.display();
    let text = std::fs::read_to_string(&flags.sources).with_context(|| format!("read --sources {path}"))?;
    Sources::from_yaml(&text).with_context(|| format!("parse --sources {path}"))
}

fn listed(flags: &Run) -> anyhow::Result<Vec<Resource>> {
    flags
        .scale_kinds
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| resource(text))
        .collect()
}

fn resource(text: &str) -> anyhow::Result<Resource> {
    let fix = || {
        format!(
            "--scale-kinds {text:?}: write group/version/Kind/plural, for example argoproj.io/v1alpha1/Rollout/rollouts"
        )
    };
    let [group, version, kind, plural] = text.split('/').collect::<Vec<_>>()[..] else {
        anyhow::bail!(fix())
    };
    Resource::new(group, version, kind, plural).with_context(fix)
}
