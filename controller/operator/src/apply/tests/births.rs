//! Entries for newborn pods: changed, made where there is none, refused once and not asked for every tick.

use super::*;
use crate::apply::MemoryIntent;
use forewarm_core::memory::{Amounts, Birth, MemoryStep};
use forewarm_core::units::Bytes;
use std::collections::BTreeMap;

const ALL: &str = "/apis/forewarm.dev/v1alpha1/namespaces/payments/newbornmemories";

fn birth(mib: u64) -> MemoryIntent {
    let Intent {
        key,
        target,
        decision,
        viewed_at,
        ..
    } = intent(Vec::new());
    let birth = Birth {
        own: Amounts::both(Bytes::mib(64)),
        amounts: Amounts::both(Bytes::mib(mib)),
    };
    let some = (mib > 0).then(|| ("app".to_owned(), birth));
    let steps = vec![MemoryStep::SetBirth {
        containers: some.into_iter().collect(),
    }];
    MemoryIntent {
        key,
        target,
        decision,
        viewed_at,
        steps,
    }
}

async fn outcome(room: &Room, intent: &MemoryIntent) -> Outcome {
    let mut done = room.apply.memory(vec![intent.clone()], now(0)).await;
    done.remove(&intent.key).expect("one function").remove(0)
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_changed_in_the_namespaces_object_which_is_made_where_there_is_none() {
    let mut there = false;
    let room = Room::new(move |seen| {
        let found = std::mem::replace(&mut there, true) || seen.line().starts_with("POST");
        if found {
            Reply::Json(200, json!({"kind": "NewbornMemory"}))
        } else {
            Reply::status(404, "NotFound", "there is none")
        }
    });
    assert_eq!(outcome(&room, &birth(128)).await, Outcome::Applied);
    assert_eq!(outcome(&room, &birth(256)).await, Outcome::Applied);
    let change = format!("PATCH {ALL}/forewarm?{QUERY}");
    assert_eq!(room.requests(), [change.clone(), format!("POST {ALL}?{QUERY}"), change]);
    let bodies: Vec<Value> = room.writes.all().iter().map(Seen::json).collect();
    let entry = |mib: u16| json!({"functions": {"Deployment/fraud": format!("app=64Mi/64Mi>{mib}Mi/{mib}Mi")}});
    assert_eq!(bodies[1]["spec"], entry(128));
    assert_eq!(bodies[2], json!({"spec": entry(256)}));
    assert_eq!(
        room.events(),
        [INTENT, OUTCOME, INTENT, OUTCOME],
        "each write is on record before it is sent"
    );
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_to_go_makes_no_object() {
    let room = Room::new(|_| Reply::status(404, "NotFound", "there is none"));
    outcome(&room, &birth(0)).await;
    assert_eq!(room.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_enrolled_is_not_asked_every_tick() {
    let room = Room::new(|_| Reply::status(403, "Forbidden", "no role"));
    for _ in 0..3 {
        let Outcome::Refused { kind, .. } = outcome(&room, &birth(128)).await else {
            panic!("a refusal")
        };
        assert_eq!(kind, RefusedKind::PermissionDenied);
    }
    assert_eq!(room.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn pods_are_made_only_after_what_they_are_born_with_has_settled() {
    let room = Room::new(|_| Reply::Json(200, json!({"kind": "NewbornMemory"})));
    let wait = async |intents: Vec<MemoryIntent>| {
        let outcomes = room.apply.memory(intents.clone(), now(0)).await;
        let begun = Instant::now();
        room.apply.settle(&intents, &outcomes).await;
        begun.elapsed()
    };
    assert_eq!(wait(vec![birth(128)]).await, Duration::from_secs(1));
    assert_eq!(wait(Vec::new()).await, Duration::ZERO, "nothing was written");
    let none: BTreeMap<FunctionKey, Vec<Outcome>> = BTreeMap::new();
    let begun = Instant::now();
    room.apply.settle(&[birth(128)], &none).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "nor was it refused");
}
