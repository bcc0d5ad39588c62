//! The compact form of a forest: bytes in, a checked [`Forest`] out, and back. Pure.
//!
//! Little-endian: `FWT1`, features (u8), trees (u16), start (f32); a tree is its node count (u8) and six bytes
//! a node (left u8, feature u8, value f32). 200 trees of 16 leaves are 37 kB.

use super::{Forest, Node};

const MAGIC: &[u8; 4] = b"FWT1";

/// Why bytes are no forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not this format or version.
    #[error("not a forest of format FWT1")]
    Format,
    /// It ends early, or goes on after its end.
    #[error("wrong length")]
    Length,
    /// A node points outside its tree or backwards, asks for a feature that is not there, or is not finite.
    #[error("tree {0} has an impossible node")]
    Node(usize),
}

impl Forest {
    /// Its compact form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(self.features);
        let trees = u16::try_from(self.trees.len()).expect("a forest has at most 65,535 trees");
        bytes.extend(trees.to_le_bytes());
        bytes.extend(self.start.to_le_bytes());
        for tree in &self.trees {
            bytes.push(u8::try_from(tree.len()).expect("a tree has at most 255 nodes"));
            for node in tree {
                bytes.extend([node.left, node.feature]);
                bytes.extend(node.value.to_le_bytes());
            }
        }
        bytes
    }

    /// Reads and checks the compact form, so that no row can make [`Forest::predict`] fail or loop.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(Malformed::Format)?;
        let [features] = take(&mut rest)?;
        let count = u16::from_le_bytes(take(&mut rest)?);
        let start = f32::from_le_bytes(take(&mut rest)?);
        let trees = (0..count).map(|_| tree(&mut rest)).collect::<Result<Vec<_>, _>>()?;
        if !rest.is_empty() {
            return Err(Malformed::Length);
        }
        let bad = trees.iter().position(|tree| !is_sound(tree, features));
        match bad {
            Some(place) => Err(Malformed::Node(place)),
            None if !start.is_finite() => Err(Malformed::Node(0)),
            None => Ok(Self::new(features, start, trees)),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (head, tail) = rest.split_first_chunk().ok_or(Malformed::Length)?;
    *rest = tail;
    Ok(*head)
}

fn tree(rest: &mut &[u8]) -> Result<Vec<Node>, Malformed> {
    let [nodes] = take(rest)?;
    let node = |rest: &mut &[u8]| {
        let [left, feature] = take(rest)?;
        let value = f32::from_le_bytes(take(rest)?);
        Ok(Node { left, feature, value })
    };
    (0..nodes).map(|_| node(rest)).collect()
}

/// Children lie behind their parent and inside the tree, so a walk ends.
fn is_sound(tree: &[Node], features: u8) -> bool {
    let inside = |(place, node): (usize, &Node)| {
        let left = usize::from(node.left);
        let leaf = left == 0;
        node.value.is_finite() && (leaf || (left > place && left + 1 < tree.len() && node.feature < features))
    };
    !tree.is_empty() && tree.iter().enumerate().all(inside)
}
