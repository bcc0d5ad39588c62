//! M1 to M4 and M7 on single decisions about memory; whole lives of pods are in `forewarm-sim`.

use forewarm_core::memory::{
    Amounts, Birth, ContainerBounds, ContainerSeen, ControlledValues, LoadFit, MemoryDecision, MemoryInputs,
    MemoryMode, MemoryPolicy, MemoryReason, MemorySeen, MemoryStanding, MemoryStep, Oom, OomRemedy, Past, PodSeen,
    Resize, Runtime, StuckRemedy,
};
use forewarm_core::observation::{Reading, Why};
use forewarm_core::policy::Mode;
use forewarm_core::units::{Bytes, Demand, Percent, Seconds, Wall};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Seconds since 1970 at which everything is decided.
const NOW: i64 = 2_000_000_000;
const APP: &str = "app";

fn size() -> impl Strategy<Value = Bytes> {
    prop_oneof![8 => (16..2048_u64).prop_map(Bytes::mib), 1 => any::<u64>().prop_map(Bytes), 1 => Just(Bytes(0))]
}

fn amounts() -> impl Strategy<Value = Amounts> {
    prop_oneof![
        3 => size().prop_map(Amounts::both),
        3 => (size(), size()).prop_map(|(one, other)| Amounts { request: Some(one.min(other)), limit: Some(one.max(other)) }),
        1 => size().prop_map(|request| Amounts { request: Some(request), limit: None }),
        1 => Just(Amounts::default()),
    ]
}

fn reading<T: std::fmt::Debug + Clone + 'static>(known: impl Strategy<Value = T>) -> impl Strategy<Value = Reading<T>> {
    option::weighted(0.8, known).prop_map(|found| found.map_or(Reading::Unknown(Why::Absent), Reading::Known))
}

fn container() -> impl Strategy<Value = ContainerSeen> {
    let actual = prop_oneof![3 => Just(None), 1 => amounts().prop_map(Some)];
    let told = option::weighted(0.2, size());
    let started = option::of((0..2000_i64).prop_map(|ago| NOW - ago));
    (
        amounts(),
        actual,
        reading(size()),
        0..3_u32,
        prop::bool::weighted(0.1),
        told,
        started,
    )
        .prop_map(
            |(spec, actual, working_set, restarts, restarts_on_resize, go_limit, started)| ContainerSeen {
                spec,
                actual: actual.or(Some(spec)),
                working_set,
                restarts,
                leaking: false,
                restarts_on_resize,
                crash: None,
                started,
                go_limit,
            },
        )
}

fn pods() -> impl Strategy<Value = Vec<PodSeen>> {
    let state = prop_oneof![
        8 => Just(Resize::Done),
        1 => Just(Resize::Infeasible),
        1 => (0..2000_i64).prop_map(|ago| Resize::Deferred(NOW - ago)),
        1 => (0..2000_i64).prop_map(|ago| Resize::InProgress(NOW - ago)),
    ];
    let pod = (container(), container(), prop::bool::weighted(0.9), state);
    vec(pod, 0..5).prop_map(|pods| {
        let one = |(at, (app, side, ready, resize)): (usize, (ContainerSeen, ContainerSeen, bool, Resize))| PodSeen {
            name: format!("f-{at}"),
            uid: format!("uid-{at}"),
            revision: Some("7c9f".into()),
            ready,
            since: Some(NOW - 1000),
            created: NOW - 2000,
            ending_since: None,
            unplaced_since: None,
            resize,
            containers: BTreeMap::from([(APP.to_owned(), app), ("side".to_owned(), side)]),
            served: None,
        };
        pods.into_iter().enumerate().map(one).collect()
    })
}

fn past() -> impl Strategy<Value = Reading<Past>> {
    let span = prop_oneof![Just(0_u32), Just(8 * 86_400 - 1), Just(8 * 86_400), Just(10 * 86_400)];
    let coverage = prop_oneof![Just(94_u8), Just(95), Just(100)];
    reading(
        (size(), option::of(size()), span, coverage).prop_map(|(peak, plateau, span, coverage)| Past {
            peak,
            plateau: plateau.map(|plateau| plateau.min(peak)),
            span: Seconds(span),
            coverage: Percent::new(coverage).expect("at most 100"),
        }),
    )
}

fn ooms() -> impl Strategy<Value = Vec<Oom>> {
    vec((size(), 0..100_i64, any::<bool>()), 0..3).prop_map(|kills| {
        let kill = |(size, ago, leaking)| Oom {
            pod: "f-0".into(),
            container: APP.into(),
            size,
            at: NOW - ago,
            leaking,
        };
        kills.into_iter().map(kill).collect()
    })
}

fn policy() -> impl Strategy<Value = MemoryPolicy> {
    let mode = prop::sample::select(vec![
        MemoryMode::Off,
        MemoryMode::Birth,
        MemoryMode::InPlace,
        MemoryMode::InPlace,
    ]);
    let controlled = prop::sample::select(vec![
        ControlledValues::RequestsAndLimits,
        ControlledValues::RequestsOnly,
    ]);
    let runtime = prop::sample::select(vec![Runtime::Auto, Runtime::Jvm, Runtime::Inference]);
    let oom = prop::sample::select(vec![OomRemedy::Report, OomRemedy::Raise, OomRemedy::Raise]);
    (mode, controlled, 0..=100_u8, runtime, oom, option::of(size())).prop_map(
        |(mode, controlled, margin, runtime, oom, max)| MemoryPolicy {
            enforce: Mode::Enforce,
            paused: false,
            mode,
            controlled,
            margin: Percent::new(margin).expect("at most 100"),
            containers: vec![ContainerBounds {
                name: None,
                min: None,
                max,
                runtime,
            }],
            oom,
            stuck: StuckRemedy::Report,
            outlier: StuckRemedy::Report,
        },
    )
}

fn fits() -> impl Strategy<Value = BTreeMap<String, LoadFit>> {
    let load = || (0..1000_u32).prop_map(|tenths| Demand::new(f64::from(tenths) / 10.0).expect("an amount"));
    let fit = (size(), size(), size(), load(), option::of(load()));
    option::of(fit).prop_map(|fit| {
        let fit = fit.map(|(base, per_call, spread, most, expected)| LoadFit {
            base,
            per_call: Bytes(per_call.0 / 16),
            spread: Bytes(spread.0 / 16),
            explained: Percent::new(80).expect("a percentage"),
            minutes: 60,
            most,
            expected,
        });
        fit.into_iter().map(|fit| (APP.to_owned(), fit)).collect()
    })
}

fn inputs() -> impl Strategy<Value = MemoryInputs> {
    let parts = (policy(), amounts(), amounts(), pods(), past(), ooms(), fits());
    parts.prop_map(|(policy, app, side, pods, past, ooms, loads)| {
        let seen = MemorySeen {
            template: BTreeMap::from([(APP.to_owned(), app), ("side".to_owned(), side)]),
            go_limits: BTreeMap::new(),
            default_container: Some(APP.to_owned()),
            pods,
            past: BTreeMap::from([(APP.to_owned(), past)]),
            loads,
            revision: Some("7c9f".into()),
            node_most: Some(Bytes::mib(4096)),
            allowed_least: None,
            allowed_most: None,
            spare: None,
            lowers_in_place: true,
            conflict: None,
            births: Some(BTreeMap::new()),
            patience: 300,
            ooms,
            world_vanished: false,
            worse: None,
        };
        MemoryInputs {
            policy,
            seen,
            standing: MemoryStanding::default(),
            now: Wall(NOW * 1000),
        }
    })
}

/// Inputs of a second decision, with what the first one left in force.
fn again(inputs: &MemoryInputs, decision: &MemoryDecision, seconds: i64) -> MemoryInputs {
    let mut next = inputs.clone();
    next.standing = decision.standing.clone();
    next.now = Wall(inputs.now.0 + seconds * 1000);
    next
}

/// The same function on a quiet day of which eight are known: nothing is under way, and it uses little past its start.
fn quiet(mut inputs: MemoryInputs) -> MemoryInputs {
    inputs.policy.mode = MemoryMode::InPlace;
    inputs.policy.containers[0].runtime = Runtime::Inference;
    inputs.seen.ooms.clear();
    let least = inputs.seen.template[APP].request.unwrap_or_default();
    let used = Bytes(least.0 / 4);
    for pod in &mut inputs.seen.pods {
        (pod.ready, pod.resize) = (true, Resize::Done);
        for container in pod.containers.values_mut() {
            container.actual = Some(container.spec);
            container.working_set = Reading::Known(used);
        }
    }
    let past = Past {
        peak: least,
        plateau: Some(used),
        span: Seconds(10 * 86_400),
        coverage: Percent::new(99).expect("a percentage"),
    };
    inputs.seen.past.insert(APP.to_owned(), Reading::Known(past));
    inputs
}

fn is_put_back(inputs: &MemoryInputs, pod: &str) -> bool {
    inputs
        .seen
        .pods
        .iter()
        .any(|found| found.name == pod && found.containers[APP].actual != Some(found.containers[APP].spec))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn m1_m2_a_decrease_has_its_margin_over_every_known_use(inputs in inputs()) {
        let decision = inputs.decide();
        for step in decision.steps.iter().filter(|step| step.lowers()) {
            let MemoryStep::Resize { pod, to, .. } = step else { continue };
            if is_put_back(&inputs, pod) { continue; }
            let past = inputs.seen.past[APP].known().expect("a decrease rests on the past");
            prop_assert!(past.span.0 >= 8 * 86_400 && past.coverage.get() >= 95);
            let margin = 100 + u32::from(inputs.policy.margin.get());
            let size = to.size().expect("something is set");
            for used in inputs.seen.pods.iter().map(|pod| &pod.containers[APP].working_set) {
                let used = used.known().expect("every live pod is known");
                prop_assert!(used.percent_up(margin) <= size, "{used:?} {size:?}");
            }
            let request_alone = matches!(step, MemoryStep::Resize { from, .. } if from.limit == to.limit);
            let starts_apart = inputs.policy.containers[0].runtime == Runtime::Inference && request_alone;
            let requests = inputs.policy.controlled == ControlledValues::RequestsOnly;
            prop_assert!(past.peak.percent_up(margin) <= size || requests || starts_apart);
        }
    }

    #[test]
    fn m6_a_load_that_is_forecast_takes_nothing_away(inputs in inputs()) {
        let mut without = inputs.clone();
        without.seen.loads.clear();
        let size = |inputs: &MemoryInputs| inputs.decide().standing.containers.get(APP)?.held?.size();
        prop_assert!(size(&inputs) >= size(&without));
    }

    #[test]
    fn m2_an_api_server_that_lowers_no_limit_is_asked_for_none(inputs in inputs()) {
        let mut inputs = inputs;
        inputs.seen.lowers_in_place = false;
        for step in &inputs.decide().steps {
            let MemoryStep::Resize { from, to, .. } = step else { continue };
            prop_assert!(to.limit >= from.limit, "{step:?}");
        }
    }

    #[test]
    fn m3_a_kill_leaves_a_floor_that_stays_for_fourteen_days(inputs in inputs(), days in 0..14_i64) {
        let mut inputs = inputs;
        inputs.policy.oom = OomRemedy::Raise;
        inputs.policy.mode = MemoryMode::InPlace;
        inputs.policy.controlled = ControlledValues::RequestsAndLimits;
        let decision = inputs.decide();
        let Some(standing) = decision.standing.containers.get(APP) else { return Ok(()) };
        let Some(floor) = standing.oom_floor else { return Ok(()) };
        let held = standing.held.and_then(Amounts::size).unwrap();
        let most = inputs.policy.containers[0].max.unwrap_or(Bytes::mib(4096)).min(Bytes::mib(4096));
        prop_assert!(held >= floor.min(most) || decision.standing.quarantine.is_some(), "{held:?} {floor:?}");
        let later = again(&inputs, &decision, days * 86_400).decide();
        let next = &later.standing.containers[APP];
        prop_assert!(next.oom_floor >= Some(floor));
        prop_assert!(next.held.and_then(Amounts::size) >= Some(held.min(floor)));
    }

    #[test]
    fn m4_only_the_named_containers_memory_moves_and_keeps_its_shape(inputs in inputs()) {
        for step in &inputs.decide().steps {
            let MemoryStep::Resize { container, from, to, pod, .. } = step else { continue };
            prop_assert_eq!(container, APP);
            prop_assert!(to.request <= to.limit || to.limit.is_none(), "{step:?}");
            if is_put_back(&inputs, pod) { continue; }
            prop_assert_eq!(from.request.is_some(), to.request.is_some());
            prop_assert_eq!(from.limit.is_some(), to.limit.is_some());
            let tiny = to.size() < Some(Bytes::MIB);
            prop_assert!(tiny || (from.request == from.limit) == (to.request == to.limit), "{step:?}");
        }
    }

    #[test]
    fn m5_at_most_one_pod_is_lowered_at_a_time_and_no_refused_size_is_asked_again(inputs in inputs()) {
        let decision = inputs.decide();
        let lowered = decision.steps.iter().filter(|step| step.lowers());
        let own: Vec<_> = lowered.filter(|step| !matches!(step, MemoryStep::Resize { pod, .. } if is_put_back(&inputs, pod))).collect();
        prop_assert!(own.len() <= 1, "{own:?}");
        let after = again(&inputs, &decision, 1).decide();
        for refused in &decision.standing.refused {
            for step in &after.steps {
                let MemoryStep::Resize { uid, to, from, pod, .. } = step else { continue };
                if is_put_back(&inputs, pod) { continue; }
                let rise = to.size() > from.size();
                prop_assert!(!(rise && *uid == refused.uid && to.size() >= Some(refused.size)), "{step:?}");
            }
        }
    }

    #[test]
    fn m6_a_lost_memory_lowers_nothing(inputs in inputs()) {
        // What this decision holds is written to the pods, then every own memory is lost.
        let decision = inputs.decide();
        let Some(held) = decision.standing.containers.get(APP).and_then(|c| c.held) else { return Ok(()) };
        let own = inputs.seen.template[APP];
        prop_assume!(held.size() > own.size());
        let mut lost = inputs.clone();
        lost.seen.births = Some(BTreeMap::from([(APP.to_owned(), Birth { own, amounts: held })]));
        lost.seen.ooms.clear();
        let after = lost.decide();
        let kept = after.standing.containers[APP].held.and_then(Amounts::size);
        prop_assert!(kept >= held.size(), "{kept:?} {held:?}");
    }

    #[test]
    fn m2_a_deploy_that_gives_more_is_not_born_with_less(mut inputs in inputs(), new in any::<bool>()) {
        inputs.policy.containers.iter_mut().for_each(|bounds| bounds.max = None);
        inputs.seen.past = BTreeMap::from([(APP.to_owned(), Reading::Unknown(Why::Absent))]);
        let first = inputs.decide();
        let Some(held) = first.standing.containers.get(APP).and_then(|c| c.held) else { return Ok(()) };
        let own = inputs.seen.template[APP];
        let mut next = again(&inputs, &first, 15);
        let more = |size: Option<Bytes>| size.map(|size| size.percent_up(300));
        let raised = Amounts { request: more(own.request), limit: more(own.limit) };
        next.seen.template.insert(APP.to_owned(), raised);
        next.seen.births = Some(BTreeMap::from([(APP.to_owned(), Birth { own, amounts: held })]));
        if new {
            // A process that starts anew knows what the status says, and what is written for newborn pods.
            next.standing.containers.get_mut(APP).unwrap().template = None;
        }
        for step in next.decide().steps {
            let MemoryStep::SetBirth { containers } = step else { continue };
            let born = containers.get(APP).map_or(raised, |birth| birth.amounts);
            prop_assert!(born.size() >= raised.size(), "{born:?} of a template of {raised:?}");
        }
    }

    #[test]
    fn m7_one_decision_to_lower_a_day_and_at_most_a_fifth(inputs in inputs(), seconds in 0..86_400_i64) {
        let first = inputs.decide();
        let Some(before) = first.standing.containers.get(APP) else { return Ok(()) };
        let held = before.held.and_then(Amounts::size).unwrap();
        let base = inputs.seen.template[APP].size().unwrap();
        prop_assert!(held >= base.percent_up(80) || inputs.policy.controlled == ControlledValues::RequestsOnly);
        let second = again(&inputs, &first, seconds).decide();
        let after = second.standing.containers[APP].held.and_then(Amounts::size).unwrap();
        let lowered_before = before.lowered_at.is_some();
        prop_assert!(!lowered_before || after >= held, "{after:?} {held:?}");
    }

    #[test]
    fn unknown_use_lowers_nothing_and_shadow_does_nothing(inputs in inputs()) {
        let mut blind = inputs.clone();
        for pod in &mut blind.seen.pods {
            for container in pod.containers.values_mut() {
                container.working_set = Reading::Unknown(Why::SourceDown);
            }
        }
        let lowered = blind.decide().steps.into_iter().find(|step| {
            step.lowers() && !matches!(step, MemoryStep::Resize { pod, .. } if is_put_back(&blind, pod))
        });
        prop_assert!(blind.seen.pods.is_empty() || lowered.is_none(), "{lowered:?}");
        let mut shadow = inputs;
        shadow.policy.enforce = Mode::Shadow;
        let decision = shadow.decide();
        prop_assert!(decision.steps.is_empty() && decision.standing == shadow.standing);
        let own = shadow.seen.template[APP];
        shadow.seen.births = Some(BTreeMap::from([(APP.to_owned(), Birth { own, amounts: own })]));
        let given_back = vec![MemoryStep::SetBirth { containers: BTreeMap::new() }];
        prop_assert_eq!(&shadow.decide().steps, &given_back, "what newborn pods get goes back in Shadow");
        shadow.policy.paused = true;
        prop_assert!(shadow.decide().steps.is_empty(), "and stays in a pause");
    }

    #[test]
    fn memory_that_somebody_else_sizes_is_left_alone(inputs in inputs()) {
        let mut beside = inputs;
        beside.seen.conflict = Some("VerticalPodAutoscaler/f".to_owned());
        let decision = beside.decide();
        let off = beside.policy.mode == MemoryMode::Off;
        prop_assert!(decision.steps.is_empty() && (off || decision.standing == beside.standing), "{decision:?}");
        let said = decision.said.iter().any(|said| said.reason == MemoryReason::Conflict);
        prop_assert_eq!(said, !off);
    }

    #[test]
    fn who_asks_for_newborn_memory_alone_is_told_where_there_is_none(inputs in inputs()) {
        let mut without = inputs;
        without.seen.births = None;
        let decision = without.decide();
        let said = decision.said.iter().any(|said| said.reason == MemoryReason::NoBirth);
        prop_assert_eq!(said, without.policy.mode == MemoryMode::Birth);
        let written = decision.steps.iter().any(|step| matches!(step, MemoryStep::SetBirth { .. }));
        prop_assert!(!written);
    }

    #[test]
    fn no_limit_goes_under_what_go_was_told_and_its_margin(inputs in inputs(), told in size()) {
        let mut inputs = inputs;
        inputs.policy.controlled = ControlledValues::RequestsAndLimits;
        inputs.seen.go_limits = BTreeMap::from([(APP.to_owned(), told)]);
        let margin = 100 + u32::from(inputs.policy.margin.get());
        let decision = inputs.decide();
        for step in decision.steps.iter().filter(|step| step.lowers()) {
            let MemoryStep::Resize { pod, from, to, .. } = step else { continue };
            if is_put_back(&inputs, pod) || to.limit >= from.limit { continue; }
            let own = inputs.seen.pods.iter().find(|found| found.name == *pod).unwrap().containers[APP].go_limit;
            for told in own.into_iter().chain([told]) {
                prop_assert!(told.percent_up(margin) <= to.size().unwrap(), "{step:?} {told:?}");
            }
        }
        let template = inputs.seen.template[APP].size();
        let held = decision.standing.containers.get(APP).and_then(|standing| standing.held?.size());
        prop_assert!(held.is_none() || held >= template.min(Some(told.percent_up(margin))), "{held:?}");
    }

    #[test]
    fn a_start_keeps_its_memory_and_a_plateau_its_margin(inputs in prop_oneof![inputs(), inputs().prop_map(quiet)]) {
        let mut inputs = inputs;
        inputs.policy.controlled = ControlledValues::RequestsAndLimits;
        inputs.policy.containers[0].runtime = Runtime::Inference;
        let decision = inputs.decide();
        let Some(standing) = decision.standing.containers.get(APP) else { return Ok(()) };
        let held = standing.held.unwrap();
        prop_assert!(standing.plateau.is_none() || standing.plateau < held.request);
        let margin = 100 + u32::from(inputs.policy.margin.get());
        for step in decision.steps.iter().filter(|step| step.lowers()) {
            let MemoryStep::Resize { pod, from, to, .. } = step else { continue };
            if is_put_back(&inputs, pod) || to.limit < from.limit || to.request >= held.request { continue; }
            prop_assert!(to.request >= from.request.map(|request| request.percent_up(80)), "{step:?}");
            let past = inputs.seen.past[APP].known().and_then(|past| past.plateau).expect("it rests on the past");
            prop_assert!(to.request >= Some(past.percent_up(margin)), "{step:?} {past:?}");
            let found = inputs.seen.pods.iter().find(|found| found.name == *pod).unwrap();
            prop_assert!(found.ready && found.containers[APP].started.is_some_and(|at| NOW - at >= 600), "{step:?}");
            for other in inputs.seen.pods.iter().filter(|pod| pod.ready).map(|pod| &pod.containers[APP]) {
                let old = other.started.is_some_and(|at| NOW - at >= 600);
                let used = *other.working_set.known().expect("every live pod is known");
                prop_assert!(!old || Some(used.percent_up(margin)) <= to.request, "{step:?} {used:?}");
            }
        }
        for step in &decision.steps {
            let MemoryStep::SetBirth { containers } = step else { continue };
            // What a node has refused is not born again: that is another rule's.
            if !decision.standing.refused.is_empty() { continue; }
            let born = containers.get(APP).map_or(inputs.seen.template[APP], |birth| birth.amounts);
            prop_assert!(born.size() < held.size() || born.request >= held.request, "{born:?}");
        }
    }

    #[test]
    fn m6_m7_a_plateau_comes_down_a_fifth_a_day_and_its_loss_lowers_nothing(inputs in inputs(), seconds in 0..86_400_i64) {
        let inputs = quiet(inputs);
        let first = inputs.decide();
        let Some(before) = first.standing.containers.get(APP) else { return Ok(()) };
        let Some(plateau) = before.plateau else { return Ok(()) };
        let most = before.held.unwrap().request.unwrap();
        prop_assert!(plateau >= most.percent_up(80), "{plateau:?} {most:?}");
        let second = again(&inputs, &first, seconds).decide();
        let after = second.standing.containers[APP].plateau;
        prop_assert!(after.is_none_or(|after| after >= plateau), "{after:?}");
        // One pod has it, then every own memory is lost.
        let mut lost = inputs.clone();
        prop_assume!(!lost.seen.pods.is_empty());
        let container = lost.seen.pods[0].containers.get_mut(APP).unwrap();
        container.spec = Amounts { request: Some(plateau), limit: lost.seen.template[APP].limit };
        container.actual = Some(container.spec);
        prop_assume!(container.spec.request < lost.seen.template[APP].request);
        for step in lost.decide().steps.iter().filter(|step| step.lowers()) {
            let MemoryStep::Resize { pod, .. } = step else { continue };
            prop_assert!(is_put_back(&lost, pod), "{step:?}");
        }
    }

    #[test]
    fn a_jvm_is_never_lowered_in_place(inputs in inputs()) {
        let mut jvm = inputs;
        jvm.policy.containers[0].runtime = Runtime::Jvm;
        let lowered = jvm.decide().steps.into_iter().find(|step| {
            step.lowers() && !matches!(step, MemoryStep::Resize { pod, .. } if is_put_back(&jvm, pod))
        });
        prop_assert!(lowered.is_none(), "{lowered:?}");
    }
}
