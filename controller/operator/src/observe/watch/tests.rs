//! Faults of lists and watches: whatever they are, the shelf ends up as the server's list (B1).

use super::*;
use crate::api_server::{Reply, Seen, api_server};
use crate::observe::policies::{Namespace, Nothing};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Names on the shelf, good and bad apart.
#[derive(Default)]
struct Names(Mutex<(BTreeSet<String>, BTreeSet<String>)>);

impl Names {
    fn good(&self) -> Vec<String> {
        self.0.lock().unwrap().0.iter().cloned().collect()
    }

    fn bad(&self) -> Vec<String> {
        self.0.lock().unwrap().1.iter().cloned().collect()
    }

    fn add(names: &mut (BTreeSet<String>, BTreeSet<String>), read: &Read<Policy>) {
        let name = read.meta().name.clone().unwrap();
        match read {
            Read::Good(_) => names.0.insert(name),
            Read::Bad(..) => names.1.insert(name),
        };
    }
}

/// An object whose spec must be there, so that one without it cannot be decoded.
type Policy = kube::core::Object<Strict, Nothing>;

#[derive(Clone, Debug, serde::Deserialize)]
#[allow(dead_code)]
struct Strict {
    min: u32,
}

impl Shelf<Policy> for Names {
    fn replace(&self, all: Vec<Read<Policy>>) {
        let mut names = self.0.lock().unwrap();
        *names = Default::default();
        for read in &all {
            Names::add(&mut names, read);
        }
    }

    fn put(&self, object: Read<Policy>) {
        Names::add(&mut self.0.lock().unwrap(), &object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.0.lock().unwrap().0.remove(meta.name.as_deref().unwrap());
    }
}

fn object(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": name, "resourceVersion": "7"}, "spec": spec})
}

fn list(objects: &[Value]) -> Reply {
    Reply::Json(
        200,
        json!({"kind": "ThingList", "apiVersion": "v1", "metadata": {"resourceVersion": "5"}, "items": objects}),
    )
}

fn is_watch(request: &Seen) -> bool {
    request.uri.contains("watch=true")
}

/// Reflects until `done` holds; virtual time makes back-offs free.
async fn reflect_until(
    answer: impl FnMut(&Seen) -> Reply + Send + 'static,
    done: impl Fn(&Names) -> bool,
) -> Arc<Names> {
    let (client, _) = api_server(answer);
    let names = Arc::new(Names::default());
    let things =
        kube::core::ApiResource::from_gvk_with_plural(&kube::core::GroupVersionKind::gvk("", "v1", "Thing"), "things");
    reflect::<Policy, _>("things", client, &things, &Heartbeats::default(), names.clone());
    let waited = tokio::time::timeout(Duration::from_hours(1), async {
        while !done(&names) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    waited.await.expect("the shelf became the server's list");
    names
}

#[tokio::test(start_paused = true)]
async fn an_undecodable_object_is_told_apart_and_hides_no_other() {
    let answer = |request: &Seen| {
        if is_watch(request) {
            return Reply::Silence;
        }
        list(&[
            object("a", &json!({"min": 1})),
            object("poison", &json!({"min": "x"})),
            object("b", &json!({"min": 2})),
        ])
    };
    let names = reflect_until(answer, |names| names.good().len() == 2).await;
    assert_eq!(
        (names.good(), names.bad()),
        (vec!["a".into(), "b".into()], vec!["poison".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn gone_at_the_start_of_a_watch_leads_to_a_new_list() {
    let mut lists = 0;
    let answer = move |request: &Seen| {
        if is_watch(request) {
            return if lists < 2 {
                Reply::status(410, "Expired", "too old resource version")
            } else {
                Reply::Silence
            };
        }
        lists += 1;
        list(&[object(if lists == 1 { "old" } else { "new" }, &json!({"min": 1}))])
    };
    reflect_until(answer, |names| names.good() == ["new"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_never_answered_is_asked_for_again() {
    let mut asked = 0;
    let answer = move |request: &Seen| {
        asked += 1;
        if is_watch(request) || asked == 1 {
            Reply::Silence
        } else {
            list(&[object("a", &json!({"min": 1}))])
        }
    };
    reflect_until(answer, |names| names.good() == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_list_never_empties_the_shelf() {
    let mut lists = 0;
    let answer = move |request: &Seen| {
        if is_watch(request) {
            return Reply::Reset;
        }
        lists += 1;
        match lists {
            1 => list(&[object("a", &json!({"min": 1}))]),
            2..20 => Reply::status(503, "ServiceUnavailable", "no"),
            _ => list(&[object("a", &json!({"min": 1})), object("b", &json!({"min": 1}))]),
        }
    };
    let seen_empty_after_full = Arc::new(Mutex::new((false, false)));
    let watch = seen_empty_after_full.clone();
    let names = reflect_until(answer, move |names| {
        let mut state = watch.lock().unwrap();
        state.0 |= !names.good().is_empty();
        state.1 |= state.0 && names.good().is_empty();
        names.good().len() == 2
    });
    names.await;
    assert!(!seen_empty_after_full.lock().unwrap().1);
}

#[test]
fn a_namespace_decodes_with_no_spec_read() {
    let json = json!({"metadata": {"name": "payments"}, "spec": {"finalizers": ["kubernetes"]}});
    assert!(serde_json::from_value::<Namespace>(json).is_ok());
}
