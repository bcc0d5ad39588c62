//! Learning: rows in, a [`Forest`] out, by gradient boosting on the pinball loss. Pure; seeded.

use super::Forest;
use super::bins::Binned;
use super::grow::{self, Gradient};
use crate::draw::Stream;

/// Training rows, flat.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Features of one row.
    pub width: usize,
    /// The features, row after row; NaN is "not known".
    pub values: Vec<f32>,
    /// What came, one a row.
    pub targets: Vec<f32>,
    /// How much a row counts, `> 0`.
    pub weights: Vec<f32>,
}

impl Rows {
    /// No rows, of `width` features.
    pub fn new(width: usize) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    /// Adds a row; one that is not finite where it must be is left out.
    pub fn push(&mut self, row: &[f32], target: f32, weight: f32) {
        if row.len() == self.width && target.is_finite() && weight.is_finite() && weight > 0.0 {
            self.values.extend_from_slice(row);
            self.targets.push(target);
            self.weights.push(weight);
        }
    }

    /// Adds all of another's rows, of the same width.
    pub fn append(&mut self, mut other: Self) {
        self.width = other.width;
        self.values.append(&mut other.values);
        self.targets.append(&mut other.targets);
        self.weights.append(&mut other.weights);
    }

    /// Adds one of another's rows, of the same width.
    pub(crate) fn copy(&mut self, from: &Self, row: usize) {
        self.values.extend_from_slice(from.row(row));
        self.targets.push(from.targets[row]);
        self.weights.push(from.weights[row]);
    }

    /// Puts one of another's rows in the place of one of these.
    pub(crate) fn replace(&mut self, place: usize, from: &Self, row: usize) {
        self.values[place * self.width..(place + 1) * self.width].copy_from_slice(from.row(row));
        self.targets[place] = from.targets[row];
        self.weights[place] = from.weights[row];
    }

    /// Drops all rows.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.targets.clear();
        self.weights.clear();
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// One row's features.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}

/// How to learn.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// The wanted quantile, in (0, 1).
    pub quantile: f32,
    /// Trees.
    pub trees: usize,
    /// Leaves of a tree at most, 2 to 127.
    pub leaves: usize,
    /// Share of a leaf's residual quantile that is added.
    pub rate: f32,
    /// Sampled rows of a leaf at least.
    pub rows_per_leaf: u32,
    /// Where the draws of rows and features begin.
    pub seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            quantile: 0.95,
            trees: 200,
            leaves: 16,
            rate: 0.1,
            rows_per_leaf: 100,
            seed: 1,
        }
    }
}

/// Learns a forest. `go_on` is asked before each tree: when it says no, the trees so far are the forest.
///
/// `None`: no rows, or rows too wide (255 features).
pub fn learn(rows: &Rows, params: Params, go_on: impl FnMut() -> bool) -> Option<Forest> {
    let features = u8::try_from(rows.width).ok().filter(|_| !rows.is_empty())?;
    let all: Vec<u32> = (0..u32::try_from(rows.len()).ok()?).collect();
    let start = grow::quantile(&all, &rows.targets, &rows.weights, params.quantile, 1);
    boost(&Forest::new(features, start, Vec::new()), rows, params, go_on)
}

/// Goes on from a forest of the same features: its trees, and new ones on what it has left over.
///
/// `None`: no rows, or rows of another width.
pub fn learn_on(from: &Forest, rows: &Rows, params: Params, go_on: impl FnMut() -> bool) -> Option<Forest> {
    let fits = from.features() == rows.width && !rows.is_empty();
    fits.then(|| boost(from, rows, params, go_on)).flatten()
}

fn boost(from: &Forest, rows: &Rows, params: Params, mut go_on: impl FnMut() -> bool) -> Option<Forest> {
    let binned = Binned::of(rows);
    let all: Vec<u32> = (0..u32::try_from(rows.len()).ok()?).collect();
    let said = |row: usize| crate::engine::narrow(from.predict(rows.row(row)));
    let mut residuals: Vec<f32> = (0..rows.len()).map(|row| rows.targets[row] - said(row)).collect();
    let mut stream = Stream::new(params.seed);
    let mut trees = from.trees.clone();
    let whole = trees.len() + params.trees;
    while trees.len() < whole && go_on() {
        let sample: Vec<u32> = all.iter().copied().filter(|_| stream.even() < 0.5).collect();
        let asked = half(rows.width, &mut stream);
        let gradients = gradients(rows, &residuals, params.quantile);
        let grown = grow::tree(&binned, &rows.weights, &residuals, &gradients, sample, &asked, params);
        for (row, residual) in residuals.iter_mut().enumerate() {
            *residual -= grown.at(binned.row(row));
        }
        trees.push(grown.nodes(&binned));
    }
    Some(Forest::new(from.features, from.start, trees))
}

/// A random half of the features, in order.
fn half(width: usize, stream: &mut Stream) -> Vec<usize> {
    let mut all: Vec<usize> = (0..width).collect();
    for left in (1..width).rev() {
        all.swap(left, stream.below(left + 1));
    }
    all.truncate(width.div_ceil(2));
    all.sort_unstable();
    all
}

/// Slope of the pinball loss at each row's present residual, times its weight.
fn gradients(rows: &Rows, residuals: &[f32], quantile: f32) -> Vec<Gradient> {
    residuals
        .iter()
        .zip(&rows.weights)
        .map(|(residual, weight)| Gradient {
            slope: if *residual > 0.0 {
                -quantile * weight
            } else {
                (1.0 - quantile) * weight
            },
            weight: *weight,
        })
        .collect()
}
