//! Holt-Winters: a level and an additive season without trend. The rate of the level, and whether the season is read by
//! the minute or smoothed over five, are those that have erred least of late. Pure.
//!
//! The season is a day once a day is known, an hour before; it has a place for each minute, since what is scheduled comes
//! at its minute. It says nothing before its first season has been seen, so it is never scored on the minutes it began from.

mod places;

use super::super::past::narrow;
use super::super::span::Target;
use super::super::sums::mean;
use super::{At, Expert, Trials};
use places::Places;

/// Rates a minute of the level (Hyndman and Athanasopoulos, additive, beta = 0).
const RATES: [f64; 3] = [0.05, 0.2, 0.5];
/// Place of the rate of the level from whose error the season learns.
const LEADS: usize = 1;
/// Ways to guess: each level with the season as it is, and with a smooth one.
const WAYS: usize = 2 * RATES.len();
/// Season lengths in minutes and rates a season; an hour comes more often, so it learns as fast at a lower rate.
const DAY: (i64, f64) = (1440, 0.2);
const HOUR: (i64, f64) = (60, 0.05);

#[derive(Debug)]
pub(crate) struct HoltWinters {
    day: Season,
    hour: Season,
}

/// Levels of all rates and their season, for one season length.
#[derive(Debug)]
struct Season {
    length: i64,
    rate: f64,
    /// First minute known; seasons begin a season after it.
    begun: Option<i64>,
    levels: [f32; RATES.len()],
    places: Places,
    trials: Trials<WAYS>,
}

impl HoltWinters {
    pub(super) fn new(_quantiles: &[f64]) -> Self {
        Self {
            day: Season::new(DAY),
            hour: Season::new(HOUR),
        }
    }
}

impl Expert for HoltWinters {
    fn fold(&mut self, at: &At<'_>, _sort: &mut Vec<f32>) {
        self.day.fold(at);
        // The hour is of no more use once there is a day.
        if !self.day.is_ready(at.t) {
            self.hour.fold(at);
        } else if self.hour.places.len() > 0 {
            self.hour = Season::new(HOUR);
        }
    }

    fn point(&mut self, at: &At<'_>) -> f64 {
        let season = if self.day.is_ready(at.t) { &self.day } else { &self.hour };
        // Guessed by `fold` in this minute; none before the first season.
        season.trials.guess()
    }

    fn fetch(&self, t: i64) -> f32 {
        self.day.fetch(t) + self.hour.fetch(t)
    }

    fn bytes(&self) -> usize {
        self.day.bytes() + self.hour.bytes()
    }
}

impl Season {
    fn new((length, rate): (i64, f64)) -> Self {
        Self {
            length,
            rate,
            begun: None,
            levels: [f32::NAN; RATES.len()],
            places: Places::none(),
            trials: Trials::new(),
        }
    }

    fn is_ready(&self, t: i64) -> bool {
        self.begun.is_some_and(|begun| t >= begun + self.length)
    }

    fn fold(&mut self, at: &At<'_>) {
        if !at.now.is_nan() {
            let begun = *self.begun.get_or_insert(at.t);
            if at.t == begun + self.length || (self.places.len() == 0 && self.is_ready(at.t)) {
                self.begin(at);
            }
            self.learn(at);
        }
        if self.is_ready(at.t) {
            self.trials.score(at.actual, at.span.h);
            self.trials.push(self.guesses(at));
        }
    }

    /// The first season: how far each minute lay from the mean of all; none where it is not known.
    fn begin(&mut self, at: &At<'_>) {
        let mut minutes = vec![f32::NAN; usize::try_from(self.length).unwrap_or(0)];
        let from = at.t - self.length;
        at.past.copy(from, &mut minutes);
        let all = mean(&minutes);
        // Nothing of that season is known: it begins with the next minute that is.
        if all.is_nan() {
            return;
        }
        for amount in &mut minutes {
            *amount = if amount.is_nan() { 0.0 } else { *amount - narrow(all) };
        }
        // The first of them stands where its minute has its place.
        minutes.rotate_right(self.place(from));
        self.places = Places::of(&minutes);
        self.levels = [narrow(all); RATES.len()];
    }

    fn learn(&mut self, at: &At<'_>) {
        if self.places.len() == 0 {
            return;
        }
        let place = self.place(at.t);
        let season = f64::from(self.places.get(place));
        let errors = self.levels.map(|level| at.now - f64::from(level) - season);
        for ((level, alpha), error) in self.levels.iter_mut().zip(RATES).zip(errors) {
            *level = narrow(f64::from(*level) + alpha * error);
        }
        let moved = self.rate * (1.0 - RATES[LEADS]) * errors[LEADS];
        self.places.set(place, narrow(season + moved));
        if place == 0 {
            self.places.refit();
        }
    }

    /// What each way expects; NaN before the first season.
    fn guesses(&self, at: &At<'_>) -> [f32; WAYS] {
        let mut guesses = [f32::NAN; WAYS];
        if self.places.len() == 0 {
            return guesses;
        }
        let ahead = match at.span.target {
            Target::Minute => at.t + at.span.h..=at.t + at.span.h,
            Target::Peak => at.t + 1..=at.t + at.span.h,
        };
        for minute in ahead {
            let place = self.place(minute);
            let seasons = [self.places.get(place), self.places.smooth(place)];
            for (guesses, season) in guesses.chunks_exact_mut(RATES.len()).zip(seasons) {
                for (guess, level) in guesses.iter_mut().zip(self.levels) {
                    *guess = guess.max((level + season).max(0.0));
                }
            }
        }
        guesses
    }

    fn place(&self, minute: i64) -> usize {
        usize::try_from(minute.rem_euclid(self.length)).unwrap_or(0)
    }

    fn fetch(&self, t: i64) -> f32 {
        let now = if self.places.len() > 0 {
            self.places.get(self.place(t))
        } else {
            0.0
        };
        self.trials.fetch() + now
    }

    fn bytes(&self) -> usize {
        self.places.bytes() + self.trials.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Engine;
    use super::super::super::tests::{SPAN, walk};

    /// What it expects five minutes after each of the last `last` of `values`.
    fn expected(values: &[f64], last: usize) -> Vec<f64> {
        let mut points = Vec::new();
        walk(Engine::new(&[SPAN], &[0.95]), values, |engine| {
            points.push(engine.ahead[0].bets.back().map_or(f64::NAN, |bet| bet.points[3]));
        });
        points.split_off(values.len() - last)
    }

    #[test]
    fn what_comes_at_one_minute_of_the_day_is_expected_at_that_minute() {
        let minute_of_day = |minute: usize| minute % 1440;
        let value = |minute: usize| if minute_of_day(minute) == 700 { 500.0 } else { 100.0 };
        let minutes = 4 * 1440 + 720;
        let values: Vec<f64> = (0..minutes).map(value).collect();
        let points = expected(&values, 60);
        let at = |minute: usize| points[minute - 5 - (minutes - 60)];
        let day = 4 * 1440;
        assert!(at(day + 700) > 400.0, "{}", at(day + 700));
        for minute in [day + 698, day + 699, day + 701, day + 702] {
            assert!((at(minute) - 100.0).abs() < 30.0, "{minute}: {}", at(minute));
        }
    }

    #[test]
    fn a_season_that_is_a_gap_is_no_season_and_not_zero() {
        let mut values = vec![10.0; 200];
        values[1..=61].fill(f64::NAN);
        let points = expected(&values, 200);
        // At minute 62 nothing of the hour before it is known but for the minute itself.
        assert!(points[62].is_nan(), "{}", points[62]);
        assert!((points[199] - 10.0).abs() < 1e-3, "{}", points[199]);
    }

    #[test]
    fn the_first_day_is_told_by_its_hours() {
        let value = |minute: usize| if minute % 60 == 10 { 50.0 } else { 10.0 };
        let values: Vec<f64> = (0..600).map(value).collect();
        let points = expected(&values, 60);
        // The last 60 are minutes 540 to 599; five ahead of 545 is 550, the tenth of its hour.
        assert!(points[5] > 40.0, "{}", points[5]);
        assert!((points[20] - 10.0).abs() < 3.0, "{}", points[20]);
        assert!(expected(&values[..60], 1)[0].is_nan(), "no season has been seen");
    }
}
