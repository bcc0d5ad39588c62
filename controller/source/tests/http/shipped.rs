//! The profiles that the chart ships can be used; what they answer is tried on a real Prometheus.

use forewarm_api::DemandProfile;
use forewarm_api::profile_parse::{Profile, parse_profile};
use forewarm_core::units::Seconds;
use forewarm_source::fresh::fresh;
use std::path::Path;

fn shipped() -> Vec<Profile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/forewarm/profiles");
    let files = std::fs::read_dir(folder).expect("the chart has profiles");
    let parse = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        let object: DemandProfile = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let profile = parse_profile(&object).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
        assert_eq!(
            path.file_stem().and_then(|s| s.to_str()),
            Some(profile.name.as_str()),
            "file and name"
        );
        profile
    };
    files.map(parse).collect()
}

#[test]
fn every_shipped_profile_is_usable_and_can_be_restricted_to_fresh_samples() {
    let profiles = shipped();
    assert_eq!(profiles.len(), 7);
    for profile in &profiles {
        fresh(profile.query.as_str(), profile.stale_after(), true).unwrap_or_else(|e| panic!("{}: {e}", profile.name));
        if let Some(up) = &profile.up {
            fresh(up.as_str(), Seconds(45), false).unwrap_or_else(|e| panic!("{}: {e}", profile.name));
        }
    }
    assert_eq!(
        profiles.iter().filter(|p| p.is_default).count(),
        1,
        "one of them is the default"
    );
}
