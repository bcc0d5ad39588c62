//! How far ahead a forecast looks, which quantile it gives and when a call is likely enough. Pure.

use forewarm_core::policy::Objective;
use forewarm_core::units::{Percent, Seconds};

/// The forecast's step, in seconds.
const STEP: u32 = 60;
/// No forecast looks further than an hour: the hourly lag ends there, and no pod takes that long.
const LONGEST: i64 = 60;
/// Seconds of a further minute that are not looked into: who is due in them comes at most so much too early, and a whole
/// minute more would hold its pods for nothing.
const SPARED: u32 = STEP / 4;
/// Lead times up to this are cheap to miss, from the other on dear, in seconds.
const CHEAP: Seconds = Seconds(3);
const DEAR: Seconds = Seconds(120);

/// The span of a forecast from now: lead time + tick + one step, since a minute's forecast stands for a step.
pub(crate) fn horizon(lead_time: Seconds, tick: Seconds) -> Seconds {
    Seconds(lead_time.0.saturating_add(tick.0).saturating_add(STEP))
}

/// The same in whole minutes: `h` of the span `t+1..=t+h`, rounded up from more than a quarter of a minute. At least 1,
/// at most 60.
pub fn horizon_minutes(lead_time: Seconds, tick: Seconds) -> i64 {
    let span = horizon(lead_time, tick).0;
    i64::from((span - SPARED).div_ceil(STEP)).min(LONGEST)
}

/// What a forecast aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim {
    /// The quantile of the peak that the floor serves.
    pub quantile: Percent,
    /// The chance of any call in the span from which one pod is held.
    pub wake_from: Percent,
}

/// What pays at a lead time, in the user's own trade between waiting and pods; without one, thrifty up to 3 s, where
/// a late start costs little, and balanced above.
///
/// Source: the floor rule of the forecast study (simulation on public traces), settings by pod-seconds spent to save
/// one waiting call at a 12 s start: thrifty 5, balanced 250, fast 910, no-wait 4,200.
pub fn aim(objective: Option<Objective>, lead_time: Seconds) -> Aim {
    let usual = if lead_time <= CHEAP {
        Objective::Thrifty
    } else {
        Objective::Balanced
    };
    let (quantile, wake_from) = match objective.unwrap_or(usual) {
        Objective::Thrifty => (65, 30),
        // A long start is dearer to miss: 0.8 to 0.95 pays from two minutes on.
        Objective::Balanced if lead_time >= DEAR => (90, 10),
        Objective::Balanced => (80, 10),
        Objective::Fast => (95, 5),
        Objective::NoWait => (99, 1),
    };
    let percent = |percent| Percent::new(percent).expect("all of them are percentages");
    Aim {
        quantile: percent(quantile),
        wake_from: percent(wake_from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aim_follows_the_objective_and_without_one_the_lead_time() {
        for (objective, lead, quantile, wake_from) in [
            (None, 0, 65, 30),
            (None, 3, 65, 30),
            (None, 4, 80, 10),
            (None, 45, 80, 10),
            (None, u32::MAX, 90, 10),
            (Some(Objective::Thrifty), 45, 65, 30),
            (Some(Objective::Balanced), 1, 80, 10),
            (Some(Objective::Balanced), 120, 90, 10),
            (Some(Objective::Fast), 45, 95, 5),
            (Some(Objective::NoWait), 1, 99, 1),
        ] {
            let aim = aim(objective, Seconds(lead));
            let seen = (aim.quantile.get(), aim.wake_from.get());
            assert_eq!(seen, (quantile, wake_from), "{objective:?} at {lead} s");
        }
    }

    #[test]
    fn the_span_covers_lead_tick_and_a_step() {
        for (lead, tick, minutes) in [
            (1, 15, 2),
            (45, 15, 2),
            (60, 15, 2),
            (61, 15, 3),
            (120, 15, 3),
            (121, 15, 4),
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
