//! Trailing quantile: the wanted quantile of what the target was over the last day, hour or less. Pure.

use super::super::scratch::DAY;
use super::super::seek::seek;
use super::super::span::Span;
use super::{At, Expert};

/// Minutes looked back on by the shorter ones: a burst is over before it shows in the quantile of an hour.
pub(crate) const HOUR: usize = 60;
const HALF_HOUR: usize = 30;
const TEN_MINUTES: usize = 10;

/// Over the last `N` minutes.
#[derive(Debug)]
struct Trailing<const N: usize> {
    shares: Box<[f64]>,
    uppers: Box<[f32]>,
}

fn trailing<const N: usize>(quantiles: &[f64]) -> Box<dyn Expert> {
    Box::new(Trailing::<N> {
        shares: quantiles.into(),
        uppers: vec![f32::NAN; quantiles.len()].into_boxed_slice(),
    })
}

/// Over the last day, looked at again every ten minutes.
pub(super) fn day(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<DAY>(quantiles)
}

/// Over the last hour.
pub(super) fn hour(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<HOUR>(quantiles)
}

/// Over the last half hour.
pub(super) fn half_hour(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<HALF_HOUR>(quantiles)
}

/// Over the last ten minutes; it cannot say where the span is longer.
pub(super) fn ten_minutes(_span: Span, quantiles: &[f64]) -> Box<dyn Expert> {
    trailing::<TEN_MINUTES>(quantiles)
}

impl<const N: usize> Expert for Trailing<N> {
    fn fold(&mut self, at: &At<'_>, sort: &mut Vec<f32>) {
        let [hour, day] = at.targets;
        if N < DAY {
            // The runs that lie in these minutes alone.
            let first = hour.len().min(HOUR - N);
            seek(&hour[first..], &self.shares, &mut self.uppers, sort);
        } else if at.slow {
            seek(day, &self.shares, &mut self.uppers, sort);
        }
    }

    fn upper(&self, place: usize) -> f64 {
        f64::from(self.uppers[place])
    }

    fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + 12 * self.shares.len()
    }
}
