//! One tick, counted: what was told in, a number for each label set out. Pure.

use super::label::{Anomaly, ModeState, Namespace, OfMode, Outcome, ReasonVerdict, Rule, Why};
use crate::record::change::distrust;
use crate::record::line::VerdictWord;
use crate::record::{Told, labels};
use forewarm_core::decision::{FieldVerdict, Verdict};
use forewarm_core::forecast::Trust;
use forewarm_core::observation::Reading;
use forewarm_core::policy::Mode;
use std::collections::BTreeMap;

/// Counts by label set. There is a handful of them, so a list is searched faster than a tree.
#[derive(Debug)]
pub(super) struct Counts<L>(Vec<(L, i64)>);

impl<L> Default for Counts<L> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<L: PartialEq> Counts<L> {
    fn add(&mut self, label: L, more: i64) {
        match self.0.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += more,
            None => self.0.push((label, more)),
        }
    }
}

impl<L> IntoIterator for Counts<L> {
    type Item = (L, i64);
    type IntoIter = std::vec::IntoIter<(L, i64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The counts of one tick.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) by_namespace: bool,
    pub(super) functions: Counts<ModeState>,
    pub(super) decisions: Counts<ReasonVerdict>,
    pub(super) outcomes: Counts<Outcome>,
    pub(super) holds: Counts<Rule>,
    pub(super) anomalies: Counts<Anomaly>,
    pub(super) metrics: Counts<Why>,
    pub(super) untrusted: Counts<Why>,
    pub(super) demoted: Counts<Why>,
    pub(super) above: Counts<OfMode>,
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
            sums.holds.add(Rule { rule: rule.name.into() }, 0);
        }
        for anomaly in [
            "DemandAboveBand",
            "DemandBelowBand",
            "ErrorsAboveBand",
            "LatencyAboveBand",
        ] {
            sums.anomalies.add(Anomaly { anomaly }, 0);
        }
        for told in all {
            sums.add(told);
        }
        sums
    }

    fn add(&mut self, told: &Told<'_>) {
        let mode = mode(told.function.policy.mode);
        let state = state(told);
        self.functions.add(ModeState { mode, state }, 1);
        let reason = told.decision.reason.label();
        let verdict = VerdictWord::of(&told.decision.verdict).label();
        self.decisions.add(ReasonVerdict { reason, verdict }, 1);
        for outcome in told.outcomes.iter().map(labels::detail) {
            self.outcomes.add(Outcome { outcome }, 1);
        }
        if let Verdict::Hold(rule) = &told.decision.verdict {
            self.holds.add(Rule { rule: rule.clone() }, 1);
        }
        for anomaly in &told.function.observation.anomalies {
            let anomaly = anomaly.label();
            self.anomalies.add(Anomaly { anomaly }, 1);
        }
        if let Reading::Unknown(why) = &told.function.observation.demand {
            self.metrics.add(Why { why: why.label() }, 1);
        }
        if let Some(why) = distrust(&told.function.forecast) {
            let demoted = told.function.forecast.trust == Trust::Trusted;
            let sums = if demoted {
                &mut self.demoted
            } else {
                &mut self.untrusted
            };
            sums.add(Why { why: why.label() }, 1);
        }
        self.above(told, mode);
    }

    fn above(&mut self, told: &Told<'_>, mode: &'static str) {
        let (Some(held), Some(wish)) = (told.decision.to().or(told.decision.held), &told.decision.wish) else {
            return;
        };
        let above = i64::from(held.minus(wish.user).0);
        self.above.add(OfMode { mode }, above);
        if self.by_namespace && told.function.policy.mode == Mode::Enforce {
            let namespace = told.key.namespace.to_string();
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
        FieldVerdict::ScalerPaused { .. } => "ScalerPaused",
        FieldVerdict::Free
        | FieldVerdict::TakeOver { .. }
        | FieldVerdict::Reset { .. }
        | FieldVerdict::Renewed
        | FieldVerdict::NewUserFloor { .. }
        | FieldVerdict::Lagging => "Deciding",
    }
}
