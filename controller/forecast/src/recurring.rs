//! Recurring peaks: a peak that came at this minute of the hour or of the day before may raise what the
//! answering expert says. Pure.
//!
//! Choosing an expert by its loss over all minutes misses the one sharp peak a day of a noisy function: the
//! quiet minutes decide, and there the level is a little better than any season. So the peak is judged apart,
//! only by the minutes in which it would have raised the answer, and is heard while it has paid.

use crate::engine::{Base, number, pinball, quantile};
use crate::history::Window;
use forewarm_core::units::Percent;

/// Its name where it sets the answer.
pub(crate) const NAME: &str = "recurring-peak";
/// Periods in minutes: an hour, a day.
const PERIODS: [i64; 2] = [60, 1440];
/// Periods looked back: three days are what the minute ring holds.
const BACK: i64 = 3;
/// Minutes a peak may come early or late.
const SLACK: i64 = 1;
/// Local scales above the mean of its hour from which a peak is one: Poisson noise (mean move 1.1 sd) gets
/// there once in a thousand minutes.
const STANDS_OUT: f64 = 3.0;

/// The peak that is due in the span ahead, by period. `None`: none is.
pub(crate) type Due = [Option<f64>; 2];

/// A discounted mean of what was won or lost.
#[derive(Clone, Copy, Debug, Default)]
struct Gain {
    sum: f64,
    weight: f64,
}

impl Gain {
    /// Weight kept for the next: half after three days.
    const KEEP: f64 = 0.999_839_562_135_290_2;

    fn push(&mut self, won: f64) {
        self.sum = self.sum * Self::KEEP + won;
        self.weight = self.weight * Self::KEEP + 1.0;
    }

    fn pays(&self) -> bool {
        self.weight > 0.0 && self.sum > 0.0
    }
}

/// What hearing each period has brought, in pinball loss a minute that it raised.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recurring {
    gains: [Gain; 2],
}

impl Recurring {
    /// `upper`, raised to the largest due peak of a period that has paid so far.
    pub(crate) fn raise(&self, due: &Due, upper: f64) -> f64 {
        let paying = self.gains.iter().zip(due).filter(|(gain, _)| gain.pays());
        paying.filter_map(|(_, due)| *due).fold(upper, f64::max)
    }

    /// Scores each period by a span that has ended, whether it was heard or not.
    pub(crate) fn score(&mut self, due: &Due, upper: f64, actual: f64, quantile: Percent) {
        let loss = |upper: f64| pinball(actual, upper, quantile.share());
        for (gain, due) in self.gains.iter_mut().zip(due) {
            if let Some(due) = due.filter(|due| *due > upper) {
                gain.push(loss(upper) - loss(due));
            }
        }
    }
}

/// What is due in the span ahead of the window's end.
pub(crate) fn due(window: &Window<'_>, base: &Base, h: i64) -> Due {
    PERIODS.map(|period| due_by(window, h, period, STANDS_OUT * base.scale))
}

/// The (lower) median of the same span one to three periods ago, where it stands out from the hour before
/// it. One old peak is enough while there is only one period to look at.
fn due_by(window: &Window<'_>, h: i64, period: i64, stands_out: f64) -> Option<f64> {
    let mut seen = [(0.0, 0); 3];
    let known = (1..=BACK).filter_map(|back| Some((earlier(window, h, period * back)?, period * back)));
    let count = seen.iter_mut().zip(known).map(|(slot, peak)| *slot = peak).count();
    seen[..count].sort_by(|a, b| a.0.total_cmp(&b.0));
    let (peak, lag) = *seen[..count].get(count.checked_sub(1)? / 2)?;
    let then = window.at(window.until() - lag);
    // The mean first: it settles nearly every minute and costs a tenth of the quantile.
    let quiet = peak <= mean(then.recent(60))? + stands_out;
    (!quiet && peak > usual(&then)?).then_some(peak)
}

/// Peak of the span ahead as it was `lag` minutes earlier, a minute wider on both sides.
///
/// From minutes alone: a quarter hour knows that there was a peak and not when. Taken as one of the three it was
/// the median at one minute in three and silenced the other two, by the chance of where the quarters end.
fn earlier(window: &Window<'_>, h: i64, lag: i64) -> Option<f64> {
    let t = window.until();
    window.largest(t + 1 - lag - SLACK, t + h - lag + SLACK)
}

/// Mean of what there is. `None` of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / number(values.len()))
}

/// What the trailing peak would have said: nine in ten minutes of the hour lie at or below.
fn usual(window: &Window<'_>) -> Option<f64> {
    let mut hour: Vec<f64> = window.recent(60).collect();
    (!hour.is_empty()).then(|| quantile(&mut hour, 0.9))
}

#[cfg(test)]
mod tests;
