//! Plan: observation, forecast and policy in, the floor we would like out. Pure.

use crate::decide::Function;
use crate::observation::{Reading, Why};
use crate::policy::ForecastMode;
use crate::units::{Demand, Replicas, Slots};
use crate::wish::{BoundBy, FloorWish};

/// The floor we would like: the largest of the user's own floor, the forecast's and the reactive need, at most
/// `max` unless the user's own is above it, and at least one pod.
///
/// `least`: `max(u, min)`, at least 1.
pub fn wish(function: &Function, least: Replicas) -> FloorWish {
    let forecast = forecast_part(function);
    let reactive = reactive_part(function);
    let need = forecast
        .max(reactive.known().copied())
        .unwrap_or(Replicas::ZERO);
    let cut = need.min(function.policy.floor.max);
    let bound_by = match () {
        () if cut <= least => BoundBy::User,
        () if cut < need => BoundBy::Max,
        () if forecast == Some(need) => BoundBy::Forecast,
        () => BoundBy::Reactive,
    };
    FloorWish {
        to: cut.max(least),
        user: least,
        forecast,
        reactive,
        bound_by,
    }
}

/// Pods for the upper quantile of the peak in-flight count. `None`: switched off, not trusted, or the slots of
/// one replica are not known.
///
/// Formula: `ceil(Q / C)`, to the nearest where a pod serves one call at a time; no factor on top, since the
/// quantile is already of the peak (floor rule of the forecast study, tuned on one half of the traces and checked
/// on the other: 0.15x the waiting calls of KPA at 1.14x the pod-hours for a 12 s start).
fn forecast_part(function: &Function) -> Option<Replicas> {
    if function.policy.forecast == ForecastMode::Off {
        return None;
    }
    let upper = function.forecast.trusted()?;
    function.policy.per_replica.map(|slots| pods(upper, slots))
}

fn pods(upper: Demand, slots: Slots) -> Replicas {
    if slots.is_one() {
        upper.pods_nearest(slots)
    } else {
        upper.pods_at(slots)
    }
}

/// Pods for the demand of now, at the policy's utilisation.
///
/// It is a number of pods in all, compared with `spec.replicas`, which counts the pods that are still starting:
/// so they are not asked for a second time, however long they take.
pub fn reactive_part(function: &Function) -> Reading<Replicas> {
    let Some(slots) = function.policy.per_replica else {
        return Reading::Unknown(Why::PerReplicaUnknown);
    };
    let used = slots.at(function.policy.utilization);
    function
        .observation
        .demand
        .clone()
        .map(|demand| demand.current.pods_at(used))
}
