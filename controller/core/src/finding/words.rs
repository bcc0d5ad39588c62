//! The sentences of the findings: a reason in, what is wrong and the fix out. Pure.

use crate::forecast::Distrust;
use crate::observation::Why;

/// Why the forecast may not raise the floor.
pub(super) const fn distrust(why: Distrust) -> &'static str {
    match why {
        Distrust::TooLittleHistory => "There is too little history to forecast from; it grows by itself.",
        Distrust::WorseThanSeasonalNaive => "The model has lost to seasonal-naive over the scored window.",
        Distrust::WorseThanTrailingPeak => "The model has lost to the trailing peak over the scored window.",
        Distrust::Undercovers => "The actual peaks lie above the forecast quantile too often.",
        Distrust::ModelFailed => "A model gave no finite number.",
        Distrust::HistoryStale => "The newest closed minute is too old to forecast from.",
    }
}

/// What is wrong with a reading, and what to do about it.
pub(super) const fn fix(why: &Why) -> &'static str {
    match why {
        Why::NotYetRead => "Nothing was read yet.",
        Why::Absent => "The source has no series for this function; check the profile's spec.query and spec.join.",
        Why::Stale { .. } => "The newest sample is older than the profile allows; check that the pods are scraped.",
        Why::NotANumber => "The source gave NaN; check the profile's spec.query for a division by zero.",
        Why::Infinite => "The source gave an infinite value; check the profile's spec.query for a division by zero.",
        Why::Negative => "The source gave a value below zero; check the profile's spec.query.",
        Why::WrongShape => {
            "The answer lacks the labels to join by, or has a series twice; check the profile's spec.query."
        }
        Why::Incomplete { .. } => "Fewer pods report than are ready; check that all of them are scraped.",
        Why::ImplausibleJump { .. } => "The value jumped too far to be believed at first sight.",
        Why::SourceDown => "The metrics source does not answer.",
        Why::QueryFailed => {
            "The metrics source refused the profile's spec.query; log line forewarm.source has its words."
        }
        Why::PartialAnswer => "The metrics source warned that its answer may lack series.",
        Why::TooLarge => {
            "The answer to the profile's spec.query is larger than the source's cap; aggregate more in it."
        }
        Why::ProfileUnusable => {
            "The demand profile does not exist or cannot be used; set demand.profile to one that is Ready."
        }
        Why::PerReplicaUnknown => "What one replica can serve is not known; set demand.perReplica.",
        Why::TargetMissing => {
            "The target does not exist in the policy's namespace; create it, or a policy for another."
        }
        Why::TargetStale => "The watch of the target is too old to decide from.",
        Why::KindNotListed => {
            "The target's kind is not listed; ask the platform team to list it in the chart's values."
        }
        Why::KnativeTooOld => {
            "Knative Serving is older than 1.21, or its version cannot be read; a floor would roll the pods, upgrade it."
        }
        Why::NoRevision => "No revision of the Knative Service takes traffic yet; see its own conditions.",
    }
}
