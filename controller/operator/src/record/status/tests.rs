//! The writer against a stand-in API server: exact requests, and none where nothing changed.

use super::*;
use crate::api_server::{Kept, Reply, Seen, api_server};
use crate::record::sample::{Sample, hold, rise, steady};
use forewarm_api::{FunctionPolicyStatus, PolicyProblem};
use forewarm_core::decision::FieldVerdict;
use forewarm_core::forecast::Distrust;
use forewarm_core::observation::{Reading, Why};
use forewarm_core::outcome::{Outcome, RefusedKind};
use forewarm_core::policy::Mode;
use forewarm_core::standing::{UserFloor, UserFloorFrom};
use forewarm_core::units::{Percent, Replicas, Slots};

const PATH: &str = "PATCH /apis/forewarm.dev/v1alpha1/namespaces/payments/functionpolicies/fraud-scorer/status?&fieldManager=forewarm-status&fieldValidation=Strict";

/// A writer whose server answers every request with `code`; 0 never answers.
fn writer(code: u16) -> (StatusWriter, Kept<Seen>) {
    let hour = Duration::from_hours(1);
    let (writer, inbox, _) = leading(code, hour);
    (writer, inbox)
}

/// The same while its term lasts so long.
fn leading(code: u16, left: Duration) -> (StatusWriter, Kept<Seen>, watch::Sender<Term>) {
    let (client, inbox) = api_server(move |request| match code {
        0 => Reply::Silence,
        200 => Reply::Json(200, patched(request)),
        code => Reply::status(code, "Test", "no"),
    });
    let (held, term) = watch::channel(lasting(left));
    (StatusWriter::new(client, term), inbox, held)
}

fn lasting(left: Duration) -> Term {
    let valid_until = Some(Instant::now() + left);
    Term { epoch: 1, valid_until }
}

/// The policy with the status sent.
fn patched(request: &Seen) -> Value {
    json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
        "metadata": {"name": "fraud-scorer", "namespace": "payments"},
        "spec": {"targetRef": {"name": "fraud-scorer"}, "floor": {"max": 40}},
        "status": request.json()["status"],
    })
}

/// What the log tells when it tells of this function.
fn news(sample: &Sample) -> Lines {
    Lines {
        changed: [sample.key.clone()].into(),
        ..Lines::default()
    }
}

/// What the log tells when only the verdict differs.
fn differs(sample: &Sample) -> Lines {
    Lines {
        differs: [sample.key.clone()].into(),
        ..Lines::default()
    }
}

async fn run(writer: &mut StatusWriter, sample: &Sample, lines: &Lines) -> Written {
    writer
        .run(&[sample.told()], &[], lines, (sample.now.wall, sample.now.mono))
        .await
}

/// The status as it would be stored after everything was written.
fn stored(sample: &Sample) -> FunctionPolicyStatus {
    let told = sample.told();
    let status = content::status(&told, &FunctionPolicyStatus::default(), content::last_decision(&told));
    // Through JSON and back, as from the API server.
    serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap()
}

fn remembering(mut sample: Sample) -> Sample {
    sample.standing.user = Some(UserFloor {
        value: Replicas(2),
        from: UserFloorFrom::TakeOver,
    });
    sample.mode(Mode::Enforce)
}

#[tokio::test]
async fn a_first_status_is_one_patch_over_the_version_seen() {
    let (mut writer, inbox) = writer(200);
    let mut sample = Sample::new(rise(2, 12)).outcome(Outcome::Shadow);
    sample.learned.lead_time_seconds = Some(Seconds(38));
    sample.learned.per_replica_suggestion = Slots::new(17.0);
    sample.learned.history_minutes = Some(10_080);
    sample.learned.unmapped_percent = Percent::new(3);
    sample.learned.trusted_since = Some(Wall(1_795_500_000_123));
    let written = run(&mut writer, &sample, &news(&sample)).await;
    assert_eq!(
        written,
        Written {
            written: 1,
            ..Written::default()
        }
    );
    let request = inbox.take().remove(0);
    let mut body = request.json();
    assert_eq!(request.line(), PATH);
    assert_eq!(request.header("content-type"), "application/merge-patch+json");
    let conditions = body["status"].as_object_mut().unwrap().remove("conditions").unwrap();
    let expected = json!({"metadata": {"resourceVersion": "17"}, "status": {
        "observedGeneration": 3,
        "mode": "Shadow",
        "scaler": {"kind": "Deployment", "name": "fraud-scorer", "field": "spec.replicas"},
        "floor": {"held": 12, "wanted": 12},
        "forecast": {"model": "trailing-peak", "demand": "212", "leadTimeSeconds": 30, "coveragePercent": 96,
                     "trustedSince": "2026-11-24T06:00:00Z"},
        "learned": {"leadTimeSeconds": 38, "perReplicaSuggestion": "17"},
        "history": {"minutes": 10080, "unmappedPercent": 3},
        "lastDecision": {"id": "01JDFZ3Q6E8H0V5W2X4Y6Z8A0B", "time": "2026-11-24T14:03:15Z", "outcome": "Shadow",
                         "reason": "ForecastRise"}}});
    assert_eq!(body, expected);
    let short =
        |at: usize| ["type", "status", "reason"].map(|member| conditions[at][member].as_str().unwrap().to_owned());
    assert_eq!(short(0), ["Ready", "True", "Deciding"]);
    assert_eq!(short(1), ["Active", "False", "Shadow"]);
    assert_eq!(conditions[0]["observedGeneration"], 3);
    assert_eq!(conditions[0]["lastTransitionTime"], "2026-11-24T14:03:15Z");
    assert_eq!(conditions.as_array().unwrap().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn w2_no_status_is_sent_that_may_end_after_the_term() {
    let (mut writer, inbox, held) = leading(200, TOGETHER.checked_sub(Duration::from_millis(1)).unwrap());
    let sample = remembering(Sample::new(rise(2, 12)));
    assert_eq!(
        writer.before(&[sample.told()]).await,
        [sample.key.clone()].into(),
        "barred"
    );
    let done = sample.outcome(Outcome::Applied);
    assert_eq!(run(&mut writer, &done, &news(&done)).await.written, 0);
    assert!(inbox.take().is_empty());
    held.send(lasting(TOGETHER)).unwrap();
    assert_eq!(
        run(&mut writer, &done, &Lines::default()).await.written,
        1,
        "owed, not waited for"
    );
}

#[tokio::test]
async fn an_unchanged_status_sends_nothing() {
    let (mut writer, inbox) = writer(200);
    let sample = Sample::new(steady(12));
    let sample = sample.clone().status(stored(&sample));
    for lines in [
        news(&sample),
        differs(&sample),
        Lines {
            beats: news(&sample).changed,
            ..Lines::default()
        },
    ] {
        assert_eq!(run(&mut writer, &sample, &lines).await, Written::default());
    }
    assert!(inbox.take().is_empty());
}

#[tokio::test]
async fn figures_that_wobble_wait_for_the_hour_or_for_news() {
    let (mut writer, inbox) = writer(200);
    let before = Sample::new(hold("stabilize", 12, 7));
    let mut now = Sample::new(hold("stabilize", 12, 9)).status(stored(&before));
    now.function.forecast.upper = forewarm_core::units::Demand::new(215.0).unwrap();
    run(&mut writer, &now, &Lines::default()).await;
    run(&mut writer, &now, &differs(&now)).await;
    assert!(inbox.take().is_empty());
    let beats = Lines {
        beats: news(&now).changed,
        ..Lines::default()
    };
    run(&mut writer, &now, &beats).await;
    let body = inbox.take().remove(0).json();
    assert_eq!(
        body["status"],
        json!({"floor": {"wanted": 9}, "forecast": {"demand": "215"}})
    );
}

#[tokio::test]
async fn trust_lost_is_written_at_once_and_only_the_flipped_condition_gets_a_new_time() {
    let (mut writer, inbox) = writer(200);
    let before = Sample::new(hold("trust", 12, 2));
    let now = Sample::new(hold("trust", 12, 2))
        .status(stored(&before))
        .demand_reading(Reading::Unknown(Why::SourceDown))
        .at(60_000);
    run(&mut writer, &now, &differs(&now)).await;
    let body = inbox.take().remove(0).json();
    let conditions = body["status"]["conditions"].as_array().unwrap();
    let times: Vec<&str> = conditions
        .iter()
        .map(|c| c["lastTransitionTime"].as_str().unwrap())
        .collect();
    let (old, new) = ("2026-11-24T14:03:15Z", "2026-11-24T14:04:15Z");
    assert_eq!(times, [old, old, old, new, old, old, old, old]);
    assert_eq!(conditions[3]["reason"], "SourceDown");
    assert_eq!(body["status"].as_object().unwrap().len(), 1, "{body}");
}

#[tokio::test]
async fn until_the_watch_shows_our_write_nothing_more_is_sent() {
    let (mut writer, inbox) = writer(200);
    let sample = Sample::new(steady(12));
    run(&mut writer, &sample, &news(&sample)).await;
    assert_eq!(inbox.take().len(), 1);
    let later = sample.clone().at(15_000).distrust(Distrust::ModelFailed);
    run(&mut writer, &later, &news(&later)).await;
    assert!(inbox.take().is_empty(), "the watch still shows version 17");
    let mut shown = later.clone().status(stored(&sample)).at(30_000);
    shown.version = "18";
    run(&mut writer, &shown, &Lines::default()).await;
    assert_eq!(
        inbox.take()[0].json()["metadata"]["resourceVersion"],
        "18",
        "what was owed is written then"
    );
    let late = sample.at(45_000);
    run(&mut writer, &late, &news(&late)).await;
    assert_eq!(
        inbox.take().len(),
        1,
        "after 30 s without a sign the write counts as lost"
    );
}

#[tokio::test]
async fn a_conflict_is_made_anew_from_the_next_look_and_not_before() {
    let (mut writer, inbox) = writer(409);
    let sample = Sample::new(rise(2, 12)).outcome(Outcome::Shadow);
    let written = run(&mut writer, &sample, &news(&sample)).await;
    assert_eq!(
        written,
        Written {
            outdated: 1,
            ..Written::default()
        }
    );
    assert_eq!(inbox.take().len(), 1, "no retry");
    let mut next = Sample::new(steady(12)).at(15_000);
    next.version = "19";
    run(&mut writer, &next, &Lines::default()).await;
    let body = inbox.take().remove(0).json();
    assert_eq!(body["metadata"]["resourceVersion"], "19");
    assert_eq!(
        body["status"]["lastDecision"]["reason"], "ForecastRise",
        "the decision is still named"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_costs_the_tick_three_seconds_and_leaves_the_status_owed() {
    let (mut writer, inbox) = writer(0);
    let sample = Sample::new(steady(12));
    let begun = tokio::time::Instant::now();
    let written = run(&mut writer, &sample, &news(&sample)).await;
    assert_eq!(
        written,
        Written {
            unanswered: 1,
            ..Written::default()
        }
    );
    assert_eq!(begun.elapsed(), DEADLINE);
    assert_eq!(inbox.take().len(), 1);
    let later = sample.at(30_000);
    run(&mut writer, &later, &Lines::default()).await;
    assert_eq!(inbox.take().len(), 1);
}

#[tokio::test]
async fn one_tick_writes_two_hundred_at_most_and_the_next_one_goes_on() {
    let (mut writer, inbox) = writer(200);
    let samples: Vec<Sample> = (0..250).map(|n| Sample::new(steady(2)).named(n)).collect();
    let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
    let lines = Lines {
        changed: samples.iter().map(|s| s.key.clone()).collect(),
        ..Lines::default()
    };
    let now = (told[0].now.wall, told[0].now.mono);
    let written = writer.run(&told, &[], &lines, now).await;
    assert_eq!((written.written, written.waiting), (200, 50));
    let written = writer.run(&told, &[], &Lines::default(), now).await;
    assert_eq!((written.written, written.waiting), (50, 0));
    assert_eq!(inbox.take().len(), 250);
}

#[tokio::test]
async fn what_makes_a_write_reversible_is_stored_before_it() {
    let (mut writer, inbox) = writer(200);
    let sample = remembering(Sample::new(rise(2, 12)));
    assert!(writer.must_precede(&sample.told()));
    assert!(writer.before(&[sample.told()]).await.is_empty());
    let request = inbox.take().remove(0);
    let body = request.json();
    assert_eq!(request.line(), PATH);
    let expected = json!({"metadata": {"resourceVersion": "17"}, "status": {
        "mode": "Enforce", "floor": {"user": 2, "userFrom": "TakeOver", "held": 2}}});
    assert_eq!(body, expected);
    assert!(
        !writer.must_precede(&sample.told()),
        "written, though the watch does not show it yet"
    );
    let restored = forewarm_api::status::restore(Some(&serde_json::from_value(body["status"].clone()).unwrap()));
    assert_eq!(
        (restored.user, restored.held),
        (sample.standing.user, Some(Replicas(2)))
    );
    let known = remembering(Sample::new(rise(4, 12))).status(serde_json::from_value(body["status"].clone()).unwrap());
    assert!(
        !self::writer(200).0.must_precede(&known.told()),
        "a later write needs no other"
    );
}

#[tokio::test]
async fn a_status_written_after_a_tick_serves_the_next_tick_too() {
    let (mut writer, inbox) = writer(200);
    let quiet = remembering(Sample::new(steady(2)));
    run(&mut writer, &quiet, &news(&quiet)).await;
    assert_eq!(inbox.take().len(), 1);
    // The watch does not show it yet.
    let rise = remembering(Sample::new(rise(2, 12))).at(1_000);
    assert!(!writer.must_precede(&rise.told()));
}

#[tokio::test]
async fn what_a_status_still_lacks_is_not_forgotten_over_what_must_precede() {
    let (mut writer, _) = writer(409);
    let shadow = Sample::new(rise(2, 12)).outcome(Outcome::Shadow);
    run(&mut writer, &shadow, &news(&shadow)).await;
    writer.client = self::writer(200).0.client;
    assert!(
        writer
            .before(&[remembering(Sample::new(rise(2, 9))).told()])
            .await
            .is_empty()
    );
    assert!(writer.owed.contains_key(&shadow.key));
}

#[tokio::test]
async fn a_new_floor_of_the_users_is_stored_before_it_is_written_over() {
    let (mut writer, inbox) = writer(200);
    let first = remembering(Sample::new(steady(2)));
    let mut sample = remembering(Sample::new(rise(5, 12))).status(stored(&first));
    sample.decision.field = FieldVerdict::NewUserFloor {
        user: Replicas(5),
        by: "helm".into(),
    };
    assert!(writer.before(&[sample.told()]).await.is_empty());
    let floor = inbox.take()[0].json()["status"]["floor"].clone();
    assert_eq!(floor, json!({"user": 5, "userFrom": "Deploy", "held": 5}));
}

#[tokio::test]
async fn without_its_status_a_function_is_not_acted_upon() {
    for code in [403, 409, 500] {
        let (mut writer, _) = writer(code);
        let sample = remembering(Sample::new(rise(2, 12)));
        assert_eq!(
            writer.before(&[sample.told()]).await,
            BTreeSet::from([sample.key.clone()]),
            "{code}"
        );
        assert!(writer.must_precede(&sample.told()));
    }
}

#[tokio::test]
async fn shadow_and_quiet_functions_need_no_status_before() {
    let (mut writer, inbox) = writer(200);
    let shadow = Sample::new(rise(2, 12));
    let quiet = remembering(Sample::new(steady(2)));
    assert!(writer.before(&[shadow.told(), quiet.told()]).await.is_empty());
    assert!(inbox.take().is_empty());
}

#[tokio::test]
async fn a_policy_that_cannot_be_used_says_why_and_keeps_what_is_remembered() {
    let (mut writer, inbox) = writer(200);
    let sample = remembering(Sample::new(steady(12)));
    let status = stored(&sample);
    let problems = [PolicyProblem::new("spec.floor.min", "50", "lower it to spec.floor.max")];
    let policy = PolicyObject {
        uid: "u",
        resource_version: "20",
        generation: 4,
        status: Some(&status),
    };
    let bad = Unusable {
        key: &sample.key,
        policy,
        problems: &problems,
    };
    writer
        .run(&[], &[bad], &Lines::default(), (sample.now.wall, sample.now.mono))
        .await;
    let body = inbox.take().remove(0).json();
    assert_eq!(body["status"]["observedGeneration"], 4);
    let ready = &body["status"]["conditions"][0];
    assert_eq!(
        (&ready["status"], &ready["reason"]),
        (&"False".into(), &"PolicyInvalid".into())
    );
    assert_eq!(ready["message"], "spec.floor.min is 50: lower it to spec.floor.max");
    assert_eq!(body["status"].get("floor"), None, "untouched");
    let after: FunctionPolicyStatus = content::unusable(&bad, &status, sample.now.wall);
    let again = Unusable {
        policy: PolicyObject {
            status: Some(&after),
            resource_version: "21",
            ..policy
        },
        ..bad
    };
    writer
        .run(&[], &[again], &Lines::default(), (sample.now.wall, sample.now.mono))
        .await;
    assert!(inbox.take().is_empty());
}

#[test]
fn bound_by_names_the_rule_that_spoke_last_while_something_is_wanted() {
    let of = |sample: Sample| stored(&sample).floor.unwrap().bound_by;
    assert_eq!(of(Sample::new(hold("brake", 12, 2))).as_deref(), Some("brake"));
    assert_eq!(of(Sample::new(steady(12))), None);
    let mut slewed = Sample::new(rise(2, 6));
    slewed.decision.wish.as_mut().unwrap().to = Replicas(12);
    slewed.decision.clamps = hold("slew", 2, 12).clamps;
    assert_eq!(of(slewed.outcome(Outcome::Shadow)).as_deref(), Some("slew"));
}

#[test]
fn a_refusal_is_named_in_the_last_decision() {
    let refused = Outcome::Refused {
        kind: RefusedKind::PermissionDenied,
        message: "no".into(),
    };
    let status = stored(&Sample::new(rise(2, 12)).outcome(refused));
    assert_eq!(status.last_decision.unwrap().outcome, "PermissionDenied");
}

#[test]
fn nothing_in_a_status_is_longer_than_its_schema_takes() {
    let mut sample = Sample::new(steady(12));
    sample.decision.field = FieldVerdict::Aside {
        by: "x".repeat(5000),
        why: forewarm_core::standing::AsideWhy::FieldTaken,
    };
    let longest = stored(&sample)
        .conditions
        .iter()
        .map(|c| c.message.chars().count())
        .max();
    assert_eq!(longest, Some(forewarm_api::condition::MESSAGE_MAX));
}
