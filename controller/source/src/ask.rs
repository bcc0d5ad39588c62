//! One profile's questions of one tick: sent together, each answer joined off the async workers. Here is I/O.

use crate::answer::Answer;
use crate::client::Source;
use crate::error::SourceError;
use crate::fresh::fresh;
use crate::join::Joined;
use crate::lint::no_invented_number;
use crate::membership::Membership;
use crate::service::ServiceAsked;
use crate::trust::Up;
use forewarm_api::profile::JoinBy;
use forewarm_api::profile_parse::{Absent, Profile, Query};
use forewarm_core::units::Seconds;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A profile with its queries made ready.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) profile: Profile,
    /// The query, restricted to fresh samples.
    fresh: Result<String, SourceError>,
    /// The query for whether the source is up. `None`: it need not be asked.
    up: Option<Result<String, SourceError>>,
    /// The query for the age of a backlog, restricted to fresh samples. `None`: the profile has none.
    age: Option<Result<String, SourceError>>,
    /// The queries for how calls are served, restricted to fresh samples. `None`: the profile has none.
    service: Option<ServiceQueries>,
}

/// The queries for how calls are served.
#[derive(Debug)]
struct ServiceQueries {
    requests: Result<String, SourceError>,
    errors: Option<Result<String, SourceError>>,
    latency: Option<Result<String, SourceError>>,
}

/// One answer, joined, or why there is none.
pub(crate) type Joins = Result<Joined, SourceError>;

/// What a profile's questions of one tick came to.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) current: Joins,
    /// `None`: the profile has no such query.
    pub(crate) peak: Option<Joins>,
    /// `None`: the profile does not ask for it.
    pub(crate) age: Option<Joins>,
    /// `None`: the profile does not ask.
    pub(crate) service: Option<ServiceAsked>,
    pub(crate) up: Up,
    pub(crate) up_error: Option<SourceError>,
    /// Bytes of the answers.
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
}

/// What all of one profile's questions share.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) source: Arc<Source>,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) members: Arc<Membership>,
    pub(crate) deadline: Instant,
}

impl Prepared {
    pub(crate) fn new(profile: Profile) -> Self {
        let (limit, scrape) = (profile.stale_after(), profile.scrape);
        let unusable = |field: &str, text: String| {
            SourceError::Unusable(format!("spec.{field} of profile {}: {text}", profile.name))
        };
        let measured = |query: &str| no_invented_number(query).and_then(|()| fresh(query, limit, true));
        let fresh_query = measured(profile.query.as_str()).map_err(|text| unusable("query", text));
        let age = profile.age.as_ref();
        let age = age.map(|age| measured(age.as_str()).map_err(|text| unusable("ageQuery", text)));
        let part = |field: &str, query: &Query| measured(query.as_str()).map_err(|text| unusable(field, text));
        let service = profile.service.as_ref().map(|service| ServiceQueries {
            requests: part("requestQuery", &service.requests),
            errors: service.errors.as_ref().map(|query| part("errorQuery", query)),
            latency: service.latency.as_ref().map(|query| part("latencyQuery", query)),
        });
        // A scrape less than for the demand: what says "up" must never outlive the samples it vouches for, or
        // silence would read as zero.
        let up = asks_up(&profile)
            .map(|up| fresh(up.as_str(), Seconds(limit.0 - scrape.0), false).map_err(|text| unusable("upQuery", text)));
        Self {
            fresh: fresh_query,
            up,
            age,
            service,
            profile,
        }
    }
}

/// The query for whether the source is up, where it is needed: pods that report are the better measure.
fn asks_up(profile: &Profile) -> Option<&Query> {
    let by_pod = profile.join.by == JoinBy::Pod && profile.absent == Absent::Unknown;
    profile.up.as_ref().filter(|_| !by_pod)
}

impl Asker {
    /// Asks everything at once.
    pub(crate) async fn ask(self) -> Asked {
        let began = Instant::now();
        let peak = async {
            match &self.prepared.profile.peak {
                Some(query) => Some(self.joined(query.as_str()).await),
                None => None,
            }
        };
        let current = self.prepared_query(&self.prepared.fresh);
        let up = self.if_any(self.prepared.up.as_ref());
        let age = self.if_any(self.prepared.age.as_ref());
        let (current, peak, up, age, service) = futures::join!(current, peak, up, age, Box::pin(self.service()));
        let beside = [&peak, &up, &age].into_iter().flatten();
        let (service, service_bytes) = service;
        let bytes = current.1 + service_bytes + beside.map(|answer| answer.1).sum::<usize>();
        let join = &self.prepared.profile.join;
        let labelled = |joined: Joins| joined.and_then(|j| j.labelled(join));
        let (up, up_error) = is_up(up.map(|u| u.0));
        Asked {
            current: labelled(current.0),
            peak: peak.map(|p| labelled(p.0)),
            age: age.map(|age| labelled(age.0)),
            service,
            up,
            up_error,
            bytes,
            took: began.elapsed(),
        }
    }

    /// As [`Self::ask`], with the body of the answer to the query already here.
    pub(crate) fn take(&self, body: Option<&Vec<u8>>) -> Asked {
        let began = Instant::now();
        let missing = || SourceError::Unreachable("no answer was handed in".to_owned());
        let joined = body.ok_or_else(missing).and_then(|body| self.read(body));
        Asked {
            current: joined.and_then(|joined| joined.labelled(&self.prepared.profile.join)),
            peak: None,
            age: None,
            service: None,
            up: Up::NotAsked,
            up_error: None,
            bytes: body.map_or(0, Vec::len),
            took: began.elapsed(),
        }
    }

    /// The query as written, stale samples and all: tells a function that is stale from one that is absent.
    pub(crate) async fn ask_stale_too(self) -> Joins {
        self.joined(self.prepared.profile.query.as_str()).await.0
    }

    /// How calls are served, and the bytes of the answers.
    async fn service(&self) -> (Option<ServiceAsked>, usize) {
        let Some(queries) = &self.prepared.service else {
            return (None, 0);
        };
        let requests = self.prepared_query(&queries.requests);
        let (errors, latency) = (
            self.if_any(queries.errors.as_ref()),
            self.if_any(queries.latency.as_ref()),
        );
        let (requests, errors, latency) = futures::join!(requests, errors, latency);
        let bytes = [Some(&requests), errors.as_ref(), latency.as_ref()];
        let bytes = bytes.into_iter().flatten().map(|answer| answer.1).sum();
        let join = &self.prepared.profile.join;
        let labelled = |(joins, _): (Joins, usize)| joins.and_then(|joined| joined.labelled(join));
        let asked = ServiceAsked {
            requests: labelled(requests),
            errors: errors.map(labelled),
            latency: latency.map(labelled),
        };
        (Some(asked), bytes)
    }

    async fn if_any(&self, query: Option<&Result<String, SourceError>>) -> Option<(Joins, usize)> {
        match query {
            Some(query) => Some(self.prepared_query(query).await),
            None => None,
        }
    }

    async fn prepared_query(&self, query: &Result<String, SourceError>) -> (Joins, usize) {
        match query {
            Ok(query) => self.joined(query).await,
            Err(error) => (Err(error.clone()), 0),
        }
    }

    /// One answer, joined, and its bytes.
    async fn joined(&self, query: &str) -> (Joins, usize) {
        let within = self.deadline.saturating_duration_since(Instant::now());
        match self.source.instant(query, within).await {
            Ok(body) => {
                let bytes = body.len();
                (self.join(body).await, bytes)
            }
            Err(error) => (Err(error), 0),
        }
    }

    /// Parsing 50,000 series takes tens of milliseconds: too long for a worker that also renews a lease.
    async fn join(&self, body: Vec<u8>) -> Joins {
        let asker = self.clone();
        tokio::task::spawn_blocking(move || asker.read(&body))
            .await
            .unwrap_or_else(|_| Err(SourceError::Shape("it could not be read".to_owned())))
    }

    fn read(&self, body: &[u8]) -> Joins {
        let (profile, most) = (&self.prepared.profile, self.source.limits().series);
        Joined::of(&Answer::read(body)?, &profile.join, &profile.name, &self.members, most)
    }
}

/// Series with the join's labels tell it for each function or pod; series without them are parts of the source.
fn is_up(answer: Option<Joins>) -> (Up, Option<SourceError>) {
    match answer {
        None => (Up::NotAsked, None),
        Some(Err(error)) => (Up::Failed(error.why()), Some(error)),
        Some(Ok(joined)) if joined.series > 0 && !joined.is_unlabelled() => (Up::Keyed(joined), None),
        Some(Ok(joined)) => {
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            (
                Up::Parts {
                    up: count(joined.unlabelled_up),
                    of: count(joined.series),
                },
                None,
            )
        }
    }
}
