//! Seasonal-naive: the largest of the same minutes one, two and three days ago, of an hour ago while none of these days
//! is known. Pure.
//!
//! One day alone, as the textbook has it, misses what comes on most days but not on all: what is wanted of it is an
//! upper quantile. A week ago would tell of Mondays, but the history has no minutes that old.

use super::super::past::narrow;
use super::super::sums::largest;
use super::{At, Expert};

#[derive(Debug)]
pub(crate) struct SeasonalNaive;

impl SeasonalNaive {
    pub(super) const fn new(_quantiles: &[f64]) -> Self {
        Self
    }
}

impl Expert for SeasonalNaive {
    fn fold(&mut self, _at: &At<'_>, _sort: &mut Vec<f32>) {}

    fn point(&mut self, at: &At<'_>) -> f64 {
        let day = largest(&at.before.days.map(narrow));
        if day.is_nan() { at.before.hours[0] } else { day }
    }

    fn bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::column::SEASONAL;
    use super::super::super::tests::SPAN;
    use super::super::super::{Engine, Models, Scratch, Series};

    /// What it expects five minutes after the last of `values`.
    fn expected(values: &[f64]) -> f64 {
        let (mut engine, mut scratch) = (Engine::new(&[SPAN], &[0.95]), Scratch::default());
        let (past, t) = (Series { first: 0, values }, i64::try_from(values.len()).unwrap() - 1);
        engine.step(&past, t, Models::default(), &mut scratch, |_| {});
        engine.ahead[0].bets.back().unwrap().points[SEASONAL]
    }

    #[test]
    fn it_is_the_largest_of_three_days() {
        let minutes = 8 * 1440;
        for (days, counts) in [(1, true), (2, true), (3, true), (4, false), (7, false)] {
            let mut values = vec![2.0; minutes];
            values[minutes + 4 - days * 1440] = 9.0;
            let wanted = if counts { 9.0 } else { 2.0 };
            assert!((expected(&values) - wanted).abs() < 1e-9, "{days} days ago");
        }
    }

    #[test]
    fn it_is_that_of_an_hour_ago_while_no_day_is_known_and_nothing_without() {
        let mut values = vec![2.0; 100];
        values[99 + 5 - 60] = 6.0;
        assert!((expected(&values) - 6.0).abs() < 1e-9);
        assert!(expected(&values[60..]).is_nan());
        // One of the days is enough.
        let mut values = vec![f64::NAN; 3 * 1440 + 100];
        values[..200].fill(3.0);
        values[3 * 1440 + 50..].fill(1.0);
        assert!((expected(&values) - 3.0).abs() < 1e-9);
    }
}
