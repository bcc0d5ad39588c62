//! Every variant of the types that stand in a line. Each match has a branch for every variant, so a new one must be
//! added here, and is then held to the schema.

use forewarm_core::decision::{FieldVerdict, Reason};
use forewarm_core::forecast::Distrust;
use forewarm_core::observation::Why;
use forewarm_core::outcome::{Fence, Outcome, RefusedKind};
use forewarm_core::standing::AsideWhy;
use forewarm_core::units::{Demand, Replicas, Seconds};

/// Every reason why a value is not known.
pub(crate) fn why() -> Vec<Why> {
    let next = |why: &Why| match why {
        Why::NotYetRead => Some(Why::Absent),
        Why::Absent => Some(Why::Stale { age: Seconds(90) }),
        Why::Stale { .. } => Some(Why::NotANumber),
        Why::NotANumber => Some(Why::Infinite),
        Why::Infinite => Some(Why::Negative),
        Why::Negative => Some(Why::WrongShape),
        Why::WrongShape => Some(Why::Incomplete {
            reporting: Replicas(2),
            ready: Replicas(3),
            at_least: Demand::ZERO,
        }),
        Why::Incomplete { .. } => {
            let (from, to) = (Demand::new(1.5).unwrap(), Demand::new(1e9).unwrap());
            Some(Why::ImplausibleJump { from, to })
        }
        Why::ImplausibleJump { .. } => Some(Why::SourceDown),
        Why::SourceDown => Some(Why::QueryFailed),
        Why::QueryFailed => Some(Why::PartialAnswer),
        Why::PartialAnswer => Some(Why::TooLarge),
        Why::TooLarge => Some(Why::ProfileUnusable),
        Why::ProfileUnusable => Some(Why::PerReplicaUnknown),
        Why::PerReplicaUnknown => Some(Why::TargetMissing),
        Why::TargetMissing => Some(Why::TargetStale),
        Why::TargetStale => Some(Why::KindNotListed),
        Why::KindNotListed => Some(Why::KnativeTooOld),
        Why::KnativeTooOld => Some(Why::NoRevision),
        Why::NoRevision => None,
    };
    std::iter::successors(Some(Why::NotYetRead), next).collect()
}

/// Every reason why a forecast is not trusted.
pub(crate) fn distrust() -> Vec<Distrust> {
    let next = |why: &Distrust| match why {
        Distrust::TooLittleHistory => Some(Distrust::WorseThanSeasonalNaive),
        Distrust::WorseThanSeasonalNaive => Some(Distrust::WorseThanTrailingPeak),
        Distrust::WorseThanTrailingPeak => Some(Distrust::Undercovers),
        Distrust::Undercovers => Some(Distrust::ModelFailed),
        Distrust::ModelFailed => Some(Distrust::HistoryStale),
        Distrust::HistoryStale => None,
    };
    std::iter::successors(Some(Distrust::TooLittleHistory), next).collect()
}

/// Every decision's reason.
pub(crate) fn reason() -> Vec<Reason> {
    let next = |reason: &Reason| match reason {
        Reason::ForecastRise => Some(Reason::ReactiveRise),
        Reason::ReactiveRise => Some(Reason::UserFloor),
        Reason::UserFloor => Some(Reason::DeployReset),
        Reason::DeployReset => Some(Reason::Quiet),
        Reason::Quiet => Some(Reason::LoweredMax),
        Reason::LoweredMax => Some(Reason::CapacityLimited),
        Reason::CapacityLimited => Some(Reason::Steady),
        Reason::Steady => Some(Reason::Adopting),
        Reason::Adopting => Some(Reason::ClaimDropped),
        Reason::ClaimDropped => Some(Reason::Rollout),
        Reason::Rollout => Some(Reason::Woken),
        Reason::Woken => Some(Reason::Held),
        Reason::Held => Some(Reason::TargetUnknown),
        Reason::TargetUnknown => None,
    };
    std::iter::successors(Some(Reason::ForecastRise), next).collect()
}

/// Every verdict on a field.
pub(crate) fn field() -> Vec<FieldVerdict> {
    let (by, user, why) = (|| "helm".to_owned(), Replicas(2), AsideWhy::FieldTaken);
    let next = |field: &FieldVerdict| match field {
        FieldVerdict::Unseen => Some(FieldVerdict::Free),
        FieldVerdict::Free => Some(FieldVerdict::TakeOver { user }),
        FieldVerdict::TakeOver { .. } => Some(FieldVerdict::Reset { by: by() }),
        FieldVerdict::Reset { .. } => Some(FieldVerdict::NewUserFloor { user, by: by() }),
        FieldVerdict::NewUserFloor { .. } => Some(FieldVerdict::InManifest {
            by: by(),
            adopted: false,
        }),
        FieldVerdict::InManifest { .. } => Some(FieldVerdict::Aside { by: by(), why }),
        FieldVerdict::Aside { .. } => Some(FieldVerdict::Scaler { by: by() }),
        FieldVerdict::Scaler { .. } => Some(FieldVerdict::AtZero),
        FieldVerdict::AtZero => Some(FieldVerdict::ScalerPaused { by: by() }),
        FieldVerdict::ScalerPaused { .. } => Some(FieldVerdict::Renewed),
        FieldVerdict::Renewed => Some(FieldVerdict::Lagging),
        FieldVerdict::Lagging => None,
    };
    std::iter::successors(Some(FieldVerdict::Unseen), next).collect()
}

/// Every outcome, with every fence and every kind of refusal.
pub(crate) fn outcome() -> Vec<Outcome> {
    let fence = |fence: &Fence| match fence {
        Fence::SwitchedOff => Some(Fence::LeaseLost),
        Fence::LeaseLost => Some(Fence::ForeignNamespace),
        Fence::ForeignNamespace => Some(Fence::TickFull),
        Fence::TickFull => Some(Fence::NotYetVisible),
        Fence::NotYetVisible => Some(Fence::EarlierStep),
        Fence::EarlierStep => Some(Fence::StaleView),
        Fence::StaleView => Some(Fence::IntentNotPrinted),
        Fence::IntentNotPrinted => None,
    };
    let refusal = |kind: &RefusedKind| match kind {
        RefusedKind::PermissionDenied => Some(RefusedKind::Invalid),
        RefusedKind::Invalid => Some(RefusedKind::NotFound),
        RefusedKind::NotFound => Some(RefusedKind::ServerError),
        RefusedKind::ServerError => Some(RefusedKind::Unreachable),
        RefusedKind::Unreachable => None,
    };
    let fences = std::iter::successors(Some(Fence::SwitchedOff), fence).map(|by| Outcome::Fenced { by });
    let refusals = std::iter::successors(Some(RefusedKind::PermissionDenied), refusal).map(|kind| Outcome::Refused {
        kind,
        message: "admission said no".into(),
    });
    let plain = [Outcome::Applied, Outcome::Shadow, Outcome::Conflict, Outcome::TimedOut];
    plain.into_iter().chain(fences).chain(refusals).collect()
}
