//! Points of naive, seasonal-naive, EWMA and Holt-Winters, one a minute; what a minute's point needs was known a
//! horizon before it.

/// The newest minute.
pub(super) fn naive(calls: &[f64], h: usize) -> Vec<f64> {
    (0..calls.len()).map(|minute| calls[minute.saturating_sub(h)]).collect()
}

/// The same minute a season ago; the newest known while there is none.
pub(super) fn seasonal(calls: &[f64], season: usize) -> Vec<f64> {
    (0..calls.len())
        .map(|minute| minute.checked_sub(season).map_or(0.0, |then| calls[then]))
        .collect()
}

/// The exponentially weighted mean whose rate erred least on the warm-up.
pub(super) fn ewma(calls: &[f64], h: usize, warmup: usize) -> Vec<f64> {
    let run = |rate: f64| {
        let mut mean = calls.first().copied().unwrap_or(0.0);
        let means = calls.iter().map(|calls| {
            mean += rate * (calls - mean);
            mean
        });
        ahead(&means.collect::<Vec<_>>(), h)
    };
    best([0.01, 0.03, 0.1, 0.3, 0.6].map(run), calls, warmup)
}

/// Additive, damped, one season; of four pairs of rates the one that erred least on the warm-up.
pub(super) fn holt_winters(calls: &[f64], h: usize, warmup: usize, season: usize) -> Vec<f64> {
    let run = |(alpha, gamma): (f64, f64)| {
        let first = &calls[..season.min(calls.len())];
        let mut level = first.iter().sum::<f64>() / super::number(first.len()).max(1.0);
        let mut seasons: Vec<f64> = (0..season)
            .map(|place| first.get(place).map_or(0.0, |calls| calls - level))
            .collect();
        let mut points = vec![level; calls.len()];
        for (minute, calls) in calls.iter().enumerate() {
            let error = calls - level - seasons[minute % season];
            if minute >= season {
                level += alpha * error;
                seasons[minute % season] += gamma * (1.0 - alpha) * error;
            }
            if let Some(point) = points.get_mut(minute + h) {
                *point = (level + seasons[(minute + h) % season]).max(0.0);
            }
        }
        points
    };
    best(
        [(0.05, 0.05), (0.2, 0.05), (0.05, 0.2), (0.5, 0.1)].map(run),
        calls,
        warmup,
    )
}

/// What was known a horizon before.
fn ahead(known: &[f64], h: usize) -> Vec<f64> {
    (0..known.len()).map(|minute| known[minute.saturating_sub(h)]).collect()
}

fn best<const N: usize>(runs: [Vec<f64>; N], calls: &[f64], warmup: usize) -> Vec<f64> {
    let error = |points: &Vec<f64>| -> f64 {
        points
            .iter()
            .zip(calls)
            .take(warmup)
            .map(|(point, calls)| (point - calls).abs())
            .sum()
    };
    runs.into_iter()
        .map(|points| (error(&points), points))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(Vec::new, |(_, points)| points)
}
