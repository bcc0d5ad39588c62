//! Demand of the whole fleet read from a real Prometheus and joined, by the reader that the operator has and with
//! the chart's default profile. Here is I/O.

use crate::fleet::{self, Fleet};
use crate::prometheus::Prometheus;
use crate::{figure, spent};
use anyhow::{Context as _, ensure};
use forewarm_api::{DemandProfile, Profile, parse_profile};
use forewarm_core::units::{Mono, Now, Wall};
use forewarm_source::{DemandReader, Member, MemberPod, Membership, Readings, Sources};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The profile that policies use which name none.
const DEFAULT_PROFILE: &str = include_str!("../../../charts/forewarm/profiles/http-inflight.yaml");
/// Reads measured.
const READS: u32 = 20;
/// Longest wait for the first scrape.
const PATIENCE: Duration = Duration::from_mins(2);
/// Time a read may take: as much as in the operator, at a tick of 15 s.
const WITHIN: Duration = Duration::from_secs(9);

/// What is read, and by whom.
struct Reading {
    reader: DemandReader,
    profiles: BTreeMap<String, Profile>,
    members: Arc<Membership>,
}

/// Prints the figures of `fleet`.
pub(crate) async fn bench(binary: &Path, fleet: Fleet) -> anyhow::Result<()> {
    let mut prometheus = Prometheus::start(binary, fleet)?;
    let mut reading = Reading::of(&prometheus.url(), fleet)?;
    let before = spent::resident();
    spent::forget_peak()?;
    reading.until_complete(&mut prometheus, fleet).await?;
    let (mut walls, start) = (Vec::new(), spent::processor());
    for _ in 0..READS {
        let began = Instant::now();
        let readings = reading.read().await?;
        walls.push(began.elapsed());
        ensure!(known(&readings) == fleet.functions, "{:?}", readings.profiles);
    }
    let processor = spent::processor().saturating_sub(start) / READS;
    let growth = spent::peak().saturating_sub(before);
    let name = |part: &str| format!("read.{}.{part}", fleet.series());
    figure::millis(&name("ms"), median(walls));
    figure::millis(&name("processor.ms"), processor);
    figure::millis(&name("answer.ms"), reading.answer().await?);
    figure::mebibytes(&name("mib"), growth);
    Ok(())
}

impl Reading {
    fn of(url: &str, fleet: Fleet) -> anyhow::Result<Self> {
        let object: DemandProfile =
            serde_saphyr::from_str(DEFAULT_PROFILE).context("read the chart's default profile")?;
        let profile = parse_profile(&object).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let members = fleet.all().map(|function| member(function, &profile.name, fleet));
        Ok(Self {
            reader: DemandReader::new(&Sources::from_yaml(&format!(
                "sources: [{{name: default, url: '{url}'}}]"
            ))?),
            members: Arc::new(Membership::new(members)),
            profiles: BTreeMap::from([(profile.name.clone(), profile)]),
        })
    }

    async fn read(&mut self) -> anyhow::Result<Readings> {
        let now = now()?;
        Ok(self.reader.read(&self.profiles, &self.members, now, WITHIN).await)
    }

    /// Reads until every function's demand is known.
    async fn until_complete(&mut self, prometheus: &mut Prometheus, fleet: Fleet) -> anyhow::Result<()> {
        let (began, mut pause) = (Instant::now(), tokio::time::interval(Duration::from_millis(500)));
        loop {
            pause.tick().await;
            prometheus.alive()?;
            let readings = self.read().await?;
            if known(&readings) == fleet.functions {
                eprintln!("all series are there: {:?}", readings.profiles);
                return Ok(());
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "no answer is complete: {:?}",
                readings.profiles
            );
        }
    }

    /// How long the answer itself takes, not joined: the part that is Prometheus's and the network's.
    async fn answer(&self) -> anyhow::Result<Duration> {
        let source = self
            .reader
            .source("default")
            .context("the source is configured above")?;
        let profile = self.profiles.values().next().context("the profile is put in above")?;
        let mut walls = Vec::new();
        for _ in 0..READS {
            let query = forewarm_source::fresh::fresh(profile.query.as_str(), profile.stale_after(), true);
            let query = query.map_err(|problem| anyhow::anyhow!(problem))?;
            let began = Instant::now();
            source.instant(&query, WITHIN).await?;
            walls.push(began.elapsed());
        }
        Ok(median(walls))
    }
}

/// A function whose pods have been ready since the epoch.
fn member(function: u32, profile: &str, fleet: Fleet) -> Member {
    let pod = |number| MemberPod {
        name: fleet::pod(function, number).into(),
        ready_since: Some(Mono(0)),
    };
    Member {
        key: fleet::key(function),
        profile: profile.into(),
        kind: "Deployment".into(),
        workload: fleet::name(function).into(),
        revisions: Vec::new(),
        pods: (0..fleet.pods).map(pod).collect(),
    }
}

fn known(readings: &Readings) -> u32 {
    let known = readings.demand.iter().filter(|reading| reading.known().is_some());
    u32::try_from(known.count()).unwrap_or(u32::MAX)
}

/// Monotonic time as old as the era: every pod is grown up.
fn now() -> anyhow::Result<Now> {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(Now {
        wall: Wall(i64::try_from(millis)?),
        mono: Mono(u64::try_from(millis)?),
    })
}

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
