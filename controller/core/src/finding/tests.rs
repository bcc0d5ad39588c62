//! What the reader of the status is told, state by state.

use super::{Condition, State, findings};
use crate::decide::Inputs;
use crate::forecast::{Distrust, Trust};
use crate::observation::WriterKind::Person;
use crate::observation::{Capacity, FloorField, Reading, Scaler, Why};
use crate::policy::{ForecastMode, Mode, OnConflict};
use crate::sample::inputs;
use crate::standing::Full;
use crate::units::{Replicas, Seconds};

fn found(inputs: &Inputs, condition: Condition) -> (State, &'static str) {
    let found = findings(&inputs.function, &inputs.decide());
    let finding = found.into_iter().find(|finding| finding.condition == condition);
    finding
        .map(|finding| (finding.state, finding.reason))
        .expect("each condition has a finding")
}

fn message(inputs: &Inputs, condition: Condition) -> String {
    let found = findings(&inputs.function, &inputs.decide());
    let finding = found.into_iter().find(|finding| finding.condition == condition);
    finding
        .map(|finding| finding.message.into_owned())
        .expect("each condition has a finding")
}

fn with(change: impl FnOnce(&mut Inputs)) -> Inputs {
    let mut inputs = inputs().forecast(8.0);
    change(&mut inputs);
    inputs
}

fn in_manifest(adopted: bool) -> Inputs {
    with(|inputs| {
        inputs.target().ownership.applied_by = Some("helm".to_owned());
        inputs.target().ownership.adopted = adopted;
    })
}

#[test]
fn a_healthy_function_is_ready_active_trusted_and_without_conflict() {
    let healthy = with(|_| ());
    assert_eq!(found(&healthy, Condition::Ready), (State::True, "Deciding"));
    assert_eq!(found(&healthy, Condition::Active), (State::True, "Enforcing"));
    assert_eq!(found(&healthy, Condition::ForecastTrusted), (State::True, "Trusted"));
    assert_eq!(found(&healthy, Condition::MetricsTrusted), (State::True, "Known"));
    assert_eq!(found(&healthy, Condition::Conflict), (State::False, "NoConflict"));
}

#[test]
fn what_is_missing_for_good_is_not_ready_and_what_is_missing_for_now_unknown() {
    let target = |why| with(|inputs| inputs.function.observation.target = Reading::Unknown(why));
    assert_eq!(
        found(&target(Why::TargetMissing), Condition::Ready),
        (State::False, "TargetMissing")
    );
    assert_eq!(
        found(&target(Why::KindNotListed), Condition::Ready),
        (State::False, "KindNotListed")
    );
    assert_eq!(
        found(&target(Why::NotYetRead), Condition::Ready),
        (State::Unknown, "NotYetRead")
    );
    assert_eq!(
        found(&target(Why::TargetStale), Condition::Conflict),
        (State::Unknown, "TargetUnknown")
    );
    let slots = with(|inputs| inputs.function.policy.per_replica = None);
    assert_eq!(found(&slots, Condition::Ready), (State::False, "PerReplicaUnknown"));
    assert!(message(&slots, Condition::Ready).contains("set demand.perReplica"));
}

#[test]
fn why_the_demand_is_unknown_is_told_without_a_number_that_ticks() {
    let stale = |age| {
        let why = Why::Stale { age: Seconds(age) };
        with(|inputs| inputs.function.observation.demand = Reading::Unknown(why))
    };
    assert_eq!(found(&stale(90), Condition::MetricsTrusted), (State::False, "Stale"));
    assert_eq!(found(&stale(90), Condition::Ready), (State::True, "Deciding"));
    assert_eq!(
        message(&stale(90), Condition::MetricsTrusted),
        message(&stale(105), Condition::MetricsTrusted)
    );
    let first = with(|inputs| inputs.function.observation.demand = Reading::Unknown(Why::NotYetRead));
    assert_eq!(found(&first, Condition::MetricsTrusted), (State::Unknown, "NotYetRead"));
}

#[test]
fn a_manifests_line_names_its_manager_the_value_and_the_order_of_the_fix() {
    let refused = in_manifest(false);
    assert_eq!(found(&refused, Condition::Conflict), (State::True, "InManifest"));
    assert_eq!(found(&refused, Condition::Active), (State::False, "InManifest"));
    let told = message(&refused, Condition::Conflict);
    assert!(
        told.contains("Manager helm owns spec.replicas (20); set onConflict: Take"),
        "{told}"
    );
    let mut asked = refused;
    asked.function.policy.on_conflict = OnConflict::Take;
    assert!(message(&asked, Condition::Conflict).contains("adopted as soon as mode is Enforce"));
    let adopted = in_manifest(true);
    assert_eq!(found(&adopted, Condition::Conflict), (State::True, "Adopted"));
    assert!(message(&adopted, Condition::Conflict).contains("delete line `replicas`"));
}

#[test]
fn a_field_taken_names_who_took_it_and_how_to_go_on() {
    let taken = with(|inputs| *inputs = inputs.clone().written_by("kubectl", Person, 30));
    assert_eq!(found(&taken, Condition::Conflict), (State::True, "FieldTaken"));
    assert_eq!(found(&taken, Condition::Active), (State::False, "FieldTaken"));
    let told = message(&taken, Condition::Conflict);
    assert!(told.contains("spec.replicas is 30, set by kubectl"), "{told}");
    assert!(told.contains("until the policy's spec is edited"), "{told}");
}

#[test]
fn a_scaler_that_keeps_an_idle_target_elsewhere_than_at_its_floor_is_named_with_the_line_to_delete() {
    let idle = |at| {
        let field = FloorField {
            scaler: "ScaledObject/x".to_owned(),
            field: "spec.minReplicaCount".to_owned(),
            annotated: true,
            idle: at,
            ..FloorField::default()
        };
        with(|inputs| inputs.target().scaler = Some(Scaler::One(field)))
    };
    assert_eq!(found(&idle(None), Condition::Active), (State::True, "Enforcing"));
    let kept = idle(Some(Replicas::ZERO));
    assert_eq!(found(&kept, Condition::Active), (State::True, "EnforcingUnlessIdle"));
    let told = message(&kept, Condition::Active);
    assert!(told.contains("spec.minReplicaCount of ScaledObject/x"), "{told}");
    assert!(told.contains("spec.idleReplicaCount is 0"), "{told}");
}

#[test]
fn what_writes_nothing_is_not_active() {
    let shadow = with(|inputs| inputs.function.policy.mode = Mode::Shadow);
    assert_eq!(found(&shadow, Condition::Active), (State::False, "Shadow"));
    let paused = with(|inputs| inputs.function.policy.paused = true);
    assert_eq!(found(&paused, Condition::Active), (State::False, "Paused"));
    let zero = with(|inputs| inputs.target().floor = Replicas::ZERO);
    assert_eq!(found(&zero, Condition::Active), (State::False, "AtZero"));
    let scaler = with(|inputs| inputs.target().scaler = Some(Scaler::Several("HorizontalPodAutoscaler/x".to_owned())));
    assert_eq!(found(&scaler, Condition::Active), (State::False, "Scaler"));
    assert!(message(&scaler, Condition::Conflict).contains("HorizontalPodAutoscaler/x"));
}

#[test]
fn a_forecast_without_history_is_unknown_and_one_that_lost_is_not_trusted() {
    let distrust = |why| with(|inputs| inputs.function.forecast.trust = Trust::Untrusted(why));
    let of = |inputs: &Inputs| found(inputs, Condition::ForecastTrusted);
    assert_eq!(
        of(&distrust(Distrust::TooLittleHistory)),
        (State::Unknown, "TooLittleHistory")
    );
    assert_eq!(of(&distrust(Distrust::Undercovers)), (State::False, "Undercovers"));
    let demoted = with(|inputs| inputs.function.forecast.demoted = Some(Distrust::WorseThanSeasonalNaive));
    assert_eq!(of(&demoted), (State::False, "WorseThanSeasonalNaive"));
    assert!(message(&demoted, Condition::ForecastTrusted).contains("may raise the floor in its place"));
    let off = with(|inputs| inputs.function.policy.forecast = ForecastMode::Off);
    assert_eq!(of(&off), (State::False, "SwitchedOff"));
}

#[test]
fn what_limits_the_capacity_is_told_apart() {
    let capacity = |placed: u32, stuck: u32, quota: Option<u32>| {
        let mut inputs = inputs().demand(80.0).wished(10, 40);
        inputs.function.observation.capacity = Capacity {
            placed: Replicas(placed),
            stuck: Replicas(stuck),
            quota: quota.map(Replicas),
        };
        found(&inputs, Condition::CapacityLimited)
    };
    assert_eq!(capacity(20, 0, None), (State::False, "NotLimited"));
    assert_eq!(capacity(20, 3, None), (State::True, "Unschedulable"));
    assert_eq!(capacity(20, 0, Some(23)), (State::True, "QuotaExhausted"));
    // A rollout: 20 are held, and those that are ending still count in the quota.
    assert_eq!(capacity(15, 0, Some(15)), (State::True, "QuotaExhausted"));
    let mut later = inputs().demand(80.0).wished(10, 40);
    later.standing.full = Some(Full {
        most: Replicas(20),
        at: later.now.mono,
        tries: 1,
    });
    assert_eq!(
        found(&later, Condition::CapacityLimited),
        (State::True, "TriedAgainLater")
    );
}
