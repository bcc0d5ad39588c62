//! The task that takes, renews and gives up the lease.

use super::claim::{CHAIN_HEAD, Found, Watched, anchored, claimed, given_up, is_held_by};
use super::{Leadership, Term, Timing};
use crate::record::Journal;
use crate::record::line::{LeaderLine, Leadership as Turn, print};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Takes part in the election until it is stopped.
pub struct Elector {
    api: Api<Lease>,
    name: String,
    id: String,
    timing: Timing,
    journal: Arc<dyn Journal>,
    term: watch::Sender<Term>,
    taken: Arc<Notify>,
    watched: Watched,
    held: Option<Held>,
    /// Another's claim is no reason to wait.
    seizes: bool,
}

/// The term we are in.
#[derive(Clone, Copy, Debug)]
struct Held {
    epoch: u64,
    /// Start of the last try that succeeded: the term runs from before the request.
    renewed: Instant,
}

/// How a try ended, where the API server answered.
enum Try {
    /// The Lease carries our claim; with the head that the leader before had anchored, if it was just taken.
    Claimed { epoch: u64, after: Option<String> },
    /// Another has it.
    Theirs(String),
}

/// A try that told us nothing about the Lease.
#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error("read or replace the lease")]
    Call(#[from] kube::Error),
    #[error("no answer about the lease in time")]
    Late(#[from] tokio::time::error::Elapsed),
}

impl Elector {
    /// An elector for the Lease `name` in `namespace`, and the lease as others see it.
    ///
    /// `client` must be an own connection without retries; `id` must be unique to this process: a pod's name is
    /// not enough, since a copy of it may start.
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        id: String,
        timing: Timing,
        journal: Arc<dyn Journal>,
    ) -> (Self, Leadership) {
        let (term, terms) = watch::channel(Term::default());
        let taken = Arc::new(Notify::new());
        let leadership = Leadership {
            term: terms,
            taken: Arc::clone(&taken),
        };
        let api = Api::namespaced(client, namespace);
        let name = name.to_owned();
        let watched = Watched::default();
        (
            Self {
                api,
                name,
                id,
                timing,
                journal,
                term,
                taken,
                watched,
                held: None,
                seizes: false,
            },
            leadership,
        )
    }

    /// One that takes the Lease from whoever has it: for leaving, when nobody else shall write any more. The one
    /// before sees it at its next renewal, and its term ends `timing.renew` after the last one at the latest.
    pub fn seizing(mut self) -> Self {
        self.seizes = true;
        self
    }

    /// Takes part until `stop`; then gives the lease up. Stop it after the last write has ended.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let pause_until = tokio::select! {
                biased;
                () = &mut stop => break,
                until = self.step() => until,
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = sleep_until(pause_until) => {}
            }
        }
        self.leave().await;
    }

    /// One try. Returns when the next is due.
    async fn step(&mut self) -> Instant {
        let started = Instant::now();
        let limit = self.ends().unwrap_or(started + self.timing.renew);
        let tried = timeout_at(limit, self.attempt()).await;
        match tried.map_err(TryError::from).and_then(|tried| tried) {
            Ok(Try::Claimed { epoch, after }) => self.hold(epoch, started, after.as_deref()),
            Ok(Try::Theirs(holder)) => self.lose(&holder),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "Lease not renewed."),
        }
        let now = Instant::now();
        if self.ends().is_some_and(|end| end <= now) {
            self.lose("");
        }
        self.ends()
            .map_or(now + self.timing.retry, |end| end.min(now + self.timing.retry))
    }

    fn ends(&self) -> Option<Instant> {
        self.held.map(|held| held.renewed + self.timing.renew)
    }

    async fn attempt(&mut self) -> Result<Try, TryError> {
        let found = timeout(self.timing.call, self.api.get_opt(&self.name)).await??;
        let verdict = self.watched.see(found.as_ref(), &self.id, self.timing, Instant::now());
        // While the term runs nobody else may take it, so a Lease that was wiped is ours to write again.
        match (verdict, self.held) {
            (Found::Theirs(_), held) if self.seizes => self.claim(found, held.map(|held| held.epoch)).await,
            (Found::Theirs(holder), None) => Ok(Try::Theirs(holder)),
            (Found::Theirs(holder), Some(_)) if !holder.is_empty() => Ok(Try::Theirs(holder)),
            (_, held) => self.claim(found, held.map(|held| held.epoch)).await,
        }
    }

    /// Writes our claim; `epoch` is that of the term we are in. A lost race is an error: the next look tells.
    async fn claim(&mut self, found: Option<Lease>, epoch: Option<u64>) -> Result<Try, TryError> {
        let after = found.as_ref().and_then(anchored).filter(|_| epoch.is_none()).cloned();
        let next = epoch.unwrap_or_else(|| self.watched.next_epoch());
        let exists = found.is_some();
        let named = || Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        };
        let wall = MicroTime(Timestamp::now());
        let found = found.unwrap_or_else(named);
        let mut claim = claimed(&found, &self.id, next, epoch.is_none(), self.timing, &wall);
        if epoch.is_some() {
            self.anchor(&mut claim);
        }
        let params = PostParams::default();
        let written = if exists {
            timeout(self.timing.call, self.api.replace(&self.name, &params, &claim)).await??
        } else {
            timeout(self.timing.call, self.api.create(&params, &claim)).await??
        };
        self.watched.see(Some(&written), &self.id, self.timing, Instant::now());
        Ok(Try::Claimed { epoch: next, after })
    }

    /// Puts the head of our chain into the Lease. Not at the taking: the leader before anchored its own there,
    /// and ours has not begun.
    fn anchor(&self, claim: &mut Lease) {
        let annotations = claim.metadata.annotations.get_or_insert_default();
        annotations.insert(CHAIN_HEAD.to_owned(), self.journal.head());
    }

    fn hold(&mut self, epoch: u64, renewed: Instant, after: Option<&str>) {
        let taken = self.held.replace(Held { epoch, renewed }).is_none();
        if taken {
            self.journal.begin(epoch);
            self.tell(Turn::Taken, after);
        }
        self.term.send_replace(Term {
            epoch,
            valid_until: Some(renewed + self.timing.renew),
        });
        if taken {
            self.taken.notify_one();
        }
    }

    fn lose(&mut self, to: &str) {
        if let Some(held) = self.held.take() {
            self.term.send_replace(Term {
                epoch: held.epoch,
                valid_until: None,
            });
            tracing::warn!(to, epoch = held.epoch, "Lease lost.");
            self.tell(Turn::Lost, None);
        }
    }

    fn tell(&self, state: Turn, after: Option<&str>) {
        let holder = &self.id;
        print(self.journal.as_ref(), &LeaderLine { state, holder, after });
    }

    async fn leave(mut self) {
        if self.held.take().is_none() {
            return;
        }
        self.tell(Turn::Lost, None);
        self.term.send_modify(|term| term.valid_until = None);
        let given = timeout(self.timing.call, self.give_up()).await.map_err(TryError::from);
        if let Err(error) = given.and_then(|given| given) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Lease not given up; it ends by itself."
            );
        }
    }

    async fn give_up(&self) -> Result<(), TryError> {
        let lease = self.api.get(&self.name).await?;
        if is_held_by(&lease, &self.id) {
            let mut lease = given_up(&lease);
            self.anchor(&mut lease);
            self.api.replace(&self.name, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Elector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elector")
            .field("name", &self.name)
            .field("id", &self.id)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}
