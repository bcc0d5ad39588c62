//! Backfill against a source with limits and bad days: in the end everything was read once, and nothing twice.

use crate::fake::{Asked, Fake, Reply, function, key, ok, plain, reader, second, status, success};
use forewarm_core::units::Mono;
use forewarm_source::{Backfill, Found, Membership, Resolution};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Start, end and step of a range query, in seconds.
fn span(asked: &Asked) -> (i64, i64, i64) {
    let number = |name: &str| asked.form[name].parse::<i64>().expect("whole seconds");
    (number("start"), number("end"), number("step"))
}

/// A matrix of one series of `a/f` whose value at each evaluation is its minute's last digit.
fn matrix(asked: &Asked) -> Reply {
    let (start, end, step) = span(asked);
    let point = |second: i64| format!(r#"[{second},"{}"]"#, second / 60 % 10);
    let points: Vec<String> = (0..=(end - start) / step).map(|k| point(start + k * step)).collect();
    let labels = r#"{"namespace":"a","forewarm_owner":"d:f"}"#;
    ok(success(
        "matrix",
        &format!(r#"[{{"metric":{labels},"values":[{}]}}]"#, points.join(",")),
    ))
}

/// Runs to the end; minute to value, and how many quarter hours there were.
async fn everything(fake: &Fake) -> (BTreeMap<i64, f64>, usize) {
    let source = reader(&fake.url(), "").source("default").expect("there is one");
    let members = Arc::new(Membership::new([function("f", &[])]));
    let mut backfill = Backfill::new(plain(), second(0));
    let (mut minutes, mut quarters, mut mono) = (BTreeMap::new(), 0, 0);
    while backfill.progress().left > 0 {
        mono += 1_000_000; // longer than any pause
        let run = backfill.run(&source, &members, Mono(mono), |found| match found {
            Found::Minutes(past) => {
                assert_eq!((&past.key, past.resolution), (&key("f"), Resolution::Minute));
                for (minute, demand) in past.points {
                    assert_eq!(minutes.insert(minute, demand.get()), None, "minute {minute} comes once");
                }
            }
            Found::Quarters(past) => quarters += past.points.len(),
        });
        run.await;
    }
    (minutes, quarters)
}

fn check(minutes: &BTreeMap<i64, f64>, quarters: usize) {
    let last = second(0).wall.minute() - 1;
    let first = (second(0).wall.minute() - 74 * 60) / 15 * 15;
    assert_eq!(
        minutes.keys().copied().collect::<Vec<_>>(),
        (first..=last).collect::<Vec<_>>()
    );
    #[allow(clippy::cast_precision_loss, clippy::float_cmp)]
    let right = minutes.iter().all(|(minute, value)| (minute % 10) as f64 == *value);
    assert!(right, "each value belongs to its own minute");
    assert_eq!(
        quarters,
        usize::try_from((first - (second(0).wall.minute() - 15 * 1440) / 15 * 15) / 15).expect("small")
    );
}

#[tokio::test]
async fn two_weeks_come_in_pieces_by_post() {
    let fake = Fake::start(matrix).await;
    let (minutes, quarters) = everything(&fake).await;
    check(&minutes, quarters);
    for asked in fake.asked() {
        assert_eq!(asked.path, "/api/v1/query_range");
        assert_eq!(
            (
                asked.form["partial_response"].as_str(),
                asked.form["lookback_delta"].as_str()
            ),
            ("false", "60s")
        );
        let (start, end, step) = span(&asked);
        assert!((end - start) / step < 11_000);
    }
}

#[tokio::test]
async fn a_source_that_loads_an_hour_at_most_is_asked_for_an_hour() {
    let too_many = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}"#;
    let fake = Fake::start(move |asked| {
        let (start, end, _) = span(asked);
        if end - start > 3600 {
            status(422, too_many)
        } else {
            matrix(asked)
        }
    })
    .await;
    let (minutes, quarters) = everything(&fake).await;
    check(&minutes, quarters);
}

#[tokio::test]
async fn a_source_that_fails_is_asked_again_after_a_pause_and_nothing_is_lost() {
    let down = Arc::new(AtomicBool::new(true));
    let is_down = down.clone();
    let fake = Fake::start(move |asked| {
        if is_down.load(Ordering::SeqCst) {
            status(502, "")
        } else {
            matrix(asked)
        }
    })
    .await;
    let source = reader(&fake.url(), "").source("default").expect("there is one");
    let members = Arc::new(Membership::new([function("f", &[])]));
    let mut backfill = Backfill::new(plain(), second(0));
    let whole = backfill.progress().left;
    let mut run = async |at: u64| backfill.run(&source, &members, Mono(at * 1000), |_| {}).await;
    let progress = run(100).await;
    assert_eq!(progress.left, whole);
    assert!(progress.failed.is_some_and(|f| f.text.contains("HTTP 502")));
    let asked = fake.asked().len();
    run(114).await;
    assert_eq!(fake.asked().len(), asked, "nothing is asked in the pause");
    down.store(false, Ordering::SeqCst);
    let progress = run(200).await;
    assert_eq!((progress.left, progress.failed), (whole - 2, None));
}
