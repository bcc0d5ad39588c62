//! How far ahead a forecast looks, and which quantile it gives. Pure.

use forewarm_core::units::{Percent, Seconds};

/// The forecast's step, in seconds.
const STEP: u32 = 60;
/// No forecast looks further than an hour: the hourly lag ends there, and no pod takes that long.
const LONGEST: i64 = 60;

/// The span of a forecast from now: lead time + tick + one step, since a minute's forecast stands for a step.
pub(crate) fn horizon(lead_time: Seconds, tick: Seconds) -> Seconds {
    Seconds(lead_time.0.saturating_add(tick.0).saturating_add(STEP))
}

/// The same in whole minutes, rounded up: `h` of the span `t+1..=t+h`. At least 1, at most 60.
pub fn horizon_minutes(lead_time: Seconds, tick: Seconds) -> i64 {
    i64::from(horizon(lead_time, tick).0.div_ceil(STEP)).min(LONGEST)
}

/// The quantile that pays at a lead time, in percent: 80, or 65 up to 3 s, where a late start costs little.
///
/// Source: the floor rule's Balanced and Thrifty settings (simulation on public traces): at 1-3 s the 0.80
/// quantile buys its saved waits at 360 pod-seconds each, the 0.65 one at 54.
pub fn quantile_for(lead_time: Seconds) -> Percent {
    let percent = if lead_time <= Seconds(3) { 65 } else { 80 };
    Percent::new(percent).expect("65 and 80 are percentages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_lead_time_takes_the_thrifty_quantile() {
        for (lead, percent) in [(0, 65), (3, 65), (4, 80), (45, 80), (u32::MAX, 80)] {
            assert_eq!(quantile_for(Seconds(lead)).get(), percent, "{lead} s");
        }
    }

    #[test]
    fn the_span_covers_lead_tick_and_a_step() {
        for (lead, tick, minutes) in [
            (1, 15, 2),
            (45, 15, 2),
            (46, 15, 3),
            (120, 15, 4),
            (0, 0, 1),
            (u32::MAX, 15, 60),
        ] {
            assert_eq!(
                horizon_minutes(Seconds(lead), Seconds(tick)),
                minutes,
                "{lead} s + {tick} s"
            );
        }
    }
}
