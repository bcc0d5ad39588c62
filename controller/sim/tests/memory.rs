//! Whole lives of pods under the memory plan: the ladder with every fault at every step, leaks, harm of our own.

use forewarm_core::memory::{
    Amounts, ContainerBounds, ControlledValues, LoadFit, MemoryDecision, MemoryInputs, MemoryMode, MemoryPolicy,
    MemoryReason, MemoryStanding, MemoryStep, OomRemedy, Runtime, StuckRemedy,
};
use forewarm_core::plan::remedy::oom::MAX_RUNGS;
use forewarm_core::policy::Mode;
use forewarm_core::units::{Bytes, Demand, Percent, Wall};
use forewarm_sim::memory::{APP, OnRaise, Use, World};
use forewarm_sim::random::Random;

const START: i64 = 1_800_000_000;
const TICK: i64 = 15;

fn policy() -> MemoryPolicy {
    MemoryPolicy {
        enforce: Mode::Enforce,
        paused: false,
        mode: MemoryMode::InPlace,
        controlled: ControlledValues::RequestsAndLimits,
        margin: Percent::new(20).expect("a percentage"),
        containers: vec![ContainerBounds {
            name: None,
            min: None,
            max: None,
            runtime: Runtime::Auto,
        }],
        oom: OomRemedy::Raise,
        stuck: StuckRemedy::Report,
        outlier: StuckRemedy::Report,
    }
}

/// One tick: decide, write, fold.
fn tick(world: &mut World, standing: &mut MemoryStanding) -> MemoryDecision {
    tick_of(&policy(), world, standing)
}

fn tick_of(policy: &MemoryPolicy, world: &mut World, standing: &mut MemoryStanding) -> MemoryDecision {
    world.advance(TICK);
    let inputs = MemoryInputs {
        policy: policy.clone(),
        seen: world.seen(),
        standing: standing.clone(),
        now: Wall(world.now * 1000),
    };
    let decision = inputs.decide();
    let outcomes = world.apply(&decision.steps);
    *standing = MemoryStanding::fold(&decision, &outcomes, inputs.now);
    decision
}

fn says(decision: &MemoryDecision, reason: MemoryReason) -> bool {
    decision.said.iter().any(|said| said.reason == reason)
}

/// M6: somebody wipes the status, or deletes the policy and makes it again. That a restart reads back what it wrote is
/// shown beside the status (`what_protects_against_a_decrease_survives_the_status` of the api).
#[test]
fn a_lost_status_at_every_step_of_the_ladder_lowers_nothing() {
    for at in 0..120_usize {
        let use_ = Use {
            start_up: Bytes::mib(350),
            ..Use::steady(Bytes::mib(300))
        };
        let mut world = World::new(Amounts::both(Bytes::mib(64)), Bytes::mib(4096), 3, use_, START);
        let mut standing = MemoryStanding::default();
        let (mut lowest, mut birth) = (world.sizes(), world.birth());
        for now in 0..160 {
            if now == at {
                standing = MemoryStanding::default();
            }
            tick(&mut world, &mut standing);
            for (before, after) in lowest.iter().zip(world.sizes()) {
                assert!(after >= *before, "lost at {at}: {before:?} {after:?}");
            }
            assert!(world.birth() >= birth, "lost at {at}");
            (lowest, birth) = (world.sizes(), world.birth());
        }
        assert_eq!(world.ready(), 3, "lost at {at}: {standing:?}");
    }
}

#[test]
fn an_undersized_function_is_right_within_its_steps_and_siblings_are_raised_before_they_die() {
    let mut world = World::new(
        Amounts::both(Bytes::mib(128)),
        Bytes::mib(4096),
        4,
        Use::steady(Bytes::mib(90)),
        START,
    );
    let mut standing = MemoryStanding::default();
    for _ in 0..20 {
        tick(&mut world, &mut standing);
    }
    // The next pods use more than the limit from their birth on; one is born.
    world.use_ = Use::steady(Bytes::mib(200));
    world.scale(5);
    for _ in 0..40 {
        tick(&mut world, &mut standing);
    }
    assert_eq!(world.ready(), 5);
    assert_eq!(standing.containers[APP].rung, 1, "{standing:?}");
}

/// Kills of a function whose memory follows its calls, 20 MiB and 10 a call, when 12 of them come where 4 were the most.
fn kills_at_a_peak(known: bool) -> (u32, bool) {
    let size = |calls: u64| Use::steady(Bytes::mib(20 + 10 * calls));
    let mut world = World::new(Amounts::both(Bytes::mib(96)), Bytes::mib(4096), 3, size(4), START);
    let amount = |calls| Demand::new(calls).expect("an amount");
    let fit = LoadFit {
        base: Bytes::mib(20),
        per_call: Bytes::mib(10),
        spread: Bytes::MIB,
        explained: Percent::new(95).expect("a percentage"),
        minutes: 60,
        most: amount(6.0),
        expected: Some(amount(12.0)),
    };
    world.loads = known.then(|| (APP.to_owned(), fit)).into_iter().collect();
    let mut standing = MemoryStanding::default();
    let mut told = false;
    for _ in 0..8 {
        told |= says(&tick(&mut world, &mut standing), MemoryReason::FollowsLoad);
    }
    world.use_ = size(12);
    for _ in 0..40 {
        tick(&mut world, &mut standing);
    }
    (world.killed(), told)
}

#[test]
fn memory_that_follows_the_load_is_raised_before_the_load_comes() {
    assert_eq!(kills_at_a_peak(true), (0, true));
    let (killed, told) = kills_at_a_peak(false);
    assert!(killed > 0 && !told, "without the line the peak kills");
}

#[test]
fn a_leak_ends_in_quarantine_after_its_steps_and_a_new_revision_is_free_again() {
    let leak = Use {
        leak_per_hour: Bytes::mib(6000),
        ..Use::steady(Bytes::mib(40))
    };
    let mut world = World::new(Amounts::both(Bytes::mib(128)), Bytes::mib(65536), 2, leak, START);
    let mut standing = MemoryStanding::default();
    let mut quarantined = None;
    for now in 0..2000 {
        let decision = tick(&mut world, &mut standing);
        if standing.quarantine.is_some() && quarantined.is_none() {
            assert!(
                decision.said.iter().any(|said| said.reason.label() == "Leak"),
                "{decision:?}"
            );
            quarantined = Some((now, world.sizes()));
        }
    }
    let (_, sizes) = quarantined.expect("the ladder ends");
    assert_eq!(standing.containers[APP].rung, MAX_RUNGS);
    assert_eq!(world.sizes(), sizes, "nothing is raised in quarantine");
    world.deploy("b", Use::steady(Bytes::mib(40)));
    tick(&mut world, &mut standing);
    assert_eq!((standing.quarantine.as_ref(), standing.containers[APP].rung), (None, 0));
    assert!(world.birth() >= sizes[0], "the floor that kills left stays");
}

#[test]
fn eight_quiet_days_lower_one_pod_after_the_other_and_never_under_the_margin() {
    let mut world = World::new(
        Amounts::both(Bytes::mib(512)),
        Bytes::mib(4096),
        3,
        Use::steady(Bytes::mib(200)),
        START,
    );
    world.remember(Bytes::mib(200));
    let mut standing = MemoryStanding::default();
    for _ in 0..3 {
        let before = world.sizes();
        tick(&mut world, &mut standing);
        let changed = before
            .iter()
            .zip(world.sizes())
            .filter(|(before, after)| *before != after)
            .count();
        assert!(changed <= 1, "one pod at a time");
    }
    for _ in 0..20 {
        tick(&mut world, &mut standing);
    }
    let lowered = Bytes::mib(512).percent_up(80).whole_mib();
    assert_eq!(world.sizes(), vec![lowered; 3]);
    assert_eq!(world.killed(), 0);
}

/// A decrease, and then the function comes to need more than is left: in at least 95 of 100 runs the decrease is
/// taken back before anything is killed.
#[test]
fn a_harmful_decrease_is_taken_back_before_the_first_kill() {
    let saved = (0..100).filter(|seed| harmful(*seed)).count();
    assert!(saved >= 95, "{saved} of 100");
}

fn harmful(seed: u64) -> bool {
    let mut random = Random::new(seed);
    let steady = 180 + random.below(60);
    let mut world = World::new(
        Amounts::both(Bytes::mib(512)),
        Bytes::mib(4096),
        3,
        Use::steady(Bytes::mib(steady)),
        START,
    );
    world.remember(Bytes::mib(steady));
    let mut standing = MemoryStanding::default();
    for _ in 0..8 {
        tick(&mut world, &mut standing);
    }
    assert!(
        world.sizes().iter().all(|size| *size < Bytes::mib(512)),
        "seed {seed}: lowered first"
    );
    world.use_.growth_from = world.now + i64::try_from(random.below(7200)).unwrap_or(0);
    // From a few MiB a minute to a burst that adds 100 MiB in one.
    world.use_.growth_per_minute = Bytes::mib(2 + random.below(120));
    world.use_.growth_most = Bytes::mib(470 - steady);
    let mut reverted = false;
    for _ in 0..2000 {
        reverted |= says(&tick(&mut world, &mut standing), MemoryReason::Reverted);
    }
    reverted && world.killed() == 0
}

/// Four pods whose use grows by a mebibyte a minute, after an hour of quiet.
fn growing(on_raise: OnRaise) -> World {
    let mut world = World::new(
        Amounts::both(Bytes::mib(128)),
        Bytes::mib(4096),
        4,
        Use::steady(Bytes::mib(90)),
        START,
    );
    world.on_raise = on_raise;
    world.use_.growth_from = START + 3600;
    world.use_.growth_per_minute = Bytes::mib(1);
    world.use_.growth_most = Bytes::mib(100);
    world
}

#[test]
fn a_raise_that_restarts_containers_takes_one_pod_after_the_other() {
    let (mut world, mut standing) = (growing(OnRaise::Restarts), MemoryStanding::default());
    let mut least = 4;
    for now in 0..1000 {
        let decision = tick(&mut world, &mut standing);
        assert!(
            !says(&decision, MemoryReason::RaiseHarmful),
            "{now}: one restart is what was asked for"
        );
        if now > 4 {
            least = least.min(world.ready());
        }
    }
    assert_eq!((least, world.killed()), (3, 0));
    assert!(
        world.sizes().iter().all(|size| *size > Bytes::mib(190)),
        "{:?}",
        world.sizes()
    );
}

#[test]
fn a_raise_that_kills_what_it_raises_is_said_and_not_repeated_but_in_need() {
    let (mut world, mut standing) = (growing(OnRaise::Dies), MemoryStanding::default());
    let (mut said, mut raises) = (0, 0);
    for _ in 0..1000 {
        let sight: Vec<(String, Option<Bytes>)> = world.seen().pods.iter().map(used).collect();
        let decision = tick(&mut world, &mut standing);
        said += u32::from(says(&decision, MemoryReason::RaiseHarmful));
        if !says(&decision, MemoryReason::RaiseHarmful) {
            continue;
        }
        for step in &decision.steps {
            let MemoryStep::Resize { uid, from, .. } = step else {
                continue;
            };
            raises += 1;
            let used = sight.iter().find(|(name, _)| name == uid).and_then(|(_, used)| *used);
            // It grows by a quarter of a mebibyte a tick.
            let needs = used.is_none_or(|used| Some(used.plus(Bytes::MIB).percent_up(105)) > from.size());
            assert!(needs, "{step:?} {used:?}");
        }
    }
    assert!(said >= 3600 / 15, "said for an hour: {said}");
    assert!(raises > 0, "those in need got more");
    assert_eq!(world.killed(), 0);
    assert!(
        world.sizes().iter().all(|size| *size > Bytes::mib(190)),
        "{:?}",
        world.sizes()
    );
}

fn used(pod: &forewarm_core::memory::PodSeen) -> (String, Option<Bytes>) {
    (pod.uid.clone(), pod.containers[APP].working_set.known().copied())
}

/// Loads its weights for two minutes, then needs a quarter of that: the requests of live pods come down behind their
/// start, a fifth a day and one pod at a time; limits and newborn pods keep what a start needs, a container that starts
/// again in its pod included.
#[test]
fn the_request_comes_down_to_the_plateau_and_a_start_finds_what_it_needs() {
    const DAY: i64 = 86_400 / TICK;
    let own = Amounts {
        request: Some(Bytes::mib(512)),
        limit: Some(Bytes::mib(1024)),
    };
    let use_ = Use {
        start_up: Bytes::mib(850),
        start_up_seconds: 120,
        ..Use::steady(Bytes::mib(200))
    };
    let mut policy = policy();
    policy.containers[0].runtime = Runtime::Inference;
    let mut world = World::new(own, Bytes::mib(4096), 3, use_, START);
    let mut standing = MemoryStanding::default();
    world.advance(1000);
    world.remember(Bytes::mib(850));
    world.remember_plateau(Bytes::mib(200));
    let mut days = |world: &mut World, ticks: i64| {
        for _ in 0..ticks {
            let before = world.requests();
            let decision = tick_of(&policy, world, &mut standing);
            let falls: Vec<_> = before
                .iter()
                .zip(world.requests())
                .filter(|(before, after)| after < *before)
                .collect();
            assert!(falls.len() <= 1, "one pod at a time: {decision:?}");
            assert!(
                falls.iter().all(|(before, after)| *after >= before.percent_up(80)),
                "{falls:?}"
            );
            assert!(
                world.sizes().iter().all(|size| *size == Bytes::mib(1024)),
                "limits stay"
            );
        }
    };
    days(&mut world, DAY - 60);
    assert_eq!(
        world.requests(),
        vec![Bytes::mib(512).percent_up(80).whole_mib(); 3],
        "a fifth in the first day"
    );
    days(&mut world, 3 * DAY);
    let plateau = Bytes::mib(264);
    assert_eq!(world.requests(), vec![plateau; 3]);
    world.scale(4);
    days(&mut world, 30);
    assert_eq!(
        world.requests(),
        vec![plateau, plateau, plateau, Bytes::mib(512)],
        "born for its start"
    );
    days(&mut world, 30);
    assert_eq!(world.requests(), vec![plateau; 4], "past its start");
    world.restart(0);
    days(&mut world, 4);
    assert_eq!(world.requests()[0], Bytes::mib(512), "it starts again in its pod");
    days(&mut world, 60);
    assert_eq!(world.requests(), vec![plateau; 4]);
    world.use_.steady = Bytes::mib(300);
    days(&mut world, 2);
    assert_eq!(world.requests(), vec![Bytes::mib(364); 4], "more is needed: at once");
    assert_eq!(world.killed(), 0);
}
