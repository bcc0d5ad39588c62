//! Overlap: calls a minute and their durations in, how many were in flight at once out, minute by minute. Pure;
//! seeded.

use crate::arrivals::{MINUTE, of_minute};
use crate::durations::Durations;
use crate::random::Random;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Calls of one minute that are simulated one by one; busier functions are thinned and their peaks scaled up.
const ONE_BY_ONE: f64 = 300.0;

/// In-flight counts of one function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlap {
    /// The largest in each minute.
    pub peaks: Vec<f64>,
    /// The largest that a look every 15 s would have seen.
    pub scraped: Vec<f64>,
}

/// Runs the calls through, each in flight from its arrival to its end.
pub fn overlap(calls: &[f64], durations: Durations, random: &mut Random) -> Overlap {
    let busiest = calls.iter().copied().fold(0.0, f64::max);
    let thinned = (busiest / ONE_BY_ONE).ceil().max(1.0);
    let mut overlap = Overlap::default();
    let mut ends: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    for (begins, calls) in (0..).step_by(60_000).zip(calls) {
        let (mut peak, mut scraped) = (0, 0);
        let mut looks = (0..4).map(|look| begins + look * MINUTE / 4).peekable();
        let mut arrivals = of_minute(whole(calls / thinned, random), begins, random)
            .into_iter()
            .peekable();
        loop {
            let look = looks.peek().copied();
            let arrival = arrivals.peek().copied();
            let Some(now) = look.into_iter().chain(arrival).min() else {
                break;
            };
            while ends.peek().is_some_and(|Reverse(end)| *end <= now) {
                ends.pop();
            }
            if arrival == Some(now) {
                arrivals.next();
                ends.push(Reverse(now + durations.draw(random)));
            } else {
                looks.next();
                scraped = scraped.max(ends.len());
            }
            peak = peak.max(ends.len());
        }
        let scaled = |count: usize| thinned * f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        overlap.peaks.push(scaled(peak));
        overlap.scraped.push(scaled(scraped));
    }
    overlap
}

/// A whole number of calls, the fraction by chance.
fn whole(calls: f64, random: &mut Random) -> u32 {
    let up = if random.even() < calls.fract() { 1.0 } else { 0.0 };
    // From float, `as` saturates; std offers no other way.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = (calls.floor() + up) as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(calls: &[f64], millis: f64) -> Overlap {
        overlap(calls, Durations::new(millis, millis, millis), &mut Random::new(5))
    }

    #[test]
    fn one_call_is_one_in_flight_and_none_is_none() {
        assert_eq!(run(&[1.0, 0.0, 0.0], 100.0).peaks, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_long_call_is_in_flight_in_the_minutes_after_it_and_scrapes_see_it() {
        let seen = run(&[1.0, 0.0, 0.0, 0.0], 120_000.0);
        assert_eq!(seen.peaks[..2], [1.0, 1.0]);
        assert!((seen.peaks[3]).abs() < 1e-12);
        assert!((seen.scraped[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn short_calls_overlap_less_than_long_ones_and_scrapes_miss_some() {
        let calls = [60.0; 200];
        let mean = |values: &[f64]| values.iter().sum::<f64>() / 200.0;
        let (short, long) = (run(&calls, 100.0), run(&calls, 10_000.0));
        // Little's law: 60 a minute for 10 s are 10 on average; the peak of a minute lies above it.
        assert!(
            mean(&long.peaks) > 12.0 && mean(&long.peaks) < 22.0,
            "{}",
            mean(&long.peaks)
        );
        assert!(mean(&short.peaks) < 3.0);
        assert!(mean(&short.scraped) < 0.6 * mean(&short.peaks));
    }

    #[test]
    fn a_thinned_function_keeps_its_level() {
        let busy = run(&[30_000.0; 20], 1000.0);
        let mean = busy.peaks.iter().sum::<f64>() / 20.0;
        assert!(
            (500.0..1800.0).contains(&mean),
            "{mean}: 500 on average, more at the peak of a thinned sample"
        );
    }
}
