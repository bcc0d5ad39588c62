//! What is seen of the memory and the health of a function's pods now.

use super::birth::Birth;
use super::load::LoadFit;
use crate::observation::Reading;
use crate::plan::remedy::crash_loop::Failing;
use crate::service::Served;
use crate::units::{Bytes, Percent, Seconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Memory request and limit of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Request. `None`: not set.
    pub request: Option<Bytes>,
    /// Limit. `None`: not set.
    pub limit: Option<Bytes>,
}

impl Amounts {
    /// Request and limit alike.
    pub const fn both(value: Bytes) -> Self {
        Self {
            request: Some(value),
            limit: Some(value),
        }
    }

    /// The value that says how much the container may use: the limit, else the request. `None`: neither is set.
    pub fn size(self) -> Option<Bytes> {
        self.limit.or(self.request)
    }

    /// These, with a request of at least `least`: a raise of the limit never lowers the request.
    pub fn requesting_at_least(self, least: Option<Bytes>) -> Self {
        Self {
            request: self.request.max(least),
            limit: self.limit,
        }
    }

    /// The amounts of a container of this shape whose limit (else request) is `size`: what is set stays set, the
    /// ratio is kept, and the request is never above the limit, so neither is the `QoS` class another (M4).
    pub fn sized(self, size: Bytes) -> Self {
        match (self.request, self.limit) {
            (Some(request), Some(limit)) => {
                // Below the limit before, below it after: rounding must not make a Guaranteed pod.
                let most = if request < limit { size.minus(Bytes::MIB) } else { size };
                Self {
                    request: Some(size.times(request.min(limit), limit).whole_mib().min(most)),
                    limit: Some(size),
                }
            }
            (None, Some(_)) => Self {
                request: None,
                limit: Some(size),
            },
            (Some(_), None) => Self {
                request: Some(size),
                limit: None,
            },
            (None, None) => self,
        }
    }
}

/// One function's pods and what is known of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemorySeen {
    /// The containers as the workload's template has them: the user's own values.
    pub template: BTreeMap<String, Amounts>,
    /// What a Go runtime holds its heap under, by container, where the template sets `GOMEMLIMIT`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub go_limits: BTreeMap<String, Bytes>,
    /// The container that a policy means which names none.
    pub default_container: Option<String>,
    /// Pods that exist.
    pub pods: Vec<PodSeen>,
    /// Largest use of the past, by container.
    pub past: BTreeMap<String, Reading<Past>>,
    /// How a container's memory follows the load, where a measured line says that it does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<String, LoadFit>,
    /// The newest revision. `None`: not known.
    pub revision: Option<String>,
    /// Memory of the largest node. `None`: not known.
    pub node_most: Option<Bytes>,
    /// The least and the most that a `LimitRange` lets a container have. `None`: none says.
    pub allowed_least: Option<Bytes>,
    /// See `allowed_least`.
    pub allowed_most: Option<Bytes>,
    /// What quotas, and a `LimitRange` on whole pods, leave one more pod beyond its template's memory. `None`: none says.
    pub spare: Option<Bytes>,
    /// The API server lowers a limit in place (Kubernetes 1.34).
    pub lowers_in_place: bool,
    /// Somebody else sizes this workload's memory, by kind and name.
    pub conflict: Option<String>,
    /// What is written for newborn pods now, by container; empty where nothing is. `None`: newborn memory is not
    /// installed, so nothing can be.
    pub births: Option<BTreeMap<String, Birth>>,
    /// How long a pod may be unready while its siblings serve, in seconds; also the time between two evictions.
    pub patience: i64,
    /// Out-of-memory kills that were seen, newest last.
    pub ooms: Vec<Oom>,
    /// More than half of the known policies or targets vanished from one list: what is seen may be part of the world (F1).
    #[serde(default)]
    pub world_vanished: bool,
    /// The newest pods do worse than those that were there. `None`: they do not, or the breaker knows a plainer cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worse: Option<Failing>,
}

/// One pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodSeen {
    /// Name.
    pub name: String,
    /// Identity.
    pub uid: String,
    /// Revision (template hash). `None`: not known.
    pub revision: Option<String>,
    /// Ready now.
    pub ready: bool,
    /// Since when it is as ready or unready as it is now, in seconds since 1970 UTC. `None`: never ready, so since
    /// its creation.
    pub since: Option<i64>,
    /// Created, in seconds since 1970 UTC.
    pub created: i64,
    /// When it is to have ended, its grace included, in seconds since 1970 UTC. `None`: it is not to end.
    pub ending_since: Option<i64>,
    /// Since when no node takes it, in seconds since 1970 UTC. `None`: it has one, or the scheduler has not looked yet.
    pub unplaced_since: Option<i64>,
    /// What became of the last resize.
    pub resize: Resize,
    /// Its containers.
    pub containers: BTreeMap<String, ContainerSeen>,
    /// How it serves. `None`: nobody asks, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
}

/// What became of a pod's last resize.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resize {
    /// Nothing is under way.
    #[default]
    Done,
    /// The node is at it, since then (seconds since 1970 UTC).
    InProgress(i64),
    /// It fits the node, but not now.
    Deferred(i64),
    /// It never will on this node.
    Infeasible,
    /// The node refused it: more is in use than the new limit.
    Failed,
}

/// One container of a pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerSeen {
    /// As its spec has it.
    pub spec: Amounts,
    /// As the node has it. `None`: not told yet.
    pub actual: Option<Amounts>,
    /// Working set now.
    pub working_set: Reading<Bytes>,
    /// Restarts so far.
    pub restarts: u32,
    /// Since when it runs, in seconds since 1970 UTC. `None`: it does not, or nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<i64>,
    /// Its working set has grown steadily through its life.
    pub leaking: bool,
    /// A resize of memory restarts it.
    pub restarts_on_resize: bool,
    /// Why it does not run, or did not the last time. `None`: no failure is known.
    pub crash: Option<Crash>,
    /// What its Go runtime holds its heap under (`GOMEMLIMIT`). `None`: not set, or not as a value of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_limit: Option<Bytes>,
}

/// Why a container fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crash {
    /// Killed for its memory.
    OutOfMemory,
    /// Killed by a liveness or start-up probe, or never ready.
    Probe,
    /// It cannot be made from its spec (missing `ConfigMap` or key), or ends at once with an error.
    Config,
    /// Its image cannot be pulled.
    ImagePull,
    /// It ends with an error though its revision has served before: something it needs has gone.
    Dependency,
    /// It came with the last raises of the floor and does worse than the pods that were there.
    WorseThanSiblings,
}

impl Crash {
    /// The variant's name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OutOfMemory => "OutOfMemory",
            Self::Probe => "Probe",
            Self::Config => "Config",
            Self::ImagePull => "ImagePull",
            Self::Dependency => "Dependency",
            Self::WorseThanSiblings => "WorseThanSiblings",
        }
    }
}

/// Largest use over the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The largest working set of any pod, its start-up included.
    pub peak: Bytes,
    /// The largest working set of a container past its start. `None`: not asked for, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Bytes>,
    /// How far back samples reach.
    pub span: Seconds,
    /// Share of the pod-seconds with a sample.
    pub coverage: Percent,
}

/// One out-of-memory kill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oom {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// What limited it when it died: its limit, or its request where it has none.
    pub size: Bytes,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// Its working set had grown steadily through its life.
    pub leaking: bool,
}
