//! What is known of one function now. Made in observe, read by plan and guard; holds no kube objects.
//!
//! [`Reading`] is the type from the query to the decision: nothing builds a number out of `Unknown`.

use crate::plan::remedy::crash_loop::Failing;
use crate::service::{Anomaly, Service};
use crate::units::{Demand, Mono, Replicas, Seconds};
use serde::{Deserialize, Serialize};

/// A value that was read, or the reason why it was not. There is deliberately no `unwrap_or`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reading<T> {
    /// Read and trusted.
    Known(T),
    /// Not read, or not to be trusted.
    Unknown(Why),
}

impl<T> Reading<T> {
    /// The value where there is one.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The reason where there is no value.
    pub const fn why(&self) -> Option<&Why> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(why),
        }
    }

    /// The same reading of something made from the value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Known(value) => Reading::Known(make(value)),
            Self::Unknown(why) => Reading::Unknown(why),
        }
    }
}

/// Why a value is not known. The variant's name is the reason shown in status, log and metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Why {
    /// Not asked yet: the first tick after a start.
    NotYetRead,
    /// The source answered and had no series for this function.
    Absent,
    /// The newest sample is older than the profile allows.
    Stale {
        /// Its age.
        age: Seconds,
    },
    /// NaN.
    NotANumber,
    /// Plus or minus infinity.
    Infinite,
    /// Below zero.
    Negative,
    /// The answer was not an instant vector of floats, or lacked the labels to join by, or had a series twice.
    WrongShape,
    /// Fewer pods report than are ready.
    Incomplete {
        /// Pods with a sample.
        reporting: Replicas,
        /// Pods that are ready.
        ready: Replicas,
        /// What those that report serve: it may raise, and lowers nothing (R2).
        #[serde(default)]
        at_least: Demand,
    },
    /// Too large a jump to believe at the first sight.
    ImplausibleJump {
        /// The value of the last trusted sample.
        from: Demand,
        /// The value seen.
        to: Demand,
    },
    /// The source did not answer in time or could not be reached.
    SourceDown,
    /// The source refused the query (syntax, limits) or answered with an error.
    QueryFailed,
    /// The answer came with warnings: it may lack series.
    PartialAnswer,
    /// The answer was larger than the cap.
    TooLarge,
    /// No demand profile of that name, or it cannot be used.
    ProfileUnusable,
    /// `demand.perReplica` is not set and cannot be read from a scaler.
    PerReplicaUnknown,
    /// The target does not exist.
    TargetMissing,
    /// The watch of the target is older than allowed, so its fields may be too.
    TargetStale,
    /// The target's kind is not among those that may be scaled here.
    KindNotListed,
    /// Knative Serving is older than 1.21, or of a version that cannot be read: a floor on its revisions would roll
    /// their pods.
    KnativeTooOld,
    /// No revision of the Knative Service takes traffic yet.
    NoRevision,
}

impl Why {
    /// The variant's name, for conditions and metric labels.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NotYetRead => "NotYetRead",
            Self::Absent => "Absent",
            Self::Stale { .. } => "Stale",
            Self::NotANumber => "NotANumber",
            Self::Infinite => "Infinite",
            Self::Negative => "Negative",
            Self::WrongShape => "WrongShape",
            Self::Incomplete { .. } => "Incomplete",
            Self::ImplausibleJump { .. } => "ImplausibleJump",
            Self::SourceDown => "SourceDown",
            Self::QueryFailed => "QueryFailed",
            Self::PartialAnswer => "PartialAnswer",
            Self::TooLarge => "TooLarge",
            Self::ProfileUnusable => "ProfileUnusable",
            Self::PerReplicaUnknown => "PerReplicaUnknown",
            Self::TargetMissing => "TargetMissing",
            Self::TargetStale => "TargetStale",
            Self::KindNotListed => "KindNotListed",
            Self::KnativeTooOld => "KnativeTooOld",
            Self::NoRevision => "NoRevision",
        }
    }
}

impl Reading<Demand> {
    /// An amount as a metric source gave it: anything but a finite number `>= 0` is `Unknown` with its reason,
    /// so a bad sample says as little as no sample (R9).
    pub fn of(amount: f64) -> Self {
        match Demand::new(amount) {
            Some(demand) => Self::Known(demand),
            None if amount.is_nan() => Self::Unknown(Why::NotANumber),
            None if amount.is_infinite() => Self::Unknown(Why::Infinite),
            None => Self::Unknown(Why::Negative),
        }
    }
}

/// Demand of one function at one moment, summed over its pods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemandSample {
    /// The newest sample.
    pub current: Demand,
    /// The largest of the samples within the last step (60 s). Never below `current`.
    pub peak: Demand,
    /// Ready pods that were not heard of yet, for no longer than a new pod needs to be scraped. While there is one the
    /// demand may be more, so nothing is lowered (R2).
    #[serde(default)]
    pub unheard: Replicas,
}

/// The target as the watch last showed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Identity of the object; a write tests it (W4).
    pub uid: String,
    /// The floor field's present value; for a target without a scaler its `spec.replicas`. Never older than our
    /// own last accepted write: observe lays that over the watch until the watch has shown it.
    pub floor: Replicas,
    /// Pods that are ready.
    pub ready: Replicas,
    /// Pods that exist, are not ending and are not ready yet.
    pub starting: Replicas,
    /// Who has the floor field.
    pub ownership: Ownership,
    /// The known scaler that has this target; then `uid`, `floor` and `ownership` are those of its floor field.
    /// `None`: nobody else scales it.
    pub scaler: Option<Scaler>,
}

/// Who else scales a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scaler {
    /// One known scaler: its floor field is the one to write.
    One(FloorField),
    /// Several, or one whose floor is not ours to move, by kind and name: nothing is written.
    Several(String),
}

/// The floor field of a scaler as the watch last showed it, beside its value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FloorField {
    /// The scaler, as in `HorizontalPodAutoscaler/x`.
    pub scaler: String,
    /// The field, as in `spec.minReplicas`.
    pub field: String,
    /// The scaler's own maximum; no floor goes above it. `None`: it has none.
    pub max: Option<Replicas>,
    /// The user's own floor as recorded outside our memory: in our annotation, or in the template that the object
    /// is made from. `None`: not recorded, so the value that is there is the user's.
    pub recorded: Option<Recorded>,
    /// The field is not there; its value is the scaler's default.
    pub absent: bool,
    /// What the scaler takes an absent field for.
    pub default: Replicas,
    /// The object has no annotations at all.
    pub bare: bool,
    /// The user's own floor is recorded on the object with the first write, and our claim on the field is dropped
    /// after each, so that no deploy of its owner fails.
    pub annotated: bool,
    /// Why the scaler does not act on its floor now. `None`: it does.
    pub halted: Option<Halted>,
    /// The scaler keeps the target at zero, where it would act on a floor at once: UID of the workload to be scaled in
    /// its place, once the floor has been there for longer than that takes. `None`: it does not.
    #[serde(default)]
    pub unheeded: Option<String>,
    /// What the scaler keeps the target at, whatever its floor, while it has nothing to do. `None`: at the floor.
    #[serde(default)]
    pub idle: Option<Replicas>,
}

/// The user's own value of a floor field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recorded {
    /// The field was not there.
    Absent,
    /// It had this value.
    Value(Replicas),
}

impl FloorField {
    /// What an absent field counts for, or the value.
    pub fn worth(&self, recorded: Recorded) -> Replicas {
        match recorded {
            Recorded::Absent => self.default,
            Recorded::Value(value) => value,
        }
    }

    /// The live value in the form in which it is recorded.
    pub fn live(&self, floor: Replicas) -> Recorded {
        if self.absent {
            Recorded::Absent
        } else {
            Recorded::Value(floor)
        }
    }
}

/// Why a scaler does not act on its floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Halted {
    /// Zero replicas that the scaler did not make: a person has paused the target.
    AtZero,
    /// The scaler is paused by its own annotation.
    Paused,
}

/// Who has the floor field, read from `managedFields` (reference: server-side apply).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// A manager other than Forewarm that has the field by server-side apply: the line *is* in a manifest.
    pub applied_by: Option<String>,
    /// Forewarm's own server-side claim, made by adoption.
    pub adopted: bool,
    /// Forewarm has the field by update: the last write that changed the value was ours. False where the
    /// server keeps no entry (nobody named the field before us).
    pub written_by_us: bool,
    /// The last other writer that has the field by update.
    pub updated_by: Option<Writer>,
}

/// Somebody else who wrote the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The field manager's name.
    pub name: String,
    /// What kind of writer that name stands for.
    pub kind: WriterKind,
}

/// Kinds of writers, as ownership tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriterKind {
    /// A deploy tool on the client side (Helm 3, `kubectl apply`).
    Deploy,
    /// A person or an unknown controller (`kubectl scale`, `edit`, `patch`).
    Person,
}

/// How long a new pod of this function takes to be of use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadTime {
    /// Schedule, pull, start and ready, as a whole.
    pub total: Seconds,
    /// Where the figure is from.
    pub source: LeadTimeSource,
}

/// Where a lead time is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeadTimeSource {
    /// Set in the policy.
    Policy,
    /// Measured: 95th percentile over the function's own pod starts.
    Learned,
    /// Nothing measured yet.
    Default,
}

/// One function now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The target and its floor field.
    pub target: Reading<Target>,
    /// Its demand.
    pub demand: Reading<DemandSample>,
    /// How long a new pod takes.
    pub lead_time: LeadTime,
    /// When the demand was last known, on this process's clock; `None`: never since the start.
    pub demand_known_at: Option<Mono>,
    /// The newest revision, where its pods fail. `None`: it comes up, or it has no pod.
    pub failing: Option<Failing>,
    /// The demand is of items that wait to be worked off.
    #[serde(default)]
    pub backlog: bool,
    /// What the cluster can take of its pods.
    #[serde(default)]
    pub capacity: Capacity,
    /// How its calls are served, held against their own past.
    #[serde(default)]
    pub service: Service,
    /// What has lain far outside its own band for a while.
    #[serde(default)]
    pub anomalies: Vec<Anomaly>,
}

/// What the cluster can take of one function's pods. `Default`: nothing stands in their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Pods that have a node and are not ending.
    pub placed: Replicas,
    /// Pods that have waited for a node for longer than a start takes.
    pub stuck: Replicas,
    /// Pods that the namespace's quotas let exist, those that do among them. `None`: no quota counts them.
    pub quota: Option<Replicas>,
}
