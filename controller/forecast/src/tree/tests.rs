use super::{Forest, Malformed, Params, Rows, learn};
use crate::draw::Stream;
use proptest::prelude::*;

/// `y` even in 0..1 where `x < 0`, in 0..10 where it is not.
fn rows(count: usize) -> Rows {
    let mut stream = Stream::new(7);
    let mut rows = Rows::new(2);
    for _ in 0..count {
        let x = stream.between(-1.0, 1.0);
        let y = stream.even() * if x < 0.0 { 1.0 } else { 10.0 };
        rows.push(&[narrow(x), narrow(stream.even())], narrow(y), 1.0);
    }
    rows
}

fn at(quantile: f32) -> Params {
    Params {
        quantile,
        ..Params::default()
    }
}

#[allow(clippy::cast_possible_truncation)] // the rounding of f32 is what is wanted
fn narrow(x: f64) -> f32 {
    x as f32
}

fn near(forest: &Forest, row: &[f32], expected: f64) {
    let said = forest.predict(row);
    assert!(
        (said - expected).abs() < 0.2 * expected,
        "{row:?}: {said}, not {expected}"
    );
}

#[test]
fn it_finds_the_quantile_on_both_sides_of_a_step() {
    for (quantile, low, high) in [(0.9, 0.9, 9.0), (0.5, 0.5, 5.0)] {
        let forest = learn(&rows(20_000), at(quantile), || true).unwrap();
        near(&forest, &[-0.5, 0.5], low);
        near(&forest, &[0.5, 0.5], high);
    }
}

#[test]
fn going_on_from_a_forest_mends_what_it_has_left_over() {
    let mut shifted = rows(20_000);
    let forest = learn(&shifted, at(0.9), || true).unwrap();
    shifted.targets.iter_mut().for_each(|y| *y += 5.0);
    let more = super::learn_on(&forest, &shifted, at(0.9), || true).unwrap();
    near(&more, &[-0.5, 0.5], 5.9);
    assert_eq!(more.len(), 400);
}

#[test]
fn not_known_is_a_side_of_its_own() {
    let mut rows = Rows::new(1);
    for n in 0..2000_u16 {
        let known = n % 2 == 0;
        rows.push(
            &[if known { f32::from(n) } else { f32::NAN }],
            if known { 1.0 } else { 5.0 },
            1.0,
        );
    }
    let forest = learn(&rows, at(0.5), || true).unwrap();
    near(&forest, &[f32::NAN], 5.0);
    near(&forest, &[100.0], 1.0);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_others() {
    let rows = rows(3000);
    let bytes = |seed| {
        learn(
            &rows,
            Params {
                seed,
                ..Params::default()
            },
            || true,
        )
        .unwrap()
        .to_bytes()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn bytes_are_read_back_and_broken_ones_refused() {
    let forest = learn(
        &rows(3000),
        Params {
            trees: 5,
            ..Params::default()
        },
        || true,
    )
    .unwrap();
    let bytes = forest.to_bytes();
    assert_eq!(Forest::from_bytes(&bytes).as_ref(), Ok(&forest));
    assert_eq!(Forest::from_bytes(b"PK"), Err(Malformed::Format));
    assert_eq!(Forest::from_bytes(&bytes[..bytes.len() - 1]), Err(Malformed::Length));
    assert_eq!(Forest::from_bytes(&[&bytes[..], &[0]].concat()), Err(Malformed::Length));
    let mut loops = bytes.clone();
    loops[12] = 200; // the first root's left child
    assert_eq!(Forest::from_bytes(&loops), Err(Malformed::Node(0)));
    let mut infinite = bytes;
    infinite[14..18].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert_eq!(Forest::from_bytes(&infinite), Err(Malformed::Node(0)));
}

#[test]
fn a_deadline_ends_the_learning_with_the_trees_so_far() {
    let mut left = 3;
    let forest = learn(&rows(3000), Params::default(), || {
        left -= 1;
        left >= 0
    });
    assert_eq!(forest.unwrap().len(), 3);
    assert!(learn(&Rows::new(2), Params::default(), || true).is_none());
}

#[test]
fn a_leaf_is_the_weighted_quantile_by_hand() {
    // Of the weight 1 + 1 + 2 = 4, three quarters are reached at the third residual in order, a half at the second.
    let (residuals, weights) = ([9.0, 1.0, 4.0], [2.0, 1.0, 1.0]);
    let value = |share| super::grow::quantile(&[0, 1, 2], &residuals, &weights, share, 1);
    assert!((value(0.75) - 9.0).abs() < 1e-6);
    assert!((value(0.5) - 4.0).abs() < 1e-6);
    assert!((value(0.2) - 1.0).abs() < 1e-6);
}

proptest! {
    #[test]
    fn all_trees_at_once_fall_where_each_walk_does(
        seed in 0_u64..50,
        rows in prop::collection::vec(prop::array::uniform3(prop_oneof![
            -1.2_f32..1.2, Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(0.0), Just(1.0)
        ]), 1..40),
    ) {
        let mut stream = Stream::new(seed);
        let mut learned = Rows::new(3);
        for _ in 0..600 {
            let row: [f64; 3] = std::array::from_fn(|_| (stream.between(-4.0, 4.0)).round() / 4.0);
            let seen = row.map(|x| if stream.chance(0.1) { f32::NAN } else { narrow(x) });
            learned.push(&seen, narrow(row[0] * row[1] + row[2]), 1.0);
        }
        // 70 trees: more than one block of them.
        let params = Params { trees: 70, rows_per_leaf: 5, ..at(0.8) };
        let forest = learn(&learned, params, || true).unwrap();
        prop_assert!(forest.quick.is_some());
        for row in &rows {
            prop_assert_eq!(forest.predict(row).to_bits(), f64::from(super::all(forest.walk(row)) + forest.start).to_bits());
        }
    }
}

#[test]
fn trees_of_many_leaves_are_walked() {
    let params = Params {
        trees: 3,
        leaves: 40,
        rows_per_leaf: 5,
        ..at(0.5)
    };
    let forest = learn(&rows(3000), params, || true).unwrap();
    assert!(forest.quick.is_none());
    near(
        &forest,
        &[0.5, 0.5],
        f64::from(super::all(forest.walk(&[0.5, 0.5])) + forest.start),
    );
}
