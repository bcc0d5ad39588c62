//! Every feature a second time, the slow way: straight from its formula, over the whole past, without anything kept.

use super::*;
use crate::draw::Stream;

const DAY: i64 = 1440;
/// A minute at which the whole day is looked at, with three days before it.
const NOW: i64 = 3 * DAY + 230;

struct Slow {
    values: Vec<f64>,
    span: Span,
}

/// Calls with peaks at the edges of the windows, inside and outside, so that no other length says the same.
fn busy(stream: &mut Stream, minute: i64) -> f64 {
    let edge = match NOW - minute {
        14 => 100.0,
        15 => 150.0,
        59 => 200.0,
        60 => 300.0,
        239 => 400.0,
        240 => 800.0,
        _ => 0.0,
    };
    3.0 + edge + stream.poisson(30.0 + 10.0 * (minutes(minute) / 229.0).sin())
}

/// Most minutes without a call, the last four among them.
fn sparse(stream: &mut Stream, minute: i64) -> f64 {
    if minute <= NOW - 4 && stream.chance(0.2) {
        1.0 + stream.poisson(9.0)
    } else {
        0.0
    }
}

impl Slow {
    fn at(&self, minute: i64) -> f64 {
        self.values[usize::try_from(minute).unwrap()]
    }

    fn all(&self, from: i64, to: i64) -> Vec<f64> {
        (from..=to).map(|minute| self.at(minute)).collect()
    }

    fn last(&self, t: i64, count: i64) -> Vec<f64> {
        self.all(t + 1 - count, t)
    }

    /// The largest from `slack` minutes before the span that ends at `end` to as many after it.
    fn wide(&self, end: i64, slack: i64) -> f64 {
        let from = match self.span.target {
            Target::Minute => end,
            Target::Peak => end + 1 - self.span.h,
        };
        largest(&self.all(from - slack, end + slack))
    }

    fn target(&self, end: i64) -> f64 {
        self.wide(end, 0)
    }

    fn moves(&self, t: i64, count: i64) -> f64 {
        let moves: Vec<f64> = (t + 1 - count..=t)
            .map(|s| (self.at(s) - self.at(s - self.span.h)).abs())
            .collect();
        mean(&moves)
    }

    fn level(&self, t: i64) -> f64 {
        mean(&self.last(t, 5))
    }

    /// With the mean of the day as it was when the day was last looked at.
    fn scale(&self, t: i64) -> f64 {
        let looked = t.div_euclid(10) * 10;
        let chance = 0.3 * self.level(t).max(mean(&self.last(looked, DAY))).sqrt();
        self.moves(t, 120).max(chance).max(0.03)
    }

    fn errors(&self, count: i64) -> Vec<f64> {
        let error = |s: i64| (self.target(s) - self.level(s - self.span.h)) / self.scale(s - self.span.h);
        (NOW + 1 - count..=NOW).map(error).collect()
    }

    fn ewma(&self, rate: f64) -> f64 {
        let all = self.values.iter().copied();
        all.reduce(|mean, y| mean + rate * (y - mean)).unwrap()
    }

    fn timer(&self, period: i64) -> f64 {
        let (h, tau) = (self.span.h, NOW + self.span.h);
        let first = (1..=h).map(|n| n * period).find(|lag| *lag >= h).unwrap();
        mean(&[0, 1, 2].map(|n| self.target(tau - first - n * period)))
    }

    /// What each feature is, in the order of [`NAMES`]; the errors' quantiles are kept to one part in 256.
    fn row(&self) -> Vec<f64> {
        let (t, tau) = (NOW, NOW + self.span.h);
        let (level, scale) = (self.level(t), self.scale(t));
        let z = |amount: f64| (amount - level) / scale;
        let days = [1, 2, 3].map(|k| k * DAY);
        let moved = days.map(|lag| mean(&self.all(tau - lag - 5, tau - lag + 5)) - mean(&self.last(t - lag, 15)));
        let idle = (0..DAY).find(|ago| self.at(t - ago) > 0.0).unwrap();
        let busy = |count: i64| mean(&self.last(t, count).iter().map(|y| y.min(1.0)).collect::<Vec<f64>>());
        vec![
            z(self.at(t)),
            z(self.ewma(0.01)),
            z(self.ewma(0.03)),
            z(self.ewma(0.1)),
            z(-largest(&self.last(t, 15).iter().map(|y| -y).collect::<Vec<f64>>())),
            z(largest(&self.last(t, 15))),
            z(largest(&self.last(t, 60))),
            z(largest(&self.last(t, 240))),
            z(quantile(self.last(t, 60), 54)),
            z(quantile(self.last(t, 240), 228)),
            z(quantile(self.last(t, DAY), 1368)),
            quantile(self.errors(240), 228),
            quantile(self.errors(DAY), 720),
            quantile(self.errors(DAY), 1368),
            z(self.target(tau - 60)),
            z(self.timer(5)),
            z(self.timer(15)),
            z(self.timer(60)),
            z(mean(&self.last(t, 15)) + mean(&moved)),
            z(mean(&days.map(|lag| self.wide(tau - lag, 2)))),
            minutes(idle) / 60.0,
            busy(60),
            busy(DAY),
            (level + 0.01).ln(),
            scale.ln(),
            ((scale + 0.01) / (level.sqrt() + 0.1)).ln(),
            minutes(self.span.h),
        ]
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / number(values.len())
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The value in this place, from one, of the values in order.
fn quantile(mut values: Vec<f64>, place: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[place - 1]
}

fn minutes(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap())
}

#[test]
fn every_feature_is_what_its_formula_says() {
    let makes: [fn(&mut Stream, i64) -> f64; 2] = [busy, sparse];
    for (make, target, h) in makes.into_iter().flat_map(|make| {
        let spans = [
            (Target::Minute, 1),
            (Target::Minute, 7),
            (Target::Peak, 1),
            (Target::Peak, 10),
        ];
        spans.map(|(target, h)| (make, target, h))
    }) {
        let (span, mut stream) = (Span { target, h }, Stream::new(7));
        let values: Vec<f64> = (0..=NOW).map(|minute| make(&mut stream, minute)).collect();
        let (mut engine, mut scratch) = (Engine::for_rows(&[span]), Scratch::default());
        for t in 0..=NOW {
            let past = Series {
                first: 0,
                values: &values[..=usize::try_from(t).unwrap()],
            };
            engine.step(&past, t, Models::default(), &mut scratch, |_| {});
        }
        let slow = Slow { values, span };
        let (row, base) = engine.row(0).unwrap();
        for ((name, seen), expected) in NAMES.iter().zip(row).zip(slow.row()) {
            let near = if name.starts_with('r') { 0.005 } else { 1e-4 };
            let seen = f64::from(*seen);
            assert!(
                (seen - expected).abs() <= near * expected.abs().max(1.0),
                "{name} of {span:?}: {seen}, not {expected}"
            );
        }
        let long = slow.moves(NOW, DAY - h);
        assert!(
            (base.long - long).abs() < 1e-4 * long,
            "{span:?}: {}, not {long}",
            base.long
        );
    }
}
