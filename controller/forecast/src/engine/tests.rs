use super::features::{Amounts, Regime};
use super::*;

pub(super) const SPAN: Span = Span {
    target: Target::Minute,
    h: 5,
};

/// The engine after these minutes; `each` is shown it after every one.
pub(super) fn walk(mut engine: Engine, values: &[f64], mut each: impl FnMut(&Engine)) -> Engine {
    let mut scratch = Scratch::default();
    for place in 0..values.len() {
        let past = Series {
            first: 0,
            values: &values[..=place],
        };
        let t = i64::try_from(place).unwrap();
        engine.step(&past, t, Models::default(), &mut scratch, |_| {});
        each(&engine);
    }
    engine
}

fn walked(values: &[f64], quantiles: &[f64]) -> Engine {
    walk(Engine::new(&[SPAN], quantiles), values, |_| ())
}

fn feature(engine: &Engine, name: &str) -> f64 {
    let place = NAMES.iter().position(|known| *known == name).unwrap();
    f64::from(engine.row(0).unwrap().0[place])
}

/// 0, 1, ..., 9 and again, for three hours; it ends on 9.
fn saw() -> Vec<f64> {
    (0..180).map(|minute| f64::from(minute % 10)).collect()
}

#[test]
fn the_base_by_hand() {
    let engine = walked(&saw(), &[]);
    let (_, base) = engine.row(0).unwrap();
    // Level: (5 + 6 + 7 + 8 + 9) / 5. Scale: five minutes apart the saw always differs by 5.
    assert!(
        (base.level - 7.0).abs() < 1e-9 && (base.scale - 5.0).abs() < 1e-9,
        "{base:?}"
    );
}

#[test]
fn every_feature_by_hand() {
    let engine = walked(&saw(), &[]);
    let last_ewma = |rate: f64| saw().into_iter().reduce(|mean, y| mean + rate * (y - mean)).unwrap();
    let z = |amount: f64| (amount - 7.0) / 5.0;
    // The errors of five minutes are those of a saw around its own level: they repeat every ten minutes. The level
    // of minute s is the mean of the five up to it: 2 at 4 and 7 at 9 by the saw's last digit.
    let level = |end: i64| (end - 4..=end).map(|s| minutes_of(s.rem_euclid(10))).sum::<f64>() / 5.0;
    let mut errors: Vec<f64> = (0..10).map(|s| (minutes_of(s) - level(s - 5)) / 5.0).collect();
    errors.sort_by(f64::total_cmp);
    for (name, expected) in [
        ("lag0", z(9.0)),
        ("e01", z(last_ewma(0.01))),
        ("e03", z(last_ewma(0.03))),
        ("e10", z(last_ewma(0.1))),
        ("mn15", z(0.0)),
        ("mx15", z(9.0)),
        ("mx60", z(9.0)),
        ("mx240", z(9.0)),
        // 54 of 60 lie at or below 8; all of the 180 known (171 of them) at or below 9.
        ("q90_60", z(8.0)),
        ("q95_240", z(9.0)),
        ("q95_1440", z(9.0)),
        // The target is minute 184, a 4; whole tens of minutes before it are 4s, five or fifteen are 9s.
        ("y60", z(4.0)),
        ("pm5", z((9.0 + 4.0 + 9.0) / 3.0)),
        ("pm15", z((9.0 + 4.0 + 9.0) / 3.0)),
        ("pm60", z(4.0)),
        ("last", 0.0),
        ("nz60", 0.9),
        // The day was last looked at in minute 170: 153 of 171.
        ("nz1440", 153.0 / 171.0),
        ("lb", 7.01f64.ln()),
        ("lv", 5f64.ln()),
        ("lvb", (5.01 / (7f64.sqrt() + 0.1)).ln()),
        ("h", 5.0),
    ] {
        let seen = feature(&engine, name);
        assert!((seen - expected).abs() < 1e-5, "{name}: {seen}, not {expected}");
    }
    for name in ["sdavg", "dmax3"] {
        assert!(feature(&engine, name).is_nan(), "{name}: there is no day before");
    }
    // Of errors that begin when the scale was not yet 5, only the spread is claimed.
    for name in ["rq240", "rq1440"] {
        assert!(
            (feature(&engine, name) - errors[9]).abs() < 0.3,
            "{name}: {}",
            feature(&engine, name)
        );
    }
    assert!(feature(&engine, "rm1440").abs() < 0.5);
}

fn minutes_of(digit: i64) -> f64 {
    f64::from(i32::try_from(digit).unwrap())
}

#[test]
fn the_day_features_by_hand() {
    // Two days of 10 and a rise to 30 from minute 700 for twenty minutes; it stands at 695 of the third day.
    let rises = |minute: usize| {
        if (700..720).contains(&(minute % 1440)) {
            30.0
        } else {
            10.0
        }
    };
    let values: Vec<f64> = (0..2 * 1440 + 696).map(rises).collect();
    let engine = walked(&values, &[]);
    let base = *engine.row(0).unwrap().1;
    // The target is minute 700: around it lie five 10s and six 30s, before now all is 10.
    let shift = 10.0 + (5.0 * 10.0 + 6.0 * 30.0) / 11.0 - 10.0;
    assert!((feature(&engine, "sdavg") - (shift - base.level) / base.scale).abs() < 1e-4);
    assert!((feature(&engine, "dmax3") - (30.0 - base.level) / base.scale).abs() < 1e-4);
    // Two minutes on either side of the target count, and no third: 698 sees the rise, 697 does not.
    for (until, peak) in [(693, 30.0), (692, 10.0)] {
        let engine = walked(&values[..=2 * 1440 + until], &[]);
        let base = *engine.row(0).unwrap().1;
        assert!((feature(&engine, "dmax3") - (peak - base.level) / base.scale).abs() < 1e-4);
    }
}

#[test]
fn nothing_after_the_minute_is_looked_at_and_gaps_are_not_zero() {
    let mut values = saw();
    values[170..178].fill(f64::NAN);
    let engine = walked(&values, &[]);
    let (_, base) = engine.row(0).unwrap();
    assert!((base.level - 8.5).abs() < 1e-9, "the mean of 8 and 9: {base:?}");
    assert!(
        (feature(&engine, "mn15") * base.scale + base.level - 5.0).abs() < 1e-4,
        "165 is a 5"
    );
}

#[test]
fn a_column_that_cannot_say_is_not_a_zero() {
    let engine = walked(&[6.0; 50], &[0.95]);
    let said = engine.said(0, 0).unwrap();
    let seasonal = names().position(|name| name == "seasonal-naive").unwrap();
    assert!(said.column(seasonal).is_nan(), "there is no hour before");
    assert!(said.column(0).is_nan(), "there is no forest");
    assert!((said.mixture - 6.0).abs() < 1e-12);
}

#[test]
fn theta_rises_after_a_miss_and_falls_after_a_hit() {
    // 19 of 20 lie at 10, one at 20: the 0.95 quantile above a level of about 10 is no rise, the 0.99 one is.
    let values: Vec<f64> = (0..3000)
        .map(|minute| if minute % 20 == 7 { 20.0 } else { 10.0 })
        .collect();
    let column = names().position(|name| name == "level-long").unwrap();
    let upper = |quantile| walked(&values, &[quantile]).said(0, 0).unwrap().column(column);
    assert!(
        upper(0.5) < 11.5 && upper(0.99) > 15.0,
        "{} {}",
        upper(0.5),
        upper(0.99)
    );
}

#[test]
fn the_mixture_covers_what_it_should() {
    let mut stream = crate::draw::Stream::new(3);
    let values: Vec<f64> = (0..4000).map(|_| stream.poisson(20.0)).collect();
    let engine = walked(&values, &[0.95, 0.5]);
    let coverage = |quantile| engine.coverage(0, quantile).unwrap();
    assert!((0.93..0.975).contains(&coverage(0)), "{}", coverage(0));
    assert!((0.45..0.62).contains(&coverage(1)), "{}", coverage(1));
}

#[test]
fn the_regime_is_when_it_was_called_last() {
    for (quiet, regime) in [
        (0, Regime::Called),
        (1, Regime::Paused),
        (4, Regime::Paused),
        (5, Regime::Quiet),
        (59, Regime::Quiet),
        (60, Regime::Asleep),
    ] {
        let mut values = vec![2.0; 100];
        values.extend(vec![0.0; quiet]);
        let engine = walked(&values, &[]);
        assert_eq!(engine.row(0).unwrap().1.regime, regime, "{quiet} minutes ago");
    }
}

#[test]
fn a_function_silent_for_the_most_part_has_whole_calls() {
    let every = |minutes: usize, amount: f64| -> Vec<f64> {
        (0..600)
            .map(|minute| if minute % minutes == 0 { amount } else { 0.0 })
            .collect()
    };
    // A call every seventh minute is 14.3 % of them, every sixth 16.7 %.
    for (values, amounts) in [
        (every(7, 1.0), Amounts::Seldom),
        (every(6, 1.0), Amounts::Whole),
        (every(7, 1.5), Amounts::Any),
    ] {
        let engine = walked(&values, &[0.9]);
        assert_eq!(engine.row(0).unwrap().1.amounts, amounts);
    }
    // Now and then a call of ten: columns disagree, the answer is whole all the same.
    let mut values = every(8, 1.0);
    values[400] = 10.0;
    let engine = walked(&values, &[0.9, 0.95, 0.99]);
    for quantile in 0..3 {
        let said = engine.said(0, quantile).unwrap();
        assert!(said.mixture.fract() == 0.0 && said.prior.fract() == 0.0, "{said:?}");
    }
}

#[test]
fn the_places_that_are_named_are_those_of_their_names() {
    let column = |place: usize| names().nth(place).unwrap();
    assert_eq!(column(column::TRAILING_DAY), "trailing-day");
    assert_eq!(EXPERTS[column::SEASONAL], "seasonal-naive");
    assert_eq!(EXPERTS[column::LEVEL], "level");
}
