//! Trailing quantile: the wanted quantile of what the target was over the last day, hour or less. Pure.

use super::super::scratch::DAY;
use super::super::seek::seek;
use super::{At, Expert};

/// Minutes looked back on by the shorter ones: a burst is over before it shows in the quantile of an hour.
pub(crate) const HOUR: usize = 60;
pub(super) const HALF_HOUR: usize = 30;
/// It cannot say where the span is longer.
pub(super) const TEN_MINUTES: usize = 10;

/// Over the last `N` minutes; over a day looked at again every ten minutes.
#[derive(Debug)]
pub(crate) struct Trailing<const N: usize> {
    uppers: Box<[f32]>,
}

impl<const N: usize> Trailing<N> {
    pub(super) fn new(quantiles: &[f64]) -> Self {
        Self {
            uppers: vec![f32::NAN; quantiles.len()].into_boxed_slice(),
        }
    }
}

impl<const N: usize> Expert for Trailing<N> {
    fn fold(&mut self, at: &At<'_>, sort: &mut Vec<f32>) {
        let [hour, day] = at.targets;
        if N < DAY {
            // The runs that lie in these minutes alone.
            let first = hour.len().min(HOUR - N);
            seek(&hour[first..], at.quantiles, &mut self.uppers, sort);
        } else if at.slow {
            seek(day, at.quantiles, &mut self.uppers, sort);
        }
    }

    fn upper(&self, place: usize) -> f64 {
        f64::from(self.uppers[place])
    }

    fn fetch(&self, _t: i64) -> f32 {
        self.uppers.first().copied().unwrap_or(0.0)
    }

    fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.uppers)
    }
}
