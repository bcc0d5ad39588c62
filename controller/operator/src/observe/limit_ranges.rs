//! What the `LimitRange`s of a namespace let a container have of memory: the API server refuses a pod beyond it. No I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use forewarm_core::units::Bytes;
use kube::core::ObjectMeta;
use serde::Deserialize;

use super::policies::Nothing;
use super::quantity;
use super::watch::{Read, Shelf};

/// A `LimitRange` with no more than what is read of it.
pub type LimitRange = kube::core::Object<LimitRangeSpec, Nothing>;

/// What is read of its spec.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LimitRangeSpec {
    #[serde(default)]
    limits: Vec<Item>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Item {
    #[serde(rename = "type", default)]
    type_: String,
    #[serde(default)]
    min: BTreeMap<String, String>,
    #[serde(default)]
    max: BTreeMap<String, String>,
}

/// What is allowed of memory. `None`: nothing says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// A container's least.
    pub least: Option<Bytes>,
    /// A container's most.
    pub most: Option<Bytes>,
    /// The most of a pod's containers together.
    pub pod_most: Option<Bytes>,
}

impl Allowed {
    /// The narrower of both, in each.
    fn and(self, other: Self) -> Self {
        let least = |a: Option<Bytes>, b: Option<Bytes>| [a, b].into_iter().flatten().min();
        Self {
            least: self.least.max(other.least),
            most: least(self.most, other.most),
            pod_most: least(self.pod_most, other.pod_most),
        }
    }
}

/// All ranges by namespace and name.
#[derive(Debug, Default)]
pub struct LimitRanges(RwLock<HashMap<String, HashMap<String, Allowed>>>);

impl LimitRanges {
    /// What all ranges of a namespace allow together.
    pub fn of(&self, namespace: &str) -> Allowed {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let ranges = all.get(namespace).into_iter().flat_map(HashMap::values);
        ranges.copied().fold(Allowed::default(), Allowed::and)
    }

    fn change(&self, meta: &ObjectMeta, allowed: Option<Allowed>) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let ranges = all.entry(text(&meta.namespace)).or_default();
        match allowed {
            Some(allowed) => ranges.insert(text(&meta.name), allowed),
            None => ranges.remove(&text(&meta.name)),
        };
    }

    fn read(&self, read: &Read<LimitRange>) {
        let allowed = match read {
            Read::Good(range) => range
                .spec
                .limits
                .iter()
                .map(allowed)
                .fold(Allowed::default(), Allowed::and),
            Read::Bad(..) => Allowed::default(),
        };
        self.change(read.meta(), Some(allowed));
    }
}

fn allowed(item: &Item) -> Allowed {
    let memory = |of: &BTreeMap<String, String>| quantity::bytes(of.get("memory")?);
    match item.type_.as_str() {
        "Container" => Allowed {
            least: memory(&item.min),
            most: memory(&item.max),
            pod_most: None,
        },
        "Pod" => Allowed {
            pod_most: memory(&item.max),
            ..Allowed::default()
        },
        _ => Allowed::default(),
    }
}

impl Shelf<LimitRange> for LimitRanges {
    fn replace(&self, all: Vec<Read<LimitRange>>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
        for range in &all {
            self.read(range);
        }
    }

    fn put(&self, object: Read<LimitRange>) {
        self.read(&object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        self.change(meta, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn range(name: &str, limits: &Value) -> Read<LimitRange> {
        let object = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"namespace": "a", "name": name},
            "spec": {"limits": limits}});
        Read::Good(serde_json::from_value(object).expect("a range of the test"))
    }

    #[test]
    fn the_narrowest_range_of_a_namespace_counts() {
        let ranges = LimitRanges::default();
        assert_eq!(ranges.of("a"), Allowed::default());
        let container = |min: &str, max: &str| json!({"type": "Container", "min": {"memory": min}, "max": {"memory": max, "cpu": "1"}});
        ranges.put(range(
            "one",
            &json!([container("16Mi", "1Gi"), {"type": "Pod", "max": {"memory": "2Gi"}}]),
        ));
        ranges.put(range(
            "two",
            &json!([container("32Mi", "2Gi"), {"type": "PersistentVolumeClaim"}]),
        ));
        let expected = Allowed {
            least: Some(Bytes::mib(32)),
            most: Some(Bytes::mib(1024)),
            pod_most: Some(Bytes::mib(2048)),
        };
        assert_eq!(ranges.of("a"), expected);
        ranges.gone(range("two", &json!([])).meta());
        assert_eq!(ranges.of("a").least, Some(Bytes::mib(16)));
        assert_eq!(ranges.of("b"), Allowed::default());
    }
}
