use super::*;
use crate::calibration::Track;

fn eighty() -> Percent {
    Percent::new(80).unwrap()
}

/// Tracks that have been scored so often, each always off by so much above.
fn tracks(times: u32, over: [f64; COUNT]) -> [Track; COUNT] {
    over.map(|over| {
        let mut track = Track::default();
        for n in 0..times {
            // Two in ten above by chance of turn, so that theta stays about zero.
            let actual = 100.0 + if n % 5 == 4 { over } else { -over };
            track.score(track.stake(100.0, 1e-9), actual, eighty());
        }
        track
    })
}

fn told(gate: &mut Gate, times: u32, (candidate, naive): (f64, f64), actual: f64) {
    let said = Uppers {
        candidate,
        naive,
        published: candidate,
    };
    (0..times).for_each(|_| gate.score(&said, actual, eighty()));
}

#[test]
fn the_lowest_loss_answers_once_an_hour_has_been_scored() {
    let mut gate = Gate::new();
    gate.settle(&tracks(59, [5.0, 5.0, 5.0, 1.0]), eighty());
    assert_eq!(
        (gate.chosen(), gate.demoted()),
        (TRAILING, Some(Distrust::TooLittleHistory))
    );
    gate.settle(&tracks(61, [5.0, 5.0, 5.0, 1.0]), eighty());
    assert_eq!((gate.chosen(), gate.demoted()), (3, None));
}

#[test]
fn a_lead_of_two_percent_does_not_take_over_and_one_of_four_does() {
    let mut gate = Gate::new();
    gate.settle(&tracks(100, [5.0, 5.0, 4.9, 5.0]), eighty());
    assert_eq!(gate.chosen(), TRAILING);
    gate.settle(&tracks(100, [5.0, 5.0, 4.8, 5.0]), eighty());
    assert_eq!(gate.chosen(), 2);
}

#[test]
fn an_answer_worse_than_seasonal_naive_is_demoted_and_comes_back_past_a_stricter_line() {
    let records = tracks(500, [4.0, 5.0, 3.0, 5.0]);
    let mut gate = Gate::new();
    // 20 over where seasonal-naive is 4 over: 4.0 against 0.8 lost, and 1 of slack for a demand of 100.
    told(&mut gate, 120, (120.0, 104.0), 100.0);
    gate.settle(&records, eighty());
    assert_eq!(
        (gate.chosen(), gate.demoted()),
        (2, None),
        "not judged yet: the older of the 120 count a little less"
    );
    told(&mut gate, 6, (120.0, 104.0), 100.0);
    gate.settle(&records, eighty());
    assert_eq!(gate.demoted(), Some(Distrust::WorseThanSeasonalNaive));
    assert_eq!(
        gate.stand_in(&records),
        SEASONAL_NAIVE,
        "its record is better than the trailing peak's"
    );
    assert_eq!(gate.stand_in(&tracks(500, [5.0, 4.0, 3.0, 5.0])), TRAILING);
    told(&mut gate, 5000, (100.0, 104.0), 100.0);
    gate.settle(&records, eighty());
    assert_eq!(gate.demoted(), None);
}

#[test]
fn seasonal_naive_is_not_worse_than_itself() {
    let mut gate = Gate::new();
    told(&mut gate, 500, (120.0, 104.0), 100.0);
    gate.settle(&tracks(500, [1.0, 5.0, 5.0, 5.0]), eighty());
    assert_eq!((gate.chosen(), gate.demoted()), (SEASONAL_NAIVE, None));
}

#[test]
fn too_many_misses_demote_to_the_trailing_peak() {
    let records = tracks(500, [5.0, 5.0, 3.0, 5.0]);
    let mut gate = Gate::new();
    // Nine misses of ten, each too small to be worse than seasonal-naive.
    told(&mut gate, 500, (99.99, 100.0), 100.0);
    gate.settle(&records, eighty());
    assert_eq!(gate.demoted(), Some(Distrust::Undercovers));
    assert_eq!(gate.stand_in(&records), TRAILING);
    told(&mut gate, 5000, (100.0, 100.0), 100.0);
    gate.settle(&records, eighty());
    assert_eq!(gate.demoted(), None);
    assert!(gate.coverage().is_some_and(|share| share > 0.9));
}

#[test]
fn coverage_is_not_told_from_fewer_than_thirty() {
    let mut gate = Gate::new();
    told(&mut gate, 29, (100.0, 100.0), 100.0);
    assert_eq!(gate.coverage(), None);
    told(&mut gate, 2, (100.0, 100.0), 100.0);
    assert_eq!(gate.coverage(), Some(1.0));
}
