use super::*;
use crate::aim;
use crate::synthetic::{DAY, MONDAY, Series, constant, diurnal, gappy, history, key, peak_at, peaked};
use forewarm_core::forecast::Trust;
use forewarm_core::observation::{DemandSample, Reading};
use forewarm_core::units::{Demand, Percent};
use proptest::prelude::*;

const LEAD: Seconds = Seconds(45);
const TICK: Seconds = Seconds(15);

fn request(key: &FunctionKey) -> Request<'_> {
    Request {
        key,
        lead_time: LEAD,
        aim: aim(None, LEAD),
    }
}

/// Second `second` of the given minute after [`MONDAY`].
fn wall(minute: i64, second: i64) -> Wall {
    Wall((MONDAY + minute) * 60_000 + second * 1000)
}

/// The forecast right after the series' last minute has closed.
fn after(series: &Series) -> Forecast {
    let past = history(series);
    let now = wall(i64::try_from(series.len()).unwrap(), 5);
    ask(&mut Forecaster::default(), &past, now)
}

fn ask(forecaster: &mut Forecaster, past: &History, now: Wall) -> Forecast {
    forecaster.at(past, [request(&key())], now, TICK, || true).remove(0)
}

#[test]
fn too_little_history_is_said_so() {
    assert_eq!(
        ask(&mut Forecaster::default(), &History::new(), wall(0, 5)).trust,
        untrusted(Distrust::TooLittleHistory)
    );
    for minutes in [1, 29] {
        assert_eq!(
            after(&vec![Some(4.0); minutes]).trust,
            untrusted(Distrust::TooLittleHistory),
            "{minutes}"
        );
    }
    let first = after(&vec![Some(4.0); 30]);
    assert_eq!(
        (first.trust, first.demoted),
        (Trust::Trusted, Some(Distrust::TooLittleHistory))
    );
    assert_eq!(
        (first.model.as_ref(), first.upper),
        ("trailing-peak", Demand::new(4.0).unwrap())
    );
}

fn untrusted(why: Distrust) -> Trust {
    Trust::Untrusted(why)
}

#[test]
fn a_history_that_has_stopped_is_stale_after_five_minutes() {
    let past = history(&constant(1, 4.0));
    let mut forecaster = Forecaster::default();
    assert_eq!(ask(&mut forecaster, &past, wall(DAY + 5, 5)).trust, Trust::Trusted);
    let stale = ask(&mut forecaster, &past, wall(DAY + 6, 5));
    assert_eq!(
        (stale.trust, stale.upper),
        (untrusted(Distrust::HistoryStale), Demand::ZERO)
    );
}

#[test]
fn the_forecast_says_what_it_is_for() {
    let forecast = after(&diurnal(4, 1));
    assert_eq!(
        (forecast.minute, forecast.horizon),
        (MONDAY + 4 * DAY - 1, Seconds(120))
    );
    assert_eq!(forecast.quantile, aim(None, LEAD).quantile);
    assert!(forecast.point <= forecast.upper && forecast.demoted.is_none());
    assert!(
        forecast
            .coverage
            .is_some_and(|percent| (70..=90).contains(&percent.get()))
    );
    let band = forecast.expected_now.unwrap();
    assert!(band.lower < band.upper);
}

#[test]
fn it_is_computed_once_a_closed_minute() {
    let mut past = history(&diurnal(4, 1));
    let mut forecaster = Forecaster::default();
    let sample = |amount| {
        let amount = Demand::new(amount).unwrap();
        Reading::Known(DemandSample {
            current: amount,
            peak: amount,
            unheard: forewarm_core::units::Replicas::ZERO,
        })
    };
    let first = ask(&mut forecaster, &past, wall(4 * DAY, 5));
    for second in [20, 35, 50] {
        past.extend(&key(), wall(4 * DAY, second), &sample(500.0));
        assert_eq!(ask(&mut forecaster, &past, wall(4 * DAY, second)), first);
    }
    past.extend(&key(), wall(4 * DAY + 1, 5), &sample(500.0));
    assert_eq!(
        ask(&mut forecaster, &past, wall(4 * DAY + 1, 5)).minute,
        first.minute + 1
    );
    for minute in 1..10 {
        past.extend(&key(), wall(4 * DAY + minute, 50), &sample(500.0));
    }
    let next = ask(&mut forecaster, &past, wall(4 * DAY + 10, 5));
    assert!(next.upper > first.upper, "five hundred calls have been seen");
}

#[test]
fn minutes_missed_are_made_up_for() {
    let series = diurnal(5, 1);
    let past = history(&series);
    let asked = |minutes: &[i64]| {
        let mut forecaster = Forecaster::default();
        forecaster.warm(&past, request(&key()), wall(4 * DAY, 5), TICK);
        minutes
            .iter()
            .map(|minute| ask(&mut forecaster, &past, wall(4 * DAY + minute, 5)))
            .last()
    };
    assert_eq!(asked(&[1, 2, 3, 4, 5, 6, 7, 8]), asked(&[8]));
}

#[test]
fn the_walks_of_one_call_are_bounded_and_the_trailing_peak_bridges_them() {
    let mut past = History::new();
    let keys: Vec<FunctionKey> = (0..3)
        .map(|n| FunctionKey {
            namespace: "a".into(),
            name: n.to_string().into(),
        })
        .collect();
    for key in &keys {
        past.backfill(key, (0..300).map(|minute| (MONDAY + minute, Demand::new(4.0).unwrap())));
    }
    let mut forecaster = Forecaster::default();
    let demoted = |forecaster: &mut Forecaster, second: i64| {
        let mut walks = 1;
        let may_walk = || std::mem::take(&mut walks) > 0;
        let forecasts = forecaster.at(&past, keys.iter().map(request), wall(300, second), TICK, may_walk);
        assert!(forecasts.iter().all(|forecast| forecast.trusted() == Demand::new(4.0)));
        forecasts.iter().filter(|forecast| forecast.demoted.is_some()).count()
    };
    assert_eq!([5, 20, 35].map(|second| demoted(&mut forecaster, second)), [2, 1, 0]);
}

/// Thirty functions of a day and a half, walked; and the refit of their rows.
fn fitted(seed: u64) -> crate::fleet::Fit {
    let (mut past, mut forecaster) = (History::new(), Forecaster::new(seed));
    let keys = (0..30).map(|n| FunctionKey {
        namespace: "a".into(),
        name: format!("{n}").into(),
    });
    for (n, key) in (0..).zip(keys) {
        let points = (MONDAY..)
            .zip(diurnal(2, n))
            .map(|(minute, peak)| (minute, Demand::new(peak.unwrap()).unwrap()));
        past.backfill(&key, points);
        forecaster.warm(&past, request(&key), wall(2 * DAY, 5), TICK);
    }
    let refit = forecaster
        .refit_due(wall(2 * DAY, 20))
        .expect("rows of the past are enough");
    forecaster.adopt(refit.run(Some(forecaster.prior()), || true));
    forecaster.fit().expect("a forest was learned")
}

#[test]
fn the_past_gives_a_forest_and_the_same_seed_the_same_one_bit_for_bit() {
    let fit = fitted(1);
    assert_eq!(fit, fitted(1));
    assert_ne!(fit.hash, fitted(2).hash);
    assert!(fit.rows > 10_000 && fit.from < fit.to, "{fit:?}");
}

#[test]
fn another_quantile_is_learned_anew() {
    let past = history(&diurnal(4, 1));
    let mut forecaster = Forecaster::default();
    let with = |forecaster: &mut Forecaster, quantile| {
        let key = key();
        let request = Request {
            aim: Aim {
                quantile: Percent::new(quantile).unwrap(),
                ..aim(None, LEAD)
            },
            ..request(&key)
        };
        forecaster
            .at(&past, [request], wall(4 * DAY, 5), TICK, || true)
            .remove(0)
    };
    let (low, high) = (with(&mut forecaster, 50), with(&mut forecaster, 95));
    assert!(low.upper < high.upper && high.quantile.get() == 95, "{low:?} {high:?}");
    assert!(high.coverage.unwrap().get() > 85);
}

#[test]
fn a_longer_lead_time_sees_the_peak_earlier() {
    let series = peaked(8, 1, DAY, 10, (3.0, 40.0));
    let rise = 7 * DAY + peak_at(DAY);
    let past = history(&series[..usize::try_from(rise - 5).unwrap()]);
    let upper = |lead| {
        let key = key();
        let request = Request {
            lead_time: Seconds(lead),
            ..request(&key)
        };
        let now = wall(rise - 5, 5);
        Forecaster::default()
            .at(&past, [request], now, TICK, || true)
            .remove(0)
            .upper
            .get()
    };
    assert!(upper(45) < 20.0 && upper(300) > 30.0, "{} {}", upper(45), upper(300));
}

#[test]
fn a_daily_peak_is_still_seen_coming_when_the_hours_before_it_were_lost() {
    let series = peaked(8, 1, DAY, 10, (3.0, 40.0));
    let rise = 7 * DAY + peak_at(DAY);
    let mut seen = series[..usize::try_from(rise - 2).unwrap()].to_vec();
    let (from, to) = (seen.len() - 200, seen.len() - 10);
    seen[from..to].fill(None);
    let forecast = after(&seen);
    assert!(
        forecast.trusted().is_some_and(|upper| upper.get() > 20.0),
        "{forecast:?}"
    );
}

#[test]
fn a_panic_in_one_model_takes_nothing_of_the_others_along() {
    let series = constant(1, 4.0);
    let mut past = history(&series);
    let other = FunctionKey {
        name: "zz".into(),
        ..key()
    };
    let points = (MONDAY..)
        .zip(&series)
        .filter_map(|(minute, peak)| Some((minute, Demand::new((*peak)?)?)));
    past.backfill(&other, points);
    let (mut forecaster, now) = (Forecaster::default(), wall(DAY, 5));
    let mut asked = 0;
    let key = key();
    let mut all = |forecaster: &mut Forecaster, panics_at: u32| {
        let may_walk = || {
            asked += 1;
            assert!(asked != panics_at, "a model's bug");
            true
        };
        let answers = forecaster.at(&past, [request(&key), request(&other)], now, TICK, may_walk);
        answers.into_iter().map(|answer| answer.trust).collect::<Vec<_>>()
    };
    assert_eq!(
        all(&mut forecaster, 1),
        [untrusted(Distrust::ModelFailed), Trust::Trusted]
    );
    assert_eq!((forecaster.take_panics(), forecaster.take_panics()), (1, 0));
    assert_eq!(all(&mut forecaster, 0), [Trust::Trusted, Trust::Trusted], "begun anew");
}

#[test]
fn functions_that_are_gone_are_forgotten() {
    let past = history(&constant(1, 4.0));
    let mut forecaster = Forecaster::default();
    ask(&mut forecaster, &past, wall(DAY, 5));
    assert!(forecaster.functions.contains_key(&key()));
    forecaster.forget(|_| false);
    assert!(!forecaster.functions.contains_key(&key()));
}

#[test]
fn the_same_history_and_seed_give_the_same_forecast() {
    let series = gappy(4, 3);
    assert_eq!(after(&series), after(&series));
}

#[test]
fn a_clock_that_jumps_does_no_harm() {
    let past = history(&diurnal(4, 1));
    let mut forecaster = Forecaster::default();
    let first = ask(&mut forecaster, &past, wall(4 * DAY, 5));
    for now in [Wall(i64::MIN), Wall(i64::MAX), Wall(0), wall(0, 0)] {
        assert_eq!(ask(&mut forecaster, &past, now).trusted(), None, "{now:?}");
    }
    assert_eq!(ask(&mut forecaster, &past, wall(4 * DAY, 5)).upper, first.upper);
}

/// Any past: known or not, nothing, ordinary, absurd.
fn any_past() -> impl Strategy<Value = Series> {
    let peak = prop_oneof![4 => 0.0..50.0, 2 => Just(0.0), 1 => 0.0..f64::MAX];
    prop::collection::vec(prop::option::weighted(0.8, peak), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn r10_total_for_any_history(series in any_past(), lead in any::<u32>(), quantile in 0_u8..=100, later in 0_i64..400) {
        let past = history(&series);
        let key = key();
        let aim = Aim { quantile: Percent::new(quantile).unwrap(), ..aim(None, LEAD) };
        let request = Request { lead_time: Seconds(lead), aim, ..request(&key) };
        let mut forecaster = Forecaster::default();
        for minute in [0, later] {
            let now = wall(i64::try_from(series.len()).unwrap() + minute, 5);
            let forecast = forecaster.at(&past, [request], now, TICK, || true).remove(0);
            prop_assert!(forecast.point <= forecast.upper);
            prop_assert!(forecast.trust != untrusted(Distrust::ModelFailed));
            prop_assert_eq!(forecast.trusted().is_some(), !forecast.model.is_empty());
        }
    }

    #[test]
    fn r2_gaps_never_lower_the_forecast_of_a_steady_demand(
        known in prop::collection::vec(prop::bool::weighted(0.6), 200..400),
        level in prop_oneof![Just(1.0), 1.0..1000.0],
    ) {
        let series: Series = known.iter().map(|known| known.then_some(level)).collect();
        let forecast = after(&series);
        if let Some(upper) = forecast.trusted() {
            prop_assert!(upper.get() >= level, "{upper:?} of {level}");
        }
    }
}

/// A mean over all minutes would hold the pod for good: two minutes of six have a call ahead, more than one of five.
#[test]
fn a_function_that_a_timer_calls_every_six_minutes_has_none_between_and_one_for_each_call_from_the_sixth_on() {
    for lead in [Seconds(3), LEAD] {
        let timer: Series = (0..90)
            .map(|minute| Some(if minute % 6 == 0 { 1.0 } else { 0.0 }))
            .collect();
        let mut forecaster = Forecaster::default();
        for closed in 30..90_usize {
            let past = history(&timer[..closed]);
            let now = wall(i64::try_from(closed).unwrap(), 5);
            let key = key();
            let mut request = request(&key);
            (request.lead_time, request.aim) = (lead, aim(None, lead));
            let said = forecaster.at(&past, [request], now, TICK, || true).remove(0);
            let due = closed % 6 == 0 || closed % 6 == 5;
            let upper = said.upper.get();
            assert!(
                if due { upper >= 1.0 } else { upper == 0.0 },
                "{closed}: {upper} by {}",
                said.model
            );
        }
    }
}

/// The upper bound at each minute of a period, over the last periods of a week of `peaks` by that minute.
fn by_phase(period: i64, lead: Seconds, peaks: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
    let (minutes, heard) = (7 * DAY, 7 * DAY - 5 * period);
    let peak = |minute: i64| Some(peaks(minute % period));
    let mut past = history(&(0..heard).map(peak).collect::<Series>());
    let (key, mut forecaster) = (key(), Forecaster::default());
    let mut said = Vec::new();
    for minute in heard..minutes {
        let request = Request {
            lead_time: lead,
            ..request(&key)
        };
        let answer = forecaster.at(&past, [request], wall(minute, 5), TICK, || true);
        said.push((minute % period, answer[0].upper.get()));
        past.backfill(&key, [(MONDAY + minute, Demand::new(peaks(minute % period)).unwrap())]);
    }
    said
}

/// Neither the hour nor the day repeats at eight minutes, and the tail of a mean makes each burst three minutes long.
#[test]
fn bursts_by_a_timer_are_seen_coming_and_nothing_is_held_between_them() {
    let said = by_phase(8, Seconds(46), |phase| match phase {
        0 => 20.0,
        1 => 16.0,
        2 => 0.9,
        _ => 0.0,
    });
    for (phase, upper) in said {
        match phase {
            7 | 0 => assert!(upper > 18.0, "{phase}: {upper}"),
            3..7 => assert!(upper < 0.5, "{phase}: {upper}"),
            _ => {}
        }
    }
}
