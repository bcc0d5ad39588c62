//! Tree: boosted regression trees for an upper quantile. Rows in, a forest out ([`learn`]); a row in, a number
//! out ([`Forest::predict`]). Pure; the same rows and seed give the same forest bit for bit.
//!
//! No maintained crate boosts trees on the pinball loss, so this is our own histogram learner: features cut
//! into at most 63 bins, leaf-wise growth, each leaf set to the weighted quantile of its residuals. One forest is
//! for one quantile: with the quantile as a feature of a common one, 0.95 lost 10 % more on made-up rows as well.

mod bins;
mod by_quantile;
mod bytes;
mod grow;
mod learn;
mod quick;

pub use by_quantile::ByQuantile;
pub use bytes::Malformed;
pub use learn::{Params, Rows, learn, learn_on};
use quick::Quick;

/// One node: a leaf, or a question whose "no" (and "not known") goes left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    /// Left child from the tree's root, its right sibling follows it. 0: a leaf.
    pub(crate) left: u8,
    /// Place of the feature asked about.
    pub(crate) feature: u8,
    /// The threshold (`x > value` goes right), or what the leaf adds.
    pub(crate) value: f32,
}

/// Boosted trees for rows of a fixed number of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    pub(crate) features: u8,
    pub(crate) start: f32,
    pub(crate) trees: Vec<Vec<Node>>,
    /// The same trees walked all at once, where they are small enough.
    quick: Option<Quick>,
}

impl Forest {
    pub(crate) fn new(features: u8, start: f32, trees: Vec<Vec<Node>>) -> Self {
        let quick = Quick::of(&trees);
        Self {
            features,
            start,
            trees,
            quick,
        }
    }

    /// The forecast for one row, in the unit of the targets it was learned from.
    ///
    /// `row`: as many features as it was learned with; NaN is "not known". Always finite, since every leaf is.
    pub fn predict(&self, row: &[f32]) -> f64 {
        let sums = match &self.quick {
            Some(quick) => quick.sum(row),
            None => self.walk(row),
        };
        f64::from(all(sums) + self.start)
    }

    /// Tree after tree, question after question; every fourth to one sum.
    fn walk(&self, row: &[f32]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for four in self.trees.chunks(4) {
            for (sum, tree) in sums.iter_mut().zip(four) {
                *sum += leaf(tree, row);
            }
        }
        sums
    }

    /// How many features a row must have.
    pub fn features(&self) -> usize {
        usize::from(self.features)
    }

    /// How many trees it has.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// True when it has no tree: it then says its start for every row.
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }
}

/// The four sums in one.
fn all([a, b, c, d]: [f32; 4]) -> f32 {
    (a + b) + (c + d)
}

/// What the leaf that `row` falls into adds.
fn leaf(tree: &[Node], row: &[f32]) -> f32 {
    let mut node = tree[0];
    while node.left > 0 {
        let right = usize::from(row[usize::from(node.feature)] > node.value);
        node = tree[usize::from(node.left) + right];
    }
    node.value
}

#[cfg(test)]
mod tests;
