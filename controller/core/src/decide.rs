//! The product: observation, forecast and standing in, decisions out. Pure.
//!
//! [`decide_one`] is a function of its arguments alone, so the complete input in one log line gives the same
//! output again (A5). [`decide`] runs it over the fleet and works out what the brake needs to know.

use crate::beside::beside;
use crate::decision::{Along, Decision, FieldVerdict, Reason, Step, Verdict};
use crate::fleet::Fleets;
pub use crate::fleet::{Fleet, World};
use crate::forecast::Forecast;
use crate::guard::{Context, Guarded, capacity, ceiling, guard, stand_aside, trust};
use crate::observation::{FloorField, Observation, Reading, Recorded, Scaler, Target};
use crate::plan::{field, floor, footing};
use crate::policy::{FunctionKey, Mode, OnConflict, Policy};
use crate::standing::{Standing, UserFloor};
use crate::units::{Now, Replicas, Seconds};
use crate::wish::{BoundBy, FloorWish};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One function in one tick: what is asked, what is seen, what is forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// What the user asks.
    pub policy: Policy,
    /// What is seen.
    pub observation: Observation,
    /// What is forecast.
    pub forecast: Forecast,
}

impl AsRef<Self> for Function {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The complete input of one decision, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The function.
    pub function: Function,
    /// The others.
    pub fleet: Fleet,
    /// What is in force because of us.
    pub standing: Standing,
    /// When.
    pub now: Now,
}

impl Inputs {
    /// Decides again.
    pub fn decide(&self) -> Decision {
        decide_one(&self.function, &self.fleet, &self.standing, self.now)
    }
}

/// A decision with the fleet's part of its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What was known of the others.
    pub fleet: Fleet,
    /// What was decided.
    pub decision: Decision,
}

/// Decides for every function: first each as if it were alone, to learn who would come down; then again, with
/// the brake, those that would.
///
/// A function without an entry in `standing` is one just met. The result lies in the order of `functions`, which may be
/// anything that a function is part of.
pub fn decide<F: AsRef<Function>>(
    functions: &BTreeMap<FunctionKey, F>,
    world: World,
    standing: &BTreeMap<FunctionKey, Standing>,
    now: Now,
) -> Vec<Decided> {
    let (fresh, fleet) = (Standing::default(), Fleet::alone());
    let each = || {
        let standing = beside(functions.keys(), standing).map(|standing| standing.unwrap_or(&fresh));
        functions.values().map(AsRef::as_ref).zip(standing)
    };
    let alone = |(function, standing): (&Function, &Standing)| Decided {
        fleet,
        decision: decide_one(function, &fleet, standing, now),
    };
    let mut all: Vec<Decided> = each().map(alone).collect();
    let seen = each().zip(&all);
    let mut fleets = Fleets::of(
        seen.map(|((function, standing), decided)| (function, standing, &decided.decision)),
        world,
        now,
    );
    for ((function, standing), decided) in each().zip(&mut all) {
        decided.fleet = fleets.next(function, standing, &decided.decision);
        if wants_less(&decided.decision) {
            decided.decision = decide_one(function, &decided.fleet, standing, now);
        }
    }
    all
}

/// True where the brake may have a word: less is wished for, or a rule made it less. Elsewhere the decision is the
/// same for every fleet.
fn wants_less(decision: &Decision) -> bool {
    match (&decision.wish, decision.held) {
        (Some(wish), Some(held)) => wish.to < held || decision.clamps.iter().any(|clamp| clamp.to < held),
        _ => false,
    }
}

/// Decides for one function. Pure and total.
///
/// `fleet`: what the brake needs to know of the others. An unknown target gives `Hold("trust")`.
pub fn decide_one(function: &Function, fleet: &Fleet, standing: &Standing, now: Now) -> Decision {
    match &function.observation.target {
        Reading::Known(target) => decide_known(function, target, fleet, standing, now),
        Reading::Unknown(why) => Decision {
            held: None,
            field: FieldVerdict::Unseen,
            wish: None,
            clamps: Vec::new(),
            verdict: Verdict::Hold(trust::RULE.name.into()),
            reason: Reason::TargetUnknown,
            counterfactual: Reading::Unknown(why.clone()),
        },
    }
}

fn decide_known(function: &Function, target: &Target, fleet: &Fleet, standing: &Standing, now: Now) -> Decision {
    let policy = &function.policy;
    let field = field::field(target, policy, standing, now);
    let user = footing::user(&field, target, standing);
    let least = footing::least(policy, target, user);
    let held = footing::held(&field, target, policy, standing, least);
    let wish = floor::wish(function, least);
    let counterfactual = counterfactual(policy, &wish);
    let context = Context {
        function,
        fleet,
        standing,
        field: &field,
        wish: &wish,
        held,
        value: wish.to,
        now,
    };
    let guarded = guard(context);
    let verdict = verdict(&context, target, user, &guarded);
    let reason = reason(&verdict, held, &field, &wish, &guarded);
    Decision {
        held: Some(held),
        field,
        wish: Some(wish),
        clamps: guarded.clamps,
        verdict,
        reason,
        counterfactual,
    }
}

/// What is to be done about the value that the guard allows.
///
/// `user`: the user's own floor.
fn verdict(context: &Context<'_>, target: &Target, user: Option<UserFloor>, guarded: &Guarded) -> Verdict {
    let policy = &context.function.policy;
    if let Some(step) = adoption(policy, target, context.field) {
        return Verdict::Apply(vec![step]);
    }
    let from = match policy.mode {
        Mode::Shadow => context.held,
        Mode::Enforce => target.floor,
    };
    let aside = guarded.last == Some(stand_aside::RULE.name);
    match guarded.last {
        _ if !aside && guarded.value != from => Verdict::Apply(steps(policy, target, user, from, guarded.value)),
        _ if !aside && claimed(policy, target) => Verdict::Apply(vec![drop_claim(target)]),
        last => match (wake(context, target).filter(|_| !aside), last) {
            (Some(wake), _) => Verdict::Apply(vec![wake]),
            (None, Some(rule)) => Verdict::Hold(rule.into()),
            (None, None) => Verdict::Steady,
        },
    }
}

/// The steps that move the floor: at a scaler's field the user's own value is recorded with the first write, and
/// our claim is dropped after each.
fn steps(policy: &Policy, target: &Target, user: Option<UserFloor>, from: Replicas, to: Replicas) -> Vec<Step> {
    let uid = target.uid.clone();
    let Some(Scaler::One(field)) = &target.scaler else {
        return vec![Step::SetFloor {
            uid,
            from,
            to,
            along: None,
        }];
    };
    let along = Some(Along {
        absent: field.absent,
        bare: field.bare,
        record: record(target, field, user),
    });
    let set = Step::SetFloor { uid, from, to, along };
    if field.annotated && policy.mode == Mode::Enforce {
        vec![set, drop_claim(target)]
    } else {
        vec![set]
    }
}

/// How long a scaler may take to act on a floor; Knative's autoscaler takes well under a second.
const HEEDED_AFTER: Seconds = Seconds(5);

/// The step that starts the pods of a floor which is there, where its scaler does not look at it. It moves no floor.
fn wake(context: &Context<'_>, target: &Target) -> Option<Step> {
    let Some(Scaler::One(field)) = &target.scaler else {
        return None;
    };
    let uid = field.unheeded.clone()?;
    let written = context
        .standing
        .written_at
        .filter(|_| context.standing.written == Some(target.floor));
    let ignored = written.is_some_and(|at| context.now.mono.passed(at, HEEDED_AFTER));
    let asked = context.function.policy.mode == Mode::Enforce && target.floor > Replicas::ZERO;
    let to = target.floor;
    (asked && ignored).then_some(Step::Wake { uid, to })
}

/// What is to be recorded: the live value, where it is the user's own and nothing else says so.
fn record(target: &Target, field: &FloorField, user: Option<UserFloor>) -> Option<Recorded> {
    let own = user?.value;
    let known = field.recorded.map(|recorded| field.worth(recorded)) == Some(own);
    (field.annotated && !known && target.floor == own).then(|| field.live(target.floor))
}

/// True where a write of ours left its claim on a field whose owner may deploy any time.
fn claimed(policy: &Policy, target: &Target) -> bool {
    let drops = matches!(&target.scaler, Some(Scaler::One(field)) if field.annotated);
    drops && policy.mode == Mode::Enforce && target.ownership.written_by_us
}

fn drop_claim(target: &Target) -> Step {
    Step::DropClaim {
        uid: target.uid.clone(),
    }
}

/// The step by which the field becomes ours as well, where the user asked for it. It moves nothing, so no guard
/// rule but a pause concerns it.
fn adoption(policy: &Policy, target: &Target, field: &FieldVerdict) -> Option<Step> {
    let asked = policy.mode == Mode::Enforce && policy.on_conflict == OnConflict::Take && !policy.paused;
    let open = matches!(field, FieldVerdict::InManifest { adopted: false, .. });
    (asked && open).then(|| Step::Adopt {
        uid: target.uid.clone(),
        value: target.floor,
    })
}

fn reason(verdict: &Verdict, held: Replicas, field: &FieldVerdict, wish: &FloorWish, guarded: &Guarded) -> Reason {
    match verdict {
        Verdict::Hold(_) => Reason::Held,
        Verdict::Steady => Reason::Steady,
        Verdict::Apply(steps) => match steps.first() {
            Some(Step::SetFloor { from, to, .. }) => moved((*from, *to), held, field, wish, guarded),
            Some(Step::Adopt { .. }) => Reason::Adopting,
            Some(Step::DropClaim { .. }) => Reason::ClaimDropped,
            Some(Step::Wake { .. }) => Reason::Woken,
            Some(Step::GiveBack { .. }) | None => Reason::Steady,
        },
    }
}

/// Why the floor moves `from` here `to` there.
fn moved(
    (from, to): (Replicas, Replicas),
    held: Replicas,
    field: &FieldVerdict,
    wish: &FloorWish,
    guarded: &Guarded,
) -> Reason {
    let lowered = wish.bound_by == BoundBy::Max || guarded.last == Some(ceiling::RULE.name);
    let forecast = wish.forecast >= wish.reactive.known().copied().max(wish.at_least);
    match () {
        () if to < from && lowered => Reason::LoweredMax,
        () if to < from && guarded.last == Some(capacity::RULE.name) => Reason::CapacityLimited,
        () if to < from => Reason::Quiet,
        () if *field == FieldVerdict::Renewed => Reason::Rollout,
        () if held > from => Reason::DeployReset,
        () if to <= wish.user => Reason::UserFloor,
        () if forecast => Reason::ForecastRise,
        () => Reason::ReactiveRise,
    }
}

/// What a reactive scaler with the same slots, utilisation and bounds would hold now.
fn counterfactual(policy: &Policy, wish: &FloorWish) -> Reading<Replicas> {
    let most = policy.floor.max.max(wish.user);
    wish.reactive.clone().map(|need| need.clamp(wish.user, most))
}

#[cfg(test)]
mod tests {
    use super::Inputs;
    use crate::decision::{Reason, Step, Verdict};
    use crate::observation::WriterKind::Deploy;
    use crate::observation::{Reading, Why};
    use crate::policy::Mode;
    use crate::sample::inputs;
    use crate::units::Replicas;

    fn reason(inputs: &Inputs) -> Reason {
        inputs.decide().reason
    }

    #[test]
    fn the_reason_names_what_moved_the_floor() {
        assert_eq!(reason(&inputs()), Reason::Quiet);
        assert_eq!(reason(&inputs().wished(9, 30)), Reason::Held);
        assert_eq!(reason(&inputs().demand(40.0)), Reason::Steady);
        assert_eq!(reason(&inputs().demand(41.0)), Reason::ReactiveRise);
        assert_eq!(reason(&inputs().forecast(41.0)), Reason::ForecastRise);
        assert_eq!(reason(&inputs().forecast(400.0)), Reason::ForecastRise, "up to max");
        assert_eq!(
            reason(&inputs().demand(401.0).forecast(400.0)),
            Reason::ReactiveRise,
            "up to max"
        );
        assert_eq!(reason(&inputs().written_by("helm", Deploy, 2)), Reason::DeployReset);
        let mut lowered = inputs().demand(100.0);
        lowered.function.policy.floor.max = Replicas(6);
        assert_eq!(reason(&lowered), Reason::LoweredMax);
        let mut raised = inputs();
        raised.function.policy.floor.min = Some(Replicas(30));
        assert_eq!(reason(&raised), Reason::UserFloor);
    }

    #[test]
    fn a_step_starts_from_the_live_field_and_in_shadow_from_the_virtual_floor() {
        let step = |inputs: &Inputs| match inputs.decide().verdict {
            Verdict::Apply(steps) => steps.first().cloned(),
            _ => None,
        };
        let set = |from, to| {
            let uid = "6f1c".to_owned();
            Some(Step::SetFloor {
                uid,
                from: Replicas(from),
                to: Replicas(to),
                along: None,
            })
        };
        assert_eq!(
            step(&inputs().written_by("helm", Deploy, 2)),
            set(2, 16),
            "reset, and quiet for long"
        );
        let mut shadow = inputs();
        shadow.function.policy.mode = Mode::Shadow;
        shadow.standing.mode = Mode::Shadow;
        shadow.standing.held = Some(Replicas(40));
        assert_eq!(step(&shadow), set(40, 32));
    }

    #[test]
    fn an_unknown_target_is_held_for_trust_and_nothing_is_planned() {
        let mut inputs = inputs();
        inputs.function.observation.target = Reading::Unknown(Why::TargetStale);
        let decision = inputs.decide();
        assert_eq!(decision.verdict, Verdict::Hold("trust".into()));
        assert_eq!(decision.reason, Reason::TargetUnknown);
        assert_eq!((decision.held, decision.wish), (None, None));
    }

    #[test]
    fn the_counterfactual_stays_within_the_same_bounds() {
        let of = |inputs: Inputs| inputs.decide().counterfactual;
        assert_eq!(of(inputs().demand(0.0).forecast(90.0)), Reading::Known(Replicas(2)));
        assert_eq!(of(inputs().demand(1000.0)), Reading::Known(Replicas(100)));
    }
}
