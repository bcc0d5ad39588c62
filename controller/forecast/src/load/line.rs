//! A line of least squares through pairs that come one by one: six running sums, so no pair is kept. Pure.

/// Weight that is left of a pair after one more minute: half of it after a day.
pub(super) const KEPT: f64 = 0.999_518_77;

/// Weighted sums of both, their squares and products.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

/// A line of least squares.
pub(super) struct Line {
    /// Where it crosses zero.
    pub(super) at_zero: f64,
    /// What one more `x` adds.
    pub(super) slope: f64,
    /// Standard deviation of the pairs about it.
    pub(super) spread: f64,
    /// Share of the variance of `y` that it explains.
    pub(super) explained: f64,
}

impl Sums {
    /// One more pair.
    pub(super) fn add(&mut self, x: f64, y: f64) {
        let Self {
            weight,
            x: sx,
            y: sy,
            xx,
            yy,
            xy,
        } = self;
        for (sum, more) in [(weight, 1.0), (sx, x), (sy, y), (xx, x * x), (yy, y * y), (xy, x * y)] {
            *sum = *sum * KEPT + more;
        }
    }

    /// The line. `None`: an `x` or a `y` that does not move, or nothing finite.
    pub(super) fn line(&self) -> Option<Line> {
        let n = self.weight;
        let (mean_x, mean_y) = (self.x / n, self.y / n);
        let var_x = self.xx / n - mean_x * mean_x;
        let var_y = self.yy / n - mean_y * mean_y;
        let together = self.xy / n - mean_x * mean_y;
        // What rounding leaves of a constant is no movement: squares of bytes fill a float to its last digits.
        if n <= 0.0 || var_x <= 1e-9 * self.xx / n || var_y <= 1e-9 * self.yy / n {
            return None;
        }
        let slope = together / var_x;
        let explained = together * together / (var_x * var_y);
        let line = Line {
            at_zero: mean_y - slope * mean_x,
            slope,
            spread: (var_y * (1.0 - explained)).max(0.0).sqrt(),
            explained,
        };
        let whole = [line.at_zero, line.slope, line.spread, line.explained];
        whole.iter().all(|part| part.is_finite()).then_some(line)
    }
}
