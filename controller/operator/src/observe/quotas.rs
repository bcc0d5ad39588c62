//! Quotas of namespaces: how many more pods they let exist. Only what is counted here is decoded.
//!
//! A quota with scopes counts some pods and not others, and is left out; so are resources of other kinds. What a pod
//! asks for is read off an admitted one, so a `LimitRange`'s defaults are in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use forewarm_core::units::{Bytes, Replicas};
use kube::core::ObjectMeta;
use serde::Deserialize;

use super::quantity;
use super::watch::{Read, Shelf};

/// A `ResourceQuota` with no more than what is read of it.
pub type Quota = kube::core::Object<QuotaSpec, QuotaStatus>;

/// What is read of its spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaSpec {
    #[serde(default)]
    scopes: Vec<String>,
    scope_selector: Option<serde_json::Value>,
}

/// What is read of its status.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct QuotaStatus {
    #[serde(default)]
    hard: BTreeMap<String, String>,
    #[serde(default)]
    used: BTreeMap<String, String>,
}

/// What one pod asks for, summed over its containers, in thousandths of a core and of a byte. Zero where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// Requests of CPU and memory.
    pub requests: (u64, u64),
    /// Limits of CPU and memory.
    pub limits: (u64, u64),
}

impl Asks {
    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |a: (u64, u64), b: (u64, u64)| (a.0.saturating_add(b.0), a.1.saturating_add(b.1));
        Self {
            requests: sum(self.requests, other.requests),
            limits: sum(self.limits, other.limits),
        }
    }

    /// How much one pod takes of a counted resource. `None`: it is not one of those counted here.
    fn of(self, resource: &str) -> Option<u64> {
        match resource {
            "pods" | "count/pods" => Some(1000),
            "cpu" | "requests.cpu" => Some(self.requests.0),
            "memory" | "requests.memory" => Some(self.requests.1),
            "limits.cpu" => Some(self.limits.0),
            "limits.memory" => Some(self.limits.1),
            _ => None,
        }
    }
}

/// All quotas by namespace and name; of each, what is left of every resource that is counted.
#[derive(Debug, Default)]
pub struct Quotas(RwLock<HashMap<String, HashMap<String, Left>>>);

/// What quotas leave of memory, in bytes. `None`: none counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryLeft {
    /// Of requests.
    pub requests: Option<Bytes>,
    /// Of limits.
    pub limits: Option<Bytes>,
}

/// In thousandths.
type Left = BTreeMap<String, u64>;

impl Quotas {
    /// How many more pods that ask so much may exist in a namespace. `None`: no quota says.
    pub fn room(&self, namespace: &str, asks: Asks) -> Option<Replicas> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let left = all.get(namespace)?.values().flatten();
        let fit = left.filter_map(|(resource, left)| whole(*left, asks.of(resource)?));
        fit.min()
    }

    /// What all quotas of a namespace leave of memory.
    pub fn memory_left(&self, namespace: &str) -> MemoryLeft {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let quotas = || all.get(namespace).into_iter().flat_map(HashMap::values);
        let least = |names: &[&str]| {
            let left = quotas().flat_map(|left| names.iter().filter_map(|name| left.get(*name)));
            left.min().map(|thousandths| Bytes(thousandths / 1000))
        };
        MemoryLeft {
            requests: least(&["memory", "requests.memory"]),
            limits: least(&["limits.memory"]),
        }
    }

    fn change(&self, object: &Read<Quota>) {
        let meta = object.meta();
        let (namespace, name) = names(meta);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(namespace).or_default().insert(name, left(object));
    }
}

/// Whole times that `each` goes into `left`. `None`: nothing is asked, so it goes any number of times.
fn whole(left: u64, each: u64) -> Option<Replicas> {
    let fit = left.checked_div(each)?;
    Some(Replicas(u32::try_from(fit).unwrap_or(u32::MAX)))
}

/// What is left of each resource. Nothing where it counts only some pods or could not be read.
fn left(read: &Read<Quota>) -> Left {
    let Read::Good(quota) = read else { return Left::new() };
    let scoped = !quota.spec.scopes.is_empty() || quota.spec.scope_selector.is_some();
    let Some(status) = quota.status.as_ref().filter(|_| !scoped) else {
        return Left::new();
    };
    let amount = |of: &BTreeMap<String, String>, key: &str| quantity::thousandths(of.get(key)?);
    let one = |key: &String| {
        Some((
            key.clone(),
            amount(&status.hard, key)?.saturating_sub(amount(&status.used, key)?),
        ))
    };
    status.hard.keys().filter_map(one).collect()
}

fn names(meta: &ObjectMeta) -> (String, String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&meta.namespace), text(&meta.name))
}

impl Shelf<Quota> for Quotas {
    fn replace(&self, all: Vec<Read<Quota>>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
        for quota in &all {
            self.change(quota);
        }
    }

    fn put(&self, object: Read<Quota>) {
        self.change(&object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        let (namespace, name) = names(meta);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(quotas) = all.get_mut(&namespace) {
            quotas.remove(&name);
            if quotas.is_empty() {
                all.remove(&namespace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn quota(name: &str, spec: &Value, hard: &Value, used: &Value) -> Read<Quota> {
        let object = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"namespace": "a", "name": name},
            "spec": spec, "status": {"hard": hard, "used": used}});
        Read::Good(serde_json::from_value(object).expect("a quota"))
    }

    fn asks() -> Asks {
        Asks {
            requests: (100, 64 * 1_048_576_000),
            limits: (0, 0),
        }
    }

    #[test]
    fn the_scarcest_resource_says_how_many_more() {
        let quotas = Quotas::default();
        assert_eq!(quotas.room("a", asks()), None, "no quota");
        quotas.put(quota(
            "one",
            &json!({}),
            &json!({"pods": "10", "configmaps": "1"}),
            &json!({"pods": "4", "configmaps": "1"}),
        ));
        assert_eq!(quotas.room("a", asks()), Some(Replicas(6)));
        let hard = json!({"requests.cpu": "1", "limits.cpu": "1", "memory": "1Gi"});
        quotas.put(quota(
            "two",
            &json!({}),
            &hard,
            &json!({"requests.cpu": "700m", "limits.cpu": "1", "memory": "0"}),
        ));
        assert_eq!(quotas.room("a", asks()), Some(Replicas(3)), "0.3 of 0.1");
        assert_eq!(quotas.room("b", asks()), None);
        quotas.gone(quota("two", &json!({}), &json!({}), &json!({})).meta());
        quotas.put(quota("one", &json!({}), &json!({"pods": "3"}), &json!({"pods": "4"})));
        assert_eq!(
            quotas.room("a", asks()),
            Some(Replicas(0)),
            "lowered below what is used"
        );
    }

    #[test]
    fn what_is_left_of_memory_is_that_of_the_scarcest_quota() {
        let quotas = Quotas::default();
        assert_eq!(quotas.memory_left("a"), MemoryLeft::default());
        let hard = json!({"requests.memory": "1Gi", "limits.memory": "2Gi"});
        quotas.put(quota(
            "one",
            &json!({}),
            &hard,
            &json!({"requests.memory": "24Mi", "limits.memory": "2Gi"}),
        ));
        quotas.put(quota(
            "two",
            &json!({}),
            &json!({"memory": "64Mi"}),
            &json!({"memory": "16Mi"}),
        ));
        let expected = MemoryLeft {
            requests: Some(Bytes::mib(48)),
            limits: Some(Bytes(0)),
        };
        assert_eq!(quotas.memory_left("a"), expected);
    }

    #[test]
    fn what_counts_only_some_pods_or_cannot_be_read_says_nothing() {
        let quotas = Quotas::default();
        quotas.put(quota(
            "scoped",
            &json!({"scopes": ["BestEffort"]}),
            &json!({"pods": "1"}),
            &json!({"pods": "1"}),
        ));
        quotas.put(quota(
            "odd",
            &json!({}),
            &json!({"pods": "many"}),
            &json!({"pods": "1"}),
        ));
        quotas.put(Read::Bad(ObjectMeta::default(), "odd".into()));
        assert_eq!(quotas.room("a", asks()), None);
    }
}
