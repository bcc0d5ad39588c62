//! Fits the ridge: rows from the past in, a checked linear model out. Pure; linfa does the fitting.

use crate::expert::At;
use crate::features::{self, Base, Row, Span, row};
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use ndarray::{Array1, Array2, ShapeBuilder};

/// Rows of a fit at most: 21 coefficients need no more, and making 720 takes longer (2 ms) than fitting them.
const ROWS: i64 = 720;
/// Rows of a fit at least.
const FEWEST: usize = 120;
/// Minutes back from which rows are taken: the daily lag needs one more day before them.
const REACH: i64 = 2 * 1440;
/// A normalised number beyond this says "far away" and no more; one such row must not steer the fit.
const FAR: f64 = 30.0;
/// Ridge penalty per row on standardised features.
const PENALTY: f64 = 0.01;
/// Sweeps of coordinate descent at most. At an l1 ratio of zero linfa's duality gap does not close, so this is
/// what ends a fit; 3,000 sweeps take a hundred times as long as 60 (50 ms) and forecast no better than 0.2 %.
const SWEEPS: u32 = 60;
/// Where the sweeps may stop.
const TOLERANCE: f64 = 1e-3;

/// A linear model of standardised features.
#[derive(Debug)]
pub(super) struct Linear {
    mean: [f64; features::COUNT],
    weight: [f64; features::COUNT],
    intercept: f64,
}

impl Linear {
    /// The target of one row, on the local scale.
    pub(super) fn predict(&self, row: &Row) -> f64 {
        let terms = plain(row).into_iter().zip(&self.mean).zip(&self.weight);
        self.intercept + terms.map(|((x, mean), weight)| (x - mean) * weight).sum::<f64>()
    }
}

/// Fits on the past of one function. `None`: too few rows, nothing to learn from, or not finite.
pub(super) fn fit(at: &At<'_>) -> Option<Linear> {
    let (rows, targets) = training(at);
    if rows.len() < FEWEST {
        return None;
    }
    let scaler = Scaler::of(&rows);
    // Column-major: coordinate descent runs down the columns, four times as fast this way.
    let mut x = Array2::zeros((rows.len(), features::COUNT).f());
    for ((n, column), cell) in x.indexed_iter_mut() {
        *cell = scaler.standard(column, rows[n][column]);
    }
    let data = linfa::Dataset::new(x, Array1::from_vec(targets));
    let params = ElasticNet::ridge()
        .penalty(PENALTY)
        .max_iterations(SWEEPS)
        .tolerance(TOLERANCE);
    let net = params.fit(&data).ok()?;
    checked(&scaler, net.hyperplane(), net.intercept())
}

/// linfa gives `Ok` with NaN inside rather than an error, so every number is looked at.
fn checked(scaler: &Scaler, weights: &Array1<f64>, intercept: f64) -> Option<Linear> {
    let mut weight = [0.0; features::COUNT];
    for ((slot, w), sd) in weight.iter_mut().zip(weights).zip(&scaler.sd) {
        *slot = w / sd;
    }
    let sound = intercept.is_finite() && weight.iter().chain(&scaler.mean).all(|x| x.is_finite());
    sound.then_some(Linear {
        mean: scaler.mean,
        weight,
        intercept,
    })
}

type Plain = [f64; features::COUNT];

/// Rows and targets, evenly over the reach; where in the stride they lie is given by the seed.
fn training(at: &At<'_>) -> (Vec<Plain>, Vec<f64>) {
    let newest = at.minute() - at.horizon;
    let oldest = (newest - REACH).max(at.window.reach());
    let stride = ((newest - oldest) / ROWS).max(1);
    let shift = i64::try_from(at.seed % 7).expect("below 7") % stride;
    let step = usize::try_from(stride).expect("at least 1");
    (oldest + shift..=newest)
        .step_by(step)
        .filter_map(|minute| example(at, minute))
        .unzip()
}

/// The row of one past minute and what came after it.
fn example(at: &At<'_>, minute: i64) -> Option<(Plain, f64)> {
    let then = at.window.at(minute);
    let base = Base::of(&then, at.horizon)?;
    let target = at.window.actual(minute + 1, minute + at.horizon)?;
    Some((
        plain(&row(&then, &base, Span::over(at.horizon))),
        base.normal(target).clamp(-FAR, FAR),
    ))
}

/// Numbers for the linear model: what is not known stands at the local level, which is zero here.
fn plain(row: &Row) -> Plain {
    row.map(|value| value.unwrap_or(0.0).clamp(-FAR, FAR))
}

/// Mean and standard deviation of each feature: linfa does not centre them (RMSE 27.6 against 1.1 without).
struct Scaler {
    mean: Plain,
    sd: Plain,
}

impl Scaler {
    fn of(rows: &[Plain]) -> Self {
        let (mut mean, mut sd) = ([0.0; features::COUNT], [1.0; features::COUNT]);
        for column in 0..features::COUNT {
            let values = || rows.iter().map(|row| row[column]);
            mean[column] = features::mean(values()).unwrap_or(0.0);
            let spread = features::mean(values().map(|x| (x - mean[column]).powi(2))).unwrap_or(0.0);
            // A feature that never moves gets no weight: standardised it is zero throughout.
            sd[column] = if spread > 1e-12 { spread.sqrt() } else { 1.0 };
        }
        Self { mean, sd }
    }

    fn standard(&self, column: usize, x: f64) -> f64 {
        (x - self.mean[column]) / self.sd[column]
    }
}
