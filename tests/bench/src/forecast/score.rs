//! Score: what was said and what came in, losses a function, a horizon, a quantile and a method out.

/// Losses of one method.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) loss: f64,
    pub(crate) covered: u32,
    pub(crate) scored: u32,
}

impl Cell {
    pub(crate) fn add(&mut self, loss: f64, covered: bool) {
        self.loss += loss;
        self.covered += u32::from(covered);
        self.scored += 1;
    }
}

/// All of one function.
#[derive(Clone, Debug)]
pub(crate) struct Scores {
    /// By horizon, quantile, method.
    cells: Vec<Cell>,
    /// Absolute errors of points by horizon and method.
    points: Vec<Cell>,
    quantiles: usize,
    methods: usize,
    /// Mean of `|y(t) - y(t-1)|` on the warm-up.
    pub(crate) usual: f64,
    /// Calls in the scored minutes.
    pub(crate) calls: f64,
}

impl Scores {
    pub(crate) fn new(horizons: usize, quantiles: usize, methods: usize) -> Self {
        Self {
            cells: vec![Cell::default(); horizons * quantiles * methods],
            points: vec![Cell::default(); horizons * methods],
            quantiles,
            methods,
            usual: f64::NAN,
            calls: 0.0,
        }
    }

    pub(crate) fn cell(&mut self, horizon: usize, quantile: usize, method: usize) -> &mut Cell {
        &mut self.cells[(horizon * self.quantiles + quantile) * self.methods + method]
    }

    pub(crate) fn get(&self, horizon: usize, quantile: usize, method: usize) -> Cell {
        self.cells[(horizon * self.quantiles + quantile) * self.methods + method]
    }

    pub(crate) fn point(&mut self, horizon: usize, method: usize) -> &mut Cell {
        &mut self.points[horizon * self.methods + method]
    }

    pub(crate) fn point_at(&self, horizon: usize, method: usize) -> Cell {
        self.points[horizon * self.methods + method]
    }

    /// Scaled pinball loss, clipped at 50. `None`: the warm-up is flat, nothing was called, or nothing scored.
    pub(crate) fn spl(&self, horizon: usize, quantile: usize, method: usize) -> Option<f64> {
        let cell = self.get(horizon, quantile, method);
        let able = cell.scored > 0 && self.usual > 0.0 && self.calls > 0.0;
        able.then(|| (cell.loss / f64::from(cell.scored) / self.usual).min(50.0))
    }

    /// Share of the scored minutes at or below what was said. `None`: no calls, or nothing scored.
    pub(crate) fn coverage(&self, horizon: usize, quantile: usize, method: usize) -> Option<f64> {
        let cell = self.get(horizon, quantile, method);
        (cell.scored > 0 && self.calls > 0.0).then(|| f64::from(cell.covered) / f64::from(cell.scored))
    }

    /// Mean absolute scaled error of the points.
    pub(crate) fn mase(&self, horizon: usize, method: usize) -> Option<f64> {
        let cell = self.point_at(horizon, method);
        let able = cell.scored > 0 && self.usual > 0.0 && self.calls > 0.0;
        able.then(|| cell.loss / f64::from(cell.scored) / self.usual)
    }
}

/// Mean of `|y(t) - y(t-1)|`; NaN of fewer than two.
pub(crate) fn usual(warmup: &[f64]) -> f64 {
    let moves = warmup.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let count = f64::from(u32::try_from(warmup.len().saturating_sub(1)).unwrap_or(u32::MAX));
    moves.sum::<f64>() / count
}
