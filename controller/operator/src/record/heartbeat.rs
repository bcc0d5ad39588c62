//! When a function's hourly heartbeat is due. Its name and the clock in, yes or no out. Pure.
//!
//! The hour is divided by a hash of the name, so that 10,000 functions print about 42 lines a tick of 15 s and
//! not 10,000 on the hour; the place is the same for every process and every release.

use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Wall;
use sha2::{Digest, Sha256};

const HOUR_MS: i64 = 3_600_000;

/// The heartbeat of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Milliseconds into the hour.
    place: i64,
    /// Number of the hour of its own that was last printed or begun with.
    hour: i64,
}

impl Heartbeat {
    /// A function met at `now`; its first heartbeat is due at its next place.
    pub fn new(key: &FunctionKey, now: Wall) -> Self {
        let place = place(key);
        Self {
            place,
            hour: hour(place, now),
        }
    }

    /// Whether one is due. A clock set back does not make one due, one set on by days makes one due.
    pub fn due(&self, now: Wall) -> bool {
        hour(self.place, now) > self.hour
    }

    /// Remembers that it was printed.
    pub fn printed(&mut self, now: Wall) {
        self.hour = hour(self.place, now);
    }
}

fn hour(place: i64, now: Wall) -> i64 {
    now.0.saturating_sub(place).div_euclid(HOUR_MS)
}

fn place(key: &FunctionKey) -> i64 {
    let digest = Sha256::digest(key.to_string());
    let first = digest
        .iter()
        .take(4)
        .fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    first % HOUR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> FunctionKey {
        FunctionKey {
            namespace: "payments".into(),
            name: format!("f{n}").into(),
        }
    }

    #[test]
    fn every_function_beats_once_an_hour_and_no_tick_has_many() {
        let start = 1_795_528_995_000;
        let mut beats: Vec<Heartbeat> = (0..10_000).map(|n| Heartbeat::new(&key(n), Wall(start))).collect();
        let mut counts = vec![0; beats.len()];
        let mut largest = 0;
        for tick in 0..480 {
            let now = Wall(start + tick * 15_000);
            let mut in_tick = 0;
            for (beat, count) in beats.iter_mut().zip(&mut counts) {
                if beat.due(now) {
                    beat.printed(now);
                    *count += 1;
                    in_tick += 1;
                }
            }
            largest = largest.max(in_tick);
        }
        assert!(counts.iter().all(|count| *count == 2 || *count == 1), "two hours");
        assert!(counts.iter().filter(|count| **count == 2).count() > 9_900);
        assert!(largest < 90, "{largest} in one tick");
    }

    #[test]
    fn a_clock_set_back_prints_nothing_and_one_set_on_prints_once() {
        let mut beat = Heartbeat::new(&key(1), Wall(1_795_528_995_000));
        assert!(!beat.due(Wall(0)));
        let later = Wall(1_795_528_995_000 + 100 * HOUR_MS);
        assert!(beat.due(later));
        beat.printed(later);
        assert!(!beat.due(later));
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for wall in [i64::MIN, i64::MAX] {
            let _ = Heartbeat::new(&key(1), Wall(wall)).due(Wall(wall));
        }
    }
}
