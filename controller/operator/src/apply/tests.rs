//! Apply against a stand-in API server: the exact requests, and every kind of answer.

use super::gate::Gate;
use super::*;
use crate::api_server::{Kept, Reply, Seen, api_server, journal};
use crate::lease::Term;
use crate::record::Journal;
use crate::record::chain::Chain;
use crate::record::human::LogFormat;
use crate::record::line::event::{INTENT, OUTCOME};
use crate::switch::Switch;
use crate::target::{Kinds, Resource};
use forewarm_core::observation::Ownership;
use forewarm_core::outcome::RefusedKind;
use forewarm_core::units::{Replicas, Wall};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::time::Instant;

const SCALE: &str = "/apis/apps/v1/namespaces/payments/deployments/fraud/scale";
const LOOK: &str = "GET /apis/apps/v1/namespaces/payments/deployments/fraud";
const QUERY: &str = "fieldManager=forewarm&fieldValidation=Strict";

mod births;

/// An apply room with its surroundings.
struct Room {
    apply: Apply,
    writes: Kept<Seen>,
    switches: Kept<Seen>,
    lines: Kept<(String, Value)>,
    term: watch::Sender<Term>,
}

impl Room {
    /// The floor that is decided upon where the watch shows this one.
    fn shown(&self, floor: u32, resource_version: &str) -> u32 {
        let mut target = Target {
            uid: "u-1".into(),
            floor: Replicas(floor),
            ready: Replicas::ZERO,
            starting: Replicas::ZERO,
            ownership: Ownership::default(),
            scaler: None,
        };
        self.apply.lay_over(&mut target, resource_version);
        target.floor.0
    }

    fn new(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self::with(
            Limits::default(),
            || Reply::status(404, "NotFound", "no switch"),
            answer,
        )
    }

    fn with(
        limits: Limits,
        switch: impl Fn() -> Reply + Send + 'static,
        answer: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> Self {
        let (journal, lines) = journal();
        Self::printing_to(journal, lines, limits, switch, answer)
    }

    fn printing_to(
        journal: Arc<dyn Journal>,
        lines: Kept<(String, Value)>,
        limits: Limits,
        switch: impl Fn() -> Reply + Send + 'static,
        answer: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> Self {
        let (client, writes) = api_server(answer);
        let (switch_client, switches) = api_server(move |_| switch());
        let (term, terms) = watch::channel(held(Duration::from_secs(10)));
        let rollout = Resource::new("argoproj.io", "v1alpha1", "Rollout", "rollouts").unwrap();
        let kinds = Arc::new(Kinds::new(&[rollout]));
        let switch = Switch::new(switch_client, "forewarm", "forewarm-switch", Arc::clone(&journal));
        let gate = Gate::new(client, kinds, Arc::new(switch), terms, journal);
        Self {
            apply: Apply::new(gate, limits),
            writes,
            switches,
            lines,
            term,
        }
    }

    async fn run(&self, intents: Vec<Intent>) -> Vec<Vec<Outcome>> {
        let done = self.apply.run(intents, now(0)).await;
        done.into_iter().map(|done| done.outcomes).collect()
    }

    async fn one(&self, step: Step) -> Outcome {
        let mut outcomes = self.run(vec![intent(vec![step])]).await.remove(0);
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    fn requests(&self) -> Vec<String> {
        self.writes.all().iter().map(Seen::line).collect()
    }

    fn events(&self) -> Vec<String> {
        self.lines.all().into_iter().map(|(event, _)| event).collect()
    }
}

fn held(left: Duration) -> Term {
    Term {
        epoch: 3,
        valid_until: Some(Instant::now() + left),
    }
}

fn now(seconds: u64) -> Now {
    Now {
        wall: Wall(0),
        mono: Mono(1_000_000 + seconds * 1000),
    }
}

fn intent(steps: Vec<Step>) -> Intent {
    let key = FunctionKey {
        namespace: "payments".into(),
        name: "fraud-policy".into(),
    };
    let target = TargetRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: "payments".into(),
        name: "fraud".into(),
    };
    Intent {
        key,
        target,
        mode: Mode::Enforce,
        decision: "01J".into(),
        viewed_at: now(0).mono,
        steps,
    }
}

fn set(from: u32, to: u32) -> Step {
    Step::SetFloor {
        uid: "u-1".into(),
        from: Replicas(from),
        to: Replicas(to),
        along: None,
    }
}

/// An intent for an object of its own.
fn named(namespace: &str, name: &str, mut steps: Vec<Step>) -> Intent {
    for step in &mut steps {
        let (Step::SetFloor { uid, .. }
        | Step::Adopt { uid, .. }
        | Step::DropClaim { uid }
        | Step::Wake { uid, .. }
        | Step::GiveBack { uid, .. }) = step;
        *uid = format!("{namespace}-{name}");
    }
    let mut intent = intent(steps);
    intent.key = FunctionKey {
        namespace: namespace.into(),
        name: name.into(),
    };
    intent.target.namespace = namespace.into();
    intent.target.name = name.into();
    intent
}

fn scale(replicas: u32, version: &str) -> Reply {
    Reply::Json(
        200,
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"uid": "u-1", "resourceVersion": version},
               "spec": {"replicas": replicas}}),
    )
}

fn deployment(uid: &str, replicas: u32) -> Reply {
    Reply::Json(
        200,
        json!({"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"replicas": replicas},
               "metadata": {"name": "fraud", "namespace": "payments", "uid": uid, "resourceVersion": "8"}}),
    )
}

fn fenced(by: Fence) -> Outcome {
    Outcome::Fenced { by }
}

#[tokio::test(start_paused = true)]
async fn a_raise_is_one_patch_that_tests_identity_and_value() {
    let room = Room::new(|_| scale(7, "9"));
    assert_eq!(room.one(set(3, 7)).await, Outcome::Applied);
    assert_eq!(room.requests(), [format!("PATCH {SCALE}?{QUERY}")]);
    let request = room.writes.all().remove(0);
    assert_eq!(request.header("content-type"), "application/json-patch+json");
    assert_eq!(request.header("audit-id"), "01J.1.1");
    let body = json!([{"op": "test", "path": "/metadata/uid", "value": "u-1"},
                      {"op": "test", "path": "/spec/replicas", "value": 3},
                      {"op": "replace", "path": "/spec/replicas", "value": 7}]);
    assert_eq!(request.json(), body);
}

#[tokio::test(start_paused = true)]
async fn adoption_applies_the_present_value_without_force() {
    let room = Room::new(|_| scale(2, "9"));
    let step = Step::Adopt {
        uid: "u-1".into(),
        value: Replicas(2),
    };
    assert_eq!(room.one(step).await, Outcome::Applied);
    assert_eq!(
        room.requests(),
        [format!(
            "PATCH {SCALE}?fieldManager=forewarm&force=false&fieldValidation=Strict"
        )]
    );
    let request = room.writes.all().remove(0);
    assert_eq!(request.header("content-type"), "application/apply-patch+yaml");
    let body = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "fraud", "uid": "u-1"},
                      "spec": {"replicas": 2}});
    assert_eq!(request.json(), body);
}

#[tokio::test(start_paused = true)]
async fn a_fall_looks_at_the_object_first() {
    let room = Room::new(|request| {
        if request.method == "GET" {
            deployment("u-1", 8)
        } else {
            scale(7, "9")
        }
    });
    assert_eq!(room.one(set(8, 7)).await, Outcome::Applied);
    assert_eq!(room.requests(), [LOOK.to_owned(), format!("PATCH {SCALE}?{QUERY}")]);
    assert_eq!(
        room.writes.all()[0].header("audit-id"),
        "",
        "a read has no intent line, so no decision id"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fall_is_not_sent_when_the_object_is_another_or_has_moved() {
    for reply in [deployment("u-2", 8), deployment("u-1", 9)] {
        let room = Room::new(move |_| reply.clone());
        assert_eq!(room.one(set(8, 7)).await, Outcome::Conflict);
        assert_eq!(room.requests(), [LOOK]);
        assert!(room.events().is_empty(), "no intent without a request");
    }
    let room = Room::new(|_| Reply::Text(200, "<html>"));
    let outcome = room.one(set(8, 7)).await;
    assert!(
        matches!(
            outcome,
            Outcome::Refused {
                kind: RefusedKind::ServerError,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(room.requests(), [LOOK]);
}

#[tokio::test(start_paused = true)]
async fn w6_a_fall_needs_a_fresh_view_and_a_raise_does_not() {
    let room = Room::new(|_| scale(9, "9"));
    let view = |step| Intent {
        viewed_at: Mono(now(0).mono.0 - 60_001),
        ..intent(vec![step])
    };
    assert_eq!(room.run(vec![view(set(8, 7))]).await, [[fenced(Fence::StaleView)]]);
    assert!(room.requests().is_empty());
    assert_eq!(room.run(vec![view(set(8, 9))]).await, [[Outcome::Applied]]);
}

/// A disk that is full.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a1_without_its_intent_on_record_a_write_is_not_sent() {
    let chain = Chain::new(Box::new(Full), LogFormat::Json, String::new(), Box::new(|| Wall(0)));
    let room = Room::printing_to(
        Arc::new(chain),
        Kept::default(),
        Limits::default(),
        || Reply::status(404, "NotFound", "no switch"),
        |_| scale(7, "9"),
    );
    assert_eq!(room.one(set(3, 7)).await, fenced(Fence::IntentNotPrinted));
    assert!(room.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a1_the_intent_is_printed_before_the_request_and_the_outcome_after() {
    let printed = Arc::new(Mutex::new(None::<Kept<(String, Value)>>));
    let lines = Arc::clone(&printed);
    let at_request = Kept::default();
    let kept = at_request.clone();
    let room = Room::new(move |_| {
        kept.push(lines.lock().unwrap().as_ref().expect("the journal").all().len());
        scale(7, "9")
    });
    *printed.lock().unwrap() = Some(room.lines.clone());
    room.one(set(3, 7)).await;
    assert_eq!(at_request.all(), [1]);
    let lines = room.lines.all();
    assert_eq!(room.events(), [INTENT, OUTCOME]);
    let target = json!({"api_version": "apps/v1", "kind": "Deployment", "namespace": "payments", "name": "fraud"});
    let head = json!({"namespace": "payments", "policy": "fraud-policy", "decision": "01J", "audit_id": "01J.1.1"});
    for (_, fields) in &lines {
        assert!(
            head.as_object()
                .unwrap()
                .iter()
                .all(|(key, value)| &fields[key] == value),
            "{fields}"
        );
    }
    assert_eq!(lines[0].1["target"], target);
    assert_eq!(lines[0].1["step"], json!(set(3, 7)));
    assert_eq!(
        (&lines[1].1["outcome"], &lines[1].1["took_ms"]),
        (&json!("Applied"), &json!(0))
    );
}

#[tokio::test(start_paused = true)]
async fn shadow_sends_nothing() {
    let room = Room::new(|_| Reply::Reset);
    let shadow = Intent {
        mode: Mode::Shadow,
        ..intent(vec![set(3, 7), set(7, 6)])
    };
    assert_eq!(room.run(vec![shadow]).await, [[Outcome::Shadow, Outcome::Shadow]]);
    assert!(room.requests().is_empty() && room.switches.all().is_empty() && room.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_answer_becomes_its_outcome_and_is_asked_for_once() {
    let refused = |kind, message: &str| Outcome::Refused {
        kind,
        message: message.into(),
    };
    let table = [
        (
            Reply::status(422, "Invalid", "the server rejected our request"),
            Outcome::Conflict,
        ),
        (Reply::status(409, "Conflict", "modified"), Outcome::Conflict),
        (
            Reply::status(403, "Forbidden", "no"),
            refused(RefusedKind::PermissionDenied, "no"),
        ),
        (
            Reply::status(404, "NotFound", "gone"),
            refused(RefusedKind::NotFound, "gone"),
        ),
        (
            Reply::status(429, "TooManyRequests", "busy"),
            refused(RefusedKind::ServerError, "busy"),
        ),
        (
            Reply::status(503, "ServiceUnavailable", "later"),
            refused(RefusedKind::ServerError, "later"),
        ),
        (Reply::status(504, "Timeout", "late"), Outcome::TimedOut),
        (Reply::Silence, Outcome::TimedOut),
        (
            Reply::After(Duration::from_secs(6), Box::new(scale(7, "9"))),
            Outcome::TimedOut,
        ),
        (
            Reply::After(Duration::from_secs(4), Box::new(scale(7, "9"))),
            Outcome::Applied,
        ),
    ];
    for (reply, expected) in table {
        let answer = reply.clone();
        let room = Room::new(move |_| answer.clone());
        assert_eq!(room.one(set(3, 7)).await, expected, "{reply:?}");
        assert_eq!((room.requests().len(), room.events().len()), (1, 2), "{reply:?}");
    }
    let room = Room::new(|_| Reply::Reset);
    let outcome = room.one(set(3, 7)).await;
    assert!(
        matches!(
            outcome,
            Outcome::Refused {
                kind: RefusedKind::Unreachable,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(room.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thrown_or_unreadable_switch_stops_all_writes() {
    let off = || Reply::Json(200, json!({"metadata": {"name": "s"}, "data": {"writes": "off"}}));
    for switch in [off as fn() -> Reply, || Reply::Reset] {
        let room = Room::with(Limits::default(), switch, |_| scale(7, "9"));
        assert_eq!(room.one(set(3, 7)).await, fenced(Fence::SwitchedOff));
        assert!(room.requests().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn w2_no_write_starts_that_could_outlive_the_term() {
    for (left, expected) in [
        (5000, Outcome::Applied),
        (4999, fenced(Fence::LeaseLost)),
        (0, fenced(Fence::LeaseLost)),
    ] {
        let room = Room::new(|_| scale(7, "9"));
        room.term.send_replace(held(Duration::from_millis(left)));
        assert_eq!(room.one(set(3, 7)).await, expected, "{left} ms");
    }
    let room = Room::new(|_| scale(7, "9"));
    room.term.send_replace(Term::default());
    assert_eq!(room.one(set(3, 7)).await, fenced(Fence::LeaseLost));
    assert!(room.requests().is_empty() && room.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_during_the_look_stops_the_write() {
    let term = Arc::new(Mutex::new(None::<watch::Sender<Term>>));
    let lost = Arc::clone(&term);
    let room = Room::new(move |request| {
        if request.method == "GET" {
            lost.lock()
                .unwrap()
                .as_ref()
                .expect("the term")
                .send_replace(Term::default());
        }
        deployment("u-1", 8)
    });
    *term.lock().unwrap() = Some(room.term.clone());
    assert_eq!(room.one(set(8, 7)).await, fenced(Fence::LeaseLost));
    assert_eq!(room.requests(), [LOOK]);
    assert!(room.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn w4_a_write_outside_the_policys_namespace_is_never_sent() {
    let room = Room::new(|_| scale(7, "9"));
    let mut foreign = intent(vec![set(3, 7)]);
    foreign.target.namespace = "other".into();
    assert_eq!(room.run(vec![foreign]).await, [[fenced(Fence::ForeignNamespace)]]);
    let mut unlisted = intent(vec![set(3, 7)]);
    unlisted.target.kind = "DaemonSet".into();
    let odd = named("payments", "../../nodes/x", vec![set(3, 7)]);
    let zero = vec![intent(vec![set(0, 3)]), intent(vec![set(1, 0)])];
    for intents in [vec![unlisted], vec![odd], zero] {
        for outcomes in room.run(intents).await {
            assert!(
                matches!(
                    outcomes[..],
                    [Outcome::Refused {
                        kind: RefusedKind::Invalid,
                        ..
                    }]
                ),
                "{outcomes:?}"
            );
        }
    }
    assert!(room.requests().is_empty() && room.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_listed_kind_is_written_through_its_own_path() {
    let room = Room::new(|_| scale(7, "9"));
    let mut rollout = intent(vec![set(3, 7)]);
    rollout.target.api_version = "argoproj.io/v1alpha1".into();
    rollout.target.kind = "Rollout".into();
    assert_eq!(room.run(vec![rollout]).await, [[Outcome::Applied]]);
    let path = "/apis/argoproj.io/v1alpha1/namespaces/payments/rollouts/fraud/scale";
    assert_eq!(room.requests(), [format!("PATCH {path}?{QUERY}")]);
}

#[tokio::test(start_paused = true)]
async fn a_later_step_waits_for_the_earlier() {
    let room = Room::new(|_| Reply::status(422, "Invalid", "rejected"));
    let outcomes = room.run(vec![intent(vec![set(3, 7), set(7, 9), set(9, 10)])]).await;
    assert_eq!(
        outcomes,
        [[
            Outcome::Conflict,
            fenced(Fence::EarlierStep),
            fenced(Fence::EarlierStep)
        ]]
    );
    assert_eq!(room.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn w5_a_second_write_waits_until_the_first_is_visible() {
    let room = Room::new(|request| match request.method.as_str() {
        "GET" => deployment("u-1", 7),
        _ => scale(7, "9"),
    });
    assert_eq!(room.one(set(3, 7)).await, Outcome::Applied);
    assert_eq!(room.shown(3, "8"), 7, "an older read is brought up to our write");
    assert_eq!(room.one(set(3, 8)).await, fenced(Fence::NotYetVisible));
    assert_eq!(room.requests().len(), 1);
    assert_eq!(room.shown(7, "9"), 7);
    assert_eq!(room.shown(3, "10"), 3, "a later one is somebody else's");
    assert_eq!(room.one(set(7, 8)).await, Outcome::Applied);
    tokio::time::advance(Duration::from_secs(30)).await;
    room.term.send_replace(held(Duration::from_secs(10)));
    assert_eq!(
        room.one(set(7, 9)).await,
        Outcome::Applied,
        "not shown for 30 s: a live look"
    );
    let methods: Vec<_> = room.writes.all().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["PATCH", "PATCH", "GET", "PATCH"]);
}

#[tokio::test(start_paused = true)]
async fn a2_after_an_answer_that_was_lost_the_object_is_looked_at() {
    let calls = Mutex::new(0);
    let room = Room::new(move |request| {
        *calls.lock().unwrap() += 1;
        match (request.method.as_str(), *calls.lock().unwrap()) {
            (_, 1) => Reply::Reset,
            ("GET", _) => deployment("u-1", 7),
            _ => scale(9, "9"),
        }
    });
    assert!(matches!(
        room.one(set(3, 7)).await,
        Outcome::Refused {
            kind: RefusedKind::Unreachable,
            ..
        }
    ));
    assert_eq!(
        room.one(set(3, 8)).await,
        Outcome::Conflict,
        "the lost write had happened"
    );
    assert_eq!(room.one(set(7, 9)).await, Outcome::Applied);
    let methods: Vec<_> = room.writes.all().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["PATCH", "GET", "GET", "PATCH"]);
}

#[tokio::test(start_paused = true)]
async fn the_largest_shortfall_goes_first_and_answers_keep_their_order() {
    let limits = Limits {
        at_once: 1,
        requests: 3,
        ..Limits::default()
    };
    let room = Room::with(limits, || Reply::status(404, "NotFound", "no"), |_| scale(7, "9"));
    let intents = vec![
        named("payments", "small", vec![set(3, 4)]),
        named("payments", "fall", vec![set(8, 7)]),
        named("payments", "large", vec![set(3, 40)]),
        named("payments", "middle", vec![set(10, 20)]),
    ];
    let outcomes = room.run(intents).await;
    assert_eq!(
        outcomes,
        [
            [Outcome::Applied],
            [fenced(Fence::TickFull)],
            [Outcome::Applied],
            [Outcome::Applied]
        ]
    );
    let names: Vec<_> = room
        .requests()
        .iter()
        .map(|line| line.split('/').nth(7).unwrap().to_owned())
        .collect();
    assert_eq!(names, ["large", "middle", "small"]);
}

#[tokio::test(start_paused = true)]
async fn no_write_begins_after_the_ticks_time() {
    let limits = Limits {
        at_once: 1,
        ..Limits::default()
    };
    let room = Room::with(limits, || Reply::status(404, "NotFound", "no"), |_| Reply::Silence);
    room.term.send_replace(held(Duration::from_mins(1)));
    let intents = (0..4)
        .map(|n| named("payments", &format!("f{n}"), vec![set(3, 7)]))
        .collect();
    let outcomes = room.run(intents).await;
    let late = fenced(Fence::TickFull);
    assert_eq!(
        outcomes,
        [[Outcome::TimedOut], [Outcome::TimedOut], [late.clone()], [late]]
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_without_a_role_uses_up_nobody_elses_share() {
    let limits = Limits {
        at_once: 1,
        requests: 4,
        ..Limits::default()
    };
    let room = Room::with(
        limits,
        || Reply::status(404, "NotFound", "no"),
        |request| {
            if request.uri.contains("/closed/") {
                Reply::status(403, "Forbidden", "no role")
            } else {
                scale(7, "9")
            }
        },
    );
    let closed = (0..50).map(|n| named("closed", &format!("f{n}"), vec![set(3, 90)]));
    let open = (0..3).map(|n| named("open", &format!("f{n}"), vec![set(3, 7)]));
    let outcomes = room.run(closed.chain(open).collect()).await;
    let denied = Outcome::Refused {
        kind: RefusedKind::PermissionDenied,
        message: "no role".into(),
    };
    assert!(outcomes[..50].iter().all(|outcomes| outcomes[..] == [denied.clone()]));
    assert!(outcomes[50..].iter().all(|outcomes| outcomes[..] == [Outcome::Applied]));
    assert_eq!(room.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_asked_again_after_thirty_seconds() {
    let room = Room::new(|_| Reply::status(403, "Forbidden", "no role"));
    for (wait, requests) in [(0, 1), (15, 1), (14, 1), (1, 2)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        room.term.send_replace(held(Duration::from_secs(10)));
        assert!(matches!(room.one(set(3, 7)).await, Outcome::Refused { .. }));
        assert_eq!(room.requests().len(), requests, "after {wait} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn another_value_than_the_refused_one_is_sent() {
    let causes = json!({"code": 422, "reason": "Invalid", "message": "m", "details": {"name": "x", "causes": [{"message": "quota"}]}});
    let room = Room::new(move |_| Reply::Json(422, causes.clone()));
    for (to, requests) in [(40, 1), (40, 1), (20, 2)] {
        assert!(matches!(
            room.one(set(3, to)).await,
            Outcome::Refused {
                kind: RefusedKind::Invalid,
                ..
            }
        ));
        assert_eq!(room.requests().len(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn writes_go_out_at_most_so_many_at_a_time() {
    let limits = Limits {
        at_once: 8,
        ..Limits::default()
    };
    let slow = || Reply::After(Duration::from_secs(1), Box::new(scale(7, "9")));
    let room = Room::with(limits, || Reply::status(404, "NotFound", "no"), move |_| slow());
    let intents = (0..24)
        .map(|n| named("payments", &format!("f{n}"), vec![set(3, 7)]))
        .collect();
    let start = Instant::now();
    let outcomes = room.run(intents).await;
    assert!(outcomes.iter().all(|outcomes| outcomes[..] == [Outcome::Applied]));
    assert_eq!(start.elapsed().as_secs(), 3, "24 writes of 1 s, 8 at a time");
    assert_eq!(
        room.switches.all().len(),
        2,
        "one look at the switch serves two seconds"
    );
}
