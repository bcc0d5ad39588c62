//! Guard rule `slew` (R5): how far the floor may move in one step down and in one tick up. Pure.

use super::{Check, Context, Rule};
use crate::standing::Standing;
use crate::units::Replicas;

/// The rule.
pub const RULE: Rule = Rule { name: "slew", check };

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

/// The lowest floor that this tick may reach. It may be none: a wish is of one pod at least.
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
    context.held.minus(room)
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

#[cfg(test)]
mod tests {
    use crate::sample::inputs;
    use crate::standing::{Fall, Standing};
    use crate::units::{Mono, Percent, Replicas};

    /// The value when `held` pods are held, `fallen` seconds after falls `from -> to`.
    fn after(held: u32, percent: u8, falls: &[(u64, u32, u32)]) -> u32 {
        let mut inputs = inputs().demand(0.0);
        inputs.target().floor = Replicas(held);
        inputs.function.policy.scale_down.step_percent = Percent::new(percent).expect("a percentage");
        let fall = |(ago, from, to): &(u64, u32, u32)| Fall {
            at: Mono(inputs.now.mono.0.saturating_sub(ago.saturating_mul(1000))),
            from: Replicas(*from),
            to: Replicas(*to),
        };
        inputs.standing.falls = falls.iter().map(fall).collect();
        inputs.value()
    }

    #[test]
    fn a_step_falls_by_the_percentage_rounded_up_and_at_least_by_one() {
        assert_eq!(after(20, 20, &[]), 16);
        assert_eq!(after(21, 20, &[]), 16, "20 % of 21 are 5, rounded up");
        assert_eq!(after(3, 20, &[]), 2);
        assert_eq!(after(20, 0, &[]), 19);
    }

    #[test]
    fn one_write_falls_by_at_most_a_quarter_as_the_admission_rail_says() {
        assert_eq!(after(40, 100, &[]), 30);
        assert_eq!(after(7, 100, &[]), 6);
        assert_eq!(after(3, 100, &[]), 2);
    }

    #[test]
    fn falls_of_the_same_step_add_up_from_its_start() {
        assert_eq!(after(16, 20, &[(30, 20, 16)]), 16, "20 % of 20 are gone");
        assert_eq!(after(18, 20, &[(30, 20, 18)]), 16, "2 of 4 are gone");
        assert_eq!(after(16, 20, &[(60, 20, 16)]), 12, "a step of 60 s is over");
        assert_eq!(after(17, 20, &[(45, 20, 18), (30, 18, 17)]), 16, "3 of 4 are gone");
        assert_eq!(
            after(19, 20, &[(45, 20, 18), (30, 18, 17)]),
            18,
            "a rise in between gives nothing back"
        );
    }

    #[test]
    fn a_full_memory_of_falls_lets_none_through() {
        let falls = vec![(30, 20, 20); Standing::MAX_FALLS];
        assert_eq!(after(20, 100, &falls), 20);
    }

    #[test]
    fn a_tick_adds_four_or_doubles() {
        for (held, most) in [(1, 5), (3, 7), (4, 8), (5, 10), (20, 40), (u32::MAX, u32::MAX)] {
            let mut inputs = inputs().demand(1e12);
            inputs.target().floor = Replicas(held);
            inputs.function.policy.floor.max = Replicas(u32::MAX);
            assert_eq!(inputs.value(), most);
        }
    }
}
