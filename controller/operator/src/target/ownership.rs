//! Who has a floor field: an object's `managedFields` in, [`Ownership`] out. Pure.

use forewarm_core::observation::{Ownership, Writer, WriterKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};

/// The field manager of every write of ours.
pub const FIELD_MANAGER: &str = "forewarm";

/// Managers of tools that write what stands in a manifest, from the client's side. Every other writer counts
/// as a person: the safe mistake is to keep off.
const DEPLOY_TOOLS: &[&str] = &[
    "helm",
    "kubectl-client-side-apply",
    "kubectl-create",
    "kubectl-replace",
    "argocd-controller",
    "kustomize-controller",
    "helm-controller",
];

/// What the API server notes for fields whose writers it does not know, when an object is first applied.
const NOBODY: &str = "before-first-apply";

/// Longest manager name kept; the API server allows 128.
const LONGEST_NAME: usize = 128;

/// Who has the field at `path` (as in `["spec", "replicas"]`).
///
/// Entries without that field, without fields, or of a shape that is not known say nothing. Of several appliers the latest is named; of several updaters a
/// person rather than a tool, since an update of ours would have taken the field from all of them, so each
/// has written since. Nobody at all: the value is a default, or a claim was dropped.
pub fn ownership(entries: &[ManagedFieldsEntry], path: &[&str]) -> Ownership {
    let holders = || {
        entries
            .iter()
            .filter(|entry| holds(entry, path) && manager(entry) != NOBODY)
    };
    let others = |operation: &'static str| {
        holders().filter(move |entry| of(entry, operation) && manager(entry) != FIELD_MANAGER)
    };
    let ours = |operation| holders().any(|entry| of(entry, operation) && manager(entry) == FIELD_MANAGER);
    Ownership {
        applied_by: others("Apply").max_by_key(|entry| time(entry)).map(name),
        adopted: ours("Apply"),
        written_by_us: ours("Update"),
        updated_by: others("Update")
            .map(|entry| (writer(entry), entry))
            .max_by_key(rank)
            .map(|(writer, _)| writer),
    }
}

fn holds(entry: &ManagedFieldsEntry, path: &[&str]) -> bool {
    let root = entry.fields_v1.as_ref().map(|fields| &fields.0);
    path.iter()
        .fold(root, |at, part| at?.get(format!("f:{part}")))
        .is_some()
}

fn of(entry: &ManagedFieldsEntry, operation: &str) -> bool {
    entry.operation.as_deref() == Some(operation)
}

fn manager(entry: &ManagedFieldsEntry) -> &str {
    entry.manager.as_deref().unwrap_or_default()
}

fn name(entry: &ManagedFieldsEntry) -> String {
    match manager(entry) {
        "" => "unknown".to_owned(),
        name => name.chars().take(LONGEST_NAME).collect(),
    }
}

/// Entries of a subresource have no time and come first.
fn time(entry: &ManagedFieldsEntry) -> Option<&Time> {
    entry.time.as_ref()
}

fn writer(entry: &ManagedFieldsEntry) -> Writer {
    let deploys = DEPLOY_TOOLS.contains(&manager(entry)) && entry.subresource.as_deref().unwrap_or_default().is_empty();
    let kind = if deploys {
        WriterKind::Deploy
    } else {
        WriterKind::Person
    };
    Writer {
        name: name(entry),
        kind,
    }
}

fn rank<'a>((writer, entry): &(Writer, &'a ManagedFieldsEntry)) -> (bool, Option<&'a Time>) {
    (writer.kind == WriterKind::Person, time(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const REPLICAS: &[&str] = &["spec", "replicas"];

    fn entries(entries: &Value) -> Vec<ManagedFieldsEntry> {
        serde_json::from_value(entries.clone()).expect("managedFields of the test")
    }

    fn entry(manager: &str, operation: &str, subresource: &str) -> Value {
        json!({"manager": manager, "operation": operation, "subresource": subresource, "apiVersion": "apps/v1",
               "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}})
    }

    fn at(time: &str, mut entry: Value) -> Value {
        entry["time"] = time.into();
        entry
    }

    fn applied(by: &str) -> Ownership {
        Ownership {
            applied_by: Some(by.into()),
            ..Ownership::default()
        }
    }

    fn updated(by: &str, kind: WriterKind) -> Ownership {
        Ownership {
            updated_by: Some(Writer { name: by.into(), kind }),
            ..Ownership::default()
        }
    }

    #[test]
    fn each_shape_seen_on_a_real_api_server_is_read() {
        let adopted = Ownership {
            adopted: true,
            ..applied("helm")
        };
        let by_us = Ownership {
            written_by_us: true,
            ..Ownership::default()
        };
        let table = [
            ("nobody named it", json!([]), Ownership::default()),
            (
                "first applied",
                json!([entry("before-first-apply", "Update", "")]),
                Ownership::default(),
            ),
            (
                "a server-side manifest",
                json!([entry("helm", "Apply", "")]),
                applied("helm"),
            ),
            (
                "flux",
                json!([entry("kustomize-controller", "Apply", "")]),
                applied("kustomize-controller"),
            ),
            (
                "helm 3",
                json!([entry("helm", "Update", "")]),
                updated("helm", WriterKind::Deploy),
            ),
            (
                "kubectl apply",
                json!([entry("kubectl-client-side-apply", "Update", "")]),
                updated("kubectl-client-side-apply", WriterKind::Deploy),
            ),
            (
                "kubectl scale",
                json!([entry("kubectl", "Update", "scale")]),
                updated("kubectl", WriterKind::Person),
            ),
            (
                "kubectl edit",
                json!([entry("kubectl-edit", "Update", "")]),
                updated("kubectl-edit", WriterKind::Person),
            ),
            (
                "an autoscaler that was there",
                json!([entry("kube-controller-manager", "Update", "scale")]),
                updated("kube-controller-manager", WriterKind::Person),
            ),
            (
                "a tool's name on /scale",
                json!([entry("helm", "Update", "scale")]),
                updated("helm", WriterKind::Person),
            ),
            ("our own write", json!([entry("forewarm", "Update", "scale")]), by_us),
            (
                "adopted",
                json!([entry("helm", "Apply", ""), entry("forewarm", "Apply", "scale")]),
                adopted,
            ),
            (
                "no manager",
                json!([entry("", "Update", "")]),
                updated("unknown", WriterKind::Person),
            ),
        ];
        for (situation, fields, expected) in table {
            assert_eq!(ownership(&entries(&fields), REPLICAS), expected, "{situation}");
        }
    }

    #[test]
    fn an_entry_without_the_field_says_nothing() {
        let other = json!([{"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": {}}}},
                           {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:status": {"f:replicas": {}}}},
                           {"manager": "helm", "operation": "Apply"}]);
        assert_eq!(ownership(&entries(&other), REPLICAS), Ownership::default());
    }

    #[test]
    fn of_several_appliers_the_latest_is_named() {
        let fields = json!([
            at("2026-01-02T00:00:00Z", entry("flux", "Apply", "")),
            at("2026-01-01T00:00:00Z", entry("helm", "Apply", ""))
        ]);
        assert_eq!(ownership(&entries(&fields), REPLICAS), applied("flux"));
    }

    #[test]
    fn of_several_updaters_a_person_is_named() {
        let fields = json!([
            entry("kubectl", "Update", "scale"),
            at("2026-01-02T00:00:00Z", entry("helm", "Update", ""))
        ]);
        assert_eq!(
            ownership(&entries(&fields), REPLICAS),
            updated("kubectl", WriterKind::Person)
        );
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "(f:spec|f:replicas|[a-z:.]{0,8})".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("(f:spec|f:replicas|[a-z:.]{0,8})", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn any_entry() -> impl Strategy<Value = ManagedFieldsEntry> {
        let word = || prop::option::of("(forewarm|helm|kubectl|Apply|Update|scale|\\PC{0,200})");
        (word(), word(), word(), prop::option::of(json_value())).prop_map(
            |(manager, operation, subresource, fields)| ManagedFieldsEntry {
                manager,
                operation,
                subresource,
                fields_v1: fields.map(k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1),
                ..ManagedFieldsEntry::default()
            },
        )
    }

    proptest! {
        /// R10: garbage never panics, and names stay short.
        #[test]
        fn r10_garbage_is_read_without_panic(entries in prop::collection::vec(any_entry(), 0..6)) {
            let read = ownership(&entries, REPLICAS);
            let names = [read.applied_by, read.updated_by.map(|writer| writer.name)];
            for name in names.into_iter().flatten() {
                prop_assert!(name != FIELD_MANAGER && name.chars().count() <= LONGEST_NAME);
            }
        }

        /// Order of entries does not matter, except between those that are equal in rank.
        #[test]
        fn our_own_claim_is_seen_wherever_it_stands(before in prop::collection::vec(any_entry(), 0..4), place in 0_usize..5) {
            let mut all = before;
            let ours = entries(&json!([entry("forewarm", "Apply", "scale")])).remove(0);
            all.insert(place.min(all.len()), ours);
            prop_assert!(ownership(&all, REPLICAS).adopted);
        }
    }
}
