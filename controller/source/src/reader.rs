//! Profiles and members in, a reading of each function's demand out, once a tick. Here is I/O.
//!
//! All profiles are asked at once, each within the same deadline, so a bad one disturbs nobody else's functions.

use crate::ask::{Asked, Asker, Prepared};
use crate::client::Source;
use crate::error::SourceError;
use crate::membership::Membership;
use crate::report::{ProfileState, Readings};
use crate::service::ServedBy;
use crate::sources::Sources;
use crate::stale::Diagnosis;
use crate::track::Track;
use crate::trust::Context;
use forewarm_api::profile_parse::Profile;
use forewarm_core::beside::lay_beside;
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now};
use futures::future::join_all;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Reads the demand of all functions; keeps the samples of the last minute and what was last believed.
#[derive(Debug)]
pub struct DemandReader {
    sources: HashMap<String, Arc<Source>>,
    prepared: HashMap<String, Arc<Prepared>>,
    tracks: BTreeMap<FunctionKey, Track>,
    diagnoses: HashMap<String, Diagnosis>,
}

/// What each profile's questions came to, by the profiles' numbers.
type ByProfile = Vec<Result<Asked, SourceError>>;

impl DemandReader {
    /// A reader of these sources; nothing is asked yet.
    pub fn new(sources: &Sources) -> Self {
        let source =
            |config: &crate::sources::SourceConfig| (config.name.clone(), Arc::new(Source::new(config.clone())));
        Self {
            sources: sources.iter().map(source).collect(),
            prepared: HashMap::new(),
            tracks: BTreeMap::new(),
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
        self.prepare(profiles, members.profiles());
        let deadline = Instant::now() + within;
        let asked = members
            .profiles()
            .iter()
            .map(|name| self.ask_one(name, members, deadline));
        let asked = join_all(asked).await;
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
        self.prepare(profiles, members.profiles());
        let began = Instant::now();
        let take = |name: &Arc<str>| Ok(self.asker(name, members, began)?.take(bodies.get(&**name)));
        let asked = members.profiles().iter().map(take).collect();
        self.judge(&asked, members, now.mono)
    }

    /// What the answers say of every member.
    fn judge(&mut self, asked: &ByProfile, members: &Membership, now: Mono) -> Readings {
        debug_assert!(members.keys().is_sorted(), "members ascend by their keys");
        let mut tracks = std::mem::take(&mut self.tracks);
        lay_beside(&mut tracks, members.keys(), |_| Track::default());
        let judges: Vec<_> = asked
            .iter()
            .zip(members.profiles())
            .map(|(asked, name)| self.judge_of(name, asked, members, now))
            .collect();
        let demand = (0..)
            .zip(tracks.iter_mut())
            .map(|(member, (key, track))| judges[members.profile(member)].reading(member, key, track));
        let demand = demand.collect();
        self.tracks = tracks;
        let served = members
            .keys()
            .enumerate()
            .filter_map(|(member, key)| Some((key.clone(), self.served(member, asked, members)?)));
        let profiles = members.profiles().iter().zip(asked);
        Readings {
            demand,
            served: served.collect(),
            profiles: profiles
                .map(|(name, asked)| (name.to_string(), ProfileState::of(asked)))
                .collect(),
        }
    }

    /// How a member serves. `None`: its profile does not ask.
    fn served(&self, member: usize, asked: &ByProfile, members: &Membership) -> Option<ServedBy> {
        let number = members.profile(member);
        let service = asked.get(number)?.as_ref().ok()?.service.as_ref()?;
        let prepared = self.prepared.get(&*members.profiles()[number])?;
        Some(service.of(member, members, prepared.profile.join.by))
    }

    /// Judges the members of one profile.
    fn judge_of<'a>(
        &'a self,
        name: &str,
        asked: &'a Result<Asked, SourceError>,
        members: &'a Membership,
        now: Mono,
    ) -> Judge<'a> {
        match (asked, self.prepared.get(name)) {
            (Ok(asked), Some(prepared)) => Judge::Answered {
                asked,
                prepared,
                diagnosis: self.diagnoses.get(name),
                members,
                now,
            },
            (Err(error), _) => Judge::Failed(error.why()),
            (Ok(_), None) => Judge::Failed(Why::ProfileUnusable),
        }
    }

    /// Makes ready the queries of profiles that are new or changed, and forgets those no longer in use.
    fn prepare(&mut self, profiles: &BTreeMap<String, Profile>, in_use: &[Arc<str>]) {
        let used = |name: &str| in_use.iter().any(|used| **used == *name);
        self.prepared
            .retain(|name, kept| used(name) && profiles.get(name) == Some(&kept.profile));
        self.diagnoses.retain(|name, _| used(name));
        for name in in_use {
            if let Some(profile) = profiles.get(&**name)
                && !self.prepared.contains_key(&**name)
            {
                self.prepared
                    .insert(name.to_string(), Arc::new(Prepared::new(profile.clone())));
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
    async fn diagnose(&mut self, asked: &ByProfile, members: &Arc<Membership>, now: Mono, deadline: Instant) {
        let silent = silent(asked, members);
        let due = |(name, silent): &(&str, Vec<usize>)| {
            self.diagnoses
                .entry((*name).to_owned())
                .or_default()
                .is_due(silent, now, members)
        };
        let due: Vec<_> = silent.into_iter().filter(due).collect();
        let answers = due
            .iter()
            .map(|(name, _)| async { self.asker(name, members, deadline).ok()?.ask_stale_too().await.ok() });
        let answers = join_all(answers).await;
        for ((name, silent), answer) in due.into_iter().zip(answers) {
            if let Some(diagnosis) = self.diagnoses.get_mut(name) {
                diagnosis.note(&silent, now, answer.as_ref(), members);
            }
        }
    }
}

/// How the members of one profile are judged.
enum Judge<'a> {
    Answered {
        asked: &'a Asked,
        prepared: &'a Arc<Prepared>,
        diagnosis: Option<&'a Diagnosis>,
        members: &'a Membership,
        now: Mono,
    },
    Failed(Why),
}

impl Judge<'_> {
    fn reading(&self, member: usize, key: &FunctionKey, track: &mut Track) -> Reading<DemandSample> {
        let (asked, prepared, diagnosis, members, now) = match self {
            Self::Failed(why) => return Reading::Unknown(why.clone()),
            Self::Answered {
                asked,
                prepared,
                diagnosis,
                members,
                now,
            } => (*asked, *prepared, *diagnosis, *members, *now),
        };
        track.adopt(prepared);
        let context = Context {
            profile: &prepared.profile,
            members,
            up: &asked.up,
            age: asked.age.as_ref(),
            now,
        };
        match track.read(context, asked, member) {
            Reading::Unknown(Why::Absent) if diagnosis.is_some_and(|d| d.is_stale(key)) => {
                Reading::Unknown(Why::Stale {
                    age: track.age(prepared, now),
                })
            }
            other => other,
        }
    }
}

fn no_source(profile: &Profile) -> SourceError {
    let Profile { name, source, .. } = profile;
    SourceError::Unusable(format!(
        "profile {name} names source {source}, which the chart value sources does not have"
    ))
}

/// Profiles that were answered, each with those of its functions that have no series in the answer.
fn silent<'a>(asked: &ByProfile, members: &'a Membership) -> Vec<(&'a str, Vec<usize>)> {
    let answered = asked.iter().zip(members.profiles()).zip(0..);
    let count = |((asked, name), number): ((&Result<Asked, SourceError>, &'a Arc<str>), usize)| {
        let joined = asked.as_ref().ok()?.current.as_ref().ok()?;
        let silent = |m: &usize| members.profile(*m) == number && joined.tally(*m).series == 0;
        Some((&**name, (0..members.len()).filter(silent).collect()))
    };
    answered.filter_map(count).collect()
}
