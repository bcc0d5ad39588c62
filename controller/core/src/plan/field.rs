//! Plan: target, policy and standing in, who has the floor field out. Pure.
//!
//! The rules are those of a target without a scaler: its `/scale` carries no annotation of ours, so our value is
//! told from somebody else's by memory and by what the server notes about writers. Those of a scaler's field are
//! in [`scaled`].

mod scaled;

use crate::decision::FieldVerdict;
use crate::observation::{Scaler, Target, WriterKind};
use crate::policy::{Mode, Policy};
use crate::standing::{AsideWhy, Standing};
use crate::units::{Now, Replicas, Seconds};

/// Resets by deploy tools that are answered within [`Standing::RESET_SPAN`]; one more, and we keep off.
const RESETS_ANSWERED: usize = 2;

/// How long a read may lag behind our own write before what it shows counts as somebody else's (W5).
const VISIBLE_AFTER: Seconds = Seconds(30);

/// Who has the floor field of `target`, and what follows from it.
///
/// In Shadow and while paused the field moves freely, since nobody is in our way: what is found there is the
/// user's own floor.
pub fn field(target: &Target, policy: &Policy, standing: &Standing, now: Now) -> FieldVerdict {
    match &target.scaler {
        Some(Scaler::One(field)) => return scaled::field(target, field, policy, standing, now),
        Some(Scaler::Several(by)) => return FieldVerdict::Scaler { by: by.clone() },
        None => {}
    }
    if target.floor == Replicas::ZERO {
        return FieldVerdict::AtZero;
    }
    if let Some(by) = &target.ownership.applied_by {
        return FieldVerdict::InManifest {
            by: by.clone(),
            adopted: target.ownership.adopted,
        };
    }
    if let Some(aside) = &standing.aside {
        let answered = aside.generation != policy.generation || policy.mode == Mode::Shadow;
        return if answered {
            found(target, standing)
        } else {
            FieldVerdict::Aside {
                by: aside.by.clone(),
                why: aside.why,
            }
        };
    }
    let shadow = policy.mode == Mode::Shadow || standing.mode == Mode::Shadow;
    let unclaimed = shadow || policy.paused || standing.written.is_none();
    match (standing.user, ours(target, standing)) {
        (None, _) => FieldVerdict::TakeOver { user: target.floor },
        (Some(_), true) => FieldVerdict::Free,
        (Some(_), false) if unclaimed => found(target, standing),
        (Some(user), false) => foreign(target, standing, user.value, now),
    }
}

/// True when the live value is one of ours: the server says so, or we remember it.
fn ours(target: &Target, standing: &Standing) -> bool {
    target.ownership.written_by_us
        || standing.written == Some(target.floor)
        || standing.unsettled.contains(&target.floor)
}

/// What follows from a value that nobody took from us: we had not claimed the field, or the user has answered.
fn found(target: &Target, standing: &Standing) -> FieldVerdict {
    let user = target.floor;
    match deploy_tool(target) {
        _ if standing.user.is_some_and(|known| known.value == user) => FieldVerdict::Free,
        Some(by) if standing.user.is_some() => FieldVerdict::NewUserFloor { user, by },
        _ => FieldVerdict::TakeOver { user },
    }
}

/// What follows from a value that replaced ours in Enforce.
fn foreign(target: &Target, standing: &Standing, user: Replicas, now: Now) -> FieldVerdict {
    match deploy_tool(target) {
        Some(by) if target.floor == user => reset(by, standing, now),
        Some(by) => FieldVerdict::NewUserFloor { user: target.floor, by },
        None if unsaved(target, standing) => FieldVerdict::Free,
        None if scaler_gone(target) => FieldVerdict::TakeOver { user: target.floor },
        None if too_early(target, standing, now) => FieldVerdict::Lagging,
        None => FieldVerdict::Aside {
            by: writer(target),
            why: AsideWhy::FieldTaken,
        },
    }
}

/// A deploy tool set the value back to the user's own; the third time in ten minutes we keep off.
fn reset(by: String, standing: &Standing, now: Now) -> FieldVerdict {
    let recent = standing
        .resets
        .iter()
        .filter(|at| !now.mono.passed(**at, Standing::RESET_SPAN));
    if recent.count() >= RESETS_ANSWERED {
        return FieldVerdict::Aside {
            by,
            why: AsideWhy::ResetTooOften,
        };
    }
    FieldVerdict::Reset { by }
}

/// True for a value that the process before this one may have written without telling the status: it died in
/// between, and the server keeps no entry for a field that nobody named before us.
fn unsaved(target: &Target, standing: &Standing) -> bool {
    standing.written_at.is_none() && target.ownership.updated_by.is_none()
}

/// True for a value that a scaler set which the target no longer has: nobody's any more.
fn scaler_gone(target: &Target) -> bool {
    let by = target.ownership.updated_by.as_ref().map(|writer| writer.name.as_str());
    matches!(by, Some("kube-controller-manager" | "keda"))
}

/// True for a read that may be older than our last write. Keeping off lasts until somebody touches the policy, so
/// it must not come from a slow watch.
fn too_early(target: &Target, standing: &Standing, now: Now) -> bool {
    let recent = standing
        .written_at
        .is_some_and(|at| !now.mono.passed(at, VISIBLE_AFTER));
    recent && standing.replaced == Some(target.floor)
}

/// The deploy tool that has the field by update, if one has.
fn deploy_tool(target: &Target) -> Option<String> {
    let writer = target.ownership.updated_by.as_ref()?;
    (writer.kind == WriterKind::Deploy).then(|| writer.name.clone())
}

/// The writer's name; the server keeps none for a field that nobody named before it was scaled.
fn writer(target: &Target) -> String {
    let named = target.ownership.updated_by.as_ref().map(|writer| writer.name.clone());
    named.unwrap_or_else(|| "an unnamed writer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::field;
    use crate::decide::Inputs;
    use crate::decision::FieldVerdict;
    use crate::observation::WriterKind::{Deploy, Person};
    use crate::observation::{Ownership, Scaler, WriterKind};
    use crate::policy::Mode;
    use crate::sample::inputs;
    use crate::standing::{Aside, AsideWhy};
    use crate::units::{Mono, Replicas};

    fn seen(inputs: &mut Inputs) -> FieldVerdict {
        let target = inputs.target().clone();
        field(&target, &inputs.function.policy, &inputs.standing, inputs.now)
    }

    fn by(name: &str, kind: WriterKind, floor: u32) -> FieldVerdict {
        seen(&mut inputs().written_by(name, kind, floor))
    }

    /// The server keeps no entry for the field, and it shows `floor`.
    fn unnamed(floor: u32) -> Inputs {
        let mut inputs = inputs();
        inputs.target().floor = Replicas(floor);
        inputs.target().ownership = Ownership::default();
        inputs
    }

    fn taken(by: &str) -> FieldVerdict {
        FieldVerdict::Aside {
            by: by.to_owned(),
            why: AsideWhy::FieldTaken,
        }
    }

    #[test]
    fn the_writer_and_the_value_say_whose_the_field_is() {
        let helm = || "helm".to_owned();
        assert_eq!(seen(&mut inputs()), FieldVerdict::Free);
        assert_eq!(by("helm", Deploy, 2), FieldVerdict::Reset { by: helm() });
        assert_eq!(
            by("helm", Deploy, 5),
            FieldVerdict::NewUserFloor {
                user: Replicas(5),
                by: helm()
            }
        );
        assert_eq!(
            by("helm", Deploy, 20),
            FieldVerdict::Free,
            "it wrote what we had written"
        );
        assert_eq!(
            by("kubectl", Person, 2),
            taken("kubectl"),
            "a person who goes back is a person"
        );
        assert_eq!(by("kubectl", Person, 30), taken("kubectl"));
        let user = Replicas(7);
        assert_eq!(
            by("kube-controller-manager", Person, 7),
            FieldVerdict::TakeOver { user },
            "a scaler that went"
        );
        assert_eq!(seen(&mut unnamed(30)), taken("an unnamed writer"));
        assert_eq!(by("kubectl", Person, 0), FieldVerdict::AtZero);
    }

    #[test]
    fn an_unnamed_value_may_be_one_of_ours() {
        assert_eq!(seen(&mut unnamed(20)), FieldVerdict::Free);
        let mut timed_out = unnamed(30);
        timed_out.standing.unsettled = vec![Replicas(30)];
        assert_eq!(seen(&mut timed_out), FieldVerdict::Free);
        let mut restored = unnamed(30);
        restored.standing.written_at = None;
        assert_eq!(seen(&mut restored), FieldVerdict::Free);
        let mut late = unnamed(10);
        late.standing.replaced = Some(Replicas(10));
        assert_eq!(seen(&mut late), taken("an unnamed writer"), "500 s after our write");
        late.standing.written_at = Some(Mono(970_001));
        assert_eq!(seen(&mut late), FieldVerdict::Lagging);
    }

    #[test]
    fn a_person_is_seen_after_a_restart_too() {
        let mut restored = inputs().written_by("kubectl", Person, 30);
        restored.standing.written_at = None;
        restored.standing.since = None;
        assert_eq!(seen(&mut restored), taken("kubectl"));
    }

    #[test]
    fn keeping_off_lasts_until_the_spec_is_edited() {
        let mut inputs = inputs().written_by("kubectl", Person, 30);
        inputs.standing.aside = Some(Aside {
            why: AsideWhy::FieldTaken,
            generation: 1,
            by: "kubectl".to_owned(),
        });
        assert_eq!(seen(&mut inputs), taken("kubectl"));
        inputs.target().floor = Replicas(20);
        assert_eq!(seen(&mut inputs), taken("kubectl"), "also when the value is ours again");
        inputs.target().floor = Replicas(30);
        inputs.function.policy.generation = 2;
        assert_eq!(seen(&mut inputs), FieldVerdict::TakeOver { user: Replicas(30) });
        inputs.target().floor = Replicas(2);
        assert_eq!(
            seen(&mut inputs),
            FieldVerdict::Free,
            "the user's own value needs no new record"
        );
    }

    #[test]
    fn in_shadow_and_while_paused_nobody_is_in_our_way() {
        for (mode, paused) in [(Mode::Shadow, false), (Mode::Enforce, true)] {
            let mut inputs = inputs().written_by("kubectl", Person, 30);
            inputs.function.policy.mode = mode;
            inputs.function.policy.paused = paused;
            assert_eq!(seen(&mut inputs), FieldVerdict::TakeOver { user: Replicas(30) });
        }
    }

    #[test]
    fn a_scaler_comes_before_everything_and_a_manifest_before_a_person() {
        let mut inputs = inputs().written_by("kubectl", Person, 30);
        inputs.target().ownership.applied_by = Some("helm".to_owned());
        assert_eq!(
            seen(&mut inputs),
            FieldVerdict::InManifest {
                by: "helm".to_owned(),
                adopted: false
            }
        );
        inputs.target().floor = Replicas::ZERO;
        assert_eq!(seen(&mut inputs), FieldVerdict::AtZero);
        inputs.target().scaler = Some(Scaler::Several("HorizontalPodAutoscaler/x".to_owned()));
        assert_eq!(
            seen(&mut inputs),
            FieldVerdict::Scaler {
                by: "HorizontalPodAutoscaler/x".to_owned()
            }
        );
    }
}
