//! Bins: each feature cut at quantiles into at most 63 groups, group 0 for "not known". Pure.

use super::learn::Rows;

/// Groups of one feature at most, with the one for "not known".
pub(super) const BINS: usize = 64;
/// Cuts between the groups of known values at most.
const CUTS: usize = 62;
/// Rows looked at to place the cuts.
const LOOKED_AT: usize = 100_000;

/// Where each feature is cut, and every row's groups, row after row.
#[derive(Debug)]
pub(super) struct Binned {
    pub(super) width: usize,
    cuts: Vec<Vec<f32>>,
    pub(super) groups: Vec<u8>,
}

impl Binned {
    pub(super) fn of(rows: &Rows) -> Self {
        let width = rows.width;
        let stride = rows.len().div_ceil(LOOKED_AT).max(1);
        let cuts: Vec<Vec<f32>> = (0..width)
            .map(|feature| cuts(rows.values.iter().skip(feature).step_by(width * stride)))
            .collect();
        let groups = rows
            .values
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&cuts).map(|(value, cuts)| group(*value, cuts)))
            .collect();
        Self { width, cuts, groups }
    }

    /// The groups of one row.
    pub(super) fn row(&self, row: usize) -> &[u8] {
        &self.groups[row * self.width..(row + 1) * self.width]
    }

    /// The threshold that keeps group `last` and everything below it (and "not known") on the left.
    pub(super) fn threshold(&self, feature: usize, last: usize) -> f32 {
        // Below every known value: only "not known" stays left.
        if last == 0 {
            f32::MIN
        } else {
            self.cuts[feature][last - 1]
        }
    }

    /// How many groups a feature has.
    pub(super) fn count(&self, feature: usize) -> usize {
        self.cuts[feature].len() + 2
    }
}

/// Group 0: not known; `n`: above `n - 1` cuts.
fn group(value: f32, cuts: &[f32]) -> u8 {
    if value.is_nan() {
        return 0;
    }
    u8::try_from(1 + cuts.partition_point(|cut| *cut < value)).unwrap_or(u8::MAX)
}

/// Distinct values at even ranks; a cut belongs to the group below it.
fn cuts<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<f32> {
    let mut known: Vec<f32> = values.copied().filter(|value| !value.is_nan()).collect();
    known.sort_unstable_by(f32::total_cmp);
    let mut cuts: Vec<f32> = (1..=CUTS)
        .filter_map(|n| known.get(n * known.len() / (CUTS + 1)).copied())
        .collect();
    cuts.dedup();
    // The largest value needs no cut above it.
    if cuts.last() == known.last() {
        cuts.pop();
    }
    cuts
}
