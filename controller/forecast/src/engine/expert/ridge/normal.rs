//! Normal equations with forgetting: rows in one by one, ridge weights out. Pure; linfa solves them.

use linfa_linalg::cholesky::SolveCInplace;
use ndarray::{Array1, Array2, Axis};

/// Terms of a row, the first of them the constant.
pub(super) const TERMS: usize = 14;
/// Weight a row keeps a minute: half after three days.
const KEEP: f64 = 0.999_839_562_135_290_2;
/// Ridge penalty, in rows of the term's own square, and a hair for terms that never moved.
const PENALTY: (f64, f64) = (10.0, 1e-3);

/// `X'X` (upper half, row by row) and `X'y`.
#[derive(Debug)]
pub(super) struct Normal {
    squares: [f64; Self::SQUARES],
    products: [f64; TERMS],
    /// Recent rows weigh more: this grows instead of everything else shrinking.
    next: f64,
    weight: f64,
}

impl Normal {
    const SQUARES: usize = TERMS * (TERMS + 1) / 2;

    pub(super) const fn new() -> Self {
        Self {
            squares: [0.0; Self::SQUARES],
            products: [0.0; TERMS],
            next: 1.0,
            weight: 0.0,
        }
    }

    /// How many rows it stands for.
    pub(super) fn weight(&self) -> f64 {
        self.weight / self.next
    }

    /// Of eight squares, a line of memory, one; see [`Expert::fetch`](super::Expert::fetch).
    pub(super) fn fetch(&self) -> f32 {
        self.squares
            .iter()
            .step_by(8)
            .map(|square| super::narrow(*square))
            .sum()
    }

    pub(super) fn learn(&mut self, terms: &[f32; TERMS], target: f32) {
        self.next /= KEEP;
        self.weight += self.next;
        let mut squares = self.squares.iter_mut();
        let terms = terms.map(f64::from);
        for (row, product) in self.products.iter_mut().enumerate() {
            let term = self.next * terms[row];
            *product += term * f64::from(target);
            // The terms first: a zip asks its first side once more than its second.
            for (other, square) in terms[row..].iter().zip(squares.by_ref()) {
                *square += term * other;
            }
        }
        if self.next > 1e6 {
            self.rescale();
        }
    }

    fn rescale(&mut self) {
        let by = self.next.recip();
        self.squares
            .iter_mut()
            .chain(&mut self.products)
            .for_each(|sum| *sum *= by);
        self.weight *= by;
        self.next = 1.0;
    }

    /// The weights now. `None`: not solvable, or something in them is not finite.
    pub(super) fn solve(&self) -> Option<[f32; TERMS]> {
        let mut matrix = Array2::zeros((TERMS, TERMS));
        let mut squares = self.squares.iter();
        for row in 0..TERMS {
            for (column, square) in (row..TERMS).zip(squares.by_ref()) {
                matrix[[row, column]] = square / self.next;
                matrix[[column, row]] = square / self.next;
            }
        }
        let mean = 1.0 / self.weight().max(1.0);
        for place in 0..TERMS {
            let own: f64 = matrix[[place, place]];
            matrix[[place, place]] += PENALTY.0 * own * mean + PENALTY.1;
        }
        let right = Array1::from_iter(self.products.iter().map(|product| product / self.next));
        let mut right = right.insert_axis(Axis(1));
        let solved = matrix.solvec_inplace(&mut right).ok()?;
        let mut weights = [0.0; TERMS];
        for (weight, value) in weights.iter_mut().zip(solved.iter()) {
            *weight = super::narrow(*value);
        }
        weights.iter().all(|weight| weight.is_finite()).then_some(weights)
    }
}
