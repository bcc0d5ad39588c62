//! Band: what single minutes are expected to lie between, learned from how often they did. Pure.
//!
//! It tells an expected fall from a surprise, so what the season foresees is expected too, whoever answers.

use super::scale_at;
use crate::engine::Base;
use crate::history::Window;
use forewarm_core::forecast::Band;
use forewarm_core::units::Demand;
use std::collections::VecDeque;

/// Share of minutes outside the band, on each side.
const TAIL: f64 = 0.05;
/// Move of an end a minute, and the 5 % and 95 % quantiles of a normal error to begin with.
const GAIN: f64 = 0.1;
const START: f64 = 1.64;
/// Furthest an end may lie, in local scales.
const FURTHEST: f64 = 30.0;

/// Both ends in local scales, and the bands of the minutes ahead.
#[derive(Debug)]
pub(super) struct Bands {
    below: f64,
    above: f64,
    ahead: VecDeque<(i64, f64, f64)>,
}

impl Default for Bands {
    fn default() -> Self {
        Self {
            below: START,
            above: START,
            ahead: VecDeque::new(),
        }
    }
}

impl Bands {
    /// Learns from the minutes up to `t` whose bands were given.
    pub(super) fn settle(&mut self, window: &Window<'_>, t: i64) {
        while let Some((minute, lower, upper)) = self.ahead.front().copied().filter(|band| band.0 <= t) {
            self.ahead.pop_front();
            if let Some(actual) = window.minute(minute) {
                self.below = moved(self.below, actual < lower);
                self.above = moved(self.above, actual > upper);
            }
        }
    }

    /// The band of the minute `h` ahead, around what is expected of it and what its season says.
    pub(super) fn bet(&mut self, window: &Window<'_>, base: &Base, own: f64, h: i64) {
        let minute = window.until() + h;
        let own = if own.is_finite() { own } else { base.level };
        let seasons = [1440, 60].map(|season| window.minute(minute - season));
        let known = seasons.into_iter().flatten();
        let (low, high) = known.fold((own, own), |(low, high), peak| (low.min(peak), high.max(peak)));
        let lower = (low - self.below * scale_at(base, low)).max(0.0);
        let upper = high + self.above * scale_at(base, high);
        self.ahead.push_back((minute, lower, upper));
    }

    /// The band given for one minute. `None`: none was.
    pub(super) fn expected(&self, minute: i64) -> Option<Band> {
        let (_, lower, upper) = self.ahead.iter().rev().find(|band| band.0 == minute)?;
        let (lower, upper) = Demand::new(*lower).zip(Demand::new(*upper))?;
        Some(Band { lower, upper })
    }

    pub(super) fn bytes(&self) -> usize {
        self.ahead.capacity() * std::mem::size_of::<(i64, f64, f64)>()
    }
}

/// An end after a hit or a miss.
fn moved(end: f64, missed: bool) -> f64 {
    let step = if missed { 1.0 - TAIL } else { -TAIL };
    (end + GAIN * step).clamp(0.0, FURTHEST)
}
