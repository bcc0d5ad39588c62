//! The past of functions just met, read from Prometheus in the background and handed to memory as it comes.
//!
//! One task a profile at a time, over the functions of that profile whose past was not read yet. Until it is
//! done, a function has what was measured since the start: too little to be trusted, so nothing is lowered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use forewarm_core::beside::beside;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Mono, Now, Percent, Seconds};
use forewarm_source::backfill::{Backfill as OfProfile, Found};
use forewarm_source::{Member, Membership, Source};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::observe::{Observe, Seen, Snapshot};
use crate::remember::Remember;

/// Pause before a piece that failed is asked for again.
const PAUSE: Duration = Duration::from_secs(5);
/// Pieces of history on their way to memory; one holds some hours of every function.
const ON_THE_WAY: usize = 4096;

/// Reads the past, a profile at a time.
#[derive(Debug, Default)]
pub struct Backfill {
    running: BTreeMap<String, Running>,
    done: BTreeSet<FunctionKey>,
    unmapped: BTreeMap<String, Percent>,
}

#[derive(Debug)]
struct Running {
    keys: BTreeSet<FunctionKey>,
    news: mpsc::Receiver<News>,
}

/// What the task of one profile sends.
#[derive(Debug)]
enum News {
    Found(Found),
    Unmapped(Percent),
}

impl Backfill {
    /// One that has nothing to read of these functions, whose past is in memory already.
    pub fn knowing(functions: impl IntoIterator<Item = FunctionKey>) -> Self {
        Self {
            done: functions.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes in what has come since the last tick, and starts reading for functions just met.
    pub fn advance(&mut self, snapshot: &Snapshot, observe: &Observe, remember: &mut Remember) {
        let running = std::mem::take(&mut self.running);
        for (profile, mut running) in running {
            if self.take_in(&profile, &mut running, remember) {
                self.running.insert(profile, running);
            }
        }
        self.forget_gone(snapshot);
        for (profile, members) in self.unread(snapshot) {
            if let Some(running) = start(&profile, members, observe, snapshot.now) {
                self.running.insert(profile, running);
            }
        }
    }

    /// Share of the demand in the past of this profile that no function could be found for. `None`: not read.
    pub fn unmapped(&self, profile: Option<&str>) -> Option<Percent> {
        self.unmapped.get(profile?).copied()
    }

    /// The past of every function has been read.
    pub fn idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Hands what came to memory; true while there is more to come.
    fn take_in(&mut self, profile: &str, running: &mut Running, remember: &mut Remember) -> bool {
        loop {
            match running.news.try_recv() {
                Ok(News::Found(Found::Minutes(past))) => remember.past().history.backfill(&past.key, past.points),
                Ok(News::Found(Found::Quarters(past))) => {
                    remember.past().history.backfill_quarters(&past.key, past.points);
                }
                Ok(News::Unmapped(percent)) => {
                    self.unmapped.insert(profile.to_owned(), percent);
                }
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
        }
        // What was learned on half of the past is learned anew on the whole.
        remember.past().forecaster.forget(|key| !running.keys.contains(key));
        tracing::info!(profile, functions = running.keys.len(), "History read.");
        self.done.append(&mut running.keys);
        false
    }

    /// The past of a function that comes back is read anew.
    fn forget_gone(&mut self, snapshot: &Snapshot) {
        let present = beside(&self.done, &snapshot.functions).flatten().count();
        if present < self.done.len() {
            self.done.retain(|key| snapshot.functions.contains_key(key));
        }
    }

    /// Functions whose past is neither read nor being read, by profile; profiles already busy wait their turn.
    fn unread<'a>(&self, snapshot: &'a Snapshot) -> BTreeMap<String, BTreeMap<&'a FunctionKey, &'a Seen>> {
        let mut unread: BTreeMap<String, BTreeMap<&FunctionKey, &Seen>> = BTreeMap::new();
        let done = beside(snapshot.functions.keys(), self.done.iter().map(|key| (key, ())));
        for ((key, seen), done) in snapshot.functions.iter().zip(done) {
            let Some(profile) = &seen.profile else { continue };
            if done.is_none() && !self.running.contains_key(&**profile) {
                unread.entry(profile.to_string()).or_default().insert(key, seen);
            }
        }
        unread
    }
}

/// Starts the task of one profile. `None`: the profile or its source cannot be used (yet).
fn start(name: &str, unread: BTreeMap<&FunctionKey, &Seen>, observe: &Observe, now: Now) -> Option<Running> {
    let profile = observe.profile(name)?;
    let source = observe.source(&profile.source)?;
    let member = |(key, seen): (&&FunctionKey, &&Seen)| Member {
        key: (*key).clone(),
        profile: name.into(),
        kind: seen.target.kind.as_str().into(),
        workload: seen.target.name.as_str().into(),
        revisions: Vec::new(),
        pods: Vec::new(),
    };
    let members = Arc::new(Membership::new(unread.iter().map(member)));
    let keys = unread.into_keys().cloned().collect();
    let (send, news) = mpsc::channel(ON_THE_WAY);
    tokio::spawn(read(
        OfProfile::new((*profile).clone(), now),
        source,
        members,
        now,
        send,
    ));
    Some(Running { keys, news })
}

/// Reads until nothing is left; ends early when nobody listens any more.
async fn read(mut past: OfProfile, source: Arc<Source>, members: Arc<Membership>, now: Now, send: mpsc::Sender<News>) {
    let started = Instant::now();
    loop {
        let elapsed = u32::try_from(started.elapsed().as_secs()).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        let progress = past
            .run(&source, &members, Mono::after(now.mono, Seconds(elapsed)), |piece| {
                found.push(piece);
            })
            .await;
        for piece in found {
            if send.send(News::Found(piece)).await.is_err() {
                return;
            }
        }
        if progress.left == 0 {
            let unmapped = percent(progress.unmapped_percent);
            send.send(News::Unmapped(unmapped)).await.ok();
            return;
        }
        if progress.failed.is_some() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whole percent, rounded up: a little unmapped is not none.
fn percent(share: f64) -> Percent {
    let whole = (0..=100_u8).find(|percent| f64::from(*percent) >= share).unwrap_or(100);
    Percent::new(whole).expect("at most 100")
}
