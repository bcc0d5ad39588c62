//! Seasonal-naive: the same minutes a day ago, an hour ago while there is no such day. Pure.

use super::super::span::Span;
use super::{At, Expert};

/// Seasons, the one wanted first: days and minutes ago.
const SEASONS: [(usize, i64); 2] = [(1, 0), (0, 60)];

#[derive(Debug)]
struct SeasonalNaive;

pub(super) fn make(_span: Span, _quantiles: &[f64]) -> Box<dyn Expert> {
    Box::new(SeasonalNaive)
}

impl Expert for SeasonalNaive {
    fn fold(&mut self, _at: &At<'_>, _sort: &mut Vec<f64>) {}

    fn point(&mut self, at: &At<'_>) -> f64 {
        SEASONS
            .iter()
            .map(|(days, lag)| at.span.earlier(at.looked, *days, *lag))
            .find(|amount| !amount.is_nan())
            .unwrap_or(f64::NAN)
    }

    fn bytes(&self) -> usize {
        0
    }
}
