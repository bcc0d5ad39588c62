use super::*;

/// Columns without a forest: the trailing quantiles of a day and of an hour.
const DAY: usize = 5;
const HOUR: usize = 6;

fn columns(day: f64, hour: f64) -> [f64; COUNT] {
    let mut columns = [f64::NAN; COUNT];
    (columns[DAY], columns[HOUR]) = (day, hour);
    columns
}

fn losses(day: f32, hour: f32) -> [f32; COUNT] {
    let mut losses = [9.0; COUNT];
    (losses[DAY], losses[HOUR]) = (day, hour);
    losses
}

/// The record after so many minutes in one regime, each with these losses.
fn after(minutes: usize, regime: Regime, day: f32, hour: f32) -> Record {
    let mut record = Record::default();
    for _ in 0..minutes {
        record.push(regime, &losses(day, hour), [[1.0, 1.0]; 2]);
    }
    record
}

#[test]
fn five_percent_more_loss_weighs_so_much_less() {
    let record = after(1440, Regime::Called, 1.0, 1.05);
    let mixed = record.mix(&columns(10.0, 20.0), Regime::Called)[Of::All.place()];
    // A day of minutes, half after a day: 0.5 / (1 - 0.5^(1/1440)) = 1039.2; half after half an hour: 43.78.
    for (by, (sharp, scored)) in mixed.by.into_iter().zip([(60.0, 1039.2_f64), (40.0, 43.78)]) {
        let weight = (-sharp * 0.05 * scored / (scored + 60.0)).exp();
        let by_hand = 10.0 + 10.0 * weight / (1.0 + weight);
        assert!((by - by_hand).abs() < 1e-3, "{by}, not {by_hand}");
    }
    // Both have lost alike, so they weigh alike.
    assert!((mixed.both - f64::midpoint(mixed.by[0], mixed.by[1])).abs() < 1e-6);
}

#[test]
fn each_regime_has_its_own_best() {
    let mut record = Record::default();
    for _ in 0..600 {
        record.push(Regime::Called, &losses(1.0, 3.0), [[1.0, 1.0]; 2]);
        record.push(Regime::Asleep, &losses(3.0, 1.0), [[1.0, 1.0]; 2]);
    }
    let by_day = |regime| record.mix(&columns(10.0, 20.0), regime)[Of::All.place()].by[0];
    assert!(by_day(Regime::Called) < 10.1 && by_day(Regime::Asleep) > 19.9);
    // In one that has not been yet the mean of all decides, and there neither is far ahead.
    assert!(
        (10.2..19.8).contains(&by_day(Regime::Quiet)),
        "{}",
        by_day(Regime::Quiet)
    );
}

#[test]
fn the_short_memory_follows_a_change_and_is_heard_when_it_has_lost_less() {
    let mut record = after(2880, Regime::Called, 1.0, 2.0);
    for _ in 0..180 {
        record.push(Regime::Called, &losses(2.0, 1.0), [[2.0, 1.0]; 2]);
    }
    let mixed = record.mix(&columns(10.0, 20.0), Regime::Called)[Of::All.place()];
    assert!(mixed.by[0] < 11.0 && mixed.by[1] > 19.0, "{mixed:?}");
    // Its mixture lost 180 of some 1,800 less by half: a tenth, where one in a hundred is a third of the weight.
    assert!(mixed.both > 19.0, "{mixed:?}");
}

#[test]
fn an_exact_best_stays_exact_and_none_is_none() {
    let record = after(300, Regime::Called, 0.0, 1.0);
    let mixed = record.mix(&columns(0.1, 0.7), Regime::Called)[Of::All.place()];
    let said = [mixed.by[0], mixed.by[1], mixed.both];
    assert!(said.iter().all(|said| said.to_bits() == 0.1_f64.to_bits()), "{mixed:?}");
    assert!(
        record.mix(&[f64::NAN; COUNT], Regime::Called)[Of::All.place()]
            .both
            .is_nan()
    );
}

#[test]
fn without_a_record_a_forest_weighs_more() {
    let mut columns = columns(10.0, 10.0);
    columns[0] = 20.0;
    // One forest has 1.0, the two others share 0.3.
    let mixed = Record::default().mix(&columns, Regime::Asleep)[Of::Prior.place()];
    assert!((mixed.both - (10.0 + 10.0 / 1.3)).abs() < 1e-5, "{mixed:?}");
}

#[test]
fn a_fresh_install_does_not_hear_the_forest_of_the_cluster() {
    let mut columns = columns(10.0, 10.0);
    columns[2] = 30.0;
    let record = Record::default();
    let fresh = record.mix(&columns, Regime::Called)[Of::Prior.place()].both;
    assert!((fresh - 10.0).abs() < 1e-12, "{fresh}");
    assert!(record.mix(&columns, Regime::Called)[Of::All.place()].both > 20.0);
}

#[test]
fn a_new_forest_begins_with_the_least_of_the_others_losses() {
    let mut record = after(100, Regime::Paused, 1.0, 2.0);
    record.inherit(2, &[HOUR, DAY]);
    assert!((record.lost(2) - record.lost(DAY)).abs() < 1e-12);
    assert!(record.lost(2) < record.lost(HOUR));
    // In the regime and in the short memory as well: all three would say the same.
    let mut columns = columns(10.0, f64::NAN);
    columns[2] = 20.0;
    let mixed = record.mix(&columns, Regime::Paused)[Of::All.place()];
    let by_hand = 10.0 + 10.0 / 1.3;
    assert!(mixed.by.iter().all(|by| (by - by_hand).abs() < 1e-5), "{mixed:?}");
}

#[test]
fn without_the_best_forest_the_others_are_weighed_anew() {
    // The cluster's forest has lost a tenth of the others, of which one lost 5 % more: it must not flatten that.
    let mut record = Record::default();
    for _ in 0..1440 {
        let mut losses = losses(1.0, 1.05);
        losses[2] = 0.1;
        record.push(Regime::Called, &losses, [[1.0, 1.0]; 2]);
    }
    let mut columns = columns(10.0, 20.0);
    let fresh = record.mix(&columns, Regime::Called);
    columns[2] = 50.0;
    let [prior, all] = record.mix(&columns, Regime::Called);
    assert!((prior.both - fresh[0].both).abs() < 1e-6, "{prior:?} {fresh:?}");
    assert!(all.both > 49.9, "{all:?}");
}
