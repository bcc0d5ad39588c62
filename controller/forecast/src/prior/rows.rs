//! Rows: an engine's features and what came of them, picked at random. Pure; seeded. Serves the shipped forests
//! and the cluster's own alike.

use crate::draw::Stream;
use crate::engine::{Base, Engine, Past, Row, Span, WIDTH, narrow};
use crate::tree::Rows;
use std::collections::VecDeque;

/// Half the width of the jitter that breaks ties between equal targets.
const JITTER: f64 = 1e-3;

/// Picks rows of one function while its engine walks.
#[derive(Debug)]
pub struct Picker {
    stream: Stream,
    chance: f64,
    /// Mean of `|y(t) - y(t-1)|` of the function: rows of a lively time count more. `None`: that of the last day.
    usual: Option<f64>,
    waiting: VecDeque<Waiting>,
    /// The rows so far.
    pub rows: Rows,
}

#[derive(Debug)]
struct Waiting {
    span: Span,
    made: i64,
    row: Row,
    base: Base,
}

impl Picker {
    /// Picks each minute with this chance, for one of the spans.
    pub fn new(stream: Stream, chance: f64, usual: Option<f64>) -> Self {
        Self {
            stream,
            chance,
            usual,
            waiting: VecDeque::new(),
            rows: Rows::new(WIDTH),
        }
    }

    /// Changes the chance of a minute to be picked.
    pub fn set_chance(&mut self, chance: f64) {
        self.chance = chance;
    }

    /// Looks at minute `t`, after the engine's step of it.
    pub fn look(&mut self, engine: &Engine, spans: &[Span], past: &dyn Past, t: i64) {
        let due = |waiting: &Waiting| waiting.made + waiting.span.h <= t;
        while let Some(place) = self.waiting.iter().position(due) {
            let waiting = self.waiting.remove(place).expect("it has just been seen");
            let actual = waiting.span.actual(past, t);
            if waiting.made + waiting.span.h == t && !actual.is_nan() {
                self.add(&waiting, actual);
            }
        }
        if !self.stream.chance(self.chance) {
            return;
        }
        let place = self.stream.below(spans.len());
        if let Some((row, base)) = engine.row(place) {
            self.waiting.push_back(Waiting {
                span: spans[place],
                made: t,
                row: *row,
                base: *base,
            });
        }
    }

    fn add(&mut self, waiting: &Waiting, actual: f64) {
        let target = waiting.base.normal(actual) + self.stream.between(-JITTER, JITTER);
        let usual = self.usual.unwrap_or(waiting.base.long);
        let weight = if usual > 0.0 {
            (waiting.base.scale / usual).clamp(0.01, 20.0)
        } else {
            1.0
        };
        self.rows.push(&waiting.row, narrow(target), narrow(weight));
    }
}
