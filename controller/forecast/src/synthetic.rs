//! Series made by rule and a seeded stream, for the tests of the whole crate.

use crate::History;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Demand;

/// 2026-01-05 00:00 UTC, a Monday, in minutes.
pub(crate) const MONDAY: i64 = 29_460_960;
/// Minutes of a day.
pub(crate) const DAY: i64 = 1440;

/// A peak a minute from [`MONDAY`] on; `None` is a gap.
pub(crate) type Series = Vec<Option<f64>>;

pub(crate) fn key() -> FunctionKey {
    FunctionKey {
        namespace: "payments".into(),
        name: "fraud-scorer".into(),
    }
}

/// A history of the given minutes.
pub(crate) fn history(series: &[Option<f64>]) -> History {
    let mut history = History::new();
    let points = (MONDAY..)
        .zip(series)
        .filter_map(|(minute, peak)| Some((minute, Demand::new((*peak)?)?)));
    history.backfill(&key(), points);
    history
}

/// A seeded stream (splitmix64).
pub(crate) struct Stream(pub(crate) u64);

impl Stream {
    /// Evenly in `[0, 1)`.
    pub(crate) fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits")) / 4_294_967_296.0
    }

    /// Poisson by the product of uniforms, for means up to a few hundred.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        let (floor, mut product, mut count) = ((-mean).exp(), self.even(), 0.0);
        while product > floor {
            product *= self.even();
            count += 1.0;
        }
        count
    }
}

fn made(days: i64, seed: u64, peak: impl Fn(i64, &mut Stream) -> Option<f64>) -> Series {
    let mut stream = Stream(seed);
    (0..days * DAY).map(|minute| peak(minute, &mut stream)).collect()
}

/// The minute as a number.
fn number(minute: i64) -> f64 {
    f64::from(i32::try_from(minute).expect("a few days of minutes"))
}

/// A daily wave from 2 to 38, Poisson.
pub(crate) fn diurnal(days: i64, seed: u64) -> Series {
    made(days, seed, |minute, stream| {
        let phase = number(minute % DAY) / 1440.0 * std::f64::consts::TAU;
        Some(stream.poisson(20.0 - 18.0 * phase.cos()))
    })
}

/// Quiet at `quiet`, Poisson, and `height` for `wide` minutes at the same minute of every `period`.
pub(crate) fn peaked(days: i64, seed: u64, period: i64, wide: i64, (quiet, height): (f64, f64)) -> Series {
    made(days, seed, move |minute, stream| {
        let at_peak = minute % period >= peak_at(period) && minute % period < peak_at(period) + wide;
        Some(stream.poisson(if at_peak { height } else { quiet }))
    })
}

/// The minute of the period at which [`peaked`] rises.
pub(crate) const fn peak_at(period: i64) -> i64 {
    period * 2 / 3
}

/// Always the same.
pub(crate) fn constant(days: i64, level: f64) -> Series {
    made(days, 0, move |_, _| Some(level))
}

/// Mostly nothing; a call in one minute of twenty.
pub(crate) fn sparse(days: i64, seed: u64) -> Series {
    made(days, seed, |_, stream| {
        Some(if stream.even() < 0.05 { 1.0 } else { 0.0 })
    })
}

/// Poisson around 8 until the last day's noon, around 30 after it.
pub(crate) fn shifted(days: i64, seed: u64) -> Series {
    made(days, seed, move |minute, stream| {
        Some(stream.poisson(if minute < days * DAY - DAY / 2 { 8.0 } else { 30.0 }))
    })
}

/// The daily wave with a lost minute in twelve and a lost hour a day.
pub(crate) fn gappy(days: i64, seed: u64) -> Series {
    let mut stream = Stream(seed + 1);
    let lost = |(minute, peak): (usize, Option<f64>)| peak.filter(|_| stream.even() > 0.08 && minute % 1440 > 60);
    diurnal(days, seed).into_iter().enumerate().map(lost).collect()
}
