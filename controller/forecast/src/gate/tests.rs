use super::*;

fn eighty() -> Percent {
    Percent::new(80).unwrap()
}

/// Scores the same answers of a peak of 100 so often.
fn told(gate: &mut Gate, times: u32, [candidate, naive, trailing]: [f64; 3]) -> Option<Distrust> {
    let said = Uppers {
        candidate,
        naive,
        trailing,
        published: candidate,
    };
    (0..times).for_each(|_| gate.score(&said, 100.0, eighty()));
    gate.settle(eighty());
    gate.demoted()
}

#[test]
fn the_mixture_answers_once_half_an_hour_has_been_scored() {
    let mut gate = Gate::new();
    assert_eq!(
        told(&mut gate, 30, [101.0, 102.0, 102.0]),
        Some(Distrust::TooLittleHistory)
    );
    assert_eq!(told(&mut gate, 1, [101.0, 102.0, 102.0]), None);
}

#[test]
fn it_is_demoted_to_seasonal_naive_and_comes_back_past_a_stricter_line() {
    // 20 over costs 4.0 a minute, 4 over 0.8; the slack is 1 % of the demand of 100.
    let (bad, good) = ([120.0, 104.0, 130.0], [100.0, 104.0, 130.0]);
    let mut gate = Gate::new();
    assert_eq!(told(&mut gate, 100, bad), None, "too few to judge");
    assert_eq!(told(&mut gate, 200, bad), Some(Distrust::WorseThanSeasonalNaive));
    // 300 at 4.0: demoted until the mean of all is at or below 0.8 + 1.
    assert_eq!(told(&mut gate, 200, good), Some(Distrust::WorseThanSeasonalNaive));
    assert_eq!(told(&mut gate, 400, good), None);
}

#[test]
fn the_floor_that_lost_less_stands_in() {
    assert_eq!(
        told(&mut Gate::new(), 200, [120.0, 110.0, 104.0]),
        Some(Distrust::WorseThanTrailingPeak)
    );
    assert_eq!(
        told(&mut Gate::new(), 200, [120.0, 104.0, 110.0]),
        Some(Distrust::WorseThanSeasonalNaive)
    );
    // While it is demoted, the stand-in may change; the stricter line stays.
    let mut gate = Gate::new();
    told(&mut gate, 200, [120.0, 104.0, 110.0]);
    let better = told(&mut gate, 1200, [104.0, 110.0, 103.0]);
    assert_eq!(better, None, "4.0 by the old, 0.8 by the new: below both floors");
}

#[test]
fn a_rounding_beside_an_exact_rival_is_no_reason() {
    assert_eq!(told(&mut Gate::new(), 200, [100.5, 100.0, 100.0]), None);
}

#[test]
fn covering_too_little_is_a_reason_of_its_own() {
    // One under costs 0.8 as the floors' four over do, and covers nothing.
    assert_eq!(
        told(&mut Gate::new(), 200, [99.0, 104.0, 104.0]),
        Some(Distrust::Undercovers)
    );
}

#[test]
fn coverage_is_that_of_what_was_said() {
    let mut gate = Gate::new();
    told(&mut gate, 20, [101.0, 101.0, 101.0]);
    assert_eq!(gate.coverage(), None);
    told(&mut gate, 40, [101.0, 101.0, 101.0]);
    assert!((gate.coverage().unwrap() - 1.0).abs() < 1e-12);
}
