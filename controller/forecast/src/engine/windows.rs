//! Windows: what is known of a function at one minute, whatever the horizon. The past in, running sums and
//! order statistics out. Pure; streaming, one minute at a time.

use super::past::{minutes, narrow};
use super::scratch::{Minutes, Room};
use super::seek::{seek, share};
use super::sums::{largest, mean, smallest};

/// Minutes between two looks at the whole day: its quantiles move slowly and cost most.
pub(crate) const SLOW: i64 = 10;
/// Rates of the running means.
const RATES: [f64; 3] = [0.01, 0.03, 0.1];
/// Share of the minutes of a day that have one same amount from which a function is flat, and share of the last four hours
/// that may lie above it.
const SAME: f32 = 0.85;
const ABOVE: f64 = 0.0126;

/// What is kept between minutes.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    ewma: [f32; 3],
    last_call: Option<i64>,
    day: Option<Day>,
    /// The quantiles of the last hour and of four.
    quantiles: [f32; 2],
}

/// Of the last day, as of the last look.
#[derive(Clone, Copy, Debug)]
struct Day {
    mean: f32,
    busy: f32,
    q95: f32,
    whole: bool,
    /// Share of the minutes that have just this amount.
    same: f32,
}

/// What the windows say at one minute; NaN is "not known".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The newest minute.
    pub(crate) now: f64,
    /// Mean of the known ones of the last five minutes, else of the last fifteen.
    pub(crate) level: f64,
    /// Mean of the last day.
    pub(crate) day_mean: f64,
    pub(crate) ewma: [f64; 3],
    pub(crate) mean15: f64,
    pub(crate) mean60: f64,
    pub(crate) min15: f64,
    pub(crate) max15: f64,
    pub(crate) max60: f64,
    pub(crate) max240: f64,
    pub(crate) q90_60: f64,
    pub(crate) q95_240: f64,
    pub(crate) q95_day: f64,
    /// Minutes since the last call, at most 1440.
    pub(crate) idle: f64,
    pub(crate) busy60: f64,
    pub(crate) busy_day: f64,
    /// Whether all amounts of the last day were whole numbers, as of the last look.
    pub(crate) whole: bool,
    /// Whether it has been called the same number of times nearly every minute, and still is.
    pub(crate) flat: bool,
}

impl Windows {
    pub(crate) const fn new() -> Self {
        Self {
            ewma: [f32::NAN; 3],
            last_call: None,
            day: None,
            quantiles: [f32::NAN; 2],
        }
    }

    /// Whether the whole day is looked at in this minute.
    pub(crate) fn is_slow(&self, t: i64) -> bool {
        self.day.is_none() || t.rem_euclid(SLOW) == 0
    }

    /// Takes in minute `t`. `None`: nothing of the last quarter of an hour is known, so nothing is said.
    pub(crate) fn fold(&mut self, t: i64, looked: &Minutes, room: &mut Room) -> Option<Seen> {
        let last = |count: usize| looked.last(count, 0);
        let now = f64::from(last(1)[0]);
        if !now.is_nan() {
            self.learn(now, t);
        }
        if self.is_slow(t) {
            self.look(&looked.day, &mut room.sort);
        }
        let of_five = mean(last(5));
        let level = if of_five.is_nan() { mean(last(15)) } else { of_five };
        if level.is_nan() {
            return None;
        }
        let [q90_60, q95_240] = self.upper([(last(60), 0.90), (last(240), 0.95)], &mut room.sort);
        let day = self.day.as_ref();
        let of_day = |value: fn(&Day) -> f32| day.map_or(f64::NAN, |day| f64::from(value(day)));
        Some(Seen {
            now,
            level,
            day_mean: of_day(|day| day.mean),
            ewma: self.ewma.map(f64::from),
            mean15: mean(last(15)),
            mean60: mean(last(60)),
            min15: smallest(last(15)),
            max15: largest(last(15)),
            max60: largest(last(60)),
            max240: largest(last(240)),
            q90_60,
            q95_240,
            q95_day: of_day(|day| day.q95),
            idle: self.last_call.map_or(1440.0, |last| minutes((t - last).min(1440))),
            busy60: share(last(60), is_busy),
            busy_day: of_day(|day| day.busy),
            whole: day.is_some_and(|day| day.whole),
            flat: day.is_some_and(|day| day.is_flat(level, last(240))),
        })
    }

    fn learn(&mut self, now: f64, t: i64) {
        for (mean, rate) in self.ewma.iter_mut().zip(RATES) {
            let before = if mean.is_nan() { now } else { f64::from(*mean) };
            *mean = narrow(before + rate * (now - before));
        }
        if now > 0.0 {
            self.last_call = Some(t);
        }
    }

    fn upper(&mut self, of: [(&[f32], f64); 2], sort: &mut Vec<f32>) -> [f64; 2] {
        for (found, (values, share)) in self.quantiles.iter_mut().zip(of) {
            seek(values, &[share], std::slice::from_mut(found), sort);
        }
        self.quantiles.map(f64::from)
    }

    fn look(&mut self, day: &[f32], sort: &mut Vec<f32>) {
        let mean = mean(day);
        if mean.is_nan() {
            return;
        }
        let mut q95 = [self.day.map_or(f32::NAN, |day| day.q95)];
        seek(day, &[0.95], &mut q95, sort);
        self.day = Some(Day {
            mean: narrow(mean),
            busy: narrow(share(day, is_busy)),
            whole: share(day, has_part) <= 0.0,
            q95: q95[0],
            same: narrow(share(day, |amount| is_same(amount, q95[0]))),
        });
    }
}

impl Day {
    /// Whether the day was flat and the last hours and minutes are as it was. `level`: of the last minutes.
    fn is_flat(&self, level: f64, newest: &[f32]) -> bool {
        let amount = f64::from(self.q95);
        self.whole
            && amount > 0.0
            && self.same >= SAME
            && is_near(level, amount)
            && share(newest, |newest| newest > self.q95) <= ABOVE
    }
}

/// Whether a level is still that of an amount: less than half a call a minute above it, and as little or a tenth below.
pub(crate) fn is_near(level: f64, amount: f64) -> bool {
    level < amount + 0.5 && (level > amount - 0.5 || level > 0.9 * amount)
}

/// Whether two whole numbers are the same.
fn is_same(amount: f32, other: f32) -> bool {
    (amount - other).abs() < 0.5
}

fn is_busy(amount: f32) -> bool {
    amount > 0.0
}

/// Whether it is not a whole number; no for a gap. Without a call, which `fract` is.
fn has_part(amount: f32) -> bool {
    // Adding it leaves no bits below one; from 2^22 on, where that is not so, there is at most half a call.
    const SHIFT: f32 = 12_582_912.0;
    (((amount + SHIFT) - SHIFT) - amount).abs() > 0.0 && amount < 4_194_304.0
}
