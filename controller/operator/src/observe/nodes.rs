//! How much memory the largest node has: no container is held at more. No I/O.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use forewarm_core::units::Bytes;
use kube::core::ObjectMeta;
use serde::Deserialize;

use super::policies::Nothing;
use super::quantity;
use super::watch::{Read, Shelf};

/// A `Node` with no more than what is read of it.
pub type Node = kube::core::Object<Nothing, NodeStatus>;

/// What is read of its status.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeStatus {
    #[serde(default)]
    allocatable: Allocatable,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Allocatable {
    memory: Option<String>,
}

/// What each node lets pods have of memory, by its name. `None`: it does not say, or not in a way that is understood.
#[derive(Debug, Default)]
pub struct Nodes(RwLock<HashMap<String, Option<Bytes>>>);

impl Nodes {
    /// What the largest node lets pods have. `None`: there is no node, or one whose size is not known, which may be larger.
    pub fn largest(&self) -> Option<Bytes> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.values()
            .try_fold(None, |largest, size| Some(largest.max(Some((*size)?))))
            .flatten()
    }

    fn change(&self, node: &Read<Node>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name(node.meta()), size(node));
    }
}

fn size(node: &Read<Node>) -> Option<Bytes> {
    let Read::Good(node) = node else { return None };
    quantity::bytes(node.status.as_ref()?.allocatable.memory.as_ref()?)
}

fn name(meta: &ObjectMeta) -> String {
    meta.name.clone().unwrap_or_default()
}

impl Shelf<Node> for Nodes {
    fn replace(&self, all: Vec<Read<Node>>) {
        let sizes = all.iter().map(|node| (name(node.meta()), size(node))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sizes;
    }

    fn put(&self, object: Read<Node>) {
        self.change(&object);
    }

    fn gone(&self, meta: &ObjectMeta) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&name(meta));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn node(name: &str, allocatable: &Value) -> Read<Node> {
        let object = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {},
            "status": {"allocatable": allocatable}});
        Read::Good(serde_json::from_value(object).expect("a node of the test"))
    }

    #[test]
    fn the_largest_node_counts_and_one_of_unknown_size_may_be_larger() {
        let nodes = Nodes::default();
        assert_eq!(nodes.largest(), None, "none is known");
        nodes.replace(vec![
            node("a", &json!({"memory": "4Gi", "cpu": "2"})),
            node("b", &json!({"memory": "8388608Ki"})),
        ]);
        assert_eq!(nodes.largest(), Some(Bytes::mib(8192)));
        nodes.put(node("c", &json!({"cpu": "2"})));
        assert_eq!(nodes.largest(), None, "not told yet");
        nodes.put(node("c", &json!({"memory": "1Gi"})));
        nodes.gone(node("b", &json!({})).meta());
        assert_eq!(nodes.largest(), Some(Bytes::mib(4096)));
        let unread = ObjectMeta {
            name: Some("d".into()),
            ..ObjectMeta::default()
        };
        nodes.put(Read::Bad(unread, "odd".into()));
        assert_eq!(nodes.largest(), None, "not understood");
    }
}
