//! Inputs of one decision. What the safety model asks for on purpose (a floor held above `max`, the user's own far
//! above it, a need far above slew) is made likely by drawing all of them from the same small range.

use forewarm_core::decide::{Fleet, Function, Inputs};
use forewarm_core::decision::{Decision, FieldVerdict};
use forewarm_core::forecast::{Band, Distrust, Forecast, Trust};
use forewarm_core::observation::{
    Capacity, DemandSample, FloorField, Halted, LeadTime, LeadTimeSource, Observation, Ownership, Reading, Recorded,
    Scaler, Target, Why, Writer, WriterKind,
};
use forewarm_core::policy::{FloorBounds, ForecastMode, Mode, OnConflict, Policy, ScaleDown};
use forewarm_core::standing::{Aside, AsideWhy, Fall, Full, Standing, UserFloor, UserFloorFrom, Wished};
use forewarm_core::units::{Demand, Mono, Now, Percent, Replicas, Seconds, Slots, Wall};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Point in time around which everything happens.
const NOW: u64 = 10_000_000;

pub(crate) fn pods() -> impl Strategy<Value = Replicas> {
    prop_oneof![8 => 0..60_u32, 1 => 0..3_u32, 1 => any::<u32>(), 1 => Just(u32::MAX)].prop_map(Replicas)
}

pub(crate) fn demand() -> impl Strategy<Value = Demand> {
    let usual = (0..2000_u32).prop_map(f64::from);
    let any_bits = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![8 => usual, 1 => any_bits].prop_filter_map("not a demand", Demand::new)
}

pub(crate) fn slots() -> impl Strategy<Value = Slots> {
    let usual = prop::sample::select(vec![0.5, 1.0, 2.0, 20.0, 50.0]);
    let any_bits = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![8 => usual, 1 => any_bits].prop_filter_map("not slots", Slots::new)
}

pub(crate) fn percent() -> impl Strategy<Value = Percent> {
    (0..=100_u8).prop_filter_map("at most 100", Percent::new)
}

/// Every reason for which something may be unknown.
pub(crate) fn why() -> BoxedStrategy<Why> {
    let plain = prop::sample::select(vec![
        Why::NotYetRead,
        Why::Absent,
        Why::NotANumber,
        Why::Infinite,
        Why::Negative,
        Why::WrongShape,
        Why::SourceDown,
        Why::QueryFailed,
        Why::PartialAnswer,
        Why::TooLarge,
        Why::ProfileUnusable,
        Why::PerReplicaUnknown,
        Why::TargetMissing,
        Why::TargetStale,
        Why::KindNotListed,
    ]);
    prop_oneof![
        12 => plain,
        1 => any::<u32>().prop_map(|age| Why::Stale { age: Seconds(age) }),
        1 => (pods(), pods(), demand()).prop_map(|(reporting, ready, at_least)| Why::Incomplete { reporting, ready, at_least }),
        1 => (demand(), demand()).prop_map(|(from, to)| Why::ImplausibleJump { from, to }),
    ]
    .boxed()
}

pub(crate) fn sample() -> impl Strategy<Value = DemandSample> {
    (demand(), demand()).prop_map(|(one, other)| DemandSample {
        current: one,
        peak: one.max(other),
        unheard: Replicas::ZERO,
    })
}

pub(crate) fn policy() -> BoxedStrategy<Policy> {
    let bounds = (option::of(pods()), pods()).prop_map(|(min, max)| FloorBounds {
        min,
        max: max.max(min.unwrap_or(Replicas::ONE)).max(Replicas::ONE),
    });
    let windows = prop::sample::select(vec![0, 1, 15, 60, 300, 3600]);
    let scale_down = (windows.clone(), percent(), windows).prop_map(|(stabilization, step_percent, step)| ScaleDown {
        stabilization: Seconds(stabilization),
        step_percent,
        step: Seconds(step),
    });
    let mode = prop::sample::select(vec![Mode::Shadow, Mode::Enforce, Mode::Enforce]);
    let on_conflict = prop::sample::select(vec![OnConflict::StandAside, OnConflict::Take]);
    let forecast = prop::sample::select(vec![ForecastMode::Auto, ForecastMode::Auto, ForecastMode::Off]);
    let per_replica = option::weighted(0.9, slots());
    (
        mode,
        prop::bool::weighted(0.1),
        on_conflict,
        bounds,
        scale_down,
        per_replica,
        percent(),
        forecast,
        0..2_i64,
    )
        .prop_map(
            |(mode, paused, on_conflict, floor, scale_down, per_replica, utilization, forecast, generation)| Policy {
                generation,
                mode,
                paused,
                on_conflict,
                floor,
                scale_down,
                per_replica,
                utilization,
                forecast,
                crash_loop: forewarm_core::policy::CrashLoop::Hold,
            },
        )
        .boxed()
}

fn ownership() -> BoxedStrategy<Ownership> {
    let kind = prop::sample::select(vec![WriterKind::Deploy, WriterKind::Person]);
    let updated_by = option::of(kind.prop_map(|kind| Writer {
        name: "helm".to_owned(),
        kind,
    }));
    let applied_by = option::weighted(0.1, Just("kustomize-controller".to_owned()));
    (applied_by, any::<bool>(), any::<bool>(), updated_by)
        .prop_map(|(applied_by, adopted, written_by_us, updated_by)| Ownership {
            applied_by,
            adopted,
            written_by_us,
            updated_by,
        })
        .boxed()
}

pub(crate) fn target() -> BoxedStrategy<Target> {
    let several = Just(Scaler::Several("HorizontalPodAutoscaler/x".to_owned()));
    let scaler = option::weighted(0.3, prop_oneof![1 => several, 5 => floor_field().prop_map(Scaler::One)]);
    (pods(), pods(), pods(), ownership(), scaler)
        .prop_map(|(floor, ready, starting, ownership, scaler)| Target {
            uid: "6f1c".to_owned(),
            floor,
            ready,
            starting,
            ownership,
            scaler,
        })
        .boxed()
}

/// What a scaler may show beside its floor, possible or not.
pub(crate) fn floor_field() -> BoxedStrategy<FloorField> {
    let recorded = option::of(prop_oneof![Just(Recorded::Absent), pods().prop_map(Recorded::Value)]);
    let halted = option::weighted(0.1, prop::sample::select(vec![Halted::AtZero, Halted::Paused]));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (recorded, halted, flags, prop::sample::select(vec![0, 1]))
        .prop_map(|(recorded, halted, (absent, bare, annotated), default)| FloorField {
            scaler: "HorizontalPodAutoscaler/x".to_owned(),
            field: "spec.minReplicas".to_owned(),
            max: None,
            recorded,
            absent,
            default: Replicas(default),
            bare,
            annotated,
            halted,
            unheeded: bare.then(|| "d-1".to_owned()),
            idle: annotated.then_some(Replicas::ZERO),
        })
        .boxed()
}

fn reading<T: std::fmt::Debug + Clone>(known: impl Strategy<Value = T>) -> impl Strategy<Value = Reading<T>> {
    prop_oneof![8 => known.prop_map(Reading::Known), 1 => why().prop_map(Reading::Unknown)]
}

pub(crate) fn observation() -> BoxedStrategy<Observation> {
    let lead_time = LeadTime {
        total: Seconds(38),
        source: LeadTimeSource::Learned,
    };
    (reading(target()), reading(sample()), option::of(mono()), capacity())
        .prop_map(move |(target, demand, demand_known_at, capacity)| Observation {
            target,
            demand,
            lead_time,
            demand_known_at,
            failing: None,
            backlog: false,
            capacity,
            service: forewarm_core::service::Service::default(),
            anomalies: Vec::new(),
        })
        .boxed()
}

/// Mostly a cluster with room.
pub(crate) fn capacity() -> impl Strategy<Value = Capacity> {
    let stuck = prop_oneof![3 => Just(Replicas::ZERO), 1 => pods()];
    (pods(), stuck, option::weighted(0.2, pods())).prop_map(|(placed, stuck, quota)| Capacity { placed, stuck, quota })
}

fn full() -> impl Strategy<Value = Full> {
    (pods(), mono(), 1..9_u32).prop_map(|(most, at, tries)| Full { most, at, tries })
}

pub(crate) fn trust() -> impl Strategy<Value = Trust> {
    let distrust = prop::sample::select(vec![
        Distrust::TooLittleHistory,
        Distrust::WorseThanSeasonalNaive,
        Distrust::WorseThanTrailingPeak,
        Distrust::Undercovers,
        Distrust::ModelFailed,
        Distrust::HistoryStale,
    ]);
    prop_oneof![2 => Just(Trust::Trusted), 1 => distrust.prop_map(Trust::Untrusted)]
}

pub(crate) fn forecast() -> BoxedStrategy<Forecast> {
    let band = (demand(), demand()).prop_map(|(lower, upper)| Band { lower, upper });
    (
        trust(),
        any::<i64>(),
        percent(),
        demand(),
        demand(),
        option::of(band),
        option::of(percent()),
    )
        .prop_map(
            |(trust, minute, quantile, point, upper, expected_now, coverage)| Forecast {
                trust,
                minute,
                quantile,
                point,
                upper,
                expected_now,
                coverage,
                ..Forecast::none(Distrust::TooLittleHistory)
            },
        )
        .boxed()
}

/// Mostly the last ten minutes, sometimes anything, the future too.
fn mono() -> impl Strategy<Value = Mono> {
    prop_oneof![8 => NOW - 700_000..=NOW, 1 => any::<u64>()].prop_map(Mono)
}

fn user_floor() -> impl Strategy<Value = UserFloor> {
    let from = prop::sample::select(vec![UserFloorFrom::TakeOver, UserFloorFrom::Deploy]);
    (pods(), from).prop_map(|(value, from)| UserFloor { value, from })
}

fn aside() -> impl Strategy<Value = Aside> {
    let why = prop::sample::select(vec![AsideWhy::FieldTaken, AsideWhy::ResetTooOften]);
    (why, 0..2_i64).prop_map(|(why, generation)| Aside {
        why,
        generation,
        by: "kubectl".to_owned(),
    })
}

pub(crate) fn standing() -> BoxedStrategy<Standing> {
    let mode = prop::sample::select(vec![Mode::Shadow, Mode::Enforce, Mode::Enforce]);
    let memory = (
        option::weighted(0.9, user_floor()),
        option::weighted(0.9, pods()),
        option::weighted(0.9, pods()),
    );
    let writes = (option::of(mono()), option::of(pods()), vec(pods(), 0..4));
    let wishes = vec((mono(), pods()).prop_map(|(at, floor)| Wished { at, floor }), 0..6);
    let falls = vec(
        (mono(), pods(), pods()).prop_map(|(at, from, to)| Fall { at, from, to }),
        0..6,
    );
    let ramps = (option::of(mono()), vec(mono(), 0..4), vec(mono(), 0..4));
    let spans = prop::sample::select(vec![Seconds(0), Seconds(300), Seconds(3600)]);
    let since = option::weighted(0.9, mono());
    (
        since,
        mode,
        memory,
        writes,
        wishes,
        falls,
        ramps,
        spans,
        (option::weighted(0.1, aside()), option::weighted(0.2, full())),
    )
        .prop_map(
            |(since, mode, memory, writes, wishes, falls, ramps, span, (aside, full))| {
                let (user, held, written) = memory;
                let (written_at, replaced, unsettled) = writes;
                let (ramp_since, ramps_begun, resets) = ramps;
                Standing {
                    since,
                    mode,
                    user,
                    held,
                    written,
                    written_at,
                    replaced,
                    unsettled,
                    wishes,
                    wishes_span: span,
                    falls,
                    falls_span: span,
                    ramp_since,
                    ramps_begun,
                    resets,
                    aside,
                    full,
                }
            },
        )
        .boxed()
}

pub(crate) fn fleet() -> BoxedStrategy<Fleet> {
    let count = || prop_oneof![4 => 0..40_u32, 1 => any::<u32>()];
    (count(), count(), count(), count(), prop::bool::weighted(0.1))
        .prop_map(
            |(targets, ramps_begun, ramp_place, unexpected_falls, world_vanished)| Fleet {
                targets,
                ramps_begun,
                ramp_place,
                unexpected_falls,
                world_vanished,
            },
        )
        .boxed()
}

pub(crate) fn inputs() -> BoxedStrategy<Inputs> {
    let function = (policy(), observation(), forecast()).prop_map(|(policy, observation, forecast)| Function {
        policy,
        observation,
        forecast,
    });
    (function, fleet(), standing(), any::<i64>())
        .prop_map(|(function, fleet, standing, wall)| Inputs {
            function,
            fleet,
            standing,
            now: Now {
                wall: Wall(wall),
                mono: Mono(NOW),
            },
        })
        .boxed()
}

/// Inputs of the common case, in which all rules but those of the property have little to say: the field is ours,
/// the function has been watched for long and nothing was remembered that would keep it up.
pub(crate) fn free_to_move() -> BoxedStrategy<Inputs> {
    (inputs(), target(), sample(), slots())
        .prop_map(|(mut inputs, mut target, sample, slots)| {
            target.scaler = None;
            target.floor = target.floor.max(Replicas::ONE);
            target.ownership = Ownership {
                written_by_us: true,
                ..Ownership::default()
            };
            let standing = &mut inputs.standing;
            standing.since = Some(Mono(0));
            standing.mode = inputs.function.policy.mode;
            standing.user = standing.user.or(Some(UserFloor {
                value: Replicas(2),
                from: UserFloorFrom::TakeOver,
            }));
            standing.wishes_span = Seconds(u32::MAX);
            standing.falls_span = Seconds(u32::MAX);
            standing.wishes.clear();
            standing.falls.clear();
            standing.aside = None;
            standing.full = None;
            inputs.function.observation.capacity = Capacity::default();
            inputs.function.policy.paused = false;
            inputs.function.policy.per_replica = Some(slots);
            inputs.function.observation.target = Reading::Known(target);
            inputs.function.observation.demand = Reading::Known(sample);
            inputs
        })
        .boxed()
}

/// What the floor is after the decision: the value written, else what was held. `None`: the target is not known.
pub(crate) fn val(decision: &Decision) -> Option<Replicas> {
    decision.to().or(decision.held)
}

/// `max(u, min)` by the words of the policy reference, worked out apart from the code under test.
///
/// At a scaler's field the record made beside it counts where this process remembers nothing, and before what it
/// remembers where the object came from its owner without a mark of ours. Zero is then the scaler's to make.
pub(crate) fn owed(inputs: &Inputs, decision: &Decision) -> Replicas {
    let target = inputs.function.observation.target.known();
    let field = target.and_then(|target| match &target.scaler {
        Some(Scaler::One(field)) => Some(field),
        _ => None,
    });
    let recorded = field.and_then(|field| Some((field.worth(field.recorded?), UserFloorFrom::TakeOver)));
    let remembered = inputs.standing.user.map(|user| (user.value, user.from));
    let own = match &decision.field {
        FieldVerdict::TakeOver { user } => Some((*user, UserFloorFrom::TakeOver)),
        FieldVerdict::NewUserFloor { user, .. } => Some((*user, UserFloorFrom::Deploy)),
        FieldVerdict::InManifest { .. } => {
            let target = target.expect("a manifest is read from a target");
            Some((target.floor, UserFloorFrom::TakeOver))
        }
        FieldVerdict::Renewed => recorded,
        _ if field.is_some_and(|field| !field.annotated) => recorded.or(remembered),
        _ => remembered.or(recorded),
    };
    let min = inputs.function.policy.floor.min;
    let counts = own.filter(|(_, from)| min.is_none() || *from == UserFloorFrom::Deploy);
    let own = counts.map(|(value, _)| value);
    let least = own.max(min).unwrap_or(Replicas::ONE);
    if field.is_some() {
        least
    } else {
        least.max(Replicas::ONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    /// Share of a thousand drawn inputs for which `is` holds.
    fn share(is: impl Fn(&Inputs, Replicas) -> bool) -> usize {
        let mut runner = TestRunner::deterministic();
        let drawn = (0..1000).map(|_| {
            free_to_move()
                .new_tree(&mut runner)
                .expect("inputs can be drawn")
                .current()
        });
        drawn
            .filter(|inputs| inputs.decide().held.is_some_and(|held| is(inputs, held)))
            .count()
    }

    #[test]
    fn the_inputs_reach_what_the_safety_model_asks_for() {
        let above_max = share(|inputs, held| held > inputs.function.policy.floor.max);
        let user_far_above = share(|inputs, held| owed(inputs, &inputs.decide()) > held.plus(held).plus(Replicas(4)));
        let need_far_above = share(|inputs, held| {
            let decision = inputs.decide();
            decision
                .wish
                .is_some_and(|wish| wish.to > held.plus(held).plus(Replicas(4)))
        });
        let falls = share(|inputs, _| inputs.decide().falls());
        for (what, share) in [
            ("held above max", above_max),
            ("own floor far above held", user_far_above),
            ("need far above slew", need_far_above),
            ("falls", falls),
        ] {
            assert!(share >= 50, "{what}: {share} of 1000");
        }
    }
}
