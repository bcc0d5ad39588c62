//! The profile that functions with one wish use: the profiles in, what a look needs of one out. No I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use forewarm_api::problem::sentence;
use forewarm_api::profile_parse::Demanded;
use forewarm_api::{IS_DEFAULT, Profile};
use forewarm_core::units::Seconds;

use super::policies::Profiles;

/// Profiles by what functions name; `None`: those that name none.
pub(super) type ByWish = BTreeMap<Option<Arc<str>>, Arc<InUse>>;

/// The profile that functions with one wish use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InUse {
    /// Its name. `None`: there is none.
    pub(super) name: Option<Arc<str>>,
    /// Time between two samples.
    pub(super) scrape: Seconds,
    /// It counts items that wait.
    pub(super) backlog: bool,
    /// What is wrong with it.
    pub(super) bad: Option<String>,
}

impl InUse {
    /// Of the functions that name `wish`; `None`: that name none. A usable profile is noted in `profiles`.
    pub(super) fn of(all: &Profiles, wish: Option<&str>, profiles: &mut BTreeMap<String, Profile>) -> Self {
        let Some((name, seen)) = all.find(wish) else {
            return Self {
                name: None,
                scrape: Seconds(0),
                backlog: false,
                bad: Some(no_profile(wish)),
            };
        };
        let (scrape, backlog, bad) = match &seen.parsed {
            Ok(parsed) => {
                profiles.insert(name.to_string(), Profile::clone(parsed));
                let backlog = matches!(parsed.unit, Demanded::Backlog { .. });
                (parsed.scrape, backlog, None)
            }
            Err(problems) => (
                Seconds(0),
                false,
                Some(format!("DemandProfile {name}: {}", sentence(problems))),
            ),
        };
        Self {
            name: Some(name),
            scrape,
            backlog,
            bad,
        }
    }

    /// The one of before where it is the same: whoever was made of it still stands.
    pub(super) fn or_before(self, before: Option<&Arc<Self>>) -> Arc<Self> {
        match before.filter(|before| ***before == self) {
            Some(before) => Arc::clone(before),
            None => Arc::new(self),
        }
    }
}

/// What to tell a policy that `named` a profile which is not there, or none while there is no default.
fn no_profile(named: Option<&str>) -> String {
    match named {
        Some(name) => format!(
            "spec.demand.profile is {name}: no such DemandProfile exists, name one that `kubectl get demandprofiles` lists"
        ),
        None => format!(
            "spec.demand.profile is absent and no DemandProfile is the default: name one, or annotate one with {IS_DEFAULT}: \"true\""
        ),
    }
}
