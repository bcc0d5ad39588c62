use super::*;

#[test]
fn a_part_of_a_call_is_one_sooner_for_an_upper_quantile() {
    for (quantile, amount, whole) in [
        (0.5, 0.49, 0.0),
        (0.5, 0.51, 1.0),
        (0.8, 0.49, 0.0),
        (0.8, 0.51, 1.0),
        (0.9, 0.39, 0.0),
        (0.9, 0.41, 1.0),
        (0.95, 2.34, 2.0),
        (0.95, 2.36, 3.0),
        (0.95, 3.0, 3.0),
    ] {
        let seen = Lane::new(quantile).possible(amount, Amounts::Seldom);
        assert!((seen - whole).abs() < 1e-12, "{amount} at {quantile}: {seen}");
    }
}

#[test]
fn a_part_below_a_half_is_left_out_where_all_amounts_are_whole() {
    let lane = Lane::new(0.95);
    for (amount, amounts, possible) in [
        (2.49, Amounts::Whole, 2.0),
        (2.51, Amounts::Whole, 2.51),
        (0.4, Amounts::Whole, 0.0),
        (7.0, Amounts::Whole, 7.0),
        (2.49, Amounts::Any, 2.49),
    ] {
        let seen = lane.possible(amount, amounts);
        assert!((seen - possible).abs() < 1e-12, "{amount} of {amounts:?}: {seen}");
    }
    for amounts in [Amounts::Any, Amounts::Whole, Amounts::Seldom] {
        assert!(lane.possible(f64::NAN, amounts).is_nan());
    }
}

#[test]
fn of_a_flat_function_the_quantile_of_its_day_is_said() {
    let said = |amounts, of_day, seasonal| {
        let mut guesses = guesses(120.0);
        guesses.points[SEASONAL] = seasonal;
        guesses.owns = std::array::from_fn(|expert| if expert == 0 { of_day } else { 120.0 });
        Lane::new(0.95).say(&guesses, &Base { amounts, ..base() }).mixture
    };
    let (is_day, is_mixed) = (|said: f64| (said - 100.0).abs() < 1e-12, |said: f64| said > 105.0);
    assert!(is_day(said(Amounts::Flat, 100.0, f64::NAN)));
    assert!(is_day(said(Amounts::Flat, 100.0, 100.4)));
    // The columns are heard where it is not flat, while the day is not known, where more came at this time before, and
    // where the day's quantile is not what its minutes have.
    assert!(is_mixed(said(Amounts::Any, 100.0, f64::NAN)));
    assert!(is_mixed(said(Amounts::Flat, f64::NAN, f64::NAN)));
    assert!(is_mixed(said(Amounts::Flat, 100.0, 150.0)));
    assert!(is_mixed(said(Amounts::Flat, 500.0, f64::NAN)));
}

const SCALE: f64 = 2.0;
const LONG: f64 = 8.0;

fn base() -> Base {
    Base {
        level: 100.0,
        scale: SCALE,
        long: LONG,
        regime: Regime::Called,
        amounts: Amounts::Any,
    }
}

/// Every expert and both forests expect so much.
fn guesses(amount: f64) -> Guesses {
    Guesses {
        points: [amount; crate::engine::expert::COUNT],
        owns: [f64::NAN; crate::engine::expert::COUNT],
        prior: amount,
        fleet: amount + 10.0,
    }
}

fn place(name: &str) -> usize {
    crate::engine::names().position(|known| known == name).unwrap()
}

/// The columns by name after what came, each time after every expert and forest had expected `amount`.
fn after(amount: f64, came: &[f64], name: &str) -> f64 {
    let mut lane = Lane::new(0.95);
    for actual in came {
        let said = lane.say(&guesses(amount), &base());
        lane.score(&said, *actual);
    }
    lane.say(&guesses(amount), &base()).column(place(name))
}

#[test]
fn theta_by_hand() {
    // Theta begins at 1.5 for the 0.95 quantile, of a forest at 0; the n-th step is the root of n + 2, inverted, but not
    // above 0.4 and not below 0.1 (by the root of the point 0.05, by the day 0.03, of a forest always 0.02): up by 0.95 of
    // it after a miss, down by 0.05 of it after a hit.
    let (miss, hit) = (1000.0, 50.0);
    let step = |n: f64| (n + 2.0).sqrt().recip().min(0.4);
    // The first step would be 0.577 and is 0.4, the fourth is 0.4 almost, the fifth 0.378.
    let up = |scored: u32| (1..=scored).map(|n| 0.95 * step(f64::from(n))).sum::<f64>();
    for (came, theta, tree) in [
        (vec![], 1.5, 0.0),
        (vec![miss], 1.5 + 0.95 * 0.4, 0.95 * 0.02),
        (vec![hit], 1.5 - 0.05 * 0.4, -0.05 * 0.02),
        (vec![miss; 6], 1.5 + up(6), 6.0 * 0.95 * 0.02),
    ] {
        for (name, upper) in [
            ("level", 100.0 + theta * SCALE),
            ("seasonal-naive", 100.0 + theta * SCALE),
            ("level-long", 100.0 + theta * LONG),
            ("holt-winters-long", 100.0 + theta * LONG),
            ("ridge-long", 100.0 + theta * LONG),
            ("holt-winters", 100.0 + theta * 10.0),
            ("ridge", 100.0 + theta * 10.0),
            ("tree-prior", 100.0),
            ("tree-prior-tracked", 100.0 + tree * SCALE),
            ("tree-fleet-tracked", 110.0 + tree * SCALE),
            ("tree-between", 105.0 + tree * SCALE),
        ] {
            let seen = after(100.0, &came, name);
            assert!(
                (seen - upper).abs() < 1e-4,
                "{name} after {came:?}: {seen}, not {upper}"
            );
        }
    }
}

#[test]
fn the_steps_of_theta_do_not_fade_away_and_its_range_has_ends() {
    let (miss, hit) = (1e6, 1.0);
    let step = |came: &[f64], name: &str, scale: f64| {
        let more = [came, &[miss]].concat();
        (after(100.0, &more, name) - after(100.0, came, name)) / scale
    };
    // 1,200 minutes: the root of 1,202 inverted is 0.0288, below every least step.
    for (name, scale, least) in [
        ("level", SCALE, 0.1),
        ("level-long", LONG, 0.03),
        ("holt-winters", 10.0, 0.05),
        ("ridge-long", LONG, 0.03),
        ("tree-prior-tracked", SCALE, 0.02),
    ] {
        let seen = step(&[hit; 1200], name, scale);
        assert!((seen - 0.95 * least).abs() < 1e-4, "{name}: {seen}");
    }
    for (name, scale, lowest, highest) in [
        ("level", SCALE, -3.0, 30.0),
        ("holt-winters", 10.0, -3.0, 30.0),
        ("level-long", LONG, -3.0, 30.0),
        ("tree-prior-tracked", SCALE, -3.0, 3.0),
    ] {
        for (came, end) in [(hit, lowest), (miss, highest)] {
            let seen = (after(100.0, &vec![came; 4000], name) - 100.0) / scale;
            assert!((seen - end).abs() < 1e-4, "{name}: {seen}, not {end}");
        }
    }
}

#[test]
fn nothing_said_and_nothing_seen_is_no_hit_but_either_alone_is_scored() {
    let mut lane = Lane::new(0.95);
    let level = place("level");
    let theta = |lane: &Lane| f64::from(lane.theta[level]);
    lane.theta[level] = -3.0;
    // Nothing said, since 1 - 3 * 2 lies below zero, which no amount does.
    let said = lane.say(&guesses(1.0), &base());
    assert!(said.column(level).abs() < 1e-12);
    lane.score(&said, 0.0);
    assert!((theta(&lane) + 3.0).abs() < 1e-6);
    lane.score(&said, 5.0);
    assert!((theta(&lane) - (-3.0 + 0.95 * 0.4)).abs() < 1e-6, "{}", theta(&lane));
    let said = lane.say(&guesses(100.0), &base());
    let was = theta(&lane);
    lane.score(&said, 0.0);
    assert!((theta(&lane) - (was - 0.05 * 0.4)).abs() < 1e-6);
}

#[test]
fn pinball_by_hand() {
    for (actual, upper, lost) in [(10.0, 8.0, 1.9), (8.0, 10.0, 0.1), (8.0, 8.0, 0.0)] {
        assert!((pinball(actual, upper, 0.95) - lost).abs() < 1e-12);
    }
}

#[test]
fn the_root_of_a_point_is_a_scale() {
    // Theta begins at 1.5 for the 0.95 quantile: 100 + 1.5 * 10, and 0.25 + 1.5 * 1.
    for (point, upper) in [(100.0, 115.0), (0.25, 1.75)] {
        let said = Lane::new(0.95).say(&guesses(point), &base());
        assert!((said.column(place("ridge")) - upper).abs() < 1e-9, "{point}");
    }
}
