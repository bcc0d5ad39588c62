//! One read of the world's demand as the tick does it: 10,000 functions of five pods each, a gauge a pod, asked
//! of a real Prometheus with the shipped profile and joined.

use crate::figure::{cpu_millis, median, peak_mebibytes, print, start_counting_mebibytes};
use crate::prometheus::Prometheus;
use anyhow::{Context as _, ensure};
use forewarm_api::profile_parse::{Profile, parse_profile};
use forewarm_core::observation::Reading;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now, Wall};
use forewarm_source::{DemandReader, Member, MemberPod, Membership, Readings, Sources};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FUNCTIONS: usize = 10_000;
const PODS: usize = 5;
const NAMESPACES: usize = 100;
const READS: u64 = 21;
const WITHIN: Duration = Duration::from_secs(30);

/// Prints `read.50000.ms`, the median of a whole read, the source's own work included; `read.50000.cpu`, our part of
/// it (and the serving of the page that is scraped); `read.50000.mib`, the most memory that reads add.
pub(crate) fn run() -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok()
        .context("a provider is there already")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let prometheus = Prometheus::scraping(page())?;
    let sources = Sources::from_yaml(&format!("sources: [{{name: default, url: '{}'}}]", prometheus.url))?;
    let mut reader = DemandReader::new(&sources);
    let profiles = BTreeMap::from([("http-inflight".to_owned(), shipped()?)]);
    let members = Arc::new(Membership::new((0..FUNCTIONS).map(member)));
    let before = start_counting_mebibytes()?;
    until_scraped(&mut reader, &profiles, &members).await?;
    let (mut whole, mut bytes) = (Vec::new(), 0);
    let cpu_before = cpu_millis()?;
    for read in 0..READS {
        let began = Instant::now();
        let readings = reader.read(&profiles, &members, at(1000 + read), WITHIN).await;
        whole.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(
            known(&readings) == FUNCTIONS,
            "not every function was read: {:?}",
            readings.profiles
        );
        bytes = readings.profiles.values().map(|p| p.bytes).sum();
    }
    print("read.50000.ms", median(whole), "ms");
    #[allow(clippy::cast_precision_loss)]
    let (reads, mebibytes) = (READS as f64, bytes as f64 / (1024.0 * 1024.0));
    print("read.50000.cpu", (cpu_millis()? - cpu_before) / reads, "ms");
    print("read.50000.mib", peak_mebibytes()? - before, "MiB");
    print("read.50000.answer", mebibytes, "MiB");
    Ok(())
}

async fn until_scraped(
    reader: &mut DemandReader,
    profiles: &BTreeMap<String, Profile>,
    members: &Arc<Membership>,
) -> anyhow::Result<()> {
    let mut pause = tokio::time::interval(Duration::from_millis(500));
    for second in 0..240 {
        pause.tick().await;
        if known(&reader.read(profiles, members, at(second), WITHIN).await) == FUNCTIONS {
            return Ok(());
        }
    }
    anyhow::bail!("Prometheus has not scraped within two minutes")
}

fn known(readings: &Readings) -> usize {
    readings
        .demand
        .values()
        .filter(|reading| matches!(reading, Reading::Known(_)))
        .count()
}

fn at(second: u64) -> Now {
    Now {
        wall: Wall(0),
        mono: Mono((1_000_000 + second) * 1000),
    }
}

fn shipped() -> anyhow::Result<Profile> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/forewarm/profiles/http-inflight.yaml");
    let object = serde_saphyr::from_str(&std::fs::read_to_string(file)?).context("not a profile")?;
    parse_profile(&object).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

fn key(function: usize) -> FunctionKey {
    FunctionKey {
        namespace: format!("team-{}", function % NAMESPACES),
        name: format!("function-{function}"),
    }
}

fn pod(function: usize, pod: usize) -> String {
    format!("function-{function}-7c9f8b6d4-x{pod}4zb")
}

fn member(function: usize) -> Member {
    let ready = |number| MemberPod {
        name: pod(function, number),
        ready_since: Some(Mono(0)),
    };
    Member {
        key: key(function),
        profile: "http-inflight".to_owned(),
        kind: "Deployment".to_owned(),
        workload: key(function).name,
        revisions: vec![],
        pods: (0..PODS).map(ready).collect(),
    }
}

fn page() -> String {
    let mut page = String::new();
    for function in 0..FUNCTIONS {
        let namespace = key(function).namespace;
        for number in 0..PODS {
            let pod = pod(function, number);
            writeln!(
                page,
                "inflight_requests{{namespace=\"{namespace}\",pod=\"{pod}\"}} {number}"
            )
            .expect("memory");
        }
    }
    page
}
