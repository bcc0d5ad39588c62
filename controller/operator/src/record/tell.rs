//! The lines of one tick: what was told of each function in, lines to the journal out.

use super::change::{Last, Seen, material};
use super::heartbeat::Heartbeat;
use super::line::{BrakeLine, DecisionLine, event, print};
use super::{Journal, Told};
use forewarm_core::decision::Verdict;
use forewarm_core::policy::FunctionKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Lines of one tick that move nothing, at most; the others wait for the next tick. A new leader has a first
/// verdict for each of 10,000 functions: at 2.4 kB a line, 1.2 MB a tick instead of 24.
const QUIET_LINES: usize = 500;

/// Prints the decision log.
pub struct Teller {
    journal: Arc<dyn Journal>,
    functions: BTreeMap<FunctionKey, Memory>,
    braked: bool,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller")
            .field("functions", &self.functions.len())
            .finish_non_exhaustive()
    }
}

/// What was last told of one function.
struct Memory {
    last: Last,
    beat: Heartbeat,
}

/// Which lines one tick printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Functions with a new verdict; for them an Event and a status may follow.
    pub changed: BTreeSet<FunctionKey>,
    /// Functions whose verdict is not that of the tick before, whether it was news or not.
    pub differs: BTreeSet<FunctionKey>,
    /// Functions whose hour has come round, whether their heartbeat or a new verdict told of it.
    pub beats: BTreeSet<FunctionKey>,
    /// Lines that wait for the next tick.
    pub waiting: usize,
}

impl Teller {
    /// One that has told nothing yet.
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            functions: BTreeMap::new(),
            braked: false,
        }
    }

    /// Prints what is news, and the heartbeats that are due. `all`: every function of the tick; one that is
    /// not among them any more is forgotten.
    pub fn tick(&mut self, all: &[Told<'_>]) -> Lines {
        let mut lines = Lines::default();
        let mut quiet = 0;
        for told in all {
            self.tell(told, &mut lines, &mut quiet);
        }
        if self.functions.len() > all.len() {
            let known: BTreeSet<&FunctionKey> = all.iter().map(|told| told.key).collect();
            self.functions.retain(|key, _| known.contains(key));
        }
        self.brake(all);
        lines
    }

    fn tell(&mut self, told: &Told<'_>, lines: &mut Lines, quiet: &mut usize) {
        let (wall, mono) = (told.now.wall, told.now.mono);
        if !self.functions.contains_key(told.key) {
            let memory = Memory {
                last: Last::default(),
                beat: Heartbeat::new(told.key, wall),
            };
            self.functions.insert(told.key.clone(), memory);
        }
        let memory = self.functions.get_mut(told.key).expect("inserted above");
        let seen = Seen::of(told);
        let (news, due) = (material(&memory.last, &seen, mono), memory.beat.due(wall));
        if memory.last.differs(&seen) {
            lines.differs.insert(told.key.clone());
        }
        if !news && !due {
            memory.last.passed_over(seen);
            return;
        }
        if !seen.moved() {
            if *quiet >= QUIET_LINES {
                lines.waiting += 1;
                return;
            }
            *quiet += 1;
        }
        let name = if news { event::DECISION } else { event::HEARTBEAT };
        DecisionLine::of(told).print(&*self.journal, name);
        if due {
            memory.beat.printed(wall);
            lines.beats.insert(told.key.clone());
        }
        if news {
            memory.last.told(seen, mono);
            lines.changed.insert(told.key.clone());
        } else {
            memory.last.passed_over(seen);
        }
    }

    /// One line when the brake takes hold of anybody, one when it holds nobody any more.
    fn brake(&mut self, all: &[Told<'_>]) {
        let held = |told: &&Told<'_>| matches!(&told.decision.verdict, Verdict::Hold(rule) if rule == "brake");
        let mut braked = all.iter().filter(held).peekable();
        let engaged = braked.peek().is_some();
        if engaged == self.braked {
            return;
        }
        let Some(fleet) = braked.peek().copied().or(all.first()).map(|told| told.fleet) else {
            return;
        };
        self.braked = engaged;
        let line = BrakeLine {
            held: u32::try_from(braked.count()).unwrap_or(u32::MAX),
            targets: fleet.targets,
            ramps_begun: fleet.ramps_begun,
            unexpected_falls: fleet.unexpected_falls,
            world_vanished: fleet.world_vanished,
        };
        print(&*self.journal, &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::chain::Chain;
    use crate::record::human::LogFormat;
    use crate::record::memory::Memory as Output;
    use crate::record::sample::{Sample, hold, rise, steady};
    use crate::record::verify::verify;
    use forewarm_core::outcome::Outcome;
    use forewarm_core::units::Wall;
    use serde_json::Value;

    fn teller() -> (Teller, Output, Arc<Chain>) {
        let output = Output::default();
        let clock = Box::new(|| Wall(1_795_528_995_000));
        let chain = Arc::new(Chain::new(
            Box::new(output.clone()),
            LogFormat::Json,
            "01RUN".into(),
            clock,
        ));
        (Teller::new(chain.clone()), output, chain)
    }

    fn lines(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_rise_is_one_line_with_its_outcome() {
        let (mut teller, output, chain) = teller();
        let sample = Sample::new(rise(2, 12)).outcome(Outcome::Applied);
        let printed = teller.tick(&[sample.told()]);
        assert_eq!(printed.changed.len(), 1);
        let text = output.text();
        let line = &lines(&text)[0];
        assert_eq!(line["event.name"], "forewarm.decision");
        assert_eq!((&line["from"], &line["to"]), (&2.into(), &12.into()));
        assert_eq!(line["outcomes"][0], "Applied");
        verify(text.lines().map(str::as_bytes), &[&chain.head()]).unwrap();
    }

    #[test]
    fn a_heartbeat_comes_within_the_hour_though_nothing_changes() {
        let (mut teller, output, _) = teller();
        for tick in 0..=240 {
            let sample = Sample::new(steady(2)).at(tick * 15_000);
            teller.tick(&[sample.told()]);
        }
        let text = output.text();
        let names: Vec<Value> = lines(&text)
            .into_iter()
            .map(|line| line["event.name"].clone())
            .collect();
        assert_eq!(names, ["forewarm.decision", "forewarm.heartbeat"]);
    }

    #[test]
    fn a_new_leader_tells_of_everybody_over_some_ticks_and_of_moves_at_once() {
        let (mut teller, output, _) = teller();
        let samples: Vec<Sample> = (0..1200)
            .map(|n| {
                if n < 700 {
                    Sample::new(steady(2))
                } else {
                    Sample::new(rise(2, 3)).outcome(Outcome::Shadow)
                }
                .named(n)
            })
            .collect();
        let told: Vec<Told<'_>> = samples.iter().map(Sample::told).collect();
        let lines = teller.tick(&told);
        assert_eq!((lines.changed.len(), lines.waiting), (1000, 200));
        assert_eq!(output.take().lines().count(), 1000);
        let lines = teller.tick(&told[..700]);
        assert_eq!((lines.changed.len(), lines.waiting), (200, 0));
    }

    #[test]
    fn a_function_that_is_gone_is_forgotten() {
        let (mut teller, _, _) = teller();
        let (one, two) = (Sample::new(steady(2)).named(1), Sample::new(steady(2)).named(2));
        teller.tick(&[one.told(), two.told()]);
        teller.tick(&[two.told()]);
        assert_eq!(teller.functions.len(), 1);
        assert_eq!(teller.tick(&[one.told(), two.told()]).changed.len(), 1);
    }

    #[test]
    fn the_brake_is_told_when_it_takes_hold_and_when_it_lets_go() {
        let (mut teller, output, _) = teller();
        for decision in [hold("brake", 12, 2), hold("brake", 12, 3), hold("stabilize", 12, 2)] {
            teller.tick(&[Sample::new(decision).told()]);
        }
        let text = output.text();
        let brakes: Vec<Value> = lines(&text)
            .into_iter()
            .filter(|l| l["event.name"] == "forewarm.brake")
            .collect();
        assert_eq!(
            brakes.iter().map(|l| l["held"].as_u64()).collect::<Vec<_>>(),
            [Some(1), Some(0)]
        );
    }
}
