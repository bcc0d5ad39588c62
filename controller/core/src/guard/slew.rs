//! Guard rule `slew` (R5): how far the floor may move in one step down and in one tick up. Pure.

use super::{Check, Context, Rule};
use crate::standing::Standing;
use crate::units::Replicas;

/// The rule.
pub const RULE: Rule = Rule {
    name: "slew",
    check,
};

/// A tick may always add this many: a small floor need not double to get going.
const RISE: Replicas = Replicas(4);

fn check(context: &Context<'_>) -> Check {
    let bounded = context.value.clamp(lowest(context), highest(context));
    if bounded == context.value {
        Check::Pass
    } else {
        Check::Clamp(bounded)
    }
}

/// The highest floor one tick may reach: four more, or double.
fn highest(context: &Context<'_>) -> Replicas {
    context.held.plus(RISE.max(context.held))
}

/// The lowest floor that this tick may reach, at least one pod and at most what is held.
///
/// Within any step the falls add up to at most `max(1, stepPercent of the floor at its start)`. Each remembered
/// fall begins such a step, and so does this tick; a rise in between gives nothing back.
pub fn lowest(context: &Context<'_>) -> Replicas {
    let full = context.standing.falls.len() >= Standing::MAX_FALLS;
    let own = if full {
        Replicas::ZERO
    } else {
        a_step(context, context.held).min(a_write(context.held))
    };
    let room = steps_open(context).fold(own, Replicas::min);
    context
        .held
        .minus(room)
        .max(Replicas::ONE)
        .min(context.held)
}

/// Room left in each step that a remembered fall began.
fn steps_open<'a>(context: &'a Context<'_>) -> impl Iterator<Item = Replicas> + 'a {
    let step = context.function.policy.scale_down.step;
    let falls = context.standing.falls.iter().rev();
    let recent = falls.take_while(move |fall| !context.now.mono.passed(fall.at, step));
    recent.scan(Replicas::ZERO, move |fallen, fall| {
        *fallen = fallen.plus(fall.from.minus(fall.to));
        Some(a_step(context, fall.from).minus(*fallen))
    })
}

/// Fall allowed in a step that starts at `floor`.
fn a_step(context: &Context<'_>, floor: Replicas) -> Replicas {
    floor
        .percent_up(context.function.policy.scale_down.step_percent)
        .max(Replicas::ONE)
}

/// Fall the admission rail lets through in one write: a quarter of the old value, or one pod.
fn a_write(floor: Replicas) -> Replicas {
    Replicas(floor.0 / 4).max(Replicas::ONE)
}
