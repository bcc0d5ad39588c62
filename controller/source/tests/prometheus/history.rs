//! Two weeks of history with three generations of pods, loaded as blocks, read back minute by minute.

use crate::server::{Prometheus, load};
use crate::world::{clock, key, members, now, profile, reader};
use forewarm_core::policy::FunctionKey;
use forewarm_source::{Backfill, Found};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const DAY: i64 = 24 * 3600;

/// One pod's gauge every 15 s from `from` up to, not with, `to`: `even` and `odd` by turns.
fn pod(text: &mut String, name: &str, from: i64, to: i64, (even, odd): (u32, u32)) {
    for second in (from..to).step_by(15) {
        let value = if second.div_euclid(15) % 2 == 0 { even } else { odd };
        writeln!(
            text,
            "inflight_requests{{namespace=\"payments\",pod=\"{name}\"}} {value} {second}"
        )
        .expect("memory");
    }
}

/// Three generations of `fraud`, two pods each, whose sums are 9 and 6 by turns: summing their single peaks would
/// give 12. Beside them a function of a longer name, a set of two, and a pod whose name tells no owner.
fn two_weeks(end: i64) -> String {
    let mut text = String::from("# TYPE inflight_requests gauge\n");
    let generations = [
        ("66b7d8c9f4", 13 * DAY, 9 * DAY),
        ("7c9f8b6d4", 9 * DAY, 2 * DAY),
        ("5f6", 2 * DAY, 0),
    ];
    for (hash, from, to) in generations {
        pod(&mut text, &format!("fraud-{hash}-x2x4z"), end - from, end - to, (8, 2));
        pod(&mut text, &format!("fraud-{hash}-bbbbb"), end - from, end - to, (1, 4));
    }
    pod(&mut text, "fraud-scorer-66b7d8c9f4-x2x4z", end - DAY, end, (50, 50));
    pod(&mut text, "ledger-0", end - DAY, end, (3, 3));
    pod(&mut text, "ledger-11", end - DAY, end, (2, 2));
    pod(&mut text, "orphan", end - DAY, end, (20, 20));
    text + "# EOF\n"
}

/// Everything found of one function: minute to peak, first minute of a quarter hour to its peak.
#[derive(Default)]
struct Everything {
    minutes: BTreeMap<i64, f64>,
    quarters: BTreeMap<i64, f64>,
}

async fn everything(prometheus: &Prometheus) -> (BTreeMap<FunctionKey, Everything>, f64) {
    let yaml = "apiVersion: forewarm.dev/v1alpha1\nkind: DemandProfile\nmetadata: {name: p}\nspec:\n  unit: Concurrency\n  \
                join: {by: Pod, nameLabel: pod}\n  query: sum by (namespace, pod) (inflight_requests)";
    let mut backfill = Backfill::new(profile(yaml), now());
    let source = reader(&prometheus.url()).source("default").expect("there is one");
    let members = members("p");
    let mut all: BTreeMap<FunctionKey, Everything> = BTreeMap::new();
    while backfill.progress().left > 0 {
        let run = backfill.run(&source, &members, now().mono, |found| match found {
            Found::Minutes(past) => {
                all.entry(past.key)
                    .or_default()
                    .minutes
                    .extend(past.points.iter().map(|(m, d)| (*m, d.get())));
            }
            Found::Quarters(past) => {
                let points = past.points.iter().map(|(m, d)| (*m, d.get()));
                all.entry(past.key).or_default().quarters.extend(points);
            }
        });
        assert_eq!(run.await.failed, None);
    }
    (all, backfill.progress().unmapped_percent)
}

#[tokio::test]
async fn the_past_of_dead_pods_comes_back_as_peaks_of_their_sums() {
    let folder = tempfile::tempdir().expect("a folder");
    let end = clock() / 3600 * 3600;
    load(folder.path(), &two_weeks(end));
    let prometheus = Prometheus::start("[]", folder).await;
    let (all, unmapped) = everything(&prometheus).await;
    assert_eq!(all.keys().cloned().collect::<Vec<_>>(), [key("fraud"), key("ledger")]);
    let (fraud, ledger, end) = (&all[&key("fraud")], &all[&key("ledger")], end / 60);
    // In the minute after a change of generations both count, since nobody said that the old pods had ended.
    let change = end - 2 * 24 * 60;
    for minute in (end - 73 * 60..end).filter(|m| *m != change) {
        assert_eq!(
            fraud.minutes.get(&minute),
            Some(&9.0),
            "fraud, {} minutes before the end",
            end - minute
        );
    }
    for minute in end - 24 * 60..end {
        assert_eq!(
            ledger.minutes.get(&minute),
            Some(&5.0),
            "ledger, {} minutes before the end",
            end - minute
        );
    }
    assert_eq!(ledger.minutes.get(&(end - 24 * 60 - 1)), None, "a gap stays a gap");
    let (oldest, change) = (end - 13 * 24 * 60, end - 9 * 24 * 60);
    let whole = |m: &&i64| **m > oldest && **m < end - 75 * 60 && !(change - 15..=change).contains(*m);
    let quarters: Vec<_> = fraud.quarters.keys().filter(whole).map(|m| fraud.quarters[m]).collect();
    assert!(quarters.len() > 900, "{} quarter hours", quarters.len());
    assert!(quarters.iter().all(|q| (q - 9.0).abs() < 0.01), "{quarters:?}");
    assert!((1.0..30.0).contains(&unmapped), "{unmapped} % are orphan's");
}
