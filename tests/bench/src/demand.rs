//! How many calls each function has in flight at any time: a function and a moment in, a number out. Pure.
//!
//! A quarter of the functions follows the day, a quarter has a peak an hour, a quarter is hardly ever called and a
//! quarter is steady, all with noise, as the public traces have them. The days lie up to six hours apart and the
//! peaks in every minute, so that the fleet as a whole is steady: about one function in a hundred moves its floor in
//! a tick. Nothing is drawn at random: the same function has the same demand at the same moment in every run.

use forewarm_core::units::{Demand, Wall};

/// Milliseconds between two samples.
pub(crate) const SCRAPE_MS: i64 = 15_000;

/// Minutes that the days of two functions lie apart at most: callers live in more than one time zone.
const APART: i64 = 360;

/// Calls in flight of a whole function.
pub(crate) fn in_flight(function: u32, at: Wall) -> Demand {
    let minute = at.minute();
    let noise = noise(function, at.0.div_euclid(SCRAPE_MS));
    let amount = match function % 4 {
        0 => 6.0 + 5.0 * phase(minute + i64::from(function) % APART, 1440).sin() + noise,
        1 if (minute + i64::from(function)) % 60 < 4 => 25.0 + 5.0 * noise,
        1 => 2.0 * noise,
        2 if noise < 0.02 => 1.0,
        2 => 0.0,
        _ => 4.0 + 2.0 * noise,
    };
    Demand::new(amount.round()).expect("a sum of finite amounts above zero")
}

/// The largest number of calls in flight within a minute, counted since 1970 UTC.
pub(crate) fn peak(function: u32, minute: i64) -> Demand {
    let samples = (0..4).map(|sample| in_flight(function, Wall(minute * 60_000 + sample * SCRAPE_MS)));
    samples.fold(Demand::ZERO, Demand::max)
}

/// The share of calls that one pod of so many has; the first ones take what does not divide.
pub(crate) fn of_pod(calls: Demand, pod: u32, pods: u32) -> f64 {
    let each = (calls.get() / f64::from(pods)).floor();
    let rest = calls.get() - each * f64::from(pods);
    each + f64::from(u8::from(f64::from(pod) < rest))
}

/// Where a minute lies in its period, as an angle.
fn phase(minute: i64, period: i64) -> f64 {
    let part = |n: i64| f64::from(i32::try_from(n).expect("a period of minutes"));
    part(minute % period) / part(period) * std::f64::consts::TAU
}

/// A number in `[0, 1)` for each function and sample: the finaliser of splitmix64.
fn noise(function: u32, sample: i64) -> f64 {
    let mut z = sample.unsigned_abs() ^ (u64::from(function) << 40);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits")) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pods_of_a_function_serve_all_of_its_calls() {
        for calls in [0.0, 1.0, 7.0, 25.0] {
            let calls = Demand::new(calls).expect("an amount");
            let sum: f64 = (0..5).map(|pod| of_pod(calls, pod, 5)).sum();
            assert!((sum - calls.get()).abs() < 1e-9, "{calls:?}");
        }
    }

    #[test]
    fn a_minute_is_as_high_as_its_highest_sample() {
        for function in 0..40 {
            let peak = peak(function, 29_460_960);
            let at = |sample: i64| in_flight(function, Wall(29_460_960 * 60_000 + sample * SCRAPE_MS));
            assert!((0..4).all(|sample| at(sample) <= peak) && (0..4).any(|sample| at(sample) == peak));
        }
    }
}
