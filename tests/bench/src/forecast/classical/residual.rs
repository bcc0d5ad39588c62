//! Residual: a point's own trailing errors in, its upper quantiles out.

use super::Shape;
use forewarm_forecast::engine::pinball;

/// Quantiles of the residuals so far, additive and by the root of the point.
#[derive(Clone, Debug)]
struct Look {
    additive: Vec<f64>,
    scaled: Vec<f64>,
}

/// Tells `hear` each minute's upper quantiles.
pub(super) fn uppers(
    calls: &[f64],
    points: &[f64],
    h: usize,
    quantiles: &[f64],
    shape: Shape,
    hear: &mut impl FnMut(usize, &[f64]),
) {
    let root = |minute: usize| points[minute].max(1.0).sqrt();
    let mut look = Look {
        additive: vec![0.0; quantiles.len()],
        scaled: vec![0.0; quantiles.len()],
    };
    // Losses of both ways over the trailing window, by quantile.
    let mut losses = vec![(0.0, 0.0); quantiles.len()];
    let keep = 0.5f64.powf(2.0 / super::number(shape.window));
    let (mut additive, mut scaled) = (Vec::new(), Vec::new());
    let mut uppers = vec![0.0; quantiles.len()];
    for minute in h..calls.len() {
        let known = minute - h + 1;
        if minute % shape.every == 0 || known <= 60 {
            let from = known.saturating_sub(shape.window);
            additive.clear();
            additive.extend((from..known).map(|then| calls[then] - points[then]));
            scaled.clear();
            scaled.extend((from..known).map(|then| (calls[then] - points[then]) / root(then)));
            look.additive = ranks(&mut additive, quantiles);
            look.scaled = ranks(&mut scaled, quantiles);
        }
        let root = root(minute);
        for (place, share) in quantiles.iter().enumerate() {
            let ways = (
                points[minute] + look.additive[place],
                look.scaled[place].mul_add(root, points[minute]),
            );
            let loss = &mut losses[place];
            uppers[place] = if loss.1 < loss.0 { ways.1 } else { ways.0 }.max(0.0);
            loss.0 = keep * loss.0 + pinball(calls[minute], ways.0.max(0.0), *share);
            loss.1 = keep * loss.1 + pinball(calls[minute], ways.1.max(0.0), *share);
        }
        hear(minute, &uppers);
    }
}

/// The quantiles of some numbers, which are reordered.
fn ranks(of: &mut [f64], quantiles: &[f64]) -> Vec<f64> {
    let rank = |share: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let place = (share * super::number(of.len()) - 1e-9).ceil().max(1.0) as usize - 1;
        place.min(of.len() - 1)
    };
    let places: Vec<usize> = quantiles.iter().map(|share| rank(*share)).collect();
    places
        .into_iter()
        .map(|place| *of.select_nth_unstable_by(place, f64::total_cmp).1)
        .collect()
}
