//! Guard rule `crash_loop`: no raise for a revision whose new pods fail. Pure.
//!
//! More replicas of it would only fail as well; the pods that serve are those of the good revision, and stay. The
//! user's own floor is stronger (R1).

use super::{Check, Context, Rule};
use crate::policy::CrashLoop;

/// The rule.
pub const RULE: Rule = Rule {
    name: "crash_loop",
    check,
};

fn check(context: &Context<'_>) -> Check {
    let holds = context.function.policy.crash_loop == CrashLoop::Hold;
    if holds && context.function.observation.failing.is_some() && context.value > context.held {
        return Check::Hold;
    }
    Check::Pass
}

#[cfg(test)]
mod tests {
    use crate::decide::Inputs;
    use crate::decision::Verdict;
    use crate::memory::Crash;
    use crate::plan::remedy::crash_loop::Failing;
    use crate::policy::CrashLoop;
    use crate::sample::inputs;
    use crate::units::Replicas;

    fn failing() -> Inputs {
        let mut inputs = inputs().demand(400.0);
        inputs.function.observation.failing = Some(Failing {
            revision: "7c9f".into(),
            cause: Crash::ImagePull,
            pods: 1,
        });
        inputs
    }

    #[test]
    fn nothing_is_raised_while_new_pods_fail_and_the_user_may_still_ask_for_more() {
        assert_eq!(failing().decide().verdict, Verdict::Hold("crash_loop".into()));
        let mut reported = failing();
        reported.function.policy.crash_loop = CrashLoop::Report;
        assert!(reported.value() > 20);
        let mut asked = failing();
        asked.function.policy.floor.min = Some(Replicas(30));
        assert_eq!(asked.value(), 30);
    }
}
