//! Electors against a shared stand-in store, on virtual time.

use super::*;
use crate::api_server::{Kept, Reply, Seen, api_server, journal};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What befalls one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    LostBefore,
    LostAfter,
    SilentBefore,
    SilentAfter,
    Unavailable,
    Slow(u64),
}

/// The one Lease, as an API server keeps it.
#[derive(Debug, Default)]
struct Store {
    lease: Option<Value>,
    version: u64,
}

impl Store {
    fn answer(&mut self, request: &Seen) -> Reply {
        match request.method.as_str() {
            "GET" => self
                .lease
                .clone()
                .map_or_else(|| Reply::status(404, "NotFound", "no"), |lease| Reply::Json(200, lease)),
            "POST" if self.lease.is_some() => Reply::status(409, "AlreadyExists", "there"),
            "POST" => self.put(request.json()),
            _ if self.is_current(request) => self.put(request.json()),
            _ => Reply::status(409, "Conflict", "modified"),
        }
    }

    fn is_current(&self, request: &Seen) -> bool {
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        self.lease
            .as_ref()
            .is_some_and(|lease| version(lease) == version(&request.json()))
    }

    fn put(&mut self, mut lease: Value) -> Reply {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.lease = Some(lease.clone());
        Reply::Json(200, lease)
    }

    fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut lease = self.lease.take().expect("a lease to edit");
        change(&mut lease);
        self.put(lease);
    }
}

type Shared = Arc<Mutex<Store>>;

fn with<T>(store: &Shared, act: impl FnOnce(&mut Store) -> T) -> T {
    act(&mut store.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One replica.
struct Replica {
    leadership: Leadership,
    lines: Kept<(String, Value)>,
    requests: Kept<Seen>,
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Replica {
    fn start(id: &str, store: &Shared, faults: impl FnMut() -> Fault + Send + 'static) -> Self {
        Self::timed(id, store, Timing::default(), faults)
    }

    fn timed(id: &str, store: &Shared, timing: Timing, mut faults: impl FnMut() -> Fault + Send + 'static) -> Self {
        let store = Arc::clone(store);
        let (client, requests) = api_server(move |request| {
            let act = || with(&store, |store| store.answer(request));
            match faults() {
                Fault::None => act(),
                Fault::LostBefore => Reply::Reset,
                Fault::LostAfter => {
                    act();
                    Reply::Reset
                }
                Fault::SilentBefore => Reply::Silence,
                Fault::SilentAfter => {
                    act();
                    Reply::Silence
                }
                Fault::Unavailable => Reply::status(503, "ServiceUnavailable", "later"),
                Fault::Slow(ms) => Reply::After(Duration::from_millis(ms), Box::new(act())),
            }
        });
        let (journal, lines) = journal();
        let (elector, leadership) = Elector::new(client, "forewarm", "forewarm", id.into(), timing, journal);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(elector.run(async {
            // A dropped sender is a test that ended, not a stop.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Self {
            leadership,
            lines,
            requests,
            task,
            stop: Some(stop),
        }
    }

    fn healthy(id: &str, store: &Shared) -> Self {
        Self::start(id, store, || Fault::None)
    }

    fn epoch(&self) -> u64 {
        self.leadership.term.borrow().epoch
    }

    async fn stop(&mut self) {
        self.stop
            .take()
            .expect("not stopped before")
            .send(())
            .expect("the elector runs");
        (&mut self.task).await.expect("the elector ends in peace");
    }

    fn events(&self) -> Vec<String> {
        self.lines
            .all()
            .iter()
            .map(|(event, fields)| format!("{event} {}", fields["state"]))
            .collect()
    }
}

/// Seconds until `replica` holds the lease.
async fn until_held(replica: &Replica) -> u64 {
    let start = Instant::now();
    while !replica.leadership.held() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(start.elapsed() < Duration::from_mins(10), "the lease was never taken");
    }
    start.elapsed().as_secs()
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// A leader with two seconds of grace to be noticed by a follower.
async fn leader_and_follower() -> (Shared, Replica, Replica) {
    let store = Shared::default();
    let leader = Replica::healthy("a", &store);
    until_held(&leader).await;
    let follower = Replica::healthy("b", &store);
    seconds(5).await;
    assert!(!follower.leadership.held());
    (store, leader, follower)
}

#[tokio::test(start_paused = true)]
async fn a_new_lease_is_taken_at_once_and_told() {
    let store = Shared::default();
    let replica = Replica::healthy("a", &store);
    replica.leadership.taken().await;
    assert!(replica.leadership.held());
    assert_eq!(replica.epoch(), 1);
    let lines: Vec<_> = replica.requests.all().iter().map(Seen::line).collect();
    let lease = "/apis/coordination.k8s.io/v1/namespaces/forewarm/leases";
    assert_eq!(lines, [format!("GET {lease}/forewarm"), format!("POST {lease}?")]);
    let spec = with(&store, |store| store.lease.clone().expect("a lease")["spec"].clone());
    assert_eq!(spec["holderIdentity"], "a");
    assert_eq!(
        (&spec["leaseDurationSeconds"], &spec["leaseTransitions"]),
        (&json!(15), &json!(1))
    );
    assert_eq!(replica.lines.all()[0], ("begin".to_owned(), json!(1)));
    assert_eq!(replica.events()[1..], ["forewarm.leader \"taken\""]);
}

#[tokio::test(start_paused = true)]
async fn renewals_keep_the_term_and_anchor_the_log() {
    let (store, leader, _follower) = leader_and_follower().await;
    seconds(600).await;
    assert!(leader.leadership.held());
    assert_eq!(leader.epoch(), 1);
    let lease = with(&store, |store| store.lease.clone().expect("a lease"));
    assert_eq!(lease["metadata"]["annotations"][CHAIN_HEAD], "head-2");
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
    assert_ne!(lease["spec"]["acquireTime"], lease["spec"]["renewTime"]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_followed_within_twenty_seconds() {
    let (_store, leader, follower) = leader_and_follower().await;
    leader.task.abort();
    let took = until_held(&follower).await;
    assert!((13..=19).contains(&took), "{took} s");
    assert_eq!(follower.epoch(), 2);
    let taken = follower.lines.all().pop().expect("a line");
    assert_eq!(taken.1, json!({"state": "taken", "holder": "b", "after": "head-2"}));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_leader_is_followed_within_two_tries() {
    let (store, mut leader, follower) = leader_and_follower().await;
    leader.stop().await;
    assert!(!leader.leadership.held());
    let anchor = with(&store, |store| {
        store.lease.clone().expect("a lease")["metadata"]["annotations"][CHAIN_HEAD].clone()
    });
    assert_eq!(anchor, "head-3", "the last line, too, is anchored");
    assert!(until_held(&follower).await <= 2);
    assert_eq!(follower.epoch(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_reach_the_api_server_steps_down_and_comes_back_with_a_new_epoch() {
    for fault in [
        Fault::LostBefore,
        Fault::SilentBefore,
        Fault::Unavailable,
        Fault::LostAfter,
        Fault::SilentAfter,
    ] {
        let store = Shared::default();
        let down = Arc::new(Mutex::new(Fault::None));
        let now = Arc::clone(&down);
        let leader = Replica::start("a", &store, move || *now.lock().unwrap());
        until_held(&leader).await;
        *down.lock().unwrap() = fault;
        seconds(9).await;
        assert!(
            leader.leadership.held() || fault == Fault::None,
            "{fault:?}: within the term"
        );
        seconds(4).await;
        assert!(!leader.leadership.held(), "{fault:?}: after the term");
        *down.lock().unwrap() = Fault::None;
        until_held(&leader).await;
        assert_eq!(leader.epoch(), 2, "{fault:?}");
        assert_eq!(
            leader.events().iter().filter(|line| line.ends_with("\"lost\"")).count(),
            1,
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn w2_the_term_runs_from_before_the_request_and_not_from_the_answer() {
    let (store, start) = (Shared::default(), Instant::now());
    let leader = Replica::start("a", &store, || Fault::Slow(1500));
    leader.leadership.taken().await;
    assert_eq!(start.elapsed().as_millis(), 3000, "two calls");
    let until = leader.leadership.term.borrow().valid_until.expect("a term");
    assert_eq!(until - start, Timing::default().renew);
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_do_not_use_up_the_term() {
    let store = Shared::default();
    let calls = Arc::new(Mutex::new(0_u32));
    // Every fifth call hangs: each try that gets through renews.
    let leader = Replica::start("a", &store, move || {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        if calls.is_multiple_of(5) {
            Fault::SilentBefore
        } else {
            Fault::None
        }
    });
    until_held(&leader).await;
    seconds(300).await;
    assert_eq!((leader.leadership.held(), leader.epoch()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn wall_clocks_of_others_mean_nothing() {
    for time in ["1970-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"] {
        let store = Shared::default();
        let claim = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "forewarm"},
            "spec": {"holderIdentity": "x", "leaseDurationSeconds": 15, "leaseTransitions": 6, "renewTime": time}});
        with(&store, |store| store.put(claim));
        let replica = Replica::healthy("a", &store);
        let took = until_held(&replica).await;
        assert!((15..=17).contains(&took), "{time}: {took} s");
        assert_eq!(replica.epoch(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn another_that_renews_is_never_robbed() {
    let store = Shared::default();
    let claim = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "forewarm"},
        "spec": {"holderIdentity": "another product", "leaseDurationSeconds": 15}});
    with(&store, |store| store.put(claim));
    let replica = Replica::healthy("a", &store);
    for round in 0..40 {
        seconds(10).await;
        assert!(!replica.leadership.held(), "round {round}");
        with(&store, |store| {
            store.edit(|lease| lease["spec"]["renewTime"] = format!("2026-01-01T00:00:{round:02}.000000Z").into());
        });
    }
}

#[tokio::test(start_paused = true)]
async fn absurd_durations_are_bounded_on_both_sides() {
    for (duration, at_least, at_most) in [
        (json!(-5), 15, 17),
        (json!(1), 15, 17),
        (json!(i32::MAX), 60, 62),
        (Value::Null, 15, 17),
    ] {
        let store = Shared::default();
        let claim = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "forewarm"},
            "spec": {"holderIdentity": "x", "leaseDurationSeconds": duration, "leaseTransitions": -1}});
        with(&store, |store| store.put(claim));
        let replica = Replica::healthy("a", &store);
        let took = until_held(&replica).await;
        assert!((at_least..=at_most).contains(&took), "{duration}: {took} s");
        assert_eq!(replica.epoch(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_wiped_or_deleted_by_hand_stays_with_its_leader() {
    for wipe in [
        (|store: &mut Store| store.edit(|lease| lease["spec"]["holderIdentity"] = "".into())) as fn(&mut Store),
        |store| store.edit(|lease| lease["spec"] = json!({})),
        |store| store.lease = None,
    ] {
        let (store, leader, follower) = leader_and_follower().await;
        with(&store, wipe);
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(leader.leadership.held() && !follower.leadership.held());
        }
        assert_eq!(leader.epoch(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_of_a_dead_leader_is_taken_after_the_lease_time_with_a_later_epoch() {
    let (store, leader, follower) = leader_and_follower().await;
    leader.task.abort();
    with(&store, |store| store.lease = None);
    let took = until_held(&follower).await;
    assert!((15..=19).contains(&took), "{took} s");
    assert_eq!(follower.epoch(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_finds_anothers_name_steps_down_at_once() {
    let (store, leader, _follower) = leader_and_follower().await;
    with(&store, |store| {
        store.edit(|lease| lease["spec"]["holderIdentity"] = "x".into());
    });
    seconds(2).await;
    assert!(!leader.leadership.held());
}

#[tokio::test(start_paused = true)]
async fn a_race_for_the_lease_has_one_winner() {
    let store = Shared::default();
    let slow = || Fault::Slow(300);
    let (a, b) = (Replica::start("a", &store, slow), Replica::start("b", &store, slow));
    seconds(5).await;
    assert_ne!(a.leadership.held(), b.leadership.held());
}

/// A step of a bad day for one replica.
fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::LostBefore),
        1 => Just(Fault::LostAfter),
        1 => Just(Fault::SilentBefore),
        1 => Just(Fault::SilentAfter),
        1 => Just(Fault::Unavailable),
        2 => (0_u64..4000).prop_map(Fault::Slow),
    ]
}

/// Faults of one replica, each for a number of requests in a row.
fn bad_day() -> impl Strategy<Value = Vec<Fault>> {
    prop::collection::vec((fault(), 1_usize..12), 1..12).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(fault, times)| std::iter::repeat_n(fault, times))
            .collect()
    })
}

/// The largest number of replicas that held the lease at the same time, and the epochs in the order of taking.
fn run(days: Vec<Vec<Fault>>, timing: Timing) -> (usize, Vec<u64>) {
    let clock = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    clock.expect("a runtime").block_on(async move {
        let store = Shared::default();
        let start = |(place, day): (usize, Vec<Fault>)| {
            let mut faults = day.into_iter();
            Replica::timed(&format!("r{place}"), &store, timing, move || {
                faults.next().unwrap_or(Fault::None)
            })
        };
        let replicas: Vec<_> = days.into_iter().enumerate().map(start).collect();
        let (mut most, mut epochs) = (0, Vec::new());
        for _ in 0..1200 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let holders: Vec<_> = replicas.iter().filter(|replica| replica.leadership.held()).collect();
            most = most.max(holders.len());
            epochs.extend(holders.first().map(|holder| holder.epoch()));
        }
        epochs.dedup();
        (most, epochs)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// W1, W2: never two holders, epochs only grow, and once the faults are over somebody leads.
    #[test]
    fn w1_never_two_holders(days in prop::collection::vec(bad_day(), 2..4)) {
        let (most, epochs) = run(days, Timing::default());
        prop_assert_eq!(most, 1);
        prop_assert!(epochs.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", epochs);
    }
}

#[test]
fn a_lease_time_shorter_than_the_term_would_let_two_hold_it() {
    let timing = Timing {
        lease: Duration::from_secs(5),
        ..Timing::default()
    };
    let down = |n| {
        std::iter::repeat_n(Fault::None, 4)
            .chain(std::iter::repeat_n(Fault::LostBefore, n))
            .collect()
    };
    let (most, _) = run(vec![down(20), Vec::new()], timing);
    assert_eq!(most, 2, "the check above must be able to fail");
}
