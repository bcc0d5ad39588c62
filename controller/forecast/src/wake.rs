//! Wake: when the next call is due. The minutes with calls in, the chance of any call in the span ahead out. Pure.
//!
//! Three hazards, each a share of past chances that were taken: the gap since the last call (a timer), the minute
//! of the hour, and the time of day over two weeks, from the minutes of the last three days and the quarter hours
//! before them. Of those that have judged nearly as well as the best the boldest speaks (the study's rule e: nearly as
//! good as a forest).

use crate::history::Window;

/// Gaps between calls that are remembered.
const GAPS: usize = 16;
/// Hours and days looked back for the same time.
const HOURS: i64 = 3;
const DAYS: i64 = 14;
/// Minutes of a day.
const DAY: i64 = 1440;
/// Weight of a day against the one after it.
const FADE: f32 = 0.9;
/// Minutes by which a call may come early or late against another day, each a quarter less of a hit; and what a call
/// somewhere in the quarter hour is worth.
const SLACK: i64 = 3;
const NEAR: f32 = 0.25;
const ABOUT: f32 = 0.5;
/// Idle minutes that a missed call is worth: at a threshold of 10 % one in ten named minutes has a call.
const MISSED: f32 = 10.0;
/// How much more than the best a hazard may have erred and still be heard: less than one missed call.
const BOLD: f32 = 3.0;
/// Weight an error keeps for the next.
const KEEP: f64 = 0.98;
/// Periods that must agree before a timer is believed to be silent between its calls, and the minutes they may differ by:
/// a call on a minute's edge falls on either side of it.
const AGREE: usize = 4;
const JITTER: u16 = 1;
/// A minute with less than half a call at its most has the tail of a mean, not a call that goes on.
const HALF: f64 = 0.5;

/// Quiet minutes of a function and how well they have been judged.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    last: Option<i64>,
    gaps: [u16; GAPS],
    /// From the first minute of the calls before each of the gaps to the first after it: the period of a timer, however
    /// long its calls take.
    periods: [u16; GAPS],
    first: Option<i64>,
    /// Minutes in which calls went on before each of the gaps, and those up to the last one with calls.
    runs: [u16; GAPS],
    run: u16,
    /// The last minute with calls had a call in it, not the tail of a mean.
    goes_on: bool,
    /// A minute since the last call is not known: there may have been one in it.
    blind: bool,
    next: usize,
    known: usize,
    /// Chance by each hazard for the span ahead.
    chances: [f32; 3],
    /// Discounted squared error of each where a call came or a chance was named.
    errors: [f32; 3],
    /// When the chances now being judged were given.
    given: Option<(i64, [f32; 3])>,
}

impl Wake {
    /// Its name where it sets the answer.
    pub const NAME: &'static str = "periodic-arrivals";

    /// Learns the gaps from before the walk.
    pub(crate) fn begin(&mut self, window: &Window<'_>, oldest: i64) {
        for minute in window.reach()..oldest {
            self.learn(window, minute);
        }
    }

    /// Takes in minute `t` and judges the `h` minutes ahead.
    pub fn fold(&mut self, window: &Window<'_>, t: i64, h: i64) {
        self.judge(window, t, h);
        self.learn(window, t);
        self.chances = [self.by_gap(t, h), by_hour(window, t, h), by_day(window, t, h)];
        // A call that goes on needs no waking: only what was said in silence is judged.
        if self.given.is_none() && self.last.is_none_or(|last| last < t) {
            self.given = Some((t, self.chances));
        }
    }

    /// The chance of any call in the span ahead, by the hazard that has erred least.
    pub fn chance(&self) -> f64 {
        let least = self.errors.iter().copied().fold(f32::INFINITY, f32::min);
        // Of those nearly as good as the best the boldest: a warning too early is no reason yet to be silent.
        let able = self
            .errors
            .iter()
            .zip(self.chances)
            .filter(|(error, _)| **error < least + BOLD);
        able.map(|(_, chance)| f64::from(chance)).fold(0.0, f64::max)
    }

    /// True where a timer calls and is not due: all known periods agree, none ends within the span, and none of the
    /// last four calls went on for longer than this one; older ones may have waited for a pod, which made them longer.
    /// Then the peak of the span is none, whatever its quantile over all minutes.
    pub fn silent(&self, t: i64, h: i64) -> bool {
        let periods = &self.periods[..self.known];
        let (Some((first, last)), Some(shortest), Some(longest)) =
            (self.first.zip(self.last), periods.iter().min(), periods.iter().max())
        else {
            return false;
        };
        let agree = self.known >= AGREE && longest - shortest <= JITTER && !self.blind;
        let over = t > last || !self.goes_on || self.newest_runs().all(|run| run <= self.run);
        agree && over && t - first + h < i64::from(*shortest)
    }

    fn newest_runs(&self) -> impl Iterator<Item = u16> + '_ {
        let newest = (1..=self.known.min(AGREE)).map(|ago| (self.next + GAPS - ago) % GAPS);
        newest.map(|at| self.runs[at])
    }

    fn learn(&mut self, window: &Window<'_>, minute: i64) {
        let calls = window.minute(minute);
        self.blind |= calls.is_none();
        let Some(calls) = calls.filter(|calls| *calls > 0.0) else {
            return;
        };
        self.blind = false;
        let gap = self.last.map(|last| minute - last).filter(|gap| *gap > 1);
        if let Some(gap) = gap {
            let period = self.first.map_or(gap, |first| minute - first);
            self.gaps[self.next] = u16::try_from(gap).unwrap_or(u16::MAX);
            self.periods[self.next] = u16::try_from(period).unwrap_or(u16::MAX);
            self.runs[self.next] = self.run;
            self.next = (self.next + 1) % GAPS;
            self.known = (self.known + 1).min(GAPS);
            self.run = 0;
        }
        if gap.is_some() || self.first.is_none() {
            self.first = Some(minute);
        }
        self.goes_on = calls >= HALF;
        self.run = self.run.saturating_add(u16::from(self.goes_on));
        self.last = Some(minute);
    }

    /// Scores the chances given a horizon ago.
    fn judge(&mut self, window: &Window<'_>, t: i64, h: i64) {
        let Some((made, chances)) = self.given.filter(|(made, _)| made + h <= t) else {
            return;
        };
        self.given = None;
        let Some(peak) = window.actual(made + 1, made + h).filter(|_| made + h == t) else {
            return;
        };
        let came = if peak > 0.0 { 1.0 } else { 0.0 };
        if came == 0.0 && chances.iter().all(|chance| *chance <= 0.0) {
            return;
        }
        let weight = if came > 0.0 { MISSED } else { 1.0 };
        for (error, chance) in self.errors.iter_mut().zip(chances) {
            let missed: f32 = came - chance;
            let keep = crate::engine::narrow(KEEP);
            *error = *error * keep + weight * missed * missed;
        }
    }

    /// Share of the known gaps at least as long as the quiet so far that end in the span.
    fn by_gap(&self, t: i64, h: i64) -> f32 {
        let Some(quiet) = self.last.map(|last| t - last) else {
            return 0.0;
        };
        let gaps = self.gaps[..self.known].iter().map(|gap| i64::from(*gap));
        let (mut ends, mut open) = (0.0, 0.0);
        for gap in gaps.filter(|gap| *gap > quiet) {
            open += 1.0;
            ends += if gap <= quiet + h { 1.0 } else { 0.0 };
        }
        // A single old gap is no timer.
        if open >= 2.0 { ends / open } else { 0.0 }
    }
}

/// Share of the last known hours with a call at the same minutes.
fn by_hour(window: &Window<'_>, t: i64, h: i64) -> f32 {
    let hours = (1..=HOURS).filter_map(|back| {
        let lag = back * 60;
        let peak = window.largest(t + 1 - lag, (t + h - lag).min(t))?;
        Some((if peak > 0.0 { 1.0 } else { 0.0 }, 1.0))
    });
    share(hours)
}

/// Share of the known days with a call at about the same time, the nearer ones counting more.
fn by_day(window: &Window<'_>, t: i64, h: i64) -> f32 {
    let mut weight = 1.0;
    let days = (1..=DAYS).filter_map(|back| {
        weight *= FADE;
        let (from, to) = (t + 1 - back * DAY, t + h - back * DAY);
        Some((near(window, from, to).or_else(|| about(window, from, to))?, weight))
    });
    share(days)
}

/// How near a call came to these minutes. `None`: they are gone or were never known.
fn near(window: &Window<'_>, from: i64, to: i64) -> Option<f32> {
    window.largest(from, to)?;
    let mut hit = 1.0;
    for off in 0..=SLACK {
        let peaks = [window.largest(from - off, to), window.largest(from, to + off)];
        if peaks.into_iter().flatten().any(|peak| peak > 0.0) {
            return Some(hit);
        }
        hit -= NEAR;
    }
    Some(0.0)
}

/// Whether a call came in the quarter hours of these minutes. `None`: none of them is known.
fn about(window: &Window<'_>, from: i64, to: i64) -> Option<f32> {
    let peak = window.largest_quarter(from, to)?;
    Some(if peak > 0.0 { ABOUT } else { 0.0 })
}

/// Mean of hits by their weights. Zero of none.
fn share(hits: impl Iterator<Item = (f32, f32)>) -> f32 {
    let (came, known) = hits.fold((0.0, 0.0), |(came, known), (hit, weight)| {
        (came + hit * weight, known + weight)
    });
    if known > 0.0 { came / known } else { 0.0 }
}

#[cfg(test)]
mod tests;
