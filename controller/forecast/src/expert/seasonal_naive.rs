//! Seasonal-naive: the same minutes a season ago. The season (a day, an hour or a week) is the one that has
//! lost least on this function of late. Pure.

use super::{At, Expert, Guess};
use crate::calibration::{Discounted, pinball};
use crate::features::Span;

/// Seasons in minutes, the likeliest first: with equal losses the earlier one is kept.
const SEASONS: [i64; 3] = [1440, 60, 10_080];
/// Seasons back that are tried when the last one is a gap. Past the minute ring, quarter hours answer.
const TRIES: i64 = 2;
/// Scored minutes before a season may replace another.
const ENOUGH: f64 = 30.0;
/// A season must lose this much less to take over.
const MARGIN: f64 = 0.97;

/// State: the loss of each season, and the one in use.
#[derive(Debug, Default)]
pub(super) struct SeasonalNaive {
    losses: [Discounted; 3],
    chosen: usize,
}

impl Expert for SeasonalNaive {
    fn fold(&mut self, at: &At<'_>) {
        let (t, h) = (at.minute(), at.horizon);
        let Some(actual) = at.window.actual(t + 1 - h, t) else {
            return;
        };
        // What each season said of the span that has just ended, read again rather than remembered.
        let then = at.window.at(t - h);
        for (loss, season) in self.losses.iter_mut().zip(SEASONS) {
            if let Some(said) = peak(&then, Span::over(h), season) {
                loss.push(pinball(actual, said, at.quantile.share()));
            }
        }
        self.choose();
    }

    fn guess(&self, at: &At<'_>, span: Span) -> Option<Guess> {
        let others = SEASONS
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != self.chosen)
            .map(|(_, season)| season);
        let seasons = std::iter::once(&SEASONS[self.chosen]).chain(others);
        seasons
            .copied()
            .find_map(|season| peak(&at.window, span, season))
            .map(Guess::of)
    }
}

impl SeasonalNaive {
    fn choose(&mut self) {
        let loss = |losses: &[Discounted; 3], place: usize| {
            let seen = losses[place].weight() >= ENOUGH;
            losses[place].mean().filter(|_| seen).unwrap_or(f64::INFINITY)
        };
        for place in 0..SEASONS.len() {
            if loss(&self.losses, place) < MARGIN * loss(&self.losses, self.chosen) {
                self.chosen = place;
            }
        }
    }
}

/// Peak of the span a season earlier, or two where that is a gap.
fn peak(window: &crate::history::Window<'_>, span: Span, season: i64) -> Option<f64> {
    (1..=TRIES).find_map(|back| span.earlier(window, season * back, 0))
}
