//! Floors that no policy holds any more: what is still to be given back. No I/O.
//!
//! It is read off the scalers, not off memory: a policy that was deleted while no operator ran is given back too.

use std::collections::BTreeSet;
use std::sync::Arc;

use forewarm_core::decision::Step;
use forewarm_core::observation::Recorded;
use forewarm_core::policy::{FunctionKey, Mode};
use forewarm_core::units::Replicas;

use super::policies::PolicySeen;
use super::stores::Stores;
use crate::target::{Found, TargetRef, Workload};

/// A scaler's floor that is ours though no policy wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// The object that has the field.
    pub writes: TargetRef,
    /// The steps that give it back, in order.
    pub steps: Vec<Step>,
    /// The user's own value.
    pub to: Recorded,
}

/// What is still to be given back.
///
/// Kept: what an enforcing policy names, what is paused, and everything in a namespace with a policy that cannot be
/// read, since nobody knows what that one names.
pub fn left(stores: &Stores) -> Vec<Left> {
    let found: Vec<Found> = stores.scalers().flat_map(|shelf| shelf.picked(is_ours)).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let policies = stores.policies.all();
    let unreadable: BTreeSet<&str> = policies
        .iter()
        .filter(|(_, seen)| seen.parsed.is_err())
        .map(|(key, _)| &*key.namespace)
        .collect();
    let wanted: BTreeSet<Name> = policies.iter().filter_map(|(key, seen)| wants(key, seen)).collect();
    let mut left: Vec<_> = found
        .into_iter()
        .filter(|found| !unreadable.contains(found.object.namespace.as_str()))
        .filter(|found| !stores.paused.contains(&found.object.namespace))
        .filter(|found| !routed(stores, found) || !scales(found).is_some_and(|name| wanted.contains(&name)))
        .filter_map(|found| give_back(&found, template(stores, &found)))
        .collect();
    left.sort_by(|a, b| a.writes.cmp(&b.writes));
    left
}

/// Namespace, group, kind and name of what is scaled.
type Name = [String; 4];

/// What a policy that enforces, or is paused, holds on to.
fn wants(key: &FunctionKey, seen: &PolicySeen) -> Option<Name> {
    let usable = seen.parsed.as_ref().ok()?;
    let holds = usable.policy.mode == Mode::Enforce || usable.policy.paused;
    let target = &usable.target;
    holds.then(|| {
        [
            key.namespace.to_string(),
            group(&target.api_version),
            target.kind.clone(),
            target.name.clone(),
        ]
    })
}

fn scales(found: &Found) -> Option<Name> {
    let target = &found.object.scales.as_ref()?.target;
    Some([
        target.namespace.clone(),
        group(&target.api_version),
        target.kind.clone(),
        target.name.clone(),
    ])
}

fn group(api_version: &str) -> String {
    api_version.split_once('/').map_or("", |(group, _)| group).to_owned()
}

/// False for a revision that takes no traffic any more: a floor left there would bite when traffic comes back.
fn routed(stores: &Stores, found: &Found) -> bool {
    service(stores, found).is_none_or(|service| service.routes.contains(&found.object.name))
}

/// True for a floor that we hold: our record is beside it, or the last write of the annotation was ours. KEDA
/// copies a `ScaledObject`'s annotations to the autoscaler that it makes: that one is never ours.
pub fn is_ours(object: &Workload) -> bool {
    let copied = |group: &str| group == "keda.sh" || group.ends_with("knative.dev");
    let Some(scales) = &object.scales else { return false };
    if scales.field.annotated
        && object
            .owner
            .as_ref()
            .is_some_and(|owner| copied(&group(&owner.api_version)))
    {
        return false;
    }
    if scales.field.annotated {
        // The entry alone is left where the value went back and dropping our claim failed.
        scales.field.recorded.is_some() || object.ownership.written_by_us
    } else {
        object.ownership.written_by_us
    }
}

/// The service that a revision belongs to.
fn service(stores: &Stores, found: &Found) -> Option<Arc<Workload>> {
    let target = &found.object.scales.as_ref()?.target;
    let service = stores.shelf(target)?.get(&target.namespace, &target.name)?;
    service.template.is_some().then_some(service)
}

fn template(stores: &Stores, found: &Found) -> Option<Recorded> {
    service(stores, found)?.template
}

/// The steps that give a floor back. `template`: the user's own value, where nothing is recorded beside the field; a
/// revision whose service is gone gets none.
///
/// What is recorded beside the field goes back at once, and so does a revision's floor to nothing: that is what their
/// rails take for leaving. To a value of its template a revision comes down by a quarter at a time, as its rail demands.
pub fn give_back(found: &Found, template: Option<Recorded>) -> Option<Left> {
    let object = &found.object;
    let field = &object.scales.as_ref()?.field;
    let to = field.recorded.or(template).unwrap_or(Recorded::Absent);
    let (uid, from) = (object.uid.clone(), field.live(object.replicas));
    let claim = Step::DropClaim { uid: uid.clone() };
    let steps = match to {
        Recorded::Value(own) if !field.annotated => {
            let downs = downs(object.replicas, own);
            let down = |(from, to): (Replicas, Replicas)| Step::GiveBack {
                uid: uid.clone(),
                from: Recorded::Value(from),
                to: Recorded::Value(to),
            };
            downs.into_iter().map(down).chain([claim]).collect()
        }
        Recorded::Value(_) | Recorded::Absent if field.annotated && field.recorded.is_none() => vec![claim],
        Recorded::Value(_) | Recorded::Absent => vec![Step::GiveBack { uid, from, to }, claim],
    };
    Some(Left {
        writes: found.reference(),
        steps,
        to,
    })
}

/// Falls of at most a quarter, or one, from here to there; a rise is one.
fn downs(mut from: Replicas, own: Replicas) -> Vec<(Replicas, Replicas)> {
    let mut downs = Vec::new();
    while from != own {
        let to = from.minus(Replicas((from.0 / 4).max(1))).max(own);
        downs.push((from, to));
        from = to;
    }
    downs
}

#[cfg(test)]
mod tests {
    use super::downs;
    use forewarm_core::units::Replicas;

    #[test]
    fn no_fall_is_larger_than_a_quarter_or_one() {
        let of = |from, own| -> Vec<u32> {
            downs(Replicas(from), Replicas(own))
                .iter()
                .map(|(_, to)| to.0)
                .collect()
        };
        assert_eq!(of(20, 2), [15, 12, 9, 7, 6, 5, 4, 3, 2]);
        assert_eq!(of(2, 2), Vec::<u32>::new());
        assert_eq!(of(2, 5), [5], "a floor under the user's own is raised");
        assert_eq!(of(1, 0), [0]);
    }
}
