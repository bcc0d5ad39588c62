//! A floor that is a field of a scaler's spec, beside our annotation with the user's own value: what HPA and
//! `ScaledObject` share. Pure.
//!
//! The user's value goes into the same patch as the first write, so it is never lost; after each write our claim
//! on the field is taken out of `managedFields`, so no upgrade of its owner fails.

use super::ownership::ownership;
use super::workload::{self, Scales};
use super::{BuildError, FIELD_MANAGER, ReadError, Resource, TargetRef, Workload};
use forewarm_core::decision::{Along, Step};
use forewarm_core::observation::{FloorField, Recorded};
use forewarm_core::units::{Replicas, Slots};
use http::Request;
use kube::api::DynamicObject;
use serde_json::{Value, json};

/// Annotation with the user's own value; empty where the field was not there.
pub const USER_FLOOR: &str = "forewarm.dev/user-floor";

/// The annotation's key in a JSON pointer.
const USER_FLOOR_PATH: &str = "/metadata/annotations/forewarm.dev~1user-floor";

/// Where a kind keeps its floor.
pub(super) struct SpecField {
    /// The kind, as in `ScaledObject`.
    pub kind: &'static str,
    /// The field of the spec, as in `minReplicaCount`.
    pub field: &'static str,
    /// The field of the spec that no floor may exceed, and what it is where it is absent.
    pub max: (&'static str, Option<Replicas>),
    /// What an absent field counts for.
    pub default: Replicas,
}

impl SpecField {
    /// What an object of the kind says; `own_zero`, `halted`, `idle` and `slots` are the kind's to read.
    pub(super) fn read(&self, object: &DynamicObject) -> Result<Workload, ReadError> {
        let spec = &object.data["spec"];
        let floor = workload::whole(&spec[self.field])?;
        let (max, absent_max) = self.max;
        let annotations = object.metadata.annotations.as_ref();
        let mut read = Workload::identity(object)?;
        read.replicas = floor.unwrap_or(self.default);
        read.ownership = ownership(
            object.metadata.managed_fields.as_deref().unwrap_or_default(),
            &["spec", self.field],
        );
        read.scales = Some(Scales {
            target: scaled(object, spec).ok_or(ReadError::NoTarget)?,
            field: FloorField {
                scaler: format!("{}/{}", self.kind, read.name),
                field: format!("spec.{}", self.field),
                max: workload::whole(&spec[max])?.or(absent_max),
                recorded: annotations
                    .and_then(|all| all.get(USER_FLOOR))
                    .and_then(|text| recorded(text)),
                absent: floor.is_none(),
                default: self.default,
                bare: annotations.is_none(),
                annotated: true,
                halted: None,
                unheeded: None,
                idle: None,
            },
            slots: None,
            own_zero: true,
            by_memory: false,
        });
        Ok(read)
    }

    /// The request of `step`.
    pub(super) fn request(
        &self,
        resource: &Resource,
        target: &TargetRef,
        step: &Step,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let at = format!("/spec/{}", self.field);
        let body = match step {
            Step::SetFloor { uid, from, to, along } => {
                let along = along.ok_or(BuildError::Unfit)?;
                let mut body = tests(uid, &at, (!along.absent).then_some(*from));
                body.push(json!({"op": "add", "path": at, "value": to}));
                body.extend(note(along));
                body
            }
            Step::GiveBack { uid, from, to } => {
                let mut body = tests(uid, &at, value(*from));
                body.extend(back(&at, *from, *to));
                body.push(json!({"op": "remove", "path": USER_FLOOR_PATH}));
                body
            }
            Step::Adopt { .. } | Step::DropClaim { .. } | Step::Wake { .. } => return Err(BuildError::Unfit),
        };
        patch(&resource.path(target)?, &Value::from(body))
    }
}

/// Takes our claim off the field of the spec, as `live` shows it; off the whole object where nothing of ours is left
/// on it. `None`: there is no claim.
pub(super) fn drop_spec_claim(
    resource: &Resource,
    target: &TargetRef,
    live: &DynamicObject,
) -> Result<Option<Request<Vec<u8>>>, BuildError> {
    let annotations = live.metadata.annotations.as_ref();
    let recorded = annotations.is_some_and(|all| all.contains_key(USER_FLOOR));
    let rest = recorded.then_some("/fieldsV1/f:spec");
    drop_claim(&resource.path(target)?, live, rest)
}

/// A patch that takes our entry, or the part `rest` of it, out of `managedFields`. `None`: it is not there.
pub(super) fn drop_claim(
    path: &str,
    live: &DynamicObject,
    rest: Option<&str>,
) -> Result<Option<Request<Vec<u8>>>, BuildError> {
    let entries = live.metadata.managed_fields.as_deref().unwrap_or_default();
    let ours = entries.iter().position(|entry| {
        let sub = entry.subresource.as_deref().unwrap_or_default();
        entry.manager.as_deref() == Some(FIELD_MANAGER)
            && entry.operation.as_deref() == Some("Update")
            && sub.is_empty()
    });
    let Some(at) = ours else { return Ok(None) };
    let has = |rest: &str| {
        let fields = entries[at].fields_v1.as_ref();
        fields.is_some_and(|fields| fields.0.get(rest.trim_start_matches("/fieldsV1/")).is_some())
    };
    if rest.is_some_and(|rest| !has(rest)) {
        return Ok(None);
    }
    let entry = format!("/metadata/managedFields/{at}");
    let body = json!([
        {"op": "test", "path": "/metadata/uid", "value": live.metadata.uid},
        {"op": "test", "path": format!("{entry}/manager"), "value": FIELD_MANAGER},
        {"op": "test", "path": format!("{entry}/operation"), "value": "Update"},
        {"op": "remove", "path": format!("{entry}{}", rest.unwrap_or_default())},
    ]);
    patch(path, &body).map(Some)
}

/// Identity and present value, tested; `None`: the field is not there.
fn tests(uid: &str, at: &str, from: Option<Replicas>) -> Vec<Value> {
    vec![
        json!({"op": "test", "path": "/metadata/uid", "value": uid}),
        json!({"op": "test", "path": at, "value": from}),
    ]
}

/// The user's value, where it is to be recorded with this write.
fn note(along: Along) -> Vec<Value> {
    let Some(record) = along.record else { return Vec::new() };
    let words = words(record);
    if along.bare {
        return vec![
            json!({"op": "test", "path": "/metadata/annotations", "value": null}),
            json!({"op": "add", "path": "/metadata/annotations", "value": {USER_FLOOR: words}}),
        ];
    }
    vec![json!({"op": "add", "path": USER_FLOOR_PATH, "value": words})]
}

/// The operation that puts the user's value back; none where both are absent.
fn back(at: &str, from: Recorded, to: Recorded) -> Option<Value> {
    match (from, to) {
        (Recorded::Absent, Recorded::Absent) => None,
        (Recorded::Value(_), Recorded::Absent) => Some(json!({"op": "remove", "path": at})),
        (_, Recorded::Value(value)) => Some(json!({"op": "add", "path": at, "value": value})),
    }
}

fn value(recorded: Recorded) -> Option<Replicas> {
    match recorded {
        Recorded::Absent => None,
        Recorded::Value(value) => Some(value),
    }
}

fn words(record: Recorded) -> String {
    value(record).map_or_else(String::new, |value| value.to_string())
}

/// What the annotation says. `None` for anything but nothing and a whole number.
fn recorded(text: &str) -> Option<Recorded> {
    match text {
        "" => Some(Recorded::Absent),
        text => text.parse().ok().map(|value| Recorded::Value(Replicas(value))),
    }
}

/// What the scaler scales, in its own namespace. KEDA leaves kind and version out for a Deployment.
fn scaled(object: &DynamicObject, spec: &Value) -> Option<TargetRef> {
    let reference = &spec["scaleTargetRef"];
    let word = |key: &str, absent: &str| reference[key].as_str().unwrap_or(absent).to_owned();
    Some(TargetRef {
        api_version: word("apiVersion", "apps/v1"),
        kind: word("kind", "Deployment"),
        namespace: object.metadata.namespace.clone()?,
        name: reference["name"].as_str()?.to_owned(),
    })
}

/// A quantity of demand a replica, as a scaler's target names it.
pub(super) fn amount(value: &Value) -> Option<Slots> {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    forewarm_api::Amount(text).slots()
}

/// A JSON patch as field manager `forewarm`.
pub(super) fn patch(path: &str, body: &Value) -> Result<Request<Vec<u8>>, BuildError> {
    let request = Request::patch(format!("{path}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict"))
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::CONTENT_TYPE, "application/json-patch+json");
    Ok(request.body(body.to_string().into_bytes())?)
}

/// The rail of such a kind: everything but the floor and the annotation stays as it is, the record is true, a fall
/// is small and rare, and leaving restores what was recorded.
macro_rules! spec_rail {
    ($name:literal, $group:literal, $version:literal, $resource:literal, $field:literal, $default:literal) => {
        crate::target::Rail {
            name: $name,
            guards: &[crate::target::Guarded { group: $group, versions: &[$version], resources: &[$resource] }],
            listed_subresource: "",
            operations: &["UPDATE"],
            variables: &[
                crate::target::Variable { name: "new", expression: concat!("has(object.spec.", $field, ") ? int(object.spec.", $field, ") : ", $default) },
                crate::target::Variable { name: "old", expression: concat!("has(oldObject.spec.", $field, ") ? int(oldObject.spec.", $field, ") : ", $default) },
                crate::target::Variable { name: "ann", expression: "has(object.metadata.annotations) ? object.metadata.annotations : {}" },
                crate::target::Variable { name: "was", expression: "has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}" },
                crate::target::Variable { name: "leaves", expression: "!('forewarm.dev/user-floor' in variables.ann) && 'forewarm.dev/user-floor' in variables.was" },
                crate::target::Variable { name: "specSame", expression: concat!("object.spec.all(k, k == '", $field, "' || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) && oldObject.spec.all(k, k == '", $field, "' || k in object.spec)") },
                crate::target::Variable { name: "metaSame", expression: "object.metadata.all(k, k in ['managedFields', 'resourceVersion', 'generation', 'annotations'] || (k in oldObject.metadata && object.metadata[k] == oldObject.metadata[k])) && oldObject.metadata.all(k, k in ['managedFields', 'resourceVersion', 'generation', 'annotations'] || k in object.metadata)" },
                crate::target::Variable { name: "annSame", expression: "variables.ann.all(k, k == 'forewarm.dev/user-floor' || (k in variables.was && variables.ann[k] == variables.was[k])) && variables.was.all(k, k == 'forewarm.dev/user-floor' || k in variables.ann)" },
                crate::target::Variable { name: "fields", expression: "has(object.metadata.managedFields) ? object.metadata.managedFields : []" },
                crate::target::Variable { name: "had", expression: "has(oldObject.metadata.managedFields) ? oldObject.metadata.managedFields : []" },
                crate::target::Variable { name: "theirs", expression: concat!("variables.had.exists(m, m.manager != 'forewarm' && has(m.fieldsV1) && 'f:spec' in m.fieldsV1 && 'f:", $field, "' in m.fieldsV1['f:spec'])") },
                crate::target::Variable { name: "times", expression: "variables.fields.filter(m, m.manager == 'forewarm' && m.operation == 'Update' && !has(m.subresource) && has(m.time)).map(m, timestamp(m.time))" },
                crate::target::Variable { name: "before", expression: "variables.had.filter(m, m.manager == 'forewarm' && m.operation == 'Update' && !has(m.subresource) && has(m.time)).map(m, timestamp(m.time))" },
            ],
            validations: &[
                crate::target::Validation {
                    expression: "has(request.options.fieldManager) && request.options.fieldManager == 'forewarm'",
                    complaint: crate::target::Complaint::Says("Forewarm writes as field manager forewarm"),
                },
                crate::target::Validation {
                    expression: "variables.specSame",
                    complaint: crate::target::Complaint::Says(concat!("Forewarm may change only spec.", $field)),
                },
                crate::target::Validation {
                    expression: "variables.metaSame && variables.annSame",
                    complaint: crate::target::Complaint::Says("Forewarm may change only the annotation forewarm.dev/user-floor"),
                },
                crate::target::Validation {
                    expression: "variables.leaves || variables.new >= variables.old - (variables.old >= 4 ? variables.old / 4 : 1)",
                    complaint: crate::target::Complaint::Computes("'a floor may fall by at most a quarter (or 1) at a time: ' + string(variables.old) + ' to ' + string(variables.new)"),
                },
                crate::target::Validation {
                    expression: "variables.leaves || variables.new >= variables.old || (size(variables.times) == 1 && (size(variables.before) == 0 || variables.times[0] - variables.before[0] >= duration('5s')))",
                    complaint: crate::target::Complaint::Says("a floor falls at most once in 5 s"),
                },
                crate::target::Validation {
                    expression: concat!("!('forewarm.dev/user-floor' in variables.ann) || 'forewarm.dev/user-floor' in variables.was || variables.ann['forewarm.dev/user-floor'] == string(variables.old) || (variables.ann['forewarm.dev/user-floor'] == '' && !has(oldObject.spec.", $field, "))"),
                    complaint: crate::target::Complaint::Says("forewarm.dev/user-floor must record the value that is replaced"),
                },
                crate::target::Validation {
                    expression: concat!("!('forewarm.dev/user-floor' in variables.ann) || !('forewarm.dev/user-floor' in variables.was) || variables.ann['forewarm.dev/user-floor'] == variables.was['forewarm.dev/user-floor'] || (variables.theirs && variables.ann['forewarm.dev/user-floor'] == string(variables.old)) || (variables.ann['forewarm.dev/user-floor'] == '' && !has(oldObject.spec.", $field, "))"),
                    complaint: crate::target::Complaint::Says("forewarm.dev/user-floor is recorded again only when another manager has set the floor"),
                },
                crate::target::Validation {
                    expression: concat!("!variables.leaves || variables.new == (variables.was['forewarm.dev/user-floor'] == '' ? ", $default, " : int(variables.was['forewarm.dev/user-floor']))"),
                    complaint: crate::target::Complaint::Says("giving back must restore the value recorded"),
                },
                crate::target::Validation {
                    expression: "'forewarm.dev/user-floor' in variables.ann || variables.leaves || variables.new == variables.old",
                    complaint: crate::target::Complaint::Says("a floor is moved only beside the record of the user's own"),
                },
                crate::target::Validation {
                    expression: concat!("!('forewarm.dev/user-floor' in variables.ann) || variables.new >= (variables.ann['forewarm.dev/user-floor'] == '' ? ", $default, " : int(variables.ann['forewarm.dev/user-floor']))"),
                    complaint: crate::target::Complaint::Says("no floor goes under the user's own"),
                },
                crate::target::Validation {
                    expression: "variables.new != variables.old || variables.fields.filter(m, m.manager != 'forewarm') == variables.had.filter(m, m.manager != 'forewarm')",
                    complaint: crate::target::Complaint::Says("Forewarm may not touch other managers' entries"),
                },
            ],
        }
    };
}
pub(super) use spec_rail;

/// The rights of such a kind. The whole object may be patched by them; only the rail narrows it to the floor.
macro_rules! spec_rights {
    ($group:literal, $resource:literal) => {
        crate::target::Rights {
            rules: &[
                crate::target::Rule {
                    scope: crate::target::Scope::Cluster,
                    group: $group,
                    resources: &[$resource],
                    verbs: &["get", "list", "watch"],
                },
                crate::target::Rule {
                    scope: crate::target::Scope::Enrolled,
                    group: $group,
                    resources: &[$resource],
                    verbs: &["patch"],
                },
            ],
            listed: &[],
        }
    };
}
pub(super) use spec_rights;

#[cfg(test)]
mod tests;
