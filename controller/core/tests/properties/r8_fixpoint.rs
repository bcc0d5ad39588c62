//! R8: with constant inputs the writes end, at what is wished for.

use crate::run::{self, Moment, Run, calm};
use forewarm_core::decision::Verdict;
use forewarm_core::units::{Percent, Seconds};
use proptest::prelude::*;

/// Ticks within which the slowest of the drawn policies has come all the way: 60 pods, one in each step of 90 s,
/// after windows of 120 s.
const K: usize = 60 * 7 + 20;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn r8_constant_inputs_end_in_no_more_writes(
        policy in run::policy(),
        live in run::few(),
        tracked in any::<bool>(),
        demand in 0..150_u32,
        forecast in prop::option::of(0..150_u32),
    ) {
        let mut run = Run::new(policy, live, tracked);
        let moment = Moment { forecast, ..calm(demand) };
        for _ in 0..K {
            run.live_through(&moment);
        }
        for _ in 0..20 {
            let tick = run.live_through(&moment);
            prop_assert_eq!(&tick.decision.verdict, &Verdict::Steady);
            prop_assert_eq!(Some(tick.after), tick.decision.wish.as_ref().map(|wish| wish.to));
        }
    }

    #[test]
    fn r8_after_anything_that_happened_constant_inputs_end_in_no_more_writes(
        plan in run::plan(), demand in 0..150_u32,
    ) {
        let mut run = Run::of(&plan);
        for _ in 0..K {
            run.live_through(&calm(demand));
        }
        for _ in 0..20 {
            let tick = run.live_through(&calm(demand));
            prop_assert!(!matches!(tick.decision.verdict, Verdict::Apply(_)), "{:?}", tick.decision);
        }
    }
}

#[test]
fn r8_the_default_comes_down_by_a_fifth_a_minute_after_five_minutes() {
    let mut run = Run::new(run::plain_policy(), forewarm_core::units::Replicas(2), true);
    for _ in 0..8 {
        run.live_through(&calm(40));
    }
    assert_eq!(run.live.0, 20);
    let floors: Vec<_> = (0..41).map(|_| run.live_through(&calm(0)).after.0).collect();
    assert_eq!(run.policy.scale_down.stabilization, Seconds(300));
    assert_eq!(Percent::new(20), Some(run.policy.scale_down.step_percent));
    // Ticks 0 to 19 lie within 300 s of the last wish for 20. Then 20 % rounded up a step of four ticks: 4, 4, 3, 2;
    // a fifth of 7 is 2 as well, in two writes, since the admission rail lets a quarter of 7 through in one.
    assert!(floors[..20].iter().all(|floor| *floor == 20), "{floors:?}");
    assert_eq!(
        floors[20..],
        [16, 16, 16, 16, 12, 12, 12, 12, 9, 9, 9, 9, 7, 7, 7, 7, 6, 5, 5, 5, 4]
    );
}
