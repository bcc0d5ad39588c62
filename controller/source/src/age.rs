//! A backlog's demand and the age of its oldest item in, the demand that gets it done in time out. Pure.

use crate::ask::Joins;
use crate::join::Tally;
use forewarm_api::profile_parse::Demanded;
use forewarm_core::observation::{Reading, Why};
use forewarm_core::units::{Demand, Replicas, Seconds};

/// Part of the drain time that is always left: what is late needs more, but not without bound.
const LEFT: f64 = 0.1;

/// `demand`, which is a backlog by all of its drain time, spread over what is left of that to the oldest item.
///
/// Formula: `backlog / max(drain - age, drain / 10)`. Under a steady stream of arrivals the oldest item then comes to
/// wait for half of the drain time. `demand` as it is where nobody asks for the age or where nothing waits. An age that
/// is missing or no amount makes the demand unknown, with the part that needs no age still to be served.
pub(crate) fn pressed(demand: Demand, unit: Demanded, age: Option<&Joins>, member: usize) -> Reading<Demand> {
    let (Demanded::Backlog { drain }, Some(age)) = (unit, age) else {
        return Reading::Known(demand);
    };
    if demand == Demand::ZERO {
        return Reading::Known(demand);
    }
    match age.as_ref().map(|joined| joined.tally(member)) {
        Err(error) => Reading::Unknown(error.why()),
        Ok(Tally { bad: Some(why), .. }) => Reading::Unknown(why.clone()),
        Ok(Tally { series: 0, .. }) => Reading::Unknown(Why::Incomplete {
            reporting: Replicas::ZERO,
            ready: Replicas::ONE,
            at_least: demand,
        }),
        Ok(Tally { sum: waited, .. }) => {
            let pressed = Demand::new(demand.get() * pressure(*waited, drain));
            pressed.map_or(Reading::Unknown(Why::Infinite), Reading::Known)
        }
    }
}

/// How many times as much is needed as without an age: from 1 for what has just come to 10.
fn pressure(waited: f64, drain: Seconds) -> f64 {
    let left = 1.0 - waited / f64::from(drain.0.max(1));
    1.0 / left.max(LEFT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::error::SourceError;
    use crate::join::Joined;
    use crate::join::tests::{body, by};
    use crate::membership::Membership;
    use crate::membership::fixture::member;
    use forewarm_api::profile::JoinBy;
    use proptest::prelude::*;

    const MINUTE: Demanded = Demanded::Backlog { drain: Seconds(60) };

    fn amount(amount: f64) -> Demand {
        Demand::new(amount).expect("an amount")
    }

    fn ages(series: &[&str]) -> Joins {
        let members = Membership::new([member("a/f", &[])]);
        let body = body(series);
        Joined::of(&Answer::read(&body)?, &by(JoinBy::Workload), "p", &members, 100)
    }

    /// The demand of a backlog of 600 items, which is 10 a second in a minute, with the answers for its age.
    fn of_600(series: &[&str]) -> Reading<f64> {
        pressed(amount(10.0), MINUTE, Some(&ages(series)), 0).map(Demand::get)
    }

    #[test]
    fn the_older_a_backlog_the_less_time_it_is_spread_over_and_never_less_than_a_tenth() {
        for (age, demand) in [
            ("0", 10.0),
            ("15", 600.0 / 45.0),
            ("30", 20.0),
            ("54", 100.0),
            ("55", 100.0),
            ("86400", 100.0),
        ] {
            let Reading::Known(seen) = of_600(&[&format!("a/f={age}")]) else {
                panic!("{age} s is an age");
            };
            assert!((seen - demand).abs() < 1e-9, "{age} s: {seen}, not {demand}");
        }
    }

    #[test]
    fn a_missing_age_is_not_known_and_the_backlog_alone_still_raises() {
        let part = Why::Incomplete {
            reporting: Replicas::ZERO,
            ready: Replicas::ONE,
            at_least: amount(10.0),
        };
        assert_eq!(of_600(&[]), Reading::Unknown(part.clone()));
        assert_eq!(of_600(&["a/other=30"]), Reading::Unknown(part));
        for (value, why) in [("NaN", Why::NotANumber), ("-1", Why::Negative), ("+Inf", Why::Infinite)] {
            assert_eq!(of_600(&[&format!("a/f={value}")]), Reading::Unknown(why), "{value}");
        }
        let failed = Err(SourceError::Unreachable("no route".to_owned()));
        let why = failed.as_ref().map_err(SourceError::why).unwrap_err();
        assert_eq!(pressed(amount(10.0), MINUTE, Some(&failed), 0), Reading::Unknown(why));
    }

    #[test]
    fn nothing_waiting_has_no_age_and_who_does_not_ask_needs_none() {
        let none = ages(&[]);
        assert_eq!(
            pressed(Demand::ZERO, MINUTE, Some(&none), 0),
            Reading::Known(Demand::ZERO)
        );
        assert_eq!(pressed(amount(10.0), MINUTE, None, 0), Reading::Known(amount(10.0)));
    }

    proptest! {
        #[test]
        fn an_age_only_ever_asks_for_more_and_for_ten_times_at_most(
            backlog in 0.0..1e9_f64,
            younger in 0.0..1e6_f64,
            older in 0.0..1e6_f64,
            drain in 1..3600_u32,
        ) {
            let unit = Demanded::Backlog { drain: Seconds(drain) };
            let demand = amount(backlog);
            let at = |age: f64| {
                let ages = ages(&[&format!("a/f={age}")]);
                pressed(demand, unit, Some(&ages), 0).known().map(|demand| demand.get())
            };
            let (younger, older) = (younger.min(older), younger.max(older));
            let (Some(less), Some(more)) = (at(younger), at(older)) else {
                return Err(TestCaseError::fail("a finite age is known"));
            };
            prop_assert!(backlog <= less && less <= more && more <= backlog * 10.0 * (1.0 + 1e-9));
        }
    }

    #[test]
    fn a_steady_stream_settles_where_the_oldest_has_waited_for_half_of_the_drain_time() {
        let (mut age, arrivals) = (1.0_f64, 7.0);
        for _ in 0..10_000 {
            // What waits came within the age; what is served in a second takes so much off it.
            let served = arrivals * age / 60.0 * pressure(age, Seconds(60));
            age += 0.1 * (1.0 - served / arrivals);
        }
        assert!((age - 30.0).abs() < 0.01, "{age}");
    }
}
