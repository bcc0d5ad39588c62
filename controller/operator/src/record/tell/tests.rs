//! Ticks through the real chain.

use super::*;
use crate::record::chain::Chain;
use crate::record::human::LogFormat;
use crate::record::memory::Memory as Output;
use crate::record::sample::{Sample, hold, rise, steady};
use crate::record::verify::verify;
use forewarm_core::outcome::Outcome;
use forewarm_core::units::Wall;
use serde_json::Value;

fn teller() -> (Teller, Output, Arc<Chain>) {
    let output = Output::default();
    let clock = Box::new(|| Wall(1_795_528_995_000));
    let chain = Arc::new(Chain::new(
        Box::new(output.clone()),
        LogFormat::Json,
        "01RUN".into(),
        clock,
    ));
    (Teller::new(chain.clone()), output, chain)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_rise_is_one_line_with_its_outcome() {
    let (mut teller, output, chain) = teller();
    let sample = Sample::new(rise(2, 12)).outcome(Outcome::Applied);
    let printed = teller.tick(&[sample.told()]);
    assert_eq!(printed.changed.len(), 1);
    let text = output.text();
    let line = &lines(&text)[0];
    assert_eq!(line["event.name"], "forewarm.decision");
    assert_eq!((&line["from"], &line["to"]), (&2.into(), &12.into()));
    assert_eq!(line["outcomes"][0], "Applied");
    verify(text.lines().map(str::as_bytes), &[&chain.head()]).unwrap();
}

#[test]
fn a_heartbeat_comes_within_the_hour_though_nothing_changes() {
    let (mut teller, output, _) = teller();
    for tick in 0..=240 {
        let sample = Sample::new(steady(2)).at(tick * 15_000);
        teller.tick(&[sample.told()]);
    }
    let text = output.text();
    let names: Vec<Value> = lines(&text)
        .into_iter()
        .map(|line| line["event.name"].clone())
        .collect();
    assert_eq!(names, ["forewarm.decision", "forewarm.heartbeat"]);
}

#[test]
fn a_new_leader_tells_of_everybody_over_some_ticks_and_of_moves_at_once() {
    let (mut teller, output, _) = teller();
    let samples: Vec<Sample> = (0..1200)
        .map(|n| {
            if n < 700 {
                Sample::new(steady(2))
            } else {
                Sample::new(rise(2, 3)).outcome(Outcome::Shadow)
            }
            .named(n)
        })
        .collect();
    let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
    let lines = teller.tick(&told);
    assert_eq!((lines.changed.len(), lines.waiting), (1000, 200));
    assert_eq!(output.take().lines().count(), 1000);
    let lines = teller.tick(&told[..700]);
    assert_eq!((lines.changed.len(), lines.waiting), (200, 0));
}

#[test]
fn a_function_that_is_gone_is_forgotten() {
    let (mut teller, _, _) = teller();
    let (one, two) = (Sample::new(steady(2)).named(1), Sample::new(steady(2)).named(2));
    teller.tick(&[one.told(), two.told()]);
    teller.tick(&[two.told()]);
    assert_eq!(teller.functions.len(), 1);
    assert_eq!(teller.tick(&[one.told(), two.told()]).changed.len(), 1);
}

#[test]
fn the_brake_is_told_when_it_takes_hold_and_when_it_lets_go() {
    let (mut teller, output, _) = teller();
    for decision in [hold("brake", 12, 2), hold("brake", 12, 3), hold("stabilize", 12, 2)] {
        teller.tick(&[Sample::new(decision).told()]);
    }
    let text = output.text();
    let brakes: Vec<Value> = lines(&text)
        .into_iter()
        .filter(|l| l["event.name"] == "forewarm.brake")
        .collect();
    assert_eq!(
        brakes.iter().map(|l| l["held"].as_u64()).collect::<Vec<_>>(),
        [Some(1), Some(0)]
    );
}

/// Pods that found no node are gone again, and the verdict is the same hold: the condition's reason is another one.
#[test]
fn what_bounds_a_verdict_differs_though_the_verdict_does_not() {
    let (mut teller, output, _) = teller();
    let mut sample = Sample::new(hold("capacity", 3, 5));
    let tick = |teller: &mut Teller, sample: &Sample| teller.tick(&[sample.told()]).differs.len();
    sample.function.observation.capacity.stuck = forewarm_core::units::Replicas(2);
    assert_eq!(tick(&mut teller, &sample), 1, "it is new");
    assert_eq!(tick(&mut teller, &sample), 0);
    sample.function.observation.capacity.stuck = forewarm_core::units::Replicas::ZERO;
    assert_eq!(tick(&mut teller, &sample), 1);
    assert_eq!(tick(&mut teller, &sample), 0);
    assert_eq!(output.text().lines().count(), 1, "none of it is a line of the log");
}
