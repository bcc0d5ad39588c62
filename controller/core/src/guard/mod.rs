//! Guard: a wish in; the value that is allowed now, and every clamp on the way, out. Pure - no clock, no client.
//!
//! Rules run in the order of [`RULES`], weakest first, so the last word is the strongest.

pub mod brake;
pub mod capacity;
pub mod ceiling;
pub mod crash_loop;
pub mod floor;
pub mod outage;
pub mod slew;
pub mod stabilize;
pub mod stand_aside;
pub mod trust;

use crate::decide::{Fleet, Function};
use crate::decision::{Clamp, FieldVerdict, RuleName};
use crate::standing::Standing;
use crate::units::{Now, Replicas};
use crate::wish::FloorWish;
use std::borrow::Cow;

/// The rules, weakest first: the precedence of the safety model read from its end. Freeze and budget
/// have their places between brake and capacity once they exist.
pub const RULES: [Rule; 10] = [
    stabilize::RULE,
    slew::RULE,
    capacity::RULE,
    crash_loop::RULE,
    brake::RULE,
    outage::RULE,
    ceiling::RULE,
    trust::RULE,
    floor::RULE,
    stand_aside::RULE,
];

/// One guard rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its stable name, shown in log, status and metrics.
    pub name: &'static str,
    /// What it says about the value so far.
    pub check: fn(&Context<'_>) -> Check,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing.
    Pass,
    /// Another value.
    Clamp(Replicas),
    /// What is held stays; a stronger rule may still have a word.
    Hold,
}

/// All that a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What is asked, seen and forecast.
    pub function: &'a Function,
    /// The others.
    pub fleet: &'a Fleet,
    /// What is in force because of us.
    pub standing: &'a Standing,
    /// Who has the field.
    pub field: &'a FieldVerdict,
    /// What plan would like.
    pub wish: &'a FloorWish,
    /// The floor held (`h`).
    pub held: Replicas,
    /// The value after the rules before this one.
    pub value: Replicas,
    /// When.
    pub now: Now,
}

impl Context<'_> {
    /// True when the value so far lies below what is held.
    pub fn falls(&self) -> bool {
        self.value < self.held
    }
}

/// What the rules made of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The value that is allowed now.
    pub value: Replicas,
    /// Rules that changed it, in their order.
    pub clamps: Vec<Clamp>,
    /// The last rule that had a word. `None`: all passed.
    pub last: Option<&'static str>,
}

/// Runs the rules over the wish in `context`.
pub fn guard(mut context: Context<'_>) -> Guarded {
    let mut clamps = Vec::new();
    let mut last = None;
    context.value = context.wish.to;
    for rule in RULES {
        let to = match (rule.check)(&context) {
            Check::Pass => continue,
            Check::Clamp(to) => to,
            Check::Hold => context.held,
        };
        if to != context.value {
            clamps.push(Clamp {
                rule: name(&rule),
                from: context.value,
                to,
            });
        }
        context.value = to;
        last = Some(rule.name);
    }
    Guarded {
        value: context.value,
        clamps,
        last,
    }
}

fn name(rule: &Rule) -> RuleName {
    Cow::Borrowed(rule.name)
}

#[cfg(test)]
mod tests {
    use super::RULES;

    /// "stand aside > floor > no decrease > ceiling > brake > freeze > budget > capacity > slew > stabilisation",
    /// less what does not exist yet, read from its end; the crash-loop breaker is a limit to raises like capacity,
    /// and the outage guard joins the brake.
    #[test]
    fn the_order_of_the_rules_is_the_precedence_of_the_safety_model() {
        let names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(
            names,
            [
                "stabilize",
                "slew",
                "capacity",
                "crash_loop",
                "brake",
                "outage",
                "ceiling",
                "trust",
                "floor",
                "stand_aside"
            ]
        );
    }
}
