//! Fleet: rows of the cluster's own functions in, a second forest out. Pure: who runs the refit brings the clock,
//! as a question asked before each tree.

use crate::draw::Stream;
use crate::engine::WIDTH;
use crate::tree::{ByQuantile, Params, Rows, learn, learn_on};
use forewarm_core::units::Percent;

/// Rows kept at most: 25 MB, and 60 MB on top while a refit runs.
const KEPT: usize = 200_000;
/// Rows from which a refit is worth it, and from which the cluster's own rows stand alone: below that it goes on
/// from the shipped forest, since small sets are over-fitted.
const FEWEST: usize = 10_000;
const ALONE: usize = 100_000;
/// Minutes between two refits.
const EVERY: i64 = 360;
/// Rows of one function a day at most, and minutes of a day.
const ROWS_A_DAY: f64 = 288.0;
const DAY: f64 = 1440.0;

/// A bounded sample of rows; the old ones are forgotten at random.
#[derive(Debug)]
pub struct Sample {
    rows: Rows,
    minutes: Vec<i64>,
    stream: Stream,
    tried: Option<i64>,
}

/// A refit that is due: everything it needs, to be run elsewhere.
#[derive(Debug)]
pub struct Refit {
    rows: Rows,
    minutes: Vec<i64>,
    quantiles: Vec<Percent>,
    seed: u64,
}

/// Where a forest learned in the cluster comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Hash of the forests, as [`ByQuantile::hash`] gives it.
    pub hash: u64,
    /// Rows it was learned from.
    pub rows: u32,
    /// Minute since 1970 UTC of its oldest row.
    pub from: i64,
    /// Minute of its newest row.
    pub to: i64,
}

/// A second forest and where it comes from.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The forests by quantile.
    pub forests: ByQuantile,
    /// Its hash, the rows it was learned from and when they were made.
    pub fit: Fit,
}

/// What a refit gives back.
#[derive(Debug)]
pub struct Refitted {
    /// The forest. `None`: stopped before its first tree, or nothing to learn from.
    pub fleet: Option<Fleet>,
    sample: (Rows, Vec<i64>),
}

impl Sample {
    /// No rows yet.
    pub fn new(seed: u64) -> Self {
        Self {
            rows: Rows::new(WIDTH),
            minutes: Vec::new(),
            stream: Stream::new(seed),
            tried: None,
        }
    }

    /// Chance a minute that a function gives a row, so that the sample turns over about once a day.
    pub(crate) fn chance(functions: usize) -> f64 {
        let wanted = crate::engine::number(KEPT) / crate::engine::number(functions.max(1));
        wanted.min(ROWS_A_DAY) / DAY
    }

    /// Takes in the rows of one function and leaves none with it.
    pub fn take(&mut self, from: &mut Rows, minute: i64) {
        for row in 0..from.len() {
            if self.rows.len() < KEPT {
                self.rows.copy(from, row);
                self.minutes.push(minute);
            } else {
                let place = self.stream.below(KEPT);
                self.rows.replace(place, from, row);
                self.minutes[place] = minute;
            }
        }
        from.clear();
    }

    /// The refit that is due at `minute`, which takes the sample along. `None`: not yet, or too few rows; then nobody
    /// asks for `quantiles`.
    pub fn due(&mut self, minute: i64, quantiles: impl FnOnce() -> Vec<Percent>) -> Option<Refit> {
        let recent = self.tried.is_some_and(|tried| minute.saturating_sub(tried) < EVERY);
        if self.rows.len() < FEWEST || recent {
            return None;
        }
        self.tried = Some(minute);
        Some(Refit {
            rows: std::mem::replace(&mut self.rows, Rows::new(WIDTH)),
            minutes: std::mem::take(&mut self.minutes),
            quantiles: quantiles(),
            seed: self.stream.seed(),
        })
    }

    /// Takes the sample back; rows that came meanwhile are added.
    pub(crate) fn back(&mut self, (rows, minutes): (Rows, Vec<i64>)) {
        let mut newer = std::mem::replace(&mut self.rows, rows);
        let newest = self.minutes.last().copied();
        self.minutes = minutes;
        if let Some(minute) = newest {
            self.take(&mut newer, minute);
        }
    }
}

impl Refit {
    /// Learns, with `prior` to go on from where the sample is small. `go_on` is asked before each tree; when it says
    /// no, what has been learned so far is the result.
    pub fn run(self, prior: Option<&ByQuantile>, mut go_on: impl FnMut() -> bool) -> Refitted {
        // The median is wanted of every function as well.
        let mut shares: Vec<f64> = self.quantiles.iter().map(|quantile| quantile.share()).collect();
        shares.push(0.5);
        let forests = shares
            .iter()
            .filter_map(|share| self.forest(*share, prior, &mut go_on))
            .collect();
        let Self { rows, minutes, .. } = self;
        let forests = ByQuantile::new(forests);
        let fleet = (!forests.is_empty()).then(|| Fleet {
            fit: Fit {
                hash: forests.hash(),
                rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
                from: minutes.iter().copied().min().unwrap_or(0),
                to: minutes.iter().copied().max().unwrap_or(0),
            },
            forests,
        });
        Refitted {
            fleet,
            sample: (rows, minutes),
        }
    }

    /// The forest of one quantile. `None`: nothing was learned.
    fn forest(
        &self,
        share: f64,
        prior: Option<&ByQuantile>,
        go_on: &mut impl FnMut() -> bool,
    ) -> Option<(f32, crate::tree::Forest)> {
        let quantile = crate::engine::narrow(share.clamp(0.005, 0.995));
        let small = self.rows.len() < ALONE;
        let params = Params {
            quantile,
            seed: self.seed,
            trees: 100,
            rate: 0.15,
            rows_per_leaf: if small { 50 } else { 100 },
            ..Params::default()
        };
        let begun = go_on();
        let forest = match prior.and_then(|prior| prior.nearest(share)).filter(|_| small) {
            _ if !begun => None,
            Some(prior) => learn_on(prior, &self.rows, params, go_on),
            None => learn(&self.rows, params, go_on),
        };
        forest
            .filter(|forest| !forest.is_empty())
            .map(|forest| (quantile, forest))
    }

    /// Rows it learns from.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }
}

impl Refitted {
    pub(crate) fn into_parts(self) -> (Option<Fleet>, (Rows, Vec<i64>)) {
        (self.fleet, self.sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Rows {
        let mut rows = Rows::new(WIDTH);
        for n in 0..count {
            let x = crate::engine::narrow(crate::engine::number(n % 100));
            rows.push(&[x; WIDTH], x, 1.0);
        }
        rows
    }

    fn due(sample: &mut Sample, minute: i64) -> Option<Refit> {
        sample.due(minute, || vec![Percent::new(80).unwrap()])
    }

    #[test]
    fn a_refit_is_due_with_enough_rows_and_six_hours_after_the_last() {
        let mut sample = Sample::new(1);
        sample.take(&mut rows(9_999), 5);
        assert!(due(&mut sample, 10).is_none(), "too few");
        sample.take(&mut rows(1), 11);
        let refit = due(&mut sample, 12).expect("ten thousand are enough");
        assert!(due(&mut sample, 13).is_none(), "it is under way");
        let refitted = refit.run(None, || true);
        let fit = refitted.fleet.as_ref().unwrap().fit;
        assert_eq!((fit.rows, fit.from, fit.to), (10_000, 5, 11));
        sample.back(refitted.into_parts().1);
        assert!(due(&mut sample, 371).is_none());
        assert!(due(&mut sample, 372).is_some());
    }

    #[test]
    fn the_sample_is_bounded_and_forgets_the_old() {
        let mut sample = Sample::new(1);
        sample.take(&mut rows(KEPT), 1);
        sample.take(&mut rows(KEPT), 2);
        assert_eq!(sample.rows.len(), KEPT);
        let newer = sample.minutes.iter().filter(|minute| **minute == 2).count();
        // 1 - 1/e of them were replaced at least once.
        assert!((KEPT * 62 / 100..KEPT * 65 / 100).contains(&newer), "{newer}");
    }

    #[test]
    fn a_stopped_refit_gives_the_sample_back_and_no_forest() {
        let mut sample = Sample::new(1);
        sample.take(&mut rows(10_000), 1);
        let refitted = due(&mut sample, 1).unwrap().run(None, || false);
        assert!(refitted.fleet.is_none());
        sample.back(refitted.into_parts().1);
        assert_eq!(sample.rows.len(), 10_000);
    }

    #[test]
    fn many_functions_give_fewer_rows_each() {
        assert!((Sample::chance(10) - 0.2).abs() < 1e-12);
        assert!((Sample::chance(10_000) - 20.0 / 1440.0).abs() < 1e-12);
    }
}
