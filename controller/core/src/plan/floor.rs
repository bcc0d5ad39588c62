//! Plan: observation, forecast and policy in, the floor we would like out. Pure.

use crate::decide::Function;
use crate::observation::{Reading, Why};
use crate::policy::ForecastMode;
use crate::units::{Demand, Replicas, Slots};
use crate::wish::{BoundBy, FloorWish};

/// The floor we would like: the largest of the user's own floor, the forecast's and the reactive need, at most
/// `max` unless the user's own is above it. The reactive need joins only where nobody else scales the target.
///
/// `least`: `max(u, min)`, at least 1 where nobody else scales the target.
pub fn wish(function: &Function, least: Replicas) -> FloorWish {
    let forecast = forecast_part(function);
    let reactive = reactive_part(function);
    let at_least = at_least_part(function);
    let joins = reactive.known().copied().max(at_least).filter(|_| alone(function));
    let need = forecast.max(joins).unwrap_or(Replicas::ZERO);
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
        at_least,
        bound_by,
    }
}

/// True where nobody else scales the target.
fn alone(function: &Function) -> bool {
    let target = function.observation.target.known();
    target.is_none_or(|target| target.scaler.is_none())
}

/// Pods for the part of the demand that is known while the whole is not (R2: what is known may still raise).
fn at_least_part(function: &Function) -> Option<Replicas> {
    let Reading::Unknown(Why::Incomplete { at_least, .. }) = &function.observation.demand else {
        return None;
    };
    let used = function.policy.per_replica?.at(function.policy.utilization);
    Some(at_least.pods_at(used))
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

/// A quantile below half a call is none: a mean of quantiles is seldom exactly zero, and whether a pod is held for a
/// call that may come is the wake-up's to say, which gives a whole one.
fn pods(upper: Demand, slots: Slots) -> Replicas {
    if slots.is_one() || upper.get() < 0.5 {
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

#[cfg(test)]
mod tests {
    use super::wish;
    use crate::decide::Inputs;
    use crate::decision::Reason;
    use crate::observation::{Reading, Why};
    use crate::policy::ForecastMode;
    use crate::sample::inputs;
    use crate::units::{Demand, Percent, Replicas, Slots};
    use crate::wish::BoundBy;

    fn slots(mut inputs: Inputs, slots: f64, percent: u8) -> Inputs {
        inputs.function.policy.per_replica = Slots::new(slots);
        inputs.function.policy.utilization = Percent::new(percent).expect("a percentage");
        inputs
    }

    fn wished(inputs: &Inputs) -> (u32, BoundBy) {
        let wish = wish(&inputs.function, Replicas(2));
        (wish.to.0, wish.bound_by)
    }

    #[test]
    fn the_reactive_need_leaves_headroom_and_the_forecast_uses_the_whole_slots() {
        let inputs = slots(inputs().demand(100.0), 20.0, 70);
        assert_eq!(wished(&inputs), (8, BoundBy::Reactive), "100 / 14 = 7.1");
        assert_eq!(
            wished(&inputs.clone().forecast(160.0)),
            (8, BoundBy::Forecast),
            "160 / 20 = 8"
        );
        assert_eq!(wished(&inputs.forecast(161.0)), (9, BoundBy::Forecast));
    }

    #[test]
    fn a_quantile_is_rounded_to_the_nearest_pod_only_where_a_pod_serves_one_call() {
        let quiet = |slot| slots(inputs().demand(0.0), slot, 100);
        assert_eq!(wished(&quiet(1.0).forecast(3.4)).0, 3);
        assert_eq!(wished(&quiet(1.0).forecast(3.5)).0, 4);
        assert_eq!(wished(&quiet(2.0).forecast(6.2)).0, 4);
        assert_eq!(wish(&quiet(20.0).forecast(0.4).function, Replicas(0)).to, Replicas(0));
        assert_eq!(wish(&quiet(20.0).forecast(1.0).function, Replicas(0)).to, Replicas(1));
        assert_eq!(
            wished(&quiet(1.0).demand(3.1)).0,
            4,
            "the demand of now is always rounded up"
        );
    }

    #[test]
    fn of_a_demand_that_is_not_known_whole_the_known_part_raises() {
        let part = |calls: f64| {
            let mut inputs = inputs();
            inputs.function.observation.demand = Reading::Unknown(Why::Incomplete {
                reporting: Replicas(1),
                ready: Replicas(2),
                at_least: Demand::new(calls).expect("an amount"),
            });
            inputs
        };
        assert_eq!(part(10.0).value(), 20, "what is held stays");
        assert_eq!(part(60.0).value(), 30);
        assert_eq!(part(60.0).decide().reason, Reason::ReactiveRise);
        assert_eq!(wished(&part(1000.0)), (100, BoundBy::Max));
        assert_eq!(part(60.0).decide().counterfactual.known(), None);
    }

    #[test]
    fn the_largest_part_wins_up_to_max() {
        assert_eq!(wished(&inputs().demand(0.0)), (2, BoundBy::User));
        assert_eq!(wished(&inputs().demand(1000.0)), (100, BoundBy::Max));
        assert_eq!(wished(&inputs().forecast(1000.0)), (100, BoundBy::Max));
        let above_max = wish(&inputs().demand(1000.0).function, Replicas(120));
        assert_eq!((above_max.to, above_max.bound_by), (Replicas(120), BoundBy::User));
    }

    #[test]
    fn a_forecast_that_is_off_or_not_trusted_has_no_part() {
        let mut off = inputs().forecast(1000.0);
        off.function.policy.forecast = ForecastMode::Off;
        assert_eq!(wish(&off.function, Replicas(2)).forecast, None);
        assert_eq!(wish(&inputs().function, Replicas(2)).forecast, None);
    }

    #[test]
    fn pods_that_are_starting_are_not_asked_for_twice() {
        let mut inputs = inputs().demand(60.0);
        inputs.target().ready = Replicas(20);
        inputs.target().floor = Replicas(30);
        inputs.target().starting = Replicas(10);
        assert_eq!(inputs.value(), 30);
        assert_eq!(inputs.decide().counterfactual, Reading::Known(Replicas(30)));
    }
}
