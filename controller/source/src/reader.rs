//! Profiles and members in, a reading of each function's demand out, once a tick. Here is I/O.
//!
//! All profiles are asked at once, each within the same deadline, so a bad one disturbs nobody else's functions.

use crate::ask::{Asked, Asker, Prepared};
use crate::client::Source;
use crate::error::SourceError;
use crate::membership::Membership;
use crate::report::{ProfileState, Readings};
use crate::sources::Sources;
use crate::stale::Diagnosis;
use crate::track::Track;
use crate::trust::Context;
use forewarm_api::profile_parse::Profile;
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Reads the demand of all functions; keeps the samples of the last minute and what was last believed.
#[derive(Debug)]
pub struct DemandReader {
    sources: HashMap<String, Arc<Source>>,
    prepared: HashMap<String, Arc<Prepared>>,
    tracks: HashMap<FunctionKey, Track>,
    diagnoses: HashMap<String, Diagnosis>,
}

/// What each profile's questions came to.
type ByProfile<'a> = HashMap<&'a str, Result<Asked, SourceError>>;

impl DemandReader {
    /// A reader of these sources; nothing is asked yet.
    pub fn new(sources: &Sources) -> Self {
        let source =
            |config: &crate::sources::SourceConfig| (config.name.clone(), Arc::new(Source::new(config.clone())));
        Self {
            sources: sources.iter().map(source).collect(),
            prepared: HashMap::new(),
            tracks: HashMap::new(),
            diagnoses: HashMap::new(),
        }
    }

    /// The source of that name, for backfill.
    pub fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.sources.get(name).cloned()
    }

    /// Reads the demand of every member, within `within` (shorter than the tick).
    ///
    /// `profiles`: those that could be parsed, by name; members of any other get `ProfileUnusable`. Every member
    /// has an entry in the result.
    pub async fn read(
        &mut self,
        profiles: &BTreeMap<String, Profile>,
        members: &Arc<Membership>,
        now: Now,
        within: Duration,
    ) -> Readings {
        let in_use = in_use(members);
        self.prepare(profiles, &in_use);
        let deadline = Instant::now() + within;
        let answers = join_all(in_use.iter().map(|name| self.ask_one(name, members, deadline))).await;
        let asked = in_use.iter().copied().zip(answers).collect();
        self.diagnose(&asked, members, now.mono, deadline).await;
        self.judge(&asked, members, now.mono)
    }

    /// As [`Self::read`], from the bodies of answers to each profile's `query`, by the profile's name. Nothing is
    /// asked, so a `peakQuery` or an `upQuery` has no answer; a profile without a body counts as not reached.
    pub fn read_bodies(
        &mut self,
        profiles: &BTreeMap<String, Profile>,
        members: &Arc<Membership>,
        now: Now,
        bodies: &BTreeMap<String, Vec<u8>>,
    ) -> Readings {
        let in_use = in_use(members);
        self.prepare(profiles, &in_use);
        let began = Instant::now();
        let take = |name: &&str| Ok(self.asker(name, members, began)?.take(bodies.get(*name)));
        let asked = in_use.iter().map(|name| (*name, take(name))).collect();
        self.judge(&asked, members, now.mono)
    }

    /// What the answers say of every member.
    fn judge(&mut self, asked: &ByProfile<'_>, members: &Membership, now: Mono) -> Readings {
        let demand: BTreeMap<_, _> = (0..members.len())
            .map(|member| (members.key(member).clone(), self.reading(asked, members, member, now)))
            .collect();
        self.tracks.retain(|key, _| demand.contains_key(key));
        let profiles = asked
            .iter()
            .map(|(name, asked)| ((*name).to_owned(), ProfileState::of(asked)));
        Readings {
            demand,
            profiles: profiles.collect(),
        }
    }

    /// Makes ready the queries of profiles that are new or changed, and forgets those no longer in use.
    fn prepare(&mut self, profiles: &BTreeMap<String, Profile>, in_use: &BTreeSet<&str>) {
        self.prepared
            .retain(|name, kept| in_use.contains(name.as_str()) && profiles.get(name) == Some(&kept.profile));
        self.diagnoses.retain(|name, _| in_use.contains(name.as_str()));
        for name in in_use {
            if let Some(profile) = profiles.get(*name)
                && !self.prepared.contains_key(*name)
            {
                self.prepared
                    .insert((*name).to_owned(), Arc::new(Prepared::new(profile.clone())));
            }
        }
    }

    async fn ask_one(&self, name: &str, members: &Arc<Membership>, deadline: Instant) -> Result<Asked, SourceError> {
        Ok(self.asker(name, members, deadline)?.ask().await)
    }

    fn asker(&self, name: &str, members: &Arc<Membership>, deadline: Instant) -> Result<Asker, SourceError> {
        let Some(prepared) = self.prepared.get(name).cloned() else {
            return Err(SourceError::Unusable(format!(
                "there is no usable demand profile {name}"
            )));
        };
        let Some(source) = self.sources.get(&prepared.profile.source).cloned() else {
            return Err(no_source(&prepared.profile));
        };
        Ok(Asker {
            source,
            prepared,
            members: members.clone(),
            deadline,
        })
    }

    /// Where functions are without a series, finds out which of them have a stale one; see [`crate::stale`].
    async fn diagnose(&mut self, judged: &ByProfile<'_>, members: &Arc<Membership>, now: Mono, deadline: Instant) {
        let silent = silent(judged, members);
        let due = |(name, silent): &(&str, usize)| {
            self.diagnoses
                .entry((*name).to_owned())
                .or_default()
                .is_due(*silent, now)
        };
        let due: Vec<_> = silent.into_iter().filter(due).collect();
        let answers = due
            .iter()
            .map(|(name, _)| async { self.asker(name, members, deadline).ok()?.ask_stale_too().await.ok() });
        let answers = join_all(answers).await;
        for ((name, silent), answer) in due.into_iter().zip(answers) {
            if let Some(diagnosis) = self.diagnoses.get_mut(name) {
                diagnosis.note(silent, now, answer.as_ref(), members);
            }
        }
    }

    fn reading(
        &mut self,
        judged: &ByProfile<'_>,
        members: &Membership,
        member: usize,
        now: Mono,
    ) -> Reading<DemandSample> {
        let (name, key) = (members.profile(member), members.key(member));
        let (asked, prepared) = match (judged.get(name), self.prepared.get(name)) {
            (Some(Ok(asked)), Some(prepared)) => (asked, prepared),
            (Some(Err(error)), _) => return Reading::Unknown(error.why()),
            _ => return Reading::Unknown(Why::ProfileUnusable),
        };
        let track = self.tracks.entry(key.clone()).or_insert_with(|| Track::new(prepared));
        track.adopt(prepared);
        let context = Context {
            profile: &prepared.profile,
            members,
            up: &asked.up,
            now,
        };
        let reading = track.read(context, asked, member);
        let stale = self.diagnoses.get(name).is_some_and(|d| d.is_stale(key));
        match reading {
            Reading::Unknown(Why::Absent) if stale => Reading::Unknown(Why::Stale {
                age: track.age(prepared, now),
            }),
            other => other,
        }
    }
}

/// Profiles that any member uses.
fn in_use(members: &Membership) -> BTreeSet<&str> {
    (0..members.len()).map(|member| members.profile(member)).collect()
}

fn no_source(profile: &Profile) -> SourceError {
    let Profile { name, source, .. } = profile;
    SourceError::Unusable(format!(
        "profile {name} names source {source}, which the chart value sources does not have"
    ))
}

/// Profiles that were answered, each with how many of its functions have no series in the answer.
fn silent<'a>(judged: &ByProfile<'a>, members: &Membership) -> Vec<(&'a str, usize)> {
    let answered = judged.iter().filter_map(|(name, asked)| match asked {
        Ok(Asked {
            current: Ok(joined), ..
        }) => Some((*name, joined)),
        _ => None,
    });
    let count = |(name, joined): (&'a str, &crate::join::Joined)| {
        let silent = |m: &usize| members.profile(*m) == name && joined.tally(*m).series == 0;
        (name, (0..members.len()).filter(silent).count())
    };
    answered.map(count).collect()
}
