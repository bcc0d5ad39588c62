//! Guard rule `brake` (F1): how many functions may come down at a time, over the whole fleet. Pure.

use super::{Check, Context, Rule};
use crate::decide::{Fleet, Function};
use crate::standing::Standing;

/// The rule.
pub const RULE: Rule = Rule { name: "brake", check };

/// A small fleet may always begin this many ramps.
const FEW: u32 = 5;

fn check(context: &Context<'_>) -> Check {
    let fleet = context.fleet;
    let crowd = !expected(context.function) && fleet.unexpected_falls > limit(fleet);
    if context.falls() && (fleet.world_vanished || crowd || no_place(context)) {
        return Check::Hold;
    }
    Check::Pass
}

/// True when this function would begin a ramp and the ramps of the last five minutes leave it no place. A ramp
/// once begun goes on.
fn no_place(context: &Context<'_>) -> bool {
    let Fleet {
        ramps_begun,
        ramp_place,
        ..
    } = *context.fleet;
    let taken = ramps_begun.saturating_add(ramp_place) >= limit(context.fleet);
    let own = context.standing.ramps_begun.iter();
    let own = own
        .filter(|at| !context.now.mono.passed(**at, Standing::BRAKE_SPAN))
        .count();
    context.standing.ramp_since.is_none() && (taken || own >= Standing::MAX_RAMPS)
}

/// `max(5, 20 % of the targets)`, in whole targets.
const fn limit(fleet: &Fleet) -> u32 {
    let fifth = fleet.targets / 5;
    if fifth > FEW { fifth } else { FEW }
}

/// True when the band forecast one horizon ago for this minute has the demand of now in it or below it: a low
/// demand that the forecast saw coming is no surprise.
pub fn expected(function: &Function) -> bool {
    match (function.forecast.expected_now, function.observation.demand.known()) {
        (Some(band), Some(demand)) => demand.peak >= band.lower,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::decide::{Fleet, Inputs};
    use crate::forecast::Band;
    use crate::sample::{amount, inputs};
    use crate::units::Mono;

    fn falls_in(fleet: Fleet) -> bool {
        falls(&Inputs { fleet, ..inputs() })
    }

    fn falls(inputs: &Inputs) -> bool {
        inputs.decide().falls()
    }

    #[test]
    fn the_sixth_ramp_of_a_small_fleet_waits() {
        assert!(falls_in(Fleet {
            targets: 10,
            ramps_begun: 4,
            ..Fleet::default()
        }));
        assert!(falls_in(Fleet {
            targets: 10,
            ramps_begun: 2,
            ramp_place: 2,
            ..Fleet::default()
        }));
        assert!(!falls_in(Fleet {
            targets: 10,
            ramps_begun: 5,
            ..Fleet::default()
        }));
        assert!(!falls_in(Fleet {
            targets: 10,
            ramps_begun: 2,
            ramp_place: 3,
            ..Fleet::default()
        }));
    }

    #[test]
    fn a_fifth_of_a_large_fleet_may_begin() {
        assert!(falls_in(Fleet {
            targets: 49,
            ramps_begun: 8,
            ..Fleet::default()
        }));
        assert!(
            !falls_in(Fleet {
                targets: 49,
                ramps_begun: 9,
                ..Fleet::default()
            }),
            "9.8 are 9"
        );
    }

    #[test]
    fn a_ramp_once_begun_goes_on() {
        let fleet = Fleet {
            targets: 10,
            ramps_begun: 5,
            ..Fleet::default()
        };
        let mut inputs = Inputs { fleet, ..inputs() };
        inputs.standing.ramp_since = Some(Mono(900_000));
        assert!(falls(&inputs));
    }

    #[test]
    fn more_than_five_surprises_are_held_and_an_expected_fall_is_none() {
        assert!(falls_in(Fleet {
            unexpected_falls: 5,
            ..Fleet::default()
        }));
        let fleet = Fleet {
            unexpected_falls: 6,
            ..Fleet::default()
        };
        assert!(!falls_in(fleet));
        let mut inputs = Inputs { fleet, ..inputs() };
        inputs.function.forecast.expected_now = Some(Band {
            lower: amount(12.0),
            upper: amount(20.0),
        });
        assert!(falls(&inputs), "a peak of 12 lies in the band");
        inputs.function.forecast.expected_now = Some(Band {
            lower: amount(12.5),
            upper: amount(20.0),
        });
        assert!(!falls(&inputs), "and under this one");
    }

    #[test]
    fn a_world_that_vanished_holds_ramps_already_begun_too() {
        let mut inputs = Inputs {
            fleet: Fleet {
                world_vanished: true,
                ..Fleet::alone()
            },
            ..inputs()
        };
        inputs.standing.ramp_since = Some(Mono(900_000));
        assert!(!falls(&inputs));
    }
}
