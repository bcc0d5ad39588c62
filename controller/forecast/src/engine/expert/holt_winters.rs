//! Holt-Winters: a level and an additive season without trend; the rates are those that have erred least of
//! late. Pure.
//!
//! The season is a day of 288 five-minute slots once a day is known, an hour of 60 minutes before. It says
//! nothing before its first season has been seen, so it is never scored on the minutes it began from.

use super::super::past::narrow;
use super::super::span::Target;
use super::super::sums::mean;
use super::{At, Expert, Trials};

/// Rates a minute of level and season (Hyndman and Athanasopoulos, additive, beta = 0).
const RATES: [(f64, f64); 3] = [(0.05, 0.05), (0.2, 0.05), (0.5, 0.1)];
/// Season lengths in minutes and minutes a slot.
const DAY: Shape = Shape { length: 1440, slot: 5 };
const HOUR: Shape = Shape { length: 60, slot: 1 };

#[derive(Clone, Copy, Debug)]
struct Shape {
    length: i64,
    slot: i64,
}

impl Shape {
    fn place(self, minute: i64) -> usize {
        self.slot(self.minute(minute))
    }

    /// The minute of the season, and the one after it.
    fn minute(self, minute: i64) -> u32 {
        u32::try_from(minute.rem_euclid(self.length)).unwrap_or(0)
    }

    fn after(self, minute: u32) -> u32 {
        if i64::from(minute) + 1 == self.length {
            0
        } else {
            minute + 1
        }
    }

    /// The slot of a minute of the season.
    fn slot(self, minute: u32) -> usize {
        usize::try_from(minute / u32::try_from(self.slot).unwrap_or(1)).unwrap_or(0)
    }

    fn slots(self) -> usize {
        usize::try_from(self.length / self.slot).unwrap_or(1)
    }
}

#[derive(Debug)]
pub(crate) struct HoltWinters {
    day: Season,
    hour: Season,
}

/// Levels and seasons of all rates, for one season length.
#[derive(Debug)]
struct Season {
    shape: Shape,
    /// First minute known; seasons begin a season after it.
    begun: Option<i64>,
    levels: [f32; 3],
    slots: Vec<[f32; 3]>,
    trials: Trials<3>,
}

impl HoltWinters {
    pub(super) const fn new(_quantiles: &[f64]) -> Self {
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
        } else if !self.hour.slots.is_empty() {
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
    const fn new(shape: Shape) -> Self {
        Self {
            shape,
            begun: None,
            levels: [f32::NAN; 3],
            slots: Vec::new(),
            trials: Trials::new(),
        }
    }

    fn is_ready(&self, t: i64) -> bool {
        self.begun.is_some_and(|begun| t >= begun + self.shape.length)
    }

    fn fold(&mut self, at: &At<'_>) {
        if !at.now.is_nan() {
            let begun = *self.begun.get_or_insert(at.t);
            if at.t == begun + self.shape.length || (self.slots.is_empty() && self.is_ready(at.t)) {
                self.begin(at);
            }
            self.learn(at);
        }
        if self.is_ready(at.t) {
            self.trials.score(at.actual, at.span.h);
            self.trials.push(self.guesses(at));
        }
    }

    /// The first season: each slot's mean less the mean of all.
    fn begin(&mut self, at: &At<'_>) {
        let from = at.t - self.shape.length;
        let mut minutes = vec![f32::NAN; usize::try_from(self.shape.length).unwrap_or(0)];
        at.past.copy(from, &mut minutes);
        let all = mean(&minutes);
        let mut sums = vec![(0.0, 0.0); self.shape.slots()];
        for (minute, amount) in (from..).zip(&minutes).filter(|(_, amount)| !amount.is_nan()) {
            let (sum, count) = &mut sums[self.shape.place(minute)];
            *sum += f64::from(*amount) - all;
            *count += 1.0;
        }
        let slot = |(sum, count): (f64, f64)| if count > 0.0 { narrow(sum / count) } else { 0.0 };
        self.slots = sums.into_iter().map(|sum| [slot(sum); 3]).collect();
        self.levels = [narrow(all); 3];
    }

    fn learn(&mut self, at: &At<'_>) {
        let place = self.shape.place(at.t);
        let Some(slots) = self.slots.get_mut(place) else {
            return;
        };
        for ((level, season), (alpha, gamma)) in self.levels.iter_mut().zip(slots).zip(RATES) {
            let error = at.now - f64::from(*level) - f64::from(*season);
            *level = narrow(f64::from(*level) + alpha * error);
            *season = narrow(f64::from(*season) + gamma * (1.0 - alpha) * error);
        }
    }

    /// What each pair of rates expects; NaN before the first season.
    fn guesses(&self, at: &At<'_>) -> [f32; 3] {
        let mut guesses = [f32::NAN; 3];
        if self.slots.is_empty() {
            return guesses;
        }
        let ahead = match at.span.target {
            Target::Minute => at.t + at.span.h..=at.t + at.span.h,
            Target::Peak => at.t + 1..=at.t + at.span.h,
        };
        let mut first = self.shape.minute(*ahead.start());
        for _ in ahead {
            let season = self.slots[self.shape.slot(first)];
            first = self.shape.after(first);
            for ((guess, level), season) in guesses.iter_mut().zip(self.levels).zip(season) {
                *guess = guess.max((level + season).max(0.0));
            }
        }
        guesses
    }

    fn fetch(&self, t: i64) -> f32 {
        let slot = self.slots.get(self.shape.place(t));
        self.trials.fetch() + slot.map_or(0.0, |slot| slot[0])
    }

    fn bytes(&self) -> usize {
        self.slots.capacity() * 12 + self.trials.bytes()
    }
}
