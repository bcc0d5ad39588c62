//! The first kind of target: replicas through `/scale` of Deployments, `StatefulSet`s and listed kinds, where no
//! other scaler has them. Pure.
//!
//! A raise or fall is a JSON patch that tests the UID and the value it was decided for, so a stale decision
//! changes nothing. `/scale` shows no managed fields: the claim cannot be dropped here, so a manifest that has
//! the line is adopted first, by applying the present value.

use super::rail::{Complaint, Guarded, Rail, Validation, Variable};
use super::rights::{ListedRule, Rights, Rule, Scope};
use super::{
    BuildError, FIELD_MANAGER, Guide, ReadError, Release, Resource, TargetKind, TargetRef, Workload, workload,
};
use forewarm_core::decision::Step;
use forewarm_core::units::{Replicas, Seconds};
use http::Request;
use kube::api::DynamicObject;
use serde_json::{Value, json};

/// Replicas through `/scale`.
#[derive(Clone, Copy, Debug)]
pub struct Scale;

impl TargetKind for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn resources(&self, listed: &[Resource]) -> Vec<Resource> {
        let apps = |kind: &str, plural: &str| Resource {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        let built_in = [apps("Deployment", "deployments"), apps("StatefulSet", "statefulsets")];
        built_in.into_iter().chain(listed.iter().cloned()).collect()
    }

    fn prune(&self, object: &mut DynamicObject) {
        workload::prune(object);
    }

    /// An absent `spec.replicas` is 1 for the built-in kinds, whose API defaults it, and 0 for a listed kind,
    /// as its `/scale` shows it: nothing is known of that kind's default.
    fn read(&self, resource: &Resource, object: &DynamicObject) -> Result<Workload, ReadError> {
        let absent = if resource.group == "apps" {
            Replicas::ONE
        } else {
            Replicas::ZERO
        };
        Workload::read(object, absent)
    }

    fn request(&self, resource: &Resource, target: &TargetRef, step: &Step) -> Result<Request<Vec<u8>>, BuildError> {
        let path = format!("{}/scale", resource.path(target)?);
        match step {
            Step::SetFloor {
                uid,
                from,
                to,
                along: None,
            } => set(&path, uid, *from, *to),
            Step::Adopt { uid, value } => adopt(&path, &target.name, uid, *value),
            Step::SetFloor { along: Some(_), .. }
            | Step::DropClaim { .. }
            | Step::GiveBack { .. }
            | Step::Wake { .. } => Err(BuildError::Unfit),
        }
    }

    /// The workload's controller sees the write at once; it was ready in well under a second on the test bed.
    fn latency(&self) -> Seconds {
        Seconds(1)
    }

    fn rights(&self) -> Rights {
        RIGHTS
    }

    fn rail(&self) -> Rail {
        RAIL
    }

    fn release(&self) -> Release {
        Release::Stays("replicas stay as they are; nothing else was changed")
    }

    fn guide(&self) -> Guide {
        Guide {
            target: "no scaler names it",
            floor: "`spec.replicas` through `/scale`",
            kept: "`status.floor.user`",
            zero: "a pause",
        }
    }
}

fn set(path: &str, uid: &str, from: Replicas, to: Replicas) -> Result<Request<Vec<u8>>, BuildError> {
    nonzero(from)?;
    nonzero(to)?;
    let body = json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/replicas", "value": from},
        {"op": "replace", "path": "/spec/replicas", "value": to},
    ]);
    patch(
        &format!("{path}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict"),
        "application/json-patch+json",
        &body,
    )
}

fn adopt(path: &str, name: &str, uid: &str, value: Replicas) -> Result<Request<Vec<u8>>, BuildError> {
    nonzero(value)?;
    let body = json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": name, "uid": uid},
        "spec": {"replicas": value},
    });
    let query = format!("fieldManager={FIELD_MANAGER}&force=false&fieldValidation=Strict");
    patch(&format!("{path}?{query}"), "application/apply-patch+yaml", &body)
}

fn nonzero(replicas: Replicas) -> Result<(), BuildError> {
    if replicas == Replicas::ZERO {
        Err(BuildError::Zero)
    } else {
        Ok(())
    }
}

fn patch(uri: &str, content_type: &str, body: &Value) -> Result<Request<Vec<u8>>, BuildError> {
    let request = Request::patch(uri)
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::CONTENT_TYPE, content_type);
    Ok(request.body(body.to_string().into_bytes())?)
}

/// Reads are for the watch and for the fresh look before a fall; the write is `/scale` alone, so neither image
/// nor template can be touched.
const RIGHTS: Rights = Rights {
    rules: &[
        Rule {
            scope: Scope::Cluster,
            group: "apps",
            resources: &["deployments", "statefulsets"],
            verbs: &["get", "list", "watch"],
        },
        Rule {
            scope: Scope::Enrolled,
            group: "apps",
            resources: &["deployments/scale", "statefulsets/scale"],
            verbs: &["patch"],
        },
    ],
    listed: &[
        ListedRule {
            scope: Scope::Cluster,
            suffix: "",
            verbs: &["get", "list", "watch"],
        },
        ListedRule {
            scope: Scope::Enrolled,
            suffix: "/scale",
            verbs: &["patch"],
        },
    ],
};

/// Zero is a pause, but for the pods of a Knative revision, whose zero is the autoscaler's.
///
/// Written without `.?`, which the CEL that runs in tests does not parse. A `Scale` at zero has an empty `spec`, so absent is 0. The slew rule of the core keeps to
/// the same largest fall. `/scale` shows no managed fields and so no times: the rate of falls is not bounded
/// here.
const RAIL: Rail = Rail {
    name: "scale",
    guards: &[Guarded {
        group: "apps",
        versions: &["v1"],
        resources: &["deployments/scale", "statefulsets/scale"],
    }],
    listed_subresource: "scale",
    operations: &["UPDATE"],
    variables: &[
        Variable {
            name: "new",
            expression: "has(object.spec.replicas) ? int(object.spec.replicas) : 0",
        },
        Variable {
            name: "old",
            expression: "has(oldObject.spec.replicas) ? int(oldObject.spec.replicas) : 0",
        },
        Variable {
            name: "specSame",
            expression: "object.spec.all(k, k == 'replicas' || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) && oldObject.spec.all(k, k == 'replicas' || k in object.spec)",
        },
        Variable {
            name: "metaSame",
            expression: "object.metadata.all(k, k in ['managedFields', 'resourceVersion'] || (k in oldObject.metadata && object.metadata[k] == oldObject.metadata[k])) && oldObject.metadata.all(k, k in ['managedFields', 'resourceVersion'] || k in object.metadata)",
        },
    ],
    validations: &[
        Validation {
            expression: "variables.specSame && variables.metaSame",
            complaint: Complaint::Says("Forewarm may change only spec.replicas"),
        },
        Validation {
            expression: "variables.old >= 1 || (has(oldObject.status) && has(oldObject.status.selector) && oldObject.status.selector.contains('serving.knative.dev/revisionUID='))",
            complaint: Complaint::Says("zero replicas mean that a person has paused this workload"),
        },
        Validation {
            expression: "variables.new >= 1",
            complaint: Complaint::Says("Forewarm never scales to zero"),
        },
        Validation {
            expression: "variables.new >= variables.old - (variables.old >= 4 ? variables.old / 4 : 1)",
            complaint: Complaint::Computes(
                "'replicas may fall by at most a quarter (or 1) at a time: ' + string(variables.old) + ' to ' + string(variables.new)",
            ),
        },
        Validation {
            expression: "has(request.options.fieldManager) && request.options.fieldManager == 'forewarm'",
            complaint: Complaint::Says("Forewarm writes as field manager forewarm"),
        },
    ],
};

#[cfg(test)]
mod tests;
