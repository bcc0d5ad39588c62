//! M5 and F1 for pods that are stuck or unlike their siblings: lives of a workload tick by tick, of which the metrics tell anything.
//! What is missing is never an outlier.

use forewarm_core::memory::{
    MemoryDecision, MemoryInputs, MemoryPolicy, MemorySeen, MemoryStanding, MemoryStep, PodSeen,
};
use forewarm_core::memory::{MemoryReason, Resize, StuckRemedy};
use forewarm_core::outcome::Outcome;
use forewarm_core::plan::remedy::outlier::{ENOUGH_MILLI, Measure};
use forewarm_core::policy::Mode;
use forewarm_core::service::Served;
use forewarm_core::units::Wall;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Seconds since 1970 at which a life begins.
const BEGIN: i64 = 2_000_000_000;
/// Seconds between two ticks.
const TICK: i64 = 15;
const PATIENCE: i64 = 300;

fn pod(at: usize, served: Option<Served>) -> PodSeen {
    PodSeen {
        name: format!("f-{at}"),
        uid: format!("uid-{at}"),
        revision: Some("7c9f".into()),
        ready: true,
        since: Some(BEGIN - 10_000),
        created: BEGIN - 10_010,
        ending_since: None,
        unplaced_since: None,
        resize: Resize::Done,
        containers: BTreeMap::new(),
        served,
    }
}

const fn served(failed: u64, latency: u64) -> Served {
    Served {
        calls_milli: 5000,
        failed_permille: Some(failed),
        latency_micros: Some(latency),
    }
}

fn inputs(pods: Vec<PodSeen>) -> MemoryInputs {
    MemoryInputs {
        policy: MemoryPolicy {
            enforce: Mode::Enforce,
            outlier: StuckRemedy::Replace,
            ..MemoryPolicy::default()
        },
        seen: MemorySeen {
            template: BTreeMap::new(),
            go_limits: BTreeMap::new(),
            default_container: None,
            pods,
            past: BTreeMap::new(),
            revision: Some("7c9f".into()),
            loads: BTreeMap::new(),
            node_most: None,
            allowed_least: None,
            allowed_most: None,
            spare: None,
            lowers_in_place: true,
            conflict: None,
            births: None,
            patience: PATIENCE,
            ooms: Vec::new(),
            world_vanished: false,
            worse: None,
        },
        standing: MemoryStanding::default(),
        now: Wall(BEGIN * 1000),
    }
}

/// Lets the workload live; `outcome` is every eviction's. Returns the evicted pods, each with its second.
fn live(
    inputs: &mut MemoryInputs,
    ticks: i64,
    outcome: &Outcome,
    mut tick: impl FnMut(i64, &mut MemorySeen),
) -> Vec<(String, i64)> {
    let mut evicted = Vec::new();
    let from = inputs.now.0;
    for at in 0..ticks {
        inputs.now = Wall(from + at * TICK * 1000);
        tick(at, &mut inputs.seen);
        let decision = inputs.decide();
        for step in &decision.steps {
            let MemoryStep::Evict { uid, .. } = step else {
                panic!("{step:?}")
            };
            evicted.push((uid.clone(), at * TICK));
        }
        let outcomes: Vec<Outcome> = decision.steps.iter().map(|_| outcome.clone()).collect();
        inputs.standing = MemoryStanding::fold(&decision, &outcomes, inputs.now);
    }
    evicted
}

/// Four pods, the first of which serves like that.
fn first_of_four(first: Option<Served>) -> Vec<PodSeen> {
    let well = Some(served(2, 20_000));
    [first, well, well, well]
        .into_iter()
        .enumerate()
        .map(|(at, served)| pod(at, served))
        .collect()
}

fn said(decision: &MemoryDecision) -> Vec<MemoryReason> {
    decision.said.iter().map(|said| said.reason).collect()
}

#[test]
fn an_outlier_is_replaced_once_it_has_lasted_with_its_evidence() {
    for (bad, measure, own, siblings) in [
        (Some(served(400, 20_000)), Measure::Errors, 400, 2),
        (Some(served(2, 900_000)), Measure::Latency, 900_000, 20_000),
    ] {
        let mut inputs = inputs(first_of_four(bad));
        assert_eq!(
            live(&mut inputs, 20, &Outcome::Applied, |_, _| ()),
            [],
            "{measure:?}: not before patience is over"
        );
        inputs.now = Wall((BEGIN + PATIENCE) * 1000);
        let decision = inputs.decide();
        assert_eq!(said(&decision), [MemoryReason::OutlierReplaced]);
        let evidence = decision.said[0].evidence.unwrap();
        assert_eq!(
            (evidence.measure, evidence.own, evidence.siblings, evidence.seconds),
            (measure, own, siblings, PATIENCE)
        );
    }
}

#[test]
fn a_few_evictions_a_day_and_then_it_is_only_told() {
    let mut inputs = inputs(first_of_four(Some(served(900, 20_000))));
    let evicted = live(&mut inputs, 4 * 60 * 8, &Outcome::Applied, |_, _| ());
    assert_eq!(evicted.len(), MemoryStanding::MAX_EVICTIONS, "{evicted:?}");
    assert!(
        evicted.windows(2).all(|pair| pair[1].1 - pair[0].1 >= PATIENCE),
        "{evicted:?}"
    );
    assert_eq!(said(&inputs.decide()), [MemoryReason::OutlierReported]);
}

#[test]
fn where_a_budget_refuses_it_is_asked_again_after_patience_only() {
    let refused = Outcome::Refused {
        kind: forewarm_core::outcome::RefusedKind::ServerError,
        message: "disruption budget".into(),
    };
    let mut inputs = inputs(first_of_four(Some(served(900, 20_000))));
    let asked = live(&mut inputs, 4 * 30, &refused, |_, _| ());
    assert!(
        asked.len() > 3 && asked.windows(2).all(|pair| pair[1].1 - pair[0].1 >= PATIENCE),
        "{asked:?}"
    );
}

#[test]
fn shadow_tells_what_would_be_and_does_nothing() {
    let mut inputs = inputs(first_of_four(Some(served(900, 20_000))));
    inputs.policy.enforce = Mode::Shadow;
    assert_eq!(live(&mut inputs, 30, &Outcome::Applied, |_, _| ()), []);
    assert_eq!(said(&inputs.decide()), [MemoryReason::OutlierReplaced]);
}

/// Four pods that serve well, of which the first has not been ready since the beginning; it is replaced by policy.
fn stuck() -> MemoryInputs {
    let mut inputs = inputs(first_of_four(Some(served(2, 20_000))));
    inputs.policy.stuck = StuckRemedy::Replace;
    (inputs.seen.pods[0].ready, inputs.seen.pods[0].since) = (false, Some(BEGIN));
    inputs
}

#[test]
fn m5_a_stuck_pod_is_replaced_three_times_a_day_and_then_only_told() {
    let mut inputs = stuck();
    let evicted = live(&mut inputs, 4 * 60 * 8, &Outcome::Applied, |_, _| ());
    assert_eq!(evicted.len(), MemoryStanding::MAX_EVICTIONS, "{evicted:?}");
    assert_eq!(said(&inputs.decide()), [MemoryReason::StuckReported]);
}

#[test]
fn f1_no_stuck_pod_is_replaced_while_half_of_the_world_is_gone() {
    let mut inputs = stuck();
    let evicted = live(&mut inputs, 60, &Outcome::Applied, |_, seen| seen.world_vanished = true);
    assert_eq!(evicted, []);
    assert_eq!(said(&inputs.decide()), [MemoryReason::StuckReported]);
}

#[test]
fn a_pod_that_does_not_end_is_told_after_patience_and_never_evicted() {
    let mut inputs = stuck();
    inputs.seen.pods[0].ending_since = Some(BEGIN);
    inputs.now = Wall((BEGIN + PATIENCE - 1) * 1000);
    assert_eq!(said(&inputs.decide()), []);
    inputs.now = Wall((BEGIN + PATIENCE) * 1000);
    let decision = inputs.decide();
    assert_eq!(
        (said(&decision), decision.steps),
        (vec![MemoryReason::StuckTerminating], vec![])
    );
}

/// What may be wrong with the workload so that nothing is done about an outlier.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Rollout,
    Starting,
    Ending,
    Vanished,
    Two,
    TooFewSiblings,
    TooFewCalls,
    Young,
    Fleeting,
    Gap,
    Resizing,
    NoMetrics,
    OwnMissing,
}

fn troubled(trouble: Trouble, at: i64, seen: &mut MemorySeen) {
    match trouble {
        Trouble::Rollout => seen.pods[3].revision = Some("new".into()),
        Trouble::Starting => seen.pods[3].ready = false,
        Trouble::Ending => seen.pods[3].ending_since = Some(BEGIN),
        Trouble::Vanished => seen.world_vanished = true,
        Trouble::Two => seen.pods[3].served = seen.pods[0].served,
        Trouble::TooFewSiblings => seen.pods[3].served = None,
        Trouble::TooFewCalls => {
            let few = seen.pods[0].served.as_mut().expect("it serves");
            few.calls_milli = ENOUGH_MILLI - 1;
        }
        Trouble::Young => seen.pods[0].since = Some(BEGIN + at * TICK),
        Trouble::Fleeting => {
            let failed = if at % 15 == 0 { 2 } else { 900 };
            seen.pods[0].served = Some(served(failed, 20_000));
        }
        Trouble::Gap => seen.pods[0].served = if at % 15 == 0 { None } else { Some(served(900, 20_000)) },
        Trouble::Resizing => seen.pods[2].resize = Resize::InProgress(BEGIN),
        Trouble::NoMetrics => seen.pods.iter_mut().for_each(|pod| pod.served = None),
        Trouble::OwnMissing => {
            let own = seen.pods[0].served.as_mut().expect("it serves");
            (own.failed_permille, own.latency_micros) = (None, None);
        }
    }
}

#[test]
fn nothing_is_done_during_a_rollout_nor_on_a_part_of_the_world_nor_on_too_little() {
    use Trouble::*;
    let all = [
        Rollout,
        Starting,
        Ending,
        Vanished,
        Two,
        TooFewSiblings,
        TooFewCalls,
        Young,
        Fleeting,
        Gap,
        Resizing,
        NoMetrics,
        OwnMissing,
    ];
    for trouble in all {
        let mut inputs = inputs(first_of_four(Some(served(900, 20_000))));
        let evicted = live(&mut inputs, 100, &Outcome::Applied, |at, seen| {
            troubled(trouble, at, seen);
        });
        assert_eq!(evicted, [], "{trouble:?}");
    }
}

fn any_served() -> impl Strategy<Value = Option<Served>> {
    let share = prop_oneof![4 => 0..20_u64, 2 => 0..=1000_u64, 1 => any::<u64>()];
    let latency = prop_oneof![4 => 10_000..30_000_u64, 2 => 0..5_000_000_u64, 1 => any::<u64>()];
    let one = (
        prop_oneof![Just(5000_u64), 0..700_u64],
        option::weighted(0.9, share),
        option::weighted(0.9, latency),
    );
    option::weighted(
        0.95,
        one.prop_map(|(calls_milli, failed_permille, latency_micros)| Served {
            calls_milli,
            failed_permille,
            latency_micros,
        }),
    )
}

proptest! {
    #[test]
    fn m5_one_at_a_time_and_only_a_pod_that_is_far_worse_than_three_known_siblings(
        pods in vec(any_served(), 0..9),
        calm in 0..3_usize,
    ) {
        let pods: Vec<PodSeen> = pods.into_iter().enumerate().map(|(at, served)| pod(at, served)).collect();
        let mut inputs = inputs(pods);
        let evicted = live(&mut inputs, 100 + i64::try_from(calm).unwrap(), &Outcome::Applied, |_, _| ());
        prop_assert!(evicted.windows(2).all(|pair| pair[1].1 - pair[0].1 >= PATIENCE), "{evicted:?}");
        for (uid, _) in &evicted {
            let own = inputs.seen.pods.iter().find(|pod| pod.uid == *uid).unwrap().served.unwrap();
            let known: Vec<Served> = inputs.seen.pods.iter().filter(|pod| pod.uid != *uid)
                .filter_map(|pod| pod.served).filter(|s| s.calls_milli >= ENOUGH_MILLI).collect();
            let worse = |of: fn(Served) -> Option<u64>, least: u64| {
                let mut others: Vec<u64> = known.iter().filter_map(|s| of(*s)).collect();
                others.sort_unstable();
                let half = others.len() / 2;
                others.len() >= 3 && of(own).is_some_and(|own| {
                    own > others[half].saturating_mul(3) && own > others[half].saturating_add(least)
                })
            };
            let bad = worse(|s| s.failed_permille, 100) || worse(|s| s.latency_micros, 50_000);
            prop_assert!(own.calls_milli >= ENOUGH_MILLI && bad, "{own:?} {known:?}");
        }
    }

    #[test]
    fn missing_data_is_never_an_outlier_and_makes_none(
        pods in vec(any_served(), 4..9),
        missing in any::<prop::sample::Index>(),
    ) {
        let mut pods: Vec<PodSeen> = pods.into_iter().enumerate().map(|(at, served)| pod(at, served)).collect();
        let gone = missing.index(pods.len());
        pods[gone].served = None;
        let mut inputs = inputs(pods);
        let evicted = live(&mut inputs, 60, &Outcome::Applied, |_, _| ());
        let own = format!("uid-{gone}");
        prop_assert!(evicted.iter().all(|(uid, _)| *uid != own), "{evicted:?}");
    }
}
