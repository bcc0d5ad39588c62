//! Arrivals: calls a minute in, the millisecond of each call out. Pure; seeded.
//!
//! Calls are spread evenly at random inside their minute. Real traffic is a little rougher (variance of per-second
//! counts 1.1 to 1.3 times as large at the median), which flatters every forecast alike.

use crate::random::Random;

/// Milliseconds of a minute.
pub const MINUTE: u64 = 60_000;

/// The times of `calls` calls of the minute that begins at millisecond `begins`, in order.
pub fn of_minute(calls: u32, begins: u64, random: &mut Random) -> Vec<u64> {
    let mut times: Vec<u64> = (0..calls).map(|_| begins + random.below(MINUTE)).collect();
    times.sort_unstable();
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_lie_in_their_minute_in_order() {
        let times = of_minute(1000, 120_000, &mut Random::new(1));
        assert_eq!(times.len(), 1000);
        assert!(times.is_sorted() && times[0] >= 120_000 && times[999] < 180_000);
        let early = times.iter().filter(|time| **time < 150_000).count();
        assert!((440..560).contains(&early), "{early} in the first half");
    }
}
