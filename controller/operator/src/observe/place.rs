//! Where a target's floor is written: its scaler's floor field, its revision's, or its own replicas. No I/O.

use std::sync::Arc;

use forewarm_core::observation::{FloorField, Halted, Reading, Scaler, Target, Why};
use forewarm_core::policy::{Policy, ScaleDown};
use forewarm_core::units::{Replicas, Seconds, Slots};

use super::pods::Owner;
use super::stores::Stores;
use crate::target::{Found, Scaling, Serves, TargetRef, Workload, deployment_of, scaling_of};

/// Where a target's floor is written.
#[derive(Debug)]
pub struct Place {
    /// The object that has the floor field, or why it is not known.
    pub found: Reading<Arc<Workload>>,
    /// That object, by name, where it is a scaler. `None`: the target itself.
    pub writes: Option<TargetRef>,
    /// Who else scales the target.
    pub scaler: Option<Scaler>,
    /// The workload that the target's pods name as theirs. `None`: the target itself.
    pub pods_of: Option<Owner>,
    /// What one replica can serve, as the scaler says.
    pub serves: Option<Serves>,
    /// Revisions that take the target's traffic.
    pub revisions: Vec<String>,
}

/// Finds where the floor of `target` is written.
pub fn place(stores: &Stores, target: &TargetRef) -> Place {
    let unknown = |why| Place {
        found: Reading::Unknown(why),
        writes: None,
        scaler: None,
        pods_of: None,
        serves: None,
        revisions: Vec::new(),
    };
    let Some(shelf) = stores.shelf(target).filter(|shelf| !shelf.scales()) else {
        return unknown(Why::KindNotListed);
    };
    let Some(workload) = shelf.get(&target.namespace, &target.name) else {
        return unknown(Why::TargetMissing);
    };
    let found = stores.scaling(target);
    if workload.template.is_some() {
        return revision(stores, &workload, found).unwrap_or_else(unknown);
    }
    let at_zero = workload.replicas == Replicas::ZERO;
    match scaling_of(target, &workload, found) {
        Scaling::Alone => Place {
            found: Reading::Known(workload),
            ..unknown(Why::TargetMissing)
        },
        Scaling::Several(names) => Place {
            found: Reading::Known(workload),
            scaler: Some(Scaler::Several(names)),
            ..unknown(Why::TargetMissing)
        },
        Scaling::One(found) => scaled(&found, |field, own_zero| {
            let by_hand = at_zero && !own_zero;
            field.halted = field.halted.or_else(|| by_hand.then_some(Halted::AtZero));
        }),
    }
}

/// The place at a scaler whose floor can be moved.
fn scaled(found: &Found, change: impl FnOnce(&mut FloorField, bool)) -> Place {
    let says = found.object.scales.clone();
    let serves = says.as_ref().and_then(|says| says.slots);
    let scaler = says.map(|mut says| {
        change(&mut says.field, says.own_zero);
        Scaler::One(says.field)
    });
    Place {
        found: Reading::Known(Arc::clone(&found.object)),
        writes: Some(found.reference()),
        scaler,
        pods_of: None,
        serves,
        revisions: Vec::new(),
    }
}

/// The place at the revision that takes most of a service's traffic; its pods are those of its Deployment.
fn revision(stores: &Stores, service: &Workload, found: Vec<Found>) -> Result<Place, Why> {
    match stores.knative.too_old() {
        None => return Err(Why::NotYetRead),
        Some(true) => return Err(Why::KnativeTooOld),
        Some(false) => {}
    }
    let first = service.routes.first().ok_or(Why::NoRevision)?;
    let found = found
        .into_iter()
        .find(|found| found.object.name == *first)
        .ok_or(Why::NoRevision)?;
    let deployment = deployment_of(first);
    let place = scaled(&found, |field, _| {
        field.recorded = service.template;
        field.unheeded = unheeded(stores, service, first);
    });
    Ok(Place {
        pods_of: Some(Owner {
            namespace: service.namespace.as_str().into(),
            kind: "Deployment".into(),
            name: deployment.into(),
        }),
        revisions: service.routes.clone(),
        ..place
    })
}

/// UID of the revision's Deployment, where it is at zero and its autoscaler inactive.
fn unheeded(stores: &Stores, service: &Workload, revision: &str) -> Option<String> {
    if !stores.idle.contains(&service.namespace, revision) {
        return None;
    }
    let deployment = TargetRef {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: service.namespace.clone(),
        name: deployment_of(revision),
    };
    let found = stores
        .shelf(&deployment)?
        .get(&deployment.namespace, &deployment.name)?;
    (found.replicas == Replicas::ZERO).then(|| found.uid.clone())
}

/// Makes the policy fit the scaler: no floor above its maximum; what it says one replica serves, unless the policy
/// does; and the pace of coming down by how long a pod takes to `start`, unless the policy sets one (`paced`).
pub fn fit(policy: &mut Policy, target: Option<&Target>, serves: Option<Serves>, start: Seconds, paced: bool) {
    let Some(Scaler::One(field)) = target.and_then(|target| target.scaler.as_ref()) else {
        return;
    };
    if let Some(max) = field.max {
        policy.floor.max = policy.floor.max.min(max);
        policy.floor.min = policy.floor.min.map(|min| min.min(max));
    }
    policy.per_replica = policy.per_replica.or_else(|| match serves? {
        Serves::Limit(slots) => Some(slots),
        Serves::Aim(slots) => Slots::new(slots.get() * 100.0 / f64::from(policy.utilization.get().max(1))),
    });
    if !paced {
        policy.scale_down = ScaleDown::beside_a_scaler(start);
    }
}
