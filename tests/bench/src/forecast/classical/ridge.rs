//! Ridge on lags, means, seasons, phase and Fourier terms, fitted again daily (or two-hourly on one day) on all
//! that is known, penalty 10 on standardised features; 34 of them for one-day series, 46 for longer ones.

use super::{DAY, Shape};
use std::f64::consts::TAU;

/// Rows of a fit at most.
const ROWS: usize = 4000;
/// Rows of a fit at least.
const FEWEST: usize = 120;
const PENALTY: f64 = 10.0;
/// Lags in minutes and lengths of means.
const LAGS: [usize; 11] = [0, 1, 2, 3, 4, 5, 7, 9, 14, 29, 59];
const MEANS: [usize; 5] = [5, 15, 30, 60, 240];

/// Points, one a minute; the newest known minute while there is no fit.
pub(super) fn points(calls: &[f64], h: usize, warmup: usize, shape: Shape) -> Vec<f64> {
    let data = Data::new(calls, h, shape.season == DAY);
    let mut points: Vec<f64> = (0..calls.len()).map(|minute| calls[minute.saturating_sub(h)]).collect();
    let reach = data.reach();
    let mut row = Vec::new();
    // Nothing is scored before the warm-up ends, but the residuals of its second half are looked back on.
    let mut from = (warmup / 2).max(reach + FEWEST + h);
    while from < calls.len() {
        let to = (from + shape.refit).min(calls.len());
        if let Some(fit) = data.fit(reach, from - h) {
            for (minute, point) in points.iter_mut().enumerate().take(to).skip(from) {
                data.row(minute - h, &mut row);
                *point = fit.predict(&row);
            }
        }
        from = to;
    }
    points
}

struct Data<'a> {
    calls: &'a [f64],
    sums: Vec<f64>,
    h: usize,
    days: bool,
}

impl<'a> Data<'a> {
    fn new(calls: &'a [f64], h: usize, days: bool) -> Self {
        let mut sum = 0.0;
        let mut sums = vec![0.0];
        sums.extend(calls.iter().map(|calls| {
            sum += calls;
            sum
        }));
        Self { calls, sums, h, days }
    }

    /// First minute whose row is whole enough.
    fn reach(&self) -> usize {
        if self.days { DAY } else { 60 }
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        (self.sums[to + 1] - self.sums[from]) / super::number(to + 1 - from)
    }

    /// What was known at minute `t` about minute `t + h`.
    fn row(&self, t: usize, row: &mut Vec<f64>) {
        let target = t + self.h;
        row.clear();
        let at = |minute: Option<usize>| minute.map_or(0.0, |minute| self.calls[minute]);
        row.extend(LAGS.map(|lag| at(t.checked_sub(lag))));
        row.extend(MEANS.map(|length| self.mean((t + 1).saturating_sub(length), t)));
        // The first hour back that is known.
        let hour = 60 * self.h.div_ceil(60);
        row.extend([0, 1, 2].map(|more| at(target.checked_sub(hour + 60 * more))));
        row.push(f64::from(u8::from(target.is_multiple_of(5))));
        row.push(f64::from(u8::from(target.is_multiple_of(15))));
        row.push(f64::from(u8::from(target.is_multiple_of(60))));
        self.waves(target, 60, 4, row);
        self.waves(target, DAY, 2, row);
        if self.days {
            for day in 1..=3 {
                row.push(at(target.checked_sub(day * DAY)));
                let around = target.checked_sub(day * DAY + 5);
                row.push(around.map_or(0.0, |from| self.mean(from, (from + 10).min(t))));
            }
            let then = t.checked_sub(DAY + 14);
            row.push(then.map_or(0.0, |from| self.mean(from, from + 14)));
            row.push(self.mean((t + 1).saturating_sub(DAY), t));
            row.push(at(target.checked_sub(7 * DAY)));
            self.waves(target, 7 * DAY, 1, row);
            row.push(at(target.checked_sub(2 * 60 * 12)));
        }
    }

    #[allow(clippy::unused_self)]
    fn waves(&self, minute: usize, period: usize, up_to: u32, row: &mut Vec<f64>) {
        let turn = TAU * super::number(minute % period) / super::number(period);
        for times in 1..=up_to {
            row.extend([(f64::from(times) * turn).sin(), (f64::from(times) * turn).cos()]);
        }
    }

    /// Fits on rows made at minutes `from..`, whose targets are known before `until`.
    fn fit(&self, from: usize, until: usize) -> Option<Fit> {
        let last = until.checked_sub(self.h)?;
        let stride = (last.checked_sub(from)? / ROWS).max(1);
        let mut row = Vec::new();
        let mut rows = Vec::new();
        let mut targets = Vec::new();
        for minute in (from..last).step_by(stride) {
            self.row(minute, &mut row);
            rows.extend_from_slice(&row);
            targets.push(self.calls[minute + self.h]);
        }
        (targets.len() >= FEWEST)
            .then(|| Fit::of(&mut rows, &targets, row.len()))
            .flatten()
    }
}

struct Fit {
    mean: Vec<f64>,
    weight: Vec<f64>,
    level: f64,
}

impl Fit {
    fn of(rows: &mut [f64], targets: &[f64], width: usize) -> Option<Self> {
        let count = super::number(targets.len());
        let mut mean = vec![0.0; width];
        let mut sd = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / count);
        }
        for row in rows.chunks_exact(width) {
            sd.iter_mut()
                .zip(row)
                .zip(&mean)
                .for_each(|((sd, x), mean)| *sd += (x - mean).powi(2) / count);
        }
        for sd in &mut sd {
            *sd = if *sd > 1e-12 { sd.sqrt() } else { f64::INFINITY };
        }
        for row in rows.chunks_exact_mut(width) {
            row.iter_mut()
                .zip(&mean)
                .zip(&sd)
                .for_each(|((x, mean), sd)| *x = (*x - mean) / sd);
        }
        let level = targets.iter().sum::<f64>() / count;
        let mut square = vec![0.0; width * width];
        let mut right = vec![0.0; width];
        for (row, target) in rows.chunks_exact(width).zip(targets) {
            for (place, x) in row.iter().enumerate() {
                right[place] += x * (target - level);
                let line = &mut square[place * width..=place * width + place];
                line.iter_mut().zip(row).for_each(|(sum, other)| *sum += x * other);
            }
        }
        for place in 0..width {
            square[place * width + place] += PENALTY;
        }
        let solved = solve(&mut square, right, width)?;
        let weight = solved.iter().zip(&sd).map(|(weight, sd)| weight / sd).collect();
        Some(Self { mean, weight, level })
    }

    fn predict(&self, row: &[f64]) -> f64 {
        let terms = row.iter().zip(&self.mean).zip(&self.weight);
        (self.level + terms.map(|((x, mean), weight)| (x - mean) * weight).sum::<f64>()).max(0.0)
    }
}

/// Solves a positive definite system whose lower half is given (Cholesky). `None`: it is not one.
fn solve(square: &mut [f64], mut right: Vec<f64>, width: usize) -> Option<Vec<f64>> {
    for row in 0..width {
        for column in 0..=row {
            let sum: f64 = (0..column)
                .map(|k| square[row * width + k] * square[column * width + k])
                .sum();
            let rest = square[row * width + column] - sum;
            square[row * width + column] = if row == column {
                (rest > 0.0).then(|| rest.sqrt())?
            } else {
                rest / square[column * width + column]
            };
        }
    }
    for row in 0..width {
        let sum: f64 = (0..row).map(|k| square[row * width + k] * right[k]).sum();
        right[row] = (right[row] - sum) / square[row * width + row];
    }
    for row in (0..width).rev() {
        let sum: f64 = (row + 1..width).map(|k| square[k * width + row] * right[k]).sum();
        right[row] = (right[row] - sum) / square[row * width + row];
    }
    right.iter().all(|x| x.is_finite()).then_some(right)
}
