//! Two functions of namespace `payments`: `fraud`, a Deployment with two pods, and `ledger`, a StatefulSet with one.

use forewarm_api::DemandProfile;
use forewarm_api::profile_parse::{Profile, parse_profile};
use forewarm_core::observation::{DemandSample, Reading};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now, Wall};
use forewarm_source::{DemandReader, Member, MemberPod, Membership, Readings, Sources};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const FRAUD: [&str; 2] = ["fraud-7c9f8b6d4-x2x4z", "fraud-7c9f8b6d4-bbbbb"];
pub(crate) const LEDGER: [&str; 1] = ["ledger-0"];

pub(crate) fn key(name: &str) -> FunctionKey {
    FunctionKey {
        namespace: "payments".into(),
        name: name.into(),
    }
}

fn member(profile: &str, kind: &str, name: &str, pods: &[&str]) -> Member {
    let pod = |pod: &&str| MemberPod {
        name: (*pod).into(),
        ready_since: Some(Mono(0)),
    };
    Member {
        key: key(name),
        profile: profile.into(),
        kind: kind.into(),
        workload: name.into(),
        revisions: vec![],
        pods: pods.iter().map(pod).collect(),
    }
}

pub(crate) fn members(profile: &str) -> Arc<Membership> {
    let fraud = member(profile, "Deployment", "fraud", &FRAUD);
    Arc::new(Membership::new([
        fraud,
        member(profile, "StatefulSet", "ledger", &LEDGER),
    ]))
}

/// A profile that the chart ships.
pub(crate) fn shipped(name: &str) -> Profile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/forewarm/profiles");
    profile(&std::fs::read_to_string(folder.join(format!("{name}.yaml"))).expect("the chart has it"))
}

pub(crate) fn profile(yaml: &str) -> Profile {
    let object: DemandProfile = serde_saphyr::from_str(yaml).expect("a profile");
    parse_profile(&object).expect("a usable profile")
}

pub(crate) fn reader(url: &str) -> DemandReader {
    DemandReader::new(&Sources::from_yaml(&format!("sources: [{{name: default, url: '{url}'}}]")).expect("usable"))
}

/// Seconds since 1970 UTC.
pub(crate) fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("this era")
}

pub(crate) fn now() -> Now {
    // The process is as old as the era: every pod has long been ready.
    let mono = u64::try_from(clock()).expect("after 1970") * 1000;
    Now {
        wall: Wall(clock() * 1000),
        mono: Mono(mono),
    }
}

pub(crate) async fn read(reader: &mut DemandReader, profile: &Profile) -> Readings {
    let profiles = BTreeMap::from([(profile.name.clone(), profile.clone())]);
    reader
        .read(&profiles, &members(&profile.name), now(), Duration::from_secs(10))
        .await
}

/// Current and peak of one function, or the reason why not.
pub(crate) fn demand(readings: &Readings, name: &str) -> Result<(f64, f64), String> {
    // As the members lie.
    let place = ["fraud", "ledger"].iter().position(|known| *known == name);
    match &readings.demand[place.expect("a function of this world")] {
        Reading::Known(DemandSample { current, peak, .. }) => Ok((current.get(), peak.get())),
        Reading::Unknown(why) => Err(format!("{why:?} {:?}", readings.profiles)),
    }
}
