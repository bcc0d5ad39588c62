//! Samples of one function in, the peak within the last step out; and whether a sample may be believed. Memory
//! only.

use forewarm_core::units::{Demand, Mono, Seconds};
use std::collections::VecDeque;

/// The forecast's step.
const STEP: Seconds = Seconds(60);
/// Below this no jump is implausible: a flash crowd may well bring ten thousand calls from nothing.
const PLAUSIBLE: f64 = 10_000.0;
/// Above this many times the last trusted value a jump is more likely a broken exporter than a crowd.
const JUMP: f64 = 100.0;
/// Further samples that have to agree before such a jump is believed.
const AGREEING: u8 = 2;

/// The samples of the last step, as far as they can still be its largest.
#[derive(Debug, Default)]
pub(crate) struct Step(VecDeque<(Mono, Demand)>);

impl Step {
    /// Takes in one sample and returns the largest of the last minute.
    pub(crate) fn push(&mut self, now: Mono, sample: Demand) -> Demand {
        while self.0.front().is_some_and(|(at, _)| now.passed(*at, STEP)) {
            self.0.pop_front();
        }
        while self.0.back().is_some_and(|(_, kept)| *kept <= sample) {
            self.0.pop_back();
        }
        self.0.push_back((now, sample));
        self.0.front().map_or(sample, |(_, peak)| *peak)
    }
}

/// What was last believed of one function, and what is waiting to be.
#[derive(Debug, Default)]
pub(crate) struct Plausible {
    trusted: Option<Demand>,
    candidate: Option<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    value: Demand,
    agreed: u8,
    at: Mono,
}

impl Plausible {
    /// Whether `value` may be believed; if not, the value it jumps from (zero where none was trusted yet).
    ///
    /// Believed: at most 10,000, or at most 100 times the last trusted value, or the third of three samples,
    /// each a scrape after the other, that agree within a factor of two.
    pub(crate) fn admit(&mut self, value: Demand, now: Mono, scrape: Seconds) -> Result<(), Demand> {
        let from = self.trusted.unwrap_or(Demand::ZERO);
        if self.is_near(value) || self.confirmed(value, now, scrape) {
            self.trusted = Some(value);
            self.candidate = None;
            return Ok(());
        }
        Err(from)
    }

    /// Whether `value` is no implausible jump from what was last believed.
    pub(crate) fn is_near(&self, value: Demand) -> bool {
        let from = self.trusted.unwrap_or(Demand::ZERO);
        value.get() <= PLAUSIBLE.max(JUMP * from.get())
    }

    fn confirmed(&mut self, value: Demand, now: Mono, scrape: Seconds) -> bool {
        match &mut self.candidate {
            Some(candidate) if agree(candidate.value, value) => {
                // A tick shorter than the scrape interval sees one sample several times.
                if now.passed(candidate.at, scrape) {
                    candidate.agreed += 1;
                    candidate.at = now;
                }
                candidate.agreed >= AGREEING
            }
            _ => {
                self.candidate = Some(Candidate {
                    value,
                    agreed: 0,
                    at: now,
                });
                false
            }
        }
    }
}

fn agree(a: Demand, b: Demand) -> bool {
    a.get() <= 2.0 * b.get() && b.get() <= 2.0 * a.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(amount: f64) -> Demand {
        Demand::new(amount).expect("an amount")
    }

    #[test]
    fn the_peak_is_the_largest_sample_of_the_last_minute() {
        let mut step = Step::default();
        let rows = [
            (0, 3.0, 3.0),
            (15, 9.0, 9.0),
            (30, 2.0, 9.0),
            (45, 4.0, 9.0),
            (60, 1.0, 9.0),
            (75, 0.0, 4.0),
            (89, 0.0, 4.0),
            (105, 0.0, 1.0),
            (200, 0.0, 0.0),
        ];
        for (second, sample, peak) in rows {
            assert_eq!(
                step.push(Mono(second * 1000), demand(sample)),
                demand(peak),
                "at {second} s"
            );
        }
    }

    #[test]
    fn a_jump_is_believed_when_two_further_samples_agree() {
        type Samples = &'static [(u64, f64, bool)];
        let rows: [(&str, Samples); 6] = [
            ("a crowd from nothing", &[(0, 0.0, true), (15, 10_000.0, true)]),
            ("a hundredfold of much", &[(0, 10_000.0, true), (15, 1_000_000.0, true)]),
            (
                "one broken scrape",
                &[(0, 5.0, true), (15, 1e6, false), (30, 5.0, true), (45, 1e6, false)],
            ),
            (
                "it stays",
                &[
                    (0, 5.0, true),
                    (15, 1e6, false),
                    (30, 1.5e6, false),
                    (45, 8e5, true),
                    (60, 5e6, true),
                ],
            ),
            (
                "it keeps moving",
                &[
                    (0, 5.0, true),
                    (15, 1e6, false),
                    (30, 1e9, false),
                    (45, 1e6, false),
                    (60, 1e6, false),
                    (75, 1e6, true),
                ],
            ),
            (
                "one sample seen thrice",
                &[(0, 5.0, true), (15, 1e6, false), (20, 1e6, false), (25, 1e6, false)],
            ),
        ];
        for (name, samples) in rows {
            let mut plausible = Plausible::default();
            for (second, value, believed) in samples {
                let admitted = plausible.admit(demand(*value), Mono(second * 1000), Seconds(15));
                assert_eq!(admitted.is_ok(), *believed, "{name} at {second} s");
            }
        }
    }

    #[test]
    fn a_part_is_as_plausible_as_a_whole() {
        let mut plausible = Plausible::default();
        assert!(plausible.is_near(demand(10_000.0)) && !plausible.is_near(demand(10_001.0)));
        assert_eq!(plausible.admit(demand(9_000.0), Mono(0), Seconds(15)), Ok(()));
        assert!(plausible.is_near(demand(900_000.0)) && !plausible.is_near(demand(900_001.0)));
    }

    #[test]
    fn a_refused_jump_names_the_value_it_comes_from() {
        let mut plausible = Plausible::default();
        assert_eq!(plausible.admit(demand(1e6), Mono(0), Seconds(15)), Err(Demand::ZERO));
        assert_eq!(plausible.admit(demand(7.0), Mono(1000), Seconds(15)), Ok(()));
        assert_eq!(plausible.admit(demand(1e6), Mono(2000), Seconds(15)), Err(demand(7.0)));
    }
}
