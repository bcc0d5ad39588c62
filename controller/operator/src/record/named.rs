//! Findings with the names of the fields and objects they are about: what was told in, findings out. Pure.
//!
//! The core knows no names, and whoever mends something needs the field, its value and the fix.

use super::Told;
use crate::target::TargetRef;
use forewarm_core::finding::{self, Condition, Finding};
use forewarm_core::observation::Why;
use std::borrow::Cow;

/// The findings of one function, for its status and its Events.
pub(super) fn findings(told: &Told<'_>) -> [Finding; 8] {
    finding::findings(told.function, told.decision).map(|finding| {
        let message = match finding.condition {
            Condition::Ready => ready(&finding, told),
            Condition::MetricsTrusted => metrics(&finding, told),
            Condition::Active
            | Condition::ForecastTrusted
            | Condition::Conflict
            | Condition::CapacityLimited
            | Condition::Backpressure
            | Condition::Anomalous => None,
        };
        Finding {
            message: message.map_or(finding.message, Cow::Owned),
            ..finding
        }
    })
}

fn ready(finding: &Finding, told: &Told<'_>) -> Option<String> {
    let target = told.function.observation.target.why();
    match target.filter(|why| why.label() == finding.reason) {
        Some(why) => about_target(why, told.target?),
        None if finding.reason == Why::ProfileUnusable.label() => Some(format!("{}.", told.profile_problem?)),
        None => None,
    }
}

fn about_target(why: &Why, target: &TargetRef) -> Option<String> {
    let TargetRef {
        api_version,
        kind,
        namespace,
        name,
    } = target;
    match why {
        Why::TargetMissing => Some(format!(
            "spec.targetRef.name is {name}: namespace {namespace} has no such {kind} of {api_version}; create it, or a policy for another workload."
        )),
        Why::KindNotListed => Some(format!(
            "spec.targetRef.kind is {kind} of {api_version}: not listed; name a Deployment or StatefulSet of apps/v1, or have it added to scaleKinds in the chart's values."
        )),
        _ => None,
    }
}

/// Names the profile, since that is what there is to mend. The words of its source stay in the log: they may hold a
/// number that changes.
fn metrics(finding: &Finding, told: &Told<'_>) -> Option<String> {
    match told.function.observation.demand.why()? {
        Why::NotYetRead => None,
        Why::ProfileUnusable => told
            .profile_problem
            .map(|problem| format!("{problem}. Nothing is lowered until the demand is known.")),
        _ => told
            .profile
            .map(|profile| format!("DemandProfile {profile}: {}", finding.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::record::sample::{Sample, steady};
    use forewarm_core::finding::Condition;
    use forewarm_core::observation::{Reading, Why};

    fn message(sample: &Sample, condition: Condition) -> String {
        let found = findings(&sample.told()).into_iter().find(|f| f.condition == condition);
        found.expect("each condition has a finding").message.into_owned()
    }

    fn without_target(why: Why) -> Sample {
        let mut sample = Sample::new(steady(2));
        sample.function.observation.target = Reading::Unknown(why);
        sample
    }

    #[test]
    fn a_target_that_is_not_there_is_named_with_field_and_fix() {
        assert_eq!(
            message(&without_target(Why::TargetMissing), Condition::Ready),
            "spec.targetRef.name is fraud-scorer: namespace payments has no such Deployment of apps/v1; \
             create it, or a policy for another workload."
        );
        let unlisted = message(&without_target(Why::KindNotListed), Condition::Ready);
        let field = "spec.targetRef.kind is Deployment of apps/v1: not listed;";
        assert!(
            unlisted.starts_with(field) && unlisted.contains("scaleKinds"),
            "{unlisted}"
        );
    }

    #[test]
    fn a_profile_that_cannot_be_used_is_told_by_its_own_words() {
        let mut sample = Sample::new(steady(2)).demand_reading(Reading::Unknown(Why::ProfileUnusable));
        let problem = "DemandProfile p: spec.query is x: does not parse as PromQL";
        sample.profile_problem = Some(problem);
        assert_eq!(message(&sample, Condition::Ready), format!("{problem}."));
        assert_eq!(
            message(&sample, Condition::MetricsTrusted),
            format!("{problem}. Nothing is lowered until the demand is known.")
        );
        sample.function.observation.target = Reading::Unknown(Why::TargetMissing);
        let first = message(&sample, Condition::Ready);
        assert!(first.starts_with("spec.targetRef.name"), "{first}");
    }

    #[test]
    fn demand_that_is_not_known_names_its_profile() {
        let of = |why| {
            let sample = Sample::new(steady(2)).demand_reading(Reading::Unknown(why));
            message(&sample, Condition::MetricsTrusted)
        };
        let large = of(Why::TooLarge);
        let begin = "DemandProfile http-inflight: The answer to the profile's spec.query is larger";
        assert!(large.starts_with(begin), "{large}");
        assert!(!of(Why::NotYetRead).contains("http-inflight"));
    }
}
