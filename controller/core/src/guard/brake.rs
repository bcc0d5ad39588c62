//! Guard rule `brake` (F1): how many functions may come down at a time, over the whole fleet. Pure.

use super::{Check, Context, Rule};
use crate::decide::{Fleet, Function};
use crate::standing::Standing;

/// The rule.
pub const RULE: Rule = Rule {
    name: "brake",
    check,
};

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
    match (
        function.forecast.expected_now,
        function.observation.demand.known(),
    ) {
        (Some(band), Some(demand)) => demand.peak >= band.lower,
        _ => false,
    }
}
