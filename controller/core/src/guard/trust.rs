//! Guard rule `trust` (R2, R12): no fall on what is not known, and none before the function has been watched. Pure.

use super::{Check, Context, Rule};
use crate::units::Replicas;

/// The rule.
pub const RULE: Rule = Rule { name: "trust", check };

fn check(context: &Context<'_>) -> Check {
    let unknown = context.wish.reactive.why().is_some();
    // Without a reading nothing says that what is held is enough, so "steady" would claim too much.
    let holds = unknown && context.value <= context.held;
    if holds || (context.falls() && (!heard_all(context) || !watched(context))) {
        return Check::Hold;
    }
    Check::Pass
}

/// True when every ready pod has told what it serves: a newborn that nobody has scraped yet may serve much.
fn heard_all(context: &Context<'_>) -> bool {
    let demand = context.function.observation.demand.known();
    demand.is_none_or(|sample| sample.unheard == Replicas::ZERO)
}

/// True when this process has watched the function without a gap, in its present mode, for at least one earlier
/// tick and as long as its memory must reach: the stabilisation window (R6) and the step (R5, also across a
/// crash, since the falls before it are not remembered).
fn watched(context: &Context<'_>) -> bool {
    let policy = &context.function.policy;
    let standing = context.standing;
    let remembered = standing.wishes_span >= policy.scale_down.stabilization
        && standing.falls_span >= policy.scale_down.step
        && standing.mode == policy.mode;
    let span = policy.scale_down.stabilization.max(policy.scale_down.step);
    let now = context.now.mono;
    remembered
        && standing
            .since
            .is_some_and(|since| now > since && now.passed(since, span))
}

#[cfg(test)]
mod tests {
    use crate::decide::Inputs;
    use crate::decision::Verdict;
    use crate::observation::{Reading, Why};
    use crate::policy::Mode;
    use crate::sample::inputs;
    use crate::standing::Standing;
    use crate::units::{Mono, Seconds};

    fn with(change: impl FnOnce(&mut Standing)) -> u32 {
        let mut inputs = inputs();
        change(&mut inputs.standing);
        inputs.value()
    }

    #[test]
    fn nothing_falls_before_the_function_was_watched_for_its_windows() {
        assert_eq!(with(|_| ()), 16);
        assert_eq!(with(|standing| standing.since = None), 20);
        assert_eq!(with(|standing| standing.since = Some(Mono(700_000))), 16, "300 s");
        assert_eq!(
            with(|standing| standing.since = Some(Mono(700_001))),
            20,
            "a millisecond less"
        );
        assert_eq!(with(|standing| standing.mode = Mode::Shadow), 20);
        assert_eq!(with(|standing| standing.wishes_span = Seconds(299)), 20);
        assert_eq!(with(|standing| standing.falls_span = Seconds(59)), 20);
    }

    #[test]
    fn without_a_window_one_earlier_tick_is_needed() {
        let mut inputs = inputs();
        inputs.function.policy.scale_down.stabilization = Seconds(0);
        inputs.function.policy.scale_down.step = Seconds(0);
        inputs.standing.since = Some(inputs.now.mono);
        assert_eq!(inputs.value(), 20);
        inputs.standing.since = Some(Mono(999_999));
        assert_eq!(inputs.value(), 16);
    }

    #[test]
    fn what_is_not_known_holds_even_a_floor_that_wants_no_less() {
        let mut inputs = inputs().forecast(40.0);
        inputs.function.observation.demand = Reading::Unknown(Why::Absent);
        assert_eq!(inputs.decide().verdict, Verdict::Hold("trust".into()));
        assert_eq!(inputs.forecast(50.0).value(), 25, "and lets the forecast raise");
    }

    #[test]
    fn nothing_falls_while_a_ready_pod_was_not_heard_of_also_without_a_window() {
        let mut inputs = inputs();
        inputs.function.policy.scale_down.stabilization = Seconds(0);
        assert_eq!(inputs.value(), 16);
        inputs.unheard(1);
        assert_eq!(inputs.decide().verdict, Verdict::Hold("trust".into()));
        let mut more = inputs.demand(60.0);
        more.unheard(1);
        assert_eq!(more.value(), 30, "it may rise");
    }

    #[test]
    fn a_replica_of_unknown_slots_holds() {
        let mut inputs: Inputs = inputs().forecast(90.0);
        inputs.function.policy.per_replica = None;
        assert_eq!(inputs.decide().verdict, Verdict::Hold("trust".into()));
    }
}
