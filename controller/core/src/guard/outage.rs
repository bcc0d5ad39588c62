//! Guard rule `outage`: a demand that falls while failures or latency rise is not quiet. Pure.
//!
//! Callers that give up look like callers that went home (Slack 2021, Kinesis 2020). Where the profile tells how calls are
//! served, it must agree that the demand fell: what is held stays while failures or latency lie above their own band, and
//! while a question about them is not answered.

use super::{Check, Context, Rule};

/// The rule.
pub const RULE: Rule = Rule { name: "outage", check };

fn check(context: &Context<'_>) -> Check {
    let service = &context.function.observation.service;
    if context.falls() && (service.worse() || service.unanswered) {
        return Check::Hold;
    }
    Check::Pass
}

#[cfg(test)]
mod tests {
    use crate::decide::Inputs;
    use crate::decision::Verdict;
    use crate::sample::inputs;
    use crate::service::{Banded, Service};

    fn with(service: Service) -> Inputs {
        let mut inputs = inputs();
        inputs.function.observation.service = service;
        inputs
    }

    const fn banded(now: u64) -> Banded {
        Banded { now, upper: Some(50) }
    }

    #[test]
    fn nothing_falls_while_failures_or_latency_lie_above_their_band() {
        let (errors, latency) = (Some(banded(51)), Some(banded(50)));
        let held = || Verdict::Hold("outage".into());
        let failing = Service {
            errors,
            ..Service::default()
        };
        let slow = Service {
            latency: Some(banded(60)),
            ..Service::default()
        };
        let unanswered = Service {
            unanswered: true,
            ..Service::default()
        };
        for service in [failing, slow, unanswered] {
            assert_eq!(with(service).decide().verdict, held(), "{service:?}");
            assert_eq!(
                with(service).demand(400.0).value(),
                inputs().demand(400.0).value(),
                "a raise is free"
            );
        }
        let well = Service {
            errors: Some(banded(50)),
            latency,
            unanswered: false,
        };
        assert_eq!(with(well).value(), 16);
        let uncalibrated = Service {
            errors: Some(Banded { now: 900, upper: None }),
            ..Service::default()
        };
        assert_eq!(with(uncalibrated).value(), 16);
    }
}
