//! What of the memory's standing is in the status: written before the effect it protects, read back at a start (M3, M6).

use super::{Size, time};
use forewarm_core::memory::{Amounts, Cause, ContainerStanding, MemoryStanding, Quarantine};
use forewarm_core::units::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Memory of one container, as held.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryStatus {
    /// The container.
    #[schemars(length(max = 63))]
    pub container: String,
    /// Request held: live pods are brought to it, new ones within a tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Size>,
    /// Limit held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Size>,
    /// Request of live pods past their start, where it is less than `request`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau_request: Option<Size>,
    /// Memory is never held below this: what out-of-memory kills have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_floor: Option<Size>,
    /// Until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub oom_floor_until: Option<Time>,
    /// Steps climbed since the last day without a kill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub rung: Option<i32>,
    /// The last kill that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub last_oom: Option<Time>,
    /// The last decision to lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub lowered_at: Option<Time>,
    /// Until then nothing is lowered: the last decrease did harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub no_decrease_until: Option<Time>,
}

/// A revision that nothing more is done about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuarantineStatus {
    /// The revision (template hash).
    #[schemars(length(max = 63))]
    pub revision: String,
    /// The container.
    #[schemars(length(max = 63))]
    pub container: String,
    /// Why.
    pub cause: QuarantineCause,
    /// Since when.
    #[schemars(length(max = 35))]
    pub since: Time,
}

/// Why a revision is in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum QuarantineCause {
    /// Its working set grows steadily.
    Leak,
    /// Killed again after the ladder's last step.
    OutOfMemory,
    /// Killed at the policy's maximum, or the node's.
    AtMaximum,
}

/// The standing as the status tells it.
pub fn memory_status(standing: &MemoryStanding) -> (Vec<MemoryStatus>, Vec<QuarantineStatus>) {
    let containers = standing
        .containers
        .iter()
        .take(8)
        .map(|(name, standing)| told(name, standing))
        .collect();
    let quarantine = standing.quarantine.iter().map(|quarantine| QuarantineStatus {
        revision: quarantine.revision.chars().take(63).collect(),
        container: quarantine.container.clone(),
        cause: match quarantine.cause {
            Cause::Leak => QuarantineCause::Leak,
            Cause::OutOfMemory => QuarantineCause::OutOfMemory,
            Cause::AtMaximum => QuarantineCause::AtMaximum,
        },
        since: time(quarantine.since),
    });
    (containers, quarantine.collect())
}

fn told(name: &str, standing: &ContainerStanding) -> MemoryStatus {
    let held = standing.held.unwrap_or_default();
    let after_zero = |second: i64| (second > 0).then(|| time(second));
    MemoryStatus {
        container: name.to_owned(),
        request: held.request.map(Size::of),
        limit: held.limit.map(Size::of),
        plateau_request: standing.plateau.map(Size::of),
        oom_floor: standing.oom_floor.map(Size::of),
        oom_floor_until: standing.oom_floor.and_then(|_| after_zero(standing.oom_floor_until)),
        rung: (standing.rung > 0).then(|| i32::from(standing.rung)),
        last_oom: after_zero(standing.last_oom),
        lowered_at: standing.lowered_at.map(time),
        no_decrease_until: after_zero(standing.no_decrease_until),
    }
}

/// The standing that a status tells; of what is not in it nothing is assumed that could lower (M6).
pub fn restore_memory(containers: &[MemoryStatus], quarantine: &[QuarantineStatus]) -> MemoryStanding {
    MemoryStanding {
        containers: containers
            .iter()
            .map(|one| (one.container.clone(), standing(one)))
            .collect(),
        quarantine: quarantine.first().map(|found| Quarantine {
            revision: found.revision.clone(),
            container: found.container.clone(),
            cause: match found.cause {
                QuarantineCause::Leak => Cause::Leak,
                QuarantineCause::OutOfMemory => Cause::OutOfMemory,
                QuarantineCause::AtMaximum => Cause::AtMaximum,
            },
            since: found.since.0.as_second(),
        }),
        ..MemoryStanding::default()
    }
}

fn standing(one: &MemoryStatus) -> ContainerStanding {
    let bytes = |size: &Option<Size>| size.as_ref().and_then(Size::bytes).filter(|bytes| *bytes > Bytes(0));
    let second = |time: &Option<Time>| time.as_ref().map(|time| time.0.as_second());
    let held = Amounts {
        request: bytes(&one.request),
        limit: bytes(&one.limit),
    };
    ContainerStanding {
        held: held.size().is_some().then_some(held),
        template: None,
        plateau: bytes(&one.plateau_request),
        oom_floor: bytes(&one.oom_floor),
        oom_floor_until: second(&one.oom_floor_until).unwrap_or_default(),
        rung: one.rung.and_then(|rung| u8::try_from(rung).ok()).unwrap_or_default(),
        last_oom: second(&one.last_oom).unwrap_or_default(),
        lowered_at: second(&one.lowered_at),
        no_decrease_until: second(&one.no_decrease_until).unwrap_or_default(),
        trial: None,
        raise: None,
        no_raise_until: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_protects_against_a_decrease_survives_the_status() {
        let container = ContainerStanding {
            held: Some(Amounts::both(Bytes::mib(264))),
            template: None,
            plateau: Some(Bytes::mib(100)),
            oom_floor: Some(Bytes::mib(264)),
            oom_floor_until: 1_900_000_000,
            rung: 2,
            last_oom: 1_800_000_000,
            lowered_at: Some(1_700_000_000),
            no_decrease_until: 1_850_000_000,
            trial: None,
            raise: None,
            no_raise_until: 0,
        };
        let standing = MemoryStanding {
            containers: BTreeMap::from([("app".to_owned(), container)]),
            quarantine: Some(Quarantine {
                revision: "7c9f".into(),
                container: "app".into(),
                cause: Cause::Leak,
                since: 1_800_000_001,
            }),
            ..MemoryStanding::default()
        };
        let (memory, quarantine) = memory_status(&standing);
        let json = serde_json::to_value((&memory, &quarantine)).expect("a status serialises");
        let (memory, quarantine): (Vec<_>, Vec<_>) = serde_json::from_value(json).expect("and reads back");
        assert_eq!(restore_memory(&memory, &quarantine), standing);
    }

    #[test]
    fn sizes_are_read_as_kubernetes_writes_them() {
        let rows = [
            ("512Mi", Some(536_870_912)),
            ("1Gi", Some(1 << 30)),
            ("64M", Some(64_000_000)),
            ("1000", Some(1000)),
            ("1.5Gi", None),
            ("", None),
            ("-1Mi", None),
        ];
        for (text, bytes) in rows {
            assert_eq!(Size(text.into()).bytes(), bytes.map(Bytes), "{text}");
        }
        assert_eq!(Size::of(Bytes::mib(480)).0, "480Mi");
    }
}
