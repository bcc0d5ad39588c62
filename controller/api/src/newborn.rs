//! `NewbornMemory`: what newborn pods get instead of their template's memory, as an admission policy reads it.
//!
//! Internal: one object a namespace, named [`NAME`], written by Forewarm alone. A map of short strings, replaced as a
//! whole, costs the API server nothing measurable at 200 functions; a structured one would be paid at each pod.
//!
//! ```text
//! Deployment/fraud: app=64Mi/128Mi>128Mi/256Mi,side=/32Mi>/64Mi     CONTAINER=REQUEST/LIMIT>REQUEST/LIMIT
//! ```

// derive(KubeSchema) copies each struct into a function body.
#![allow(unreachable_pub)]

use forewarm_core::memory::{Amounts, Birth};
use forewarm_core::units::Bytes;
use kube::{CustomResource, KubeSchema};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the one object of a namespace.
pub const NAME: &str = "forewarm";

/// What newborn pods get, by the workload they belong to.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[kube(
    group = "forewarm.dev",
    version = "v1alpha1",
    kind = "NewbornMemory",
    plural = "newbornmemories",
    namespaced,
    derive = "PartialEq",
    doc = "NewbornMemory is what newborn pods of a namespace get instead of their template's memory. Forewarm writes it and an admission policy reads it; change the FunctionPolicy instead.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
pub struct NewbornMemorySpec {
    /// By `KIND/NAME` of the workload, for each container `NAME=REQUEST/LIMIT>REQUEST/LIMIT`: what its template has, and
    /// what it gets. A pod that comes with anything else than the template's is left as it is.
    #[serde(default)]
    #[schemars(schema_with = "functions")]
    #[x_kube(merge_strategy = MapMerge::Atomic)]
    pub functions: BTreeMap<String, String>,
}

fn functions(_: &mut SchemaGenerator) -> Schema {
    const AMOUNTS: &str = "[0-9]*(Mi)?/[0-9]*(Mi)?";
    let one = format!("[a-z0-9-]+={AMOUNTS}>{AMOUNTS}");
    json_schema!({"type": "object", "maxProperties": 2000, "additionalProperties": {"type": "string", "maxLength": 4096,
        "description": "One workload's containers.", "pattern": format!("^{one}(,{one})*$")}})
}

/// The entry of one function. Empty for no container.
pub fn entry(births: &BTreeMap<String, Birth>) -> String {
    let one = |(name, birth): (&String, &Birth)| format!("{name}={}>{}", text(birth.own), text(birth.amounts));
    births.iter().map(one).collect::<Vec<_>>().join(",")
}

/// What an entry says. `None`: it cannot be read.
pub fn births(entry: &str) -> Option<BTreeMap<String, Birth>> {
    entry.split(',').map(birth).collect()
}

fn birth(part: &str) -> Option<(String, Birth)> {
    let (name, values) = part.split_once('=')?;
    let (own, to) = values.split_once('>')?;
    let birth = Birth {
        own: amounts(own)?,
        amounts: amounts(to)?,
    };
    (!name.is_empty()).then(|| (name.to_owned(), birth))
}

fn text(amounts: Amounts) -> String {
    let size = |bytes: Option<Bytes>| bytes.map(size).unwrap_or_default();
    format!("{}/{}", size(amounts.request), size(amounts.limit))
}

/// Whole mebibytes where they are, else bytes.
fn size(bytes: Bytes) -> String {
    if bytes.0.is_multiple_of(Bytes::MIB.0) {
        format!("{}Mi", bytes.0 / Bytes::MIB.0)
    } else {
        bytes.0.to_string()
    }
}

fn amounts(text: &str) -> Option<Amounts> {
    let (request, limit) = text.split_once('/')?;
    let readable = |text: &str| text.is_empty() || bytes(text).is_some();
    (readable(request) && readable(limit)).then(|| Amounts {
        request: bytes(request),
        limit: bytes(limit),
    })
}

/// `None`: not set, or no size.
fn bytes(text: &str) -> Option<Bytes> {
    match text.strip_suffix("Mi") {
        Some(mib) => Some(Bytes(mib.parse::<u64>().ok()?.checked_mul(Bytes::MIB.0)?)),
        None => Some(Bytes(text.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_map;
    use proptest::option;
    use proptest::prelude::*;

    fn any_amounts() -> impl Strategy<Value = Amounts> {
        let size = || prop_oneof![any::<u64>().prop_map(Bytes), (0..1_u64 << 20).prop_map(Bytes::mib)];
        (option::of(size()), option::of(size())).prop_map(|(request, limit)| Amounts { request, limit })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_bit_by_bit(
            all in btree_map("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", (any_amounts(), any_amounts()), 1..4),
        ) {
            let all = all.into_iter().map(|(name, (own, amounts))| (name, Birth { own, amounts })).collect();
            let entry = entry(&all);
            prop_assert_eq!(births(&entry), Some(all), "{}", entry);
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,80}") {
            let _ = births(&text);
        }
    }

    #[test]
    fn an_entry_is_what_the_admission_policy_takes_apart() {
        let uneven = Amounts {
            request: Some(Bytes::mib(64)),
            limit: Some(Bytes(134_217_729)),
        };
        let bare = |mib| Amounts {
            request: None,
            limit: Some(Bytes::mib(mib)),
        };
        let all = BTreeMap::from([
            (
                "app".to_owned(),
                Birth {
                    own: uneven,
                    amounts: Amounts::both(Bytes::mib(256)),
                },
            ),
            (
                "side".to_owned(),
                Birth {
                    own: bare(32),
                    amounts: bare(64),
                },
            ),
        ]);
        assert_eq!(entry(&all), "app=64Mi/134217729>256Mi/256Mi,side=/32Mi>/64Mi");
        assert_eq!(entry(&BTreeMap::new()), "");
        for odd in [
            "",
            "app",
            "app=1Mi/1Mi",
            "app=1Mi>2Mi",
            "=1/1>2/2",
            "app=-1/1>2/2",
            "app=1Gi/1>2/2",
        ] {
            assert_eq!(births(odd), None, "{odd}");
        }
    }
}
