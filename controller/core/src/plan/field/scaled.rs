//! Plan: who has the floor field of a known scaler, and what follows from it. Pure.
//!
//! The user's own value is recorded outside our memory, so a restart forgets nothing. Our claim is dropped after
//! each write, so whoever is noted as an owner of the field has written since.

use super::{VISIBLE_AFTER, deploy_tool, found, ours, reset, too_early, writer};
use crate::decision::FieldVerdict;
use crate::observation::{FloorField, Halted, Target};
use crate::policy::{Mode, Policy};
use crate::standing::{AsideWhy, Standing};
use crate::units::Now;

/// Who has `field`, whose value is `target.floor`.
pub(super) fn field(
    target: &Target,
    field: &FloorField,
    policy: &Policy,
    standing: &Standing,
    now: Now,
) -> FieldVerdict {
    match field.halted {
        Some(Halted::AtZero) => return FieldVerdict::AtZero,
        Some(Halted::Paused) => {
            let by = field.scaler.clone();
            return FieldVerdict::ScalerPaused { by };
        }
        None => {}
    }
    let shadow = policy.mode == Mode::Shadow || standing.mode == Mode::Shadow;
    let asked = field.annotated && field.recorded.is_none();
    if let Some(aside) = &standing.aside
        && aside.generation == policy.generation
        && policy.mode == Mode::Enforce
        && !asked
    {
        let (by, why) = (aside.by.clone(), aside.why);
        return FieldVerdict::Aside { by, why };
    }
    match field.recorded {
        // Nothing is on record, so nothing there is ours: the object is new, or the record was taken off it.
        None if settling(target, standing, now) => FieldVerdict::Lagging,
        None => first(target, standing),
        Some(_) if ours(target, standing) => FieldVerdict::Free,
        // In Shadow nothing is ours but what is still to be given back.
        Some(_) if (shadow || policy.paused) && !field.annotated => found(target, standing),
        Some(_) if shadow || policy.paused || standing.aside.is_some() => answered(target, field),
        Some(_) => foreign(target, field, standing, now),
    }
}

/// True for a read that shows our last write half, or not at all.
fn settling(target: &Target, standing: &Standing, now: Now) -> bool {
    let recent = standing
        .written_at
        .is_some_and(|at| !now.mono.passed(at, VISIBLE_AFTER));
    let half = standing.replaced.is_some() && standing.written == Some(target.floor);
    too_early(target, standing, now) || (recent && half)
}

/// What follows from a value beside which nothing is recorded: it is the user's own.
fn first(target: &Target, standing: &Standing) -> FieldVerdict {
    let user = target.floor;
    if standing.user.is_some_and(|known| known.value == user) {
        return FieldVerdict::Free;
    }
    FieldVerdict::TakeOver { user }
}

/// What follows from a value that somebody set and the user stands by: it is theirs, unless it is the recorded one.
fn answered(target: &Target, field: &FloorField) -> FieldVerdict {
    let ownership = &target.ownership;
    let nobody = ownership.applied_by.is_none() && ownership.updated_by.is_none();
    if nobody || field.recorded == Some(field.live(target.floor)) {
        return FieldVerdict::Free;
    }
    let user = target.floor;
    match deployer(target) {
        Some(by) => FieldVerdict::NewUserFloor { user, by },
        None => FieldVerdict::TakeOver { user },
    }
}

/// What follows from a value that replaced ours in Enforce.
fn foreign(target: &Target, field: &FloorField, standing: &Standing, now: Now) -> FieldVerdict {
    let own = field.recorded.map(|recorded| field.worth(recorded));
    let back = own == Some(target.floor);
    let named = target.ownership.updated_by.is_some();
    match deployer(target) {
        _ if back && !field.annotated && !named => FieldVerdict::Renewed,
        Some(by) if back => reset(by, standing, now),
        Some(by) => FieldVerdict::NewUserFloor { user: target.floor, by },
        None if named => taken(target, standing, now),
        // Nobody has the field. Gone, it was taken out of a client-side manifest; else it is as we left it.
        None if field.absent && back => reset(writer(target), standing, now),
        None if field.absent => {
            let (user, by) = (target.floor, writer(target));
            FieldVerdict::NewUserFloor { user, by }
        }
        None => FieldVerdict::Free,
    }
}

fn taken(target: &Target, standing: &Standing, now: Now) -> FieldVerdict {
    if too_early(target, standing, now) {
        return FieldVerdict::Lagging;
    }
    FieldVerdict::Aside {
        by: writer(target),
        why: AsideWhy::FieldTaken,
    }
}

/// The manager that has the line in a server-side manifest, or the deploy tool that wrote it from the client's side.
fn deployer(target: &Target) -> Option<String> {
    target.ownership.applied_by.clone().or_else(|| deploy_tool(target))
}

#[cfg(test)]
mod tests {
    use super::super::field;
    use crate::decide::Inputs;
    use crate::decision::{Along, FieldVerdict, Step, Verdict};
    use crate::observation::WriterKind::{Deploy, Person};
    use crate::observation::{FloorField, Halted, Ownership, Recorded, Scaler};
    use crate::policy::Mode;
    use crate::sample::inputs;
    use crate::standing::{Aside, AsideWhy, Standing};
    use crate::units::{Mono, Replicas};

    /// The sample with an autoscaler that has the target: 20 held, 2 recorded as the user's own, our claim dropped.
    fn scaled() -> Inputs {
        let mut inputs = inputs();
        inputs.target().ownership = Ownership::default();
        inputs.target().scaler = Some(Scaler::One(FloorField {
            scaler: "HorizontalPodAutoscaler/x".to_owned(),
            field: "spec.minReplicas".to_owned(),
            recorded: Some(Recorded::Value(Replicas(2))),
            default: Replicas::ONE,
            annotated: true,
            ..FloorField::default()
        }));
        inputs
    }

    fn with(mut inputs: Inputs, change: impl FnOnce(&mut FloorField)) -> Inputs {
        if let Some(Scaler::One(field)) = &mut inputs.target().scaler {
            change(field);
        }
        inputs
    }

    fn seen(mut inputs: Inputs) -> FieldVerdict {
        let target = inputs.target().clone();
        field(&target, &inputs.function.policy, &inputs.standing, inputs.now)
    }

    fn applied(by: &str, floor: u32) -> Inputs {
        let mut inputs = scaled().written_by(by, Deploy, floor);
        inputs.target().ownership = Ownership {
            applied_by: Some(by.to_owned()),
            ..Ownership::default()
        };
        inputs
    }

    fn new_floor(floor: u32, by: &str) -> FieldVerdict {
        FieldVerdict::NewUserFloor {
            user: Replicas(floor),
            by: by.to_owned(),
        }
    }

    fn taken(by: &str) -> FieldVerdict {
        FieldVerdict::Aside {
            by: by.to_owned(),
            why: AsideWhy::FieldTaken,
        }
    }

    #[test]
    fn each_row_of_the_ownership_table_has_its_verdict() {
        let helm = || "helm".to_owned();
        assert_eq!(seen(scaled()), FieldVerdict::Free);
        assert_eq!(seen(applied("helm", 2)), FieldVerdict::Reset { by: helm() }, "Helm 4");
        let helm3 = scaled().written_by("helm", Deploy, 2);
        assert_eq!(seen(helm3), FieldVerdict::Reset { by: helm() }, "Helm 3");
        assert_eq!(seen(applied("helm", 5)), new_floor(5, "helm"));
        assert_eq!(
            seen(scaled().written_by("helm", Deploy, 1)),
            new_floor(1, "helm"),
            "line deleted"
        );
        assert_eq!(seen(applied("helm", 20)), FieldVerdict::Free, "it says what we hold");
        assert_eq!(
            seen(scaled().written_by("kubectl-edit", Person, 2)),
            taken("kubectl-edit")
        );
        assert_eq!(
            seen(scaled().written_by("kubectl-edit", Person, 30)),
            taken("kubectl-edit")
        );
        let mut gone = with(scaled(), |field| field.absent = true);
        gone.target().floor = Replicas::ZERO;
        assert_eq!(
            seen(gone),
            new_floor(0, "an unnamed writer"),
            "ScaledObject, line deleted"
        );
    }

    #[test]
    fn after_a_restart_without_memory_the_record_tells_whose_the_value_is() {
        let mut restarted = scaled();
        restarted.standing = Standing::default();
        restarted.standing.mode = Mode::Enforce;
        assert_eq!(seen(restarted.clone()), FieldVerdict::Free, "nobody has written since");
        let decision = restarted.decide();
        assert_eq!(decision.wish.map(|wish| wish.user), Some(Replicas(2)));
    }

    #[test]
    fn a_record_that_is_gone_makes_the_live_value_the_users_own() {
        let replaced = |floor| {
            let mut inputs = with(scaled(), |field| field.recorded = None);
            inputs.target().floor = Replicas(floor);
            inputs
        };
        assert_eq!(seen(replaced(7)), FieldVerdict::TakeOver { user: Replicas(7) });
        let mut late = replaced(2);
        late.standing.replaced = Some(Replicas(2));
        late.standing.written_at = Some(Mono(999_000));
        assert_eq!(seen(late.clone()), FieldVerdict::Lagging, "our write, not yet seen");
        late.target().floor = Replicas(20);
        assert_eq!(seen(late), FieldVerdict::Lagging, "our write, seen by half");
        let mut asked = replaced(7);
        asked.standing.aside = Some(Aside {
            why: AsideWhy::FieldTaken,
            generation: 1,
            by: "kubectl".to_owned(),
        });
        assert_eq!(seen(asked), FieldVerdict::TakeOver { user: Replicas(7) });
    }

    #[test]
    fn a_halted_scaler_is_left_alone() {
        let halted = |why| seen(with(scaled(), |field| field.halted = Some(why)));
        assert_eq!(halted(Halted::AtZero), FieldVerdict::AtZero);
        let by = "HorizontalPodAutoscaler/x".to_owned();
        assert_eq!(halted(Halted::Paused), FieldVerdict::ScalerPaused { by });
    }

    #[test]
    fn what_a_rollout_made_is_raised_again_at_once_and_never_counted() {
        let renewed = with(scaled(), |field| {
            field.annotated = false;
            field.recorded = Some(Recorded::Value(Replicas(2)));
        });
        let mut renewed = renewed;
        renewed.target().floor = Replicas(2);
        assert_eq!(seen(renewed.clone()), FieldVerdict::Renewed);
        assert_eq!(renewed.forecast(40.0).value(), 20);
        let by_hand = with(scaled().written_by("kubectl", Person, 2), |field| {
            field.annotated = false;
        });
        assert_eq!(seen(by_hand), taken("kubectl"));
    }

    #[test]
    fn the_first_write_records_what_it_replaces_and_each_is_followed_by_dropping_the_claim() {
        let mut first = with(scaled(), |field| field.recorded = None).forecast(60.0);
        first.target().floor = Replicas(2);
        first.standing = Standing {
            mode: Mode::Enforce,
            ..Standing::default()
        };
        let uid = || "6f1c".to_owned();
        let along = |record| {
            Some(Along {
                absent: false,
                bare: false,
                record,
            })
        };
        let set = |from, to, record| Step::SetFloor {
            uid: uid(),
            from: Replicas(from),
            to: Replicas(to),
            along: along(record),
        };
        let drop = || Step::DropClaim { uid: uid() };
        let value = |n| Some(Recorded::Value(Replicas(n)));
        assert_eq!(
            first.decide().verdict,
            Verdict::Apply(vec![set(2, 6, value(2)), drop()])
        );
        let again = scaled().forecast(80.0);
        assert_eq!(again.decide().verdict, Verdict::Apply(vec![set(20, 40, None), drop()]));
        let deployed = applied("helm", 5).forecast(80.0);
        assert_eq!(
            deployed.decide().verdict,
            Verdict::Apply(vec![set(5, 10, value(5)), drop()])
        );
    }

    #[test]
    fn a_claim_that_was_left_is_dropped_without_a_move() {
        let mut left = scaled().demand(40.0).forecast(40.0);
        left.target().ownership.written_by_us = true;
        let uid = "6f1c".to_owned();
        assert_eq!(left.decide().verdict, Verdict::Apply(vec![Step::DropClaim { uid }]));
    }

    #[test]
    fn the_demand_of_now_is_the_scalers_business_and_zero_is_its_to_make() {
        let busy = scaled().demand(1000.0);
        assert!(busy.value() <= 20, "{}", busy.value());
        let asleep = with(scaled().demand(0.0), |field| {
            field.recorded = Some(Recorded::Absent);
            field.default = Replicas::ZERO;
        });
        let mut asleep = asleep;
        asleep.standing.user = None;
        assert_eq!(asleep.decide().wish.map(|wish| wish.to), Some(Replicas::ZERO));
    }

    #[test]
    fn a_floor_that_its_scaler_does_not_look_at_is_carried_out_in_its_place_but_not_in_shadow_paused_at_none_or_at_once()
     {
        let wake = |to| Step::Wake {
            uid: "d-1".to_owned(),
            to: Replicas(to),
        };
        let unheeded = |inputs| with(inputs, |field| field.unheeded = Some("d-1".to_owned()));
        let still = unheeded(scaled().demand(0.0).forecast(40.0));
        assert_eq!(still.decide().verdict, Verdict::Apply(vec![wake(20)]));
        assert_eq!(still.decide().reason, crate::decision::Reason::Woken);
        let wakes = |inputs: &Inputs| format!("{:?}", inputs.decide().verdict).contains("Wake");
        let mut paused = still.clone();
        paused.function.policy.paused = true;
        let mut shadow = still.clone();
        shadow.function.policy.mode = Mode::Shadow;
        shadow.standing.mode = Mode::Shadow;
        let mut none = with(still.clone(), |field| {
            field.recorded = Some(Recorded::Value(Replicas::ZERO));
            field.default = Replicas::ZERO;
        });
        none.function.forecast.upper = crate::sample::amount(0.0);
        (none.target().floor, none.standing.written, none.standing.held) = (Replicas::ZERO, Some(Replicas::ZERO), None);
        none.standing.user = None;
        let mut fresh = still.clone();
        fresh.standing.written_at = Some(Mono(fresh.now.mono.0.saturating_sub(4999)));
        let raised = unheeded(scaled().forecast(80.0));
        for inputs in [&paused, &shadow, &none, &fresh, &raised] {
            assert!(!wakes(inputs), "{:?}", inputs.decide());
        }
    }
}
