//! The lines of one tick: what was told of each function in, lines to the journal out.

use super::change::{Last, Seen, material};
use super::heartbeat::Heartbeat;
use super::line::{BrakeLine, DecisionLine, event, print};
use super::{Journal, Told};
use forewarm_core::beside::lay_beside;
use forewarm_core::decision::Verdict;
use forewarm_core::finding::limits;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Wall;
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
    /// What bounded it in the tick before.
    limits: [&'static str; 4],
    beat: Heartbeat,
}

/// Which lines one tick printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Functions with a new verdict; for them an Event and a status may follow.
    pub changed: BTreeSet<FunctionKey>,
    /// Functions whose verdict, or what bounds it, is not that of the tick before, whether it was news or not.
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

    /// Prints what is news, and the heartbeats that are due. `all`: every function of the tick, in the order of their
    /// keys; one that is not among them any more is forgotten.
    pub fn tick(&mut self, all: &[Told<'_>]) -> Lines {
        let wall = all.first().map_or(Wall::default(), |told| told.now.wall);
        let met = |key: &FunctionKey| Memory {
            last: Last::default(),
            limits: [""; 4],
            beat: Heartbeat::new(key, wall),
        };
        debug_assert!(all.is_sorted_by_key(|told| told.key), "functions ascend by their keys");
        lay_beside(&mut self.functions, all.iter().map(|told| told.key), met);
        let (mut lines, mut quiet) = (Lines::default(), 0);
        for (told, memory) in all.iter().zip(self.functions.values_mut()) {
            memory.tell(told, &*self.journal, &mut lines, &mut quiet);
        }
        self.brake(all);
        lines
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

impl Memory {
    fn tell(&mut self, told: &Told<'_>, journal: &dyn Journal, lines: &mut Lines, quiet: &mut usize) {
        let (wall, mono) = (told.now.wall, told.now.mono);
        let seen = Seen::of(told);
        let (news, due) = (material(&self.last, &seen, mono), self.beat.due(wall));
        let before = std::mem::replace(&mut self.limits, limits(told.function, told.decision));
        if self.last.differs(&seen) || self.limits != before {
            lines.differs.insert(told.key.clone());
        }
        if !news && !due {
            self.last.passed_over(seen);
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
        DecisionLine::of(told).print(journal, name);
        if due {
            self.beat.printed(wall);
            lines.beats.insert(told.key.clone());
        }
        if news {
            self.last.told(seen, mono);
            lines.changed.insert(told.key.clone());
        } else {
            self.last.passed_over(seen);
        }
    }
}

#[cfg(test)]
mod tests;
