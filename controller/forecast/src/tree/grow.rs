//! Growth of one tree: gradients in, splits out, the leaf with the largest gain first. Pure.

use super::Node;
use super::bins::{BINS, Binned};
use super::learn::Params;

/// Rows of a leaf looked at for its value.
const LOOKED_AT: usize = 4096;
/// Added to a leaf's weight, so that a light one is not chased.
const RIDGE: f64 = 1.0;

/// One row's slope of the loss and its weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gradient {
    pub(super) slope: f32,
    pub(super) weight: f32,
}

/// Sums over the rows of one group.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    slope: f64,
    weight: f64,
    rows: u32,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.slope += other.slope;
        self.weight += other.weight;
        self.rows += other.rows;
    }

    fn less(self, other: Self) -> Self {
        Self {
            slope: self.slope - other.slope,
            weight: self.weight - other.weight,
            rows: self.rows - other.rows,
        }
    }

    /// How much the best step on these rows gains.
    fn gain(self) -> f64 {
        self.slope * self.slope / (self.weight + RIDGE)
    }
}

/// A question by groups.
#[derive(Clone, Copy, Debug)]
struct Split {
    gain: f64,
    feature: usize,
    last: usize,
}

/// A node while growing.
#[derive(Clone, Copy, Debug)]
enum Growing {
    Leaf(f32),
    Ask { feature: usize, last: u8, left: u8 },
}

/// A grown tree, asked by groups.
#[derive(Debug)]
pub(super) struct Grown(Vec<Growing>);

impl Grown {
    /// What it adds to the row of these groups.
    pub(super) fn at(&self, groups: &[u8]) -> f32 {
        let mut place = 0;
        loop {
            match self.0[place] {
                Growing::Leaf(value) => return value,
                Growing::Ask { feature, last, left } => {
                    place = usize::from(left) + usize::from(groups[feature] > last);
                }
            }
        }
    }

    /// Its shipped form, asked by values.
    pub(super) fn nodes(&self, binned: &Binned) -> Vec<Node> {
        let node = |growing: &Growing| match *growing {
            Growing::Leaf(value) => Node {
                left: 0,
                feature: 0,
                value,
            },
            Growing::Ask { feature, last, left } => Node {
                left,
                feature: u8::try_from(feature).expect("checked by learn"),
                value: binned.threshold(feature, usize::from(last)),
            },
        };
        self.0.iter().map(node).collect()
    }
}

/// A leaf that may still be split.
struct Open {
    place: usize,
    rows: Vec<u32>,
    sums: Vec<[Sum; BINS]>,
    split: Option<Split>,
}

/// Grows one tree on the sampled rows.
pub(super) fn tree(
    binned: &Binned,
    weights: &[f32],
    residuals: &[f32],
    gradients: &[Gradient],
    sample: Vec<u32>,
    asked: &[usize],
    params: Params,
) -> Grown {
    let grower = Grower {
        binned,
        gradients,
        asked,
        fewest: params.rows_per_leaf,
    };
    let mut nodes = vec![Growing::Leaf(0.0)];
    let mut open = vec![grower.open(0, sample, None)];
    while open.len() < params.leaves {
        let Some((at, split)) = best(&open) else { break };
        let parent = open.swap_remove(at);
        let left = nodes.len();
        let Some((left_byte, last)) = u8::try_from(left).ok().zip(u8::try_from(split.last).ok()) else {
            break;
        };
        nodes[parent.place] = Growing::Ask {
            feature: split.feature,
            last,
            left: left_byte,
        };
        nodes.extend([Growing::Leaf(0.0); 2]);
        open.extend(grower.divide(parent, split, left));
    }
    for leaf in &open {
        let stride = leaf.rows.len().div_ceil(LOOKED_AT).max(1);
        nodes[leaf.place] =
            Growing::Leaf(params.rate * quantile(&leaf.rows, residuals, weights, params.quantile, stride));
    }
    Grown(nodes)
}

fn best(open: &[Open]) -> Option<(usize, Split)> {
    open.iter()
        .enumerate()
        .filter_map(|(at, leaf)| Some((at, leaf.split?)))
        .max_by(|(_, a), (_, b)| a.gain.total_cmp(&b.gain))
}

struct Grower<'a> {
    binned: &'a Binned,
    gradients: &'a [Gradient],
    asked: &'a [usize],
    fewest: u32,
}

impl Grower<'_> {
    fn open(&self, place: usize, rows: Vec<u32>, sums: Option<Vec<[Sum; BINS]>>) -> Open {
        let sums = sums.unwrap_or_else(|| self.sums(&rows));
        let split = self.split(&sums);
        Open {
            place,
            rows,
            sums,
            split,
        }
    }

    fn sums(&self, rows: &[u32]) -> Vec<[Sum; BINS]> {
        let mut sums = vec![[Sum::default(); BINS]; self.asked.len()];
        for row in rows {
            let row = place(*row);
            let groups = self.binned.row(row);
            let Gradient { slope, weight } = self.gradients[row];
            let one = Sum {
                slope: f64::from(slope),
                weight: f64::from(weight),
                rows: 1,
            };
            for (sums, feature) in sums.iter_mut().zip(self.asked) {
                sums[usize::from(groups[*feature])].add(one);
            }
        }
        sums
    }

    /// The two halves of a split leaf; the sums of the larger are the parent's less the smaller's.
    fn divide(&self, parent: Open, split: Split, left: usize) -> [Open; 2] {
        let Open { rows, mut sums, .. } = parent;
        let stays = |row: &u32| usize::from(self.binned.row(place(*row))[split.feature]) <= split.last;
        let (low, high): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(stays);
        let low_is_small = low.len() <= high.len();
        let small = self.sums(if low_is_small { &low } else { &high });
        for (whole, part) in sums.iter_mut().flatten().zip(small.iter().flatten()) {
            *whole = whole.less(*part);
        }
        let (low_sums, high_sums) = if low_is_small { (small, sums) } else { (sums, small) };
        [
            self.open(left, low, Some(low_sums)),
            self.open(left + 1, high, Some(high_sums)),
        ]
    }

    fn split(&self, sums: &[[Sum; BINS]]) -> Option<Split> {
        let mut best: Option<Split> = None;
        for (sums, feature) in sums.iter().zip(self.asked) {
            let mut whole = Sum::default();
            for sum in sums {
                whole.add(*sum);
            }
            let mut low = Sum::default();
            for (last, sum) in sums.iter().enumerate().take(self.binned.count(*feature) - 1) {
                low.add(*sum);
                let high = whole.less(low);
                if low.rows < self.fewest || high.rows < self.fewest {
                    continue;
                }
                let gain = low.gain() + high.gain() - whole.gain();
                if gain > best.map_or(1e-9, |split| split.gain) {
                    best = Some(Split {
                        gain,
                        feature: *feature,
                        last,
                    });
                }
            }
        }
        best
    }
}

/// The weighted quantile of some residuals, which is the value with the least pinball loss: the first one in order
/// at which the weight passed reaches its share of all. Every `stride`-th row is looked at. Zero of none.
pub(super) fn quantile(of: &[u32], residuals: &[f32], weights: &[f32], share: f32, stride: usize) -> f32 {
    let mut seen: Vec<(f32, f64)> = of
        .iter()
        .step_by(stride)
        .map(|row| (residuals[place(*row)], f64::from(weights[place(*row)])))
        .collect();
    let wanted = f64::from(share) * seen.iter().map(|(_, weight)| weight).sum::<f64>();
    seen.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut passed = 0.0;
    for (residual, weight) in &seen {
        passed += weight;
        if passed >= wanted {
            return *residual;
        }
    }
    seen.last().map_or(0.0, |(residual, _)| *residual)
}

fn place(row: u32) -> usize {
    usize::try_from(row).expect("32 bits fit in an address")
}
