//! Knative Serving: a policy names a Service, the floor is `autoscaling.knative.dev/min-scale` on the revision that
//! takes its traffic. Pure.
//!
//! Since 1.21 that annotation is reconciled to the autoscaler and rolls no pods; any other annotation or label on a
//! revision is copied into the pod template and would. So nothing of ours is recorded there: the user's own value
//! is in the Service's template, and what is not written by us is not ours.

use super::ownership::ownership;
use super::rights::{Rights, Rule, Scope};
use super::spec_field::{amount, drop_claim, patch};
use super::workload::{self, Scales, Serves};
use super::{
    BuildError, Complaint, Guarded, Guide, Rail, ReadError, Resource, TargetKind, TargetRef, Validation, Variable,
    Workload,
};
use forewarm_core::decision::Step;
use forewarm_core::observation::{FloorField, Recorded};
use forewarm_core::units::{Replicas, Seconds};
use http::Request;
use kube::api::DynamicObject;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A Knative Service and its revisions.
#[derive(Clone, Copy, Debug)]
pub struct Knative;

const GROUP: &str = "serving.knative.dev";
const MIN: &str = "autoscaling.knative.dev/min-scale";
const MIN_PATH: &str = "/metadata/annotations/autoscaling.knative.dev~1min-scale";
const MAX: &str = "autoscaling.knative.dev/max-scale";
const ACTIVATION: &str = "autoscaling.knative.dev/activation-scale";
const TARGET: &str = "autoscaling.knative.dev/target";
const SERVICE: &str = "serving.knative.dev/service";

/// Knative's own managers: what they set on a revision is from its template.
const CONTROLLERS: [&str; 3] = ["controller", "webhook", "autoscaler"];

impl TargetKind for Knative {
    fn name(&self) -> &'static str {
        "knative"
    }

    fn resources(&self, _: &[Resource]) -> Vec<Resource> {
        let of = |kind: &str, plural: &str| Resource {
            group: GROUP.to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        vec![of("Service", "services"), of("Revision", "revisions")]
    }

    fn scales(&self, resource: &Resource) -> bool {
        resource.kind == "Revision"
    }

    fn optional(&self) -> bool {
        true
    }

    fn prune(&self, object: &mut DynamicObject) {
        let service = object
            .metadata
            .labels
            .as_ref()
            .and_then(|all| all.get(SERVICE).cloned());
        let template = object.data["spec"]["template"]["metadata"]["annotations"].take();
        let own = |key: &str| [MIN, MAX, ACTIVATION, TARGET].contains(&key);
        let parts: &[(&str, &[&str])] = &[("spec", &["containerConcurrency"]), ("status", &["traffic"])];
        workload::keep(object, parts, &["metadata", "annotations", MIN], own);
        if !template.is_null() {
            object.data["spec"]["template"] = json!({"metadata": {"annotations": {MIN: template[MIN]}}});
        }
        object.metadata.labels = service.map(|service| BTreeMap::from([(SERVICE.to_owned(), service)]));
    }

    fn read(&self, resource: &Resource, object: &DynamicObject) -> Result<Workload, ReadError> {
        if self.scales(resource) {
            revision(object)
        } else {
            service(object)
        }
    }

    fn request(&self, resource: &Resource, target: &TargetRef, step: &Step) -> Result<Request<Vec<u8>>, BuildError> {
        if !self.scales(resource) {
            return Err(BuildError::Unfit);
        }
        let (uid, from, to) = match step {
            Step::SetFloor {
                uid,
                from,
                to,
                along: Some(along),
            } => (uid, (!along.absent).then_some(*from), Some(*to)),
            Step::GiveBack { uid, from, to } => (uid, value(*from), value(*to)),
            Step::Wake { uid, to } => return wake(target, uid, *to),
            Step::SetFloor { along: None, .. } | Step::Adopt { .. } | Step::DropClaim { .. } => {
                return Err(BuildError::Unfit);
            }
        };
        let text = |value: Option<Replicas>| value.map(|value| value.to_string());
        let mut body = vec![
            json!({"op": "test", "path": "/metadata/uid", "value": uid}),
            json!({"op": "test", "path": MIN_PATH, "value": text(from)}),
        ];
        match to {
            Some(to) => body.push(json!({"op": "add", "path": MIN_PATH, "value": text(Some(to))})),
            None if from.is_some() => body.push(json!({"op": "remove", "path": MIN_PATH})),
            None => {}
        }
        patch(&resource.path(target)?, &Value::from(body))
    }

    /// Asked for only when we leave; while we hold a revision our entry says so.
    fn drop_claim(
        &self,
        resource: &Resource,
        target: &TargetRef,
        live: &DynamicObject,
    ) -> Result<Option<Request<Vec<u8>>>, BuildError> {
        drop_claim(&resource.path(target)?, live, None)
    }

    /// Two reconciles of Knative's, well under a second on the test bed.
    fn latency(&self) -> Seconds {
        Seconds(1)
    }

    fn rights(&self) -> Rights {
        RIGHTS
    }

    fn rail(&self) -> Rail {
        RAIL
    }

    fn guide(&self) -> Guide {
        Guide {
            target: "a Service of Knative 1.21 or later",
            floor: "`autoscaling.knative.dev/min-scale` on the revision that takes most of the traffic",
            kept: "the Service's template",
            zero: "Knative's to make; a raised floor wakes it",
        }
    }
}

/// Scales a revision's Deployment up from nothing. The autoscaler takes it over with the first metrics of its pods: until
/// then it returns early and undoes nothing.
fn wake(revision: &TargetRef, uid: &str, to: Replicas) -> Result<Request<Vec<u8>>, BuildError> {
    if to == Replicas::ZERO {
        return Err(BuildError::Zero);
    }
    let deployments = Resource {
        group: "apps".to_owned(),
        version: "v1".to_owned(),
        kind: "Deployment".to_owned(),
        plural: "deployments".to_owned(),
    };
    let deployment = TargetRef {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: revision.namespace.clone(),
        name: deployment_of(&revision.name),
    };
    // A `Scale` at zero has an empty spec.
    let body = json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/replicas", "value": null},
        {"op": "add", "path": "/spec/replicas", "value": to},
    ]);
    patch(&format!("{}/scale", deployments.path(&deployment)?), &body)
}

/// The Deployment that Knative makes for a revision.
pub fn deployment_of(revision: &str) -> String {
    format!("{revision}-deployment")
}

fn service(object: &DynamicObject) -> Result<Workload, ReadError> {
    let template = &object.data["spec"]["template"]["metadata"]["annotations"][MIN];
    let own = match template.as_str() {
        None => Recorded::Absent,
        Some(text) => Recorded::Value(number(text)?),
    };
    let mut read = Workload::identity(object)?;
    read.template = Some(own);
    read.replicas = value(own).unwrap_or(Replicas::ZERO);
    read.routes = routes(&object.data["status"]["traffic"]);
    Ok(read)
}

/// Revisions that take traffic, the largest share first.
fn routes(traffic: &Value) -> Vec<String> {
    let share = |entry: &Value| {
        let percent = entry["percent"].as_u64().filter(|percent| *percent > 0)?;
        Some((percent, entry["revisionName"].as_str()?.to_owned()))
    };
    let mut routes: Vec<_> = traffic.as_array().into_iter().flatten().filter_map(share).collect();
    routes.sort_by(|a, b| b.cmp(a));
    routes.into_iter().map(|(_, name)| name).collect()
}

/// The record is filled in by who sees the Service too.
fn revision(object: &DynamicObject) -> Result<Workload, ReadError> {
    let meta = &object.metadata;
    let annotation = |key: &str| meta.annotations.as_ref().and_then(|all| all.get(key));
    let count = |key: &str| annotation(key).map(|text| number(text)).transpose();
    let floor = count(MIN)?;
    let mut read = Workload::identity(object)?;
    read.replicas = floor.unwrap_or(Replicas::ZERO);
    read.ownership = ownership(
        meta.managed_fields.as_deref().unwrap_or_default(),
        &["metadata", "annotations", MIN],
    );
    let writer = read.ownership.updated_by.take();
    read.ownership.updated_by = writer.filter(|writer| !CONTROLLERS.contains(&writer.name.as_str()));
    let some = |count: Option<Replicas>| count.filter(|count| *count > Replicas::ZERO);
    let (max, activation) = (some(count(MAX)?), some(count(ACTIVATION)?));
    let service = meta
        .labels
        .as_ref()
        .and_then(|all| all.get(SERVICE))
        .ok_or(ReadError::NoTarget)?;
    read.scales = Some(Scales {
        target: TargetRef {
            api_version: format!("{GROUP}/v1"),
            kind: "Service".to_owned(),
            namespace: read.namespace.clone(),
            name: service.clone(),
        },
        field: FloorField {
            scaler: format!("Revision/{}", read.name),
            field: MIN.to_owned(),
            // The webhook refuses a floor above either.
            max: [max, activation].into_iter().flatten().min(),
            recorded: None,
            absent: floor.is_none(),
            default: Replicas::ZERO,
            bare: false,
            annotated: false,
            halted: None,
            unheeded: None,
            idle: None,
        },
        slots: slots(&object.data["spec"]["containerConcurrency"], annotation(TARGET)),
        own_zero: true,
        by_memory: false,
    });
    Ok(read)
}

/// A hard limit of calls at a time, or the load that the autoscaler aims at.
fn slots(concurrency: &Value, target: Option<&String>) -> Option<Serves> {
    let limit = concurrency.as_u64().filter(|limit| *limit > 0);
    match limit {
        Some(limit) => amount(&limit.into()).map(Serves::Limit),
        None => amount(&Value::from(target?.as_str())).map(Serves::Limit),
    }
}

fn number(text: &str) -> Result<Replicas, ReadError> {
    text.parse()
        .map(Replicas)
        .map_err(|_| ReadError::NotANumber(text.chars().take(32).collect()))
}

fn value(recorded: Recorded) -> Option<Replicas> {
    match recorded {
        Recorded::Absent => None,
        Recorded::Value(value) => Some(value),
    }
}

/// The version of Knative is a label of its resource definitions; a secret is never among those.
const RIGHTS: Rights = Rights {
    rules: &[
        Rule {
            scope: Scope::Cluster,
            group: GROUP,
            resources: &["services", "revisions"],
            verbs: &["get", "list", "watch"],
        },
        Rule {
            scope: Scope::Cluster,
            group: "autoscaling.internal.knative.dev",
            resources: &["podautoscalers"],
            verbs: &["list", "watch"],
        },
        Rule {
            scope: Scope::Cluster,
            group: "apiextensions.k8s.io",
            resources: &["customresourcedefinitions"],
            verbs: &["get"],
        },
        Rule {
            scope: Scope::Enrolled,
            group: GROUP,
            resources: &["revisions"],
            verbs: &["patch"],
        },
    ],
    listed: &[],
};

/// No annotation of ours is on a revision, so what is given back cannot be checked against it: taking the floor off
/// is leaving, and passes at once; every other fall is small.
const RAIL: Rail = Rail {
    name: "knative",
    guards: &[Guarded {
        group: GROUP,
        versions: &["v1"],
        resources: &["revisions"],
    }],
    listed_subresource: "",
    operations: &["UPDATE"],
    variables: &[
        Variable {
            name: "ann",
            expression: "has(object.metadata.annotations) ? object.metadata.annotations : {}",
        },
        Variable {
            name: "was",
            expression: "has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}",
        },
        Variable {
            name: "plain",
            expression: "!('autoscaling.knative.dev/min-scale' in variables.ann) || variables.ann['autoscaling.knative.dev/min-scale'].matches('^[0-9]{1,6}$')",
        },
        Variable {
            name: "new",
            expression: "'autoscaling.knative.dev/min-scale' in variables.ann && variables.plain ? int(variables.ann['autoscaling.knative.dev/min-scale']) : 0",
        },
        Variable {
            name: "old",
            expression: "'autoscaling.knative.dev/min-scale' in variables.was && variables.was['autoscaling.knative.dev/min-scale'].matches('^[0-9]{1,6}$') ? int(variables.was['autoscaling.knative.dev/min-scale']) : 0",
        },
        Variable {
            name: "metaSame",
            expression: "object.metadata.all(k, k in ['managedFields', 'resourceVersion', 'generation', 'annotations'] || (k in oldObject.metadata && object.metadata[k] == oldObject.metadata[k])) && oldObject.metadata.all(k, k in ['managedFields', 'resourceVersion', 'generation', 'annotations'] || k in object.metadata)",
        },
        Variable {
            name: "annSame",
            expression: "variables.ann.all(k, k == 'autoscaling.knative.dev/min-scale' || (k in variables.was && variables.ann[k] == variables.was[k])) && variables.was.all(k, k == 'autoscaling.knative.dev/min-scale' || k in variables.ann)",
        },
    ],
    validations: &[
        Validation {
            expression: "has(request.options.fieldManager) && request.options.fieldManager == 'forewarm'",
            complaint: Complaint::Says("Forewarm writes as field manager forewarm"),
        },
        Validation {
            expression: "object.spec == oldObject.spec && variables.metaSame && variables.annSame",
            complaint: Complaint::Says("Forewarm may change only the annotation autoscaling.knative.dev/min-scale"),
        },
        Validation {
            expression: "variables.plain",
            complaint: Complaint::Says("min-scale must be a number"),
        },
        Validation {
            expression: "!('autoscaling.knative.dev/min-scale' in variables.ann) || variables.new >= variables.old - (variables.old >= 4 ? variables.old / 4 : 1)",
            complaint: Complaint::Computes(
                "'a floor may fall by at most a quarter (or 1) at a time: ' + string(variables.old) + ' to ' + string(variables.new)",
            ),
        },
    ],
};
