//! One tick, counted: what was told in, a number for each label set out. Pure.

use super::label::{ModeState, Namespace, OfMode, Outcome, ReasonVerdict, Rule, Why};
use crate::record::change::distrust;
use crate::record::line::VerdictWord;
use crate::record::{Told, labels};
use forewarm_core::decision::{FieldVerdict, Verdict};
use forewarm_core::forecast::Trust;
use forewarm_core::observation::Reading;
use forewarm_core::policy::Mode;
use std::collections::BTreeMap;

/// The counts of one tick.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) by_namespace: bool,
    pub(super) functions: BTreeMap<ModeState, i64>,
    pub(super) decisions: BTreeMap<ReasonVerdict, i64>,
    pub(super) outcomes: BTreeMap<Outcome, i64>,
    pub(super) holds: BTreeMap<Rule, i64>,
    pub(super) metrics: BTreeMap<Why, i64>,
    pub(super) untrusted: BTreeMap<Why, i64>,
    pub(super) demoted: BTreeMap<Why, i64>,
    pub(super) above: BTreeMap<OfMode, i64>,
    pub(super) namespaces: BTreeMap<Namespace, i64>,
}

impl Sums {
    pub(super) fn of(all: &[Told<'_>], by_namespace: bool) -> Self {
        let mut sums = Self {
            by_namespace,
            ..Self::default()
        };
        // Rules that hold nobody are shown at zero, so that an alert on one has a series from the start.
        for rule in forewarm_core::guard::RULES {
            sums.holds.insert(
                Rule {
                    rule: rule.name.to_owned(),
                },
                0,
            );
        }
        for told in all {
            sums.add(told);
        }
        sums
    }

    fn add(&mut self, told: &Told<'_>) {
        let mode = mode(told.function.policy.mode);
        *self
            .functions
            .entry(ModeState {
                mode,
                state: state(told),
            })
            .or_default() += 1;
        let (reason, verdict) = (
            told.decision.reason.label(),
            VerdictWord::of(&told.decision.verdict).label(),
        );
        *self.decisions.entry(ReasonVerdict { reason, verdict }).or_default() += 1;
        for outcome in told.outcomes {
            *self
                .outcomes
                .entry(Outcome {
                    outcome: labels::detail(outcome),
                })
                .or_default() += 1;
        }
        if let Verdict::Hold(rule) = &told.decision.verdict {
            *self.holds.entry(Rule { rule: rule.to_string() }).or_default() += 1;
        }
        if let Reading::Unknown(why) = &told.function.observation.demand {
            *self.metrics.entry(Why { why: why.label() }).or_default() += 1;
        }
        if let Some(why) = distrust(&told.function.forecast) {
            let demoted = told.function.forecast.trust == Trust::Trusted;
            let sums = if demoted {
                &mut self.demoted
            } else {
                &mut self.untrusted
            };
            *sums.entry(Why { why: why.label() }).or_default() += 1;
        }
        self.above(told, mode);
    }

    fn above(&mut self, told: &Told<'_>, mode: &'static str) {
        let (Some(held), Some(wish)) = (told.decision.to().or(told.decision.held), &told.decision.wish) else {
            return;
        };
        let above = i64::from(held.minus(wish.user).0);
        *self.above.entry(OfMode { mode }).or_default() += above;
        if self.by_namespace && told.function.policy.mode == Mode::Enforce {
            let namespace = told.key.namespace.clone();
            *self.namespaces.entry(Namespace { namespace }).or_default() += above;
        }
    }
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Shadow => "Shadow",
        Mode::Enforce => "Enforce",
    }
}

/// In one word what can happen to a function.
fn state(told: &Told<'_>) -> &'static str {
    match &told.decision.field {
        _ if told.function.policy.paused => "Paused",
        FieldVerdict::Unseen => "TargetUnknown",
        FieldVerdict::InManifest { .. } | FieldVerdict::Aside { .. } | FieldVerdict::Scaler { .. } => "Conflict",
        FieldVerdict::AtZero => "AtZero",
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::Lagging => "Deciding",
    }
}
