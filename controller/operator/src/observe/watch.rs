//! One reflector a kind: list, watch and list again whenever anything is in doubt.
//!
//! In: a collection of the API server. Out: calls on a [`Shelf`], which keeps what the tick reads, pruned. Any
//! error of a watch ends in a new list, so that after faults and quiet the shelf is the server's list (B1); this
//! also ends the loop that an HTTP 410 at the start of a watch would be. An object that cannot be decoded is
//! handed on as such and disturbs no other.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use kube::core::{DeserializeGuard, ObjectMeta};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use super::heartbeat::{Heartbeats, STALE_AFTER, WATCH_SECONDS};

/// Objects a page of a list; a page of 500 pods is about 5 MB.
const PAGE: u32 = 500;
/// A page that has not come for this long will not come.
const PAGE_DEADLINE: Duration = Duration::from_secs(30);
/// First and longest pause between two tries.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(20));

/// An object as read, or what could still be read of it.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // good ones are the rule and are taken apart at once
pub enum Read<K> {
    /// Decoded.
    Good(K),
    /// Not decodable: who it is, and why.
    Bad(ObjectMeta, String),
}

impl<K: Resource> Read<K> {
    /// Name, namespace and all that could be read even of a bad object.
    pub fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Good(object) => object.meta(),
            Self::Bad(meta, _) => meta,
        }
    }
}

impl<K> From<DeserializeGuard<K>> for Read<K> {
    fn from(guard: DeserializeGuard<K>) -> Self {
        match guard.0 {
            Ok(object) => Self::Good(object),
            Err(bad) => Self::Bad(bad.metadata, bad.error),
        }
    }
}

/// Keeps what the tick reads of one kind.
pub trait Shelf<K>: Send + Sync + 'static {
    /// The whole list; everything not in it is gone.
    fn replace(&self, all: Vec<Read<K>>);
    /// One object, new or changed.
    fn put(&self, object: Read<K>);
    /// One object, deleted.
    fn gone(&self, meta: &ObjectMeta);
}

/// The state of one watch, for readiness, staleness and metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health {
    kind: &'static str,
    path: String,
    heartbeats: Heartbeats,
    synced: Arc<AtomicBool>,
    restarts: Arc<AtomicU64>,
    absent: Arc<AtomicBool>,
}

impl Health {
    /// The kind's name, as metric label.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// A whole list has been seen.
    pub fn synced(&self) -> bool {
        self.synced.load(Ordering::Acquire)
    }

    /// Lists made because something was in doubt.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Its API is not installed any more, or is again.
    pub(super) fn set_absent(&self, absent: bool) {
        self.absent.store(absent, Ordering::Release);
    }

    /// Its API is not installed, so there is nothing to be watched.
    pub(super) fn absent(&self) -> bool {
        self.absent.load(Ordering::Acquire)
    }

    /// Age of the last sign of life. `None`: never.
    pub fn age(&self, at: Instant) -> Option<Duration> {
        self.heartbeats.age(&self.path, at)
    }

    /// What is on the shelf may be read as the present state.
    pub fn fresh(&self, at: Instant) -> bool {
        self.synced() && self.age(at).is_some_and(|age| age < STALE_AFTER)
    }
}

/// Starts the reflector of one kind over all namespaces; it runs until the process ends.
pub fn reflect<K, S>(
    kind: &'static str,
    client: kube::Client,
    resource: &K::DynamicType,
    heartbeats: &Heartbeats,
    shelf: Arc<S>,
) -> Health
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    S: Shelf<K>,
{
    let api = Api::<DeserializeGuard<K>>::all_with(client, resource);
    let health = Health {
        kind,
        path: api.resource_url().to_owned(),
        heartbeats: heartbeats.clone(),
        synced: Arc::default(),
        restarts: Arc::default(),
        absent: Arc::default(),
    };
    tokio::spawn(keep_watching(api, health.clone(), shelf));
    health
}

async fn keep_watching<K, S>(api: Api<DeserializeGuard<K>>, health: Health, shelf: Arc<S>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    S: Shelf<K>,
{
    let mut pause = BACKOFF.0;
    loop {
        let began = Instant::now();
        let error = watch_until_error(api.clone(), &health, &*shelf).await;
        tracing::warn!(kind = health.kind, error, "Watch broken, listing again.");
        health.restarts.fetch_add(1, Ordering::Relaxed);
        pause = if began.elapsed() > BACKOFF.1 {
            BACKOFF.0
        } else {
            (pause * 2).min(BACKOFF.1)
        };
        tokio::time::sleep(pause).await;
    }
}

/// Lists and watches until the first error, which it returns in words.
async fn watch_until_error<K, S>(api: Api<DeserializeGuard<K>>, health: &Health, shelf: &S) -> String
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    S: Shelf<K>,
{
    let config = watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE);
    let mut events = watcher::watcher(api, config).boxed();
    let mut list = Vec::new();
    let mut listing = true;
    loop {
        let next = if listing {
            match tokio::time::timeout(PAGE_DEADLINE, events.try_next()).await {
                Ok(next) => next,
                Err(_) => return format!("no page of the list within {PAGE_DEADLINE:?}"),
            }
        } else {
            events.try_next().await
        };
        match next {
            Ok(Some(Event::Init)) => {
                list.clear();
                listing = true;
            }
            Ok(Some(Event::InitApply(object))) => list.push(Read::from(object)),
            Ok(Some(Event::InitDone)) => {
                shelf.replace(std::mem::take(&mut list));
                listing = false;
                health.synced.store(true, Ordering::Release);
            }
            Ok(Some(Event::Apply(object))) => shelf.put(Read::from(object)),
            Ok(Some(Event::Delete(object))) => shelf.gone(object.meta()),
            Ok(None) => return "the stream ended".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
