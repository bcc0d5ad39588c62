//! The past of one function: its two rings and the running minute. Pure.

use super::code::Code;
use super::ring::Ring;
use super::window::Window;
use super::{MINUTES, QUARTER, QUARTERS};
use forewarm_core::observation::DemandSample;
use forewarm_core::units::{Demand, Wall};
use std::collections::BTreeMap;

/// Minutes that a clock may go back without being believed: a correction, not another time.
const BACK: i64 = 2;

/// The largest of a quarter hour's one-minute peaks; gaps are left out, and gaps alone make a gap.
fn largest(minutes: impl Iterator<Item = Code>) -> Code {
    minutes.map(Code::unmeasured).fold(Code::GAP, Code::or_larger)
}

/// The minute that is still running.
#[derive(Clone, Copy, Debug)]
struct Running {
    minute: i64,
    /// Largest demand seen in it. `None`: no known sample yet.
    top: Option<Demand>,
    /// A sample's own look back over 60 s has gone into it: it was watched as a whole.
    watched: bool,
    /// Largest peak of a look that reached into the minute before and may have been that minute's.
    aside: Option<Demand>,
}

impl Running {
    const fn new(minute: i64) -> Self {
        Self {
            minute,
            top: None,
            watched: false,
            aside: None,
        }
    }

    fn fold(&mut self, amount: Demand, watched: bool) {
        self.top = Some(self.top.map_or(amount, |top| top.max(amount)));
        self.watched |= watched;
    }

    /// A look back that began in the minute before, of which `before` is known: a peak no larger than that one waits for
    /// the look that closes the minute, or a call would show in the minute after it as well.
    fn look(&mut self, peak: Demand, before: Option<Demand>) {
        if before.is_some_and(|before| Code::of(peak).amount() <= Code::of(before).amount()) {
            self.aside = Some(self.aside.map_or(peak, |aside| aside.max(peak)));
        } else {
            self.fold(peak, true);
        }
    }

    /// Takes in the look back from the minute after, or does without one.
    fn end(&mut self, last_look: Option<&DemandSample>) {
        match (last_look, self.aside) {
            (Some(sample), aside) => {
                let unclear = aside.filter(|aside| *aside <= sample.peak);
                let seen = self.seen_by(sample);
                self.fold(unclear.map_or(seen, |aside| seen.max(aside)), true);
            }
            (None, Some(aside)) => self.fold(aside, true),
            (None, None) => {}
        }
    }

    /// What a look back from the minute after says of this one. A peak no larger than the sample of now may be of now:
    /// it raises nothing that the minute's own samples said, or a call would show in the minute before it as well.
    fn seen_by(&self, sample: &DemandSample) -> Demand {
        match self.top {
            Some(top) if sample.peak <= sample.current => top,
            _ => sample.peak,
        }
    }
}

/// The past of one function.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) minutes: Ring<Code, MINUTES, 444, 10>,
    pub(super) quarters: Ring<Code, QUARTERS, 160, 9>,
    running: Option<Running>,
    newest: Option<i64>,
    /// Distinct minutes set since the ring was last left empty.
    pub(super) known: u32,
}

impl Series {
    pub(super) fn new() -> Self {
        Self {
            minutes: Ring::new(Code::GAP),
            quarters: Ring::new(Code::GAP),
            running: None,
            newest: None,
            known: 0,
        }
    }

    /// One reading; `None` says only that time has passed.
    ///
    /// A sample's `peak` looks back 60 s, so it belongs to the minute in which most of that look lies: the
    /// closing one up to second 30, the running one after it. Booking it on the running minute always would
    /// stretch every peak by a minute; what may be of either minute is settled when the running one closes.
    pub(super) fn extend(&mut self, wall: Wall, sample: Option<&DemandSample>) {
        let minute = wall.minute();
        let running = self.begin(minute);
        if minute < running.minute {
            return;
        }
        let looks_back = wall.0.rem_euclid(60_000) < 30_000;
        if minute > running.minute {
            let last_look = sample.filter(|_| looks_back && running.minute == minute - 1);
            self.close(running, last_look);
            self.running = Some(Running::new(minute));
        }
        let before = self
            .minutes
            .get(minute.saturating_sub(1))
            .amount()
            .and_then(Demand::new);
        let (Some(running), Some(sample)) = (&mut self.running, sample) else {
            return;
        };
        running.fold(sample.current, false);
        if !looks_back {
            running.look(sample.peak, before);
        }
    }

    /// The running minute. Time that went back by more than a little is believed: otherwise one reading from a
    /// clock far ahead, or one backfilled point, would silence the function until that time has come.
    fn begin(&mut self, minute: i64) -> Running {
        if self.newest.is_some_and(|newest| newest > minute.saturating_add(BACK)) {
            self.minutes.rewind(minute);
            self.quarters.rewind(minute.div_euclid(QUARTER));
            self.newest = (0..MINUTES)
                .map(|ago| minute - ago)
                .find(|at| self.minutes.get(*at) != Code::GAP);
        }
        self.running = self
            .running
            .filter(|running| running.minute.saturating_sub(minute) <= BACK);
        *self.running.get_or_insert(Running::new(minute))
    }

    fn close(&mut self, mut running: Running, last_look: Option<&DemandSample>) {
        running.end(last_look);
        let Some(top) = running.top else { return };
        let code = Code::of(top);
        // Half a minute seen after a start is no better a witness than a backfilled point: the larger counts.
        let code = if running.watched {
            code.measured()
        } else {
            self.unmeasured(running.minute, code)
        };
        self.put(running.minute, code);
        self.summarise(running.minute.div_euclid(QUARTER), Code::GAP);
    }

    /// Merges backfilled points; see [`super::History::backfill`].
    pub(super) fn backfill(&mut self, points: impl Iterator<Item = (i64, Demand)>) {
        let running = self.running.map_or(i64::MAX, |running| running.minute);
        let mut quarters: BTreeMap<i64, Code> = BTreeMap::new();
        for (minute, amount) in points.filter(|(minute, _)| *minute < running) {
            let code = Code::of(amount);
            if !self.minutes.get(minute).is_measured() {
                let larger = self.unmeasured(minute, code);
                self.put(minute, larger);
            }
            let held = quarters.entry(minute.div_euclid(QUARTER)).or_insert(Code::GAP);
            *held = held.or_larger(code);
        }
        for (quarter, max) in quarters {
            self.summarise(quarter, max);
        }
    }

    /// Merges quarter hours; see [`super::History::backfill_quarters`].
    pub(super) fn backfill_quarters(&mut self, quarters: impl Iterator<Item = (i64, Demand)>) {
        for (minute, max) in quarters {
            self.summarise(minute.div_euclid(QUARTER), Code::of(max));
        }
    }

    /// `code`, or what an unmeasured minute already holds if that is larger; a measured one stays.
    fn unmeasured(&self, minute: i64, code: Code) -> Code {
        let held = self.minutes.get(minute);
        if held.is_measured() { held } else { held.or_larger(code) }
    }

    fn put(&mut self, minute: i64, code: Code) {
        let new = self.minutes.get(minute) == Code::GAP;
        let lost_all = self
            .newest
            .is_some_and(|newest| minute.saturating_sub(newest) >= MINUTES);
        if self.minutes.set(minute, code) {
            self.newest = Some(self.newest.map_or(minute, |newest| newest.max(minute)));
            self.known = if lost_all {
                1
            } else {
                self.known.saturating_add(u32::from(new))
            };
        }
    }

    /// Sets a quarter hour from its minutes while the ring holds them and knows any, else merges `older`.
    fn summarise(&mut self, quarter: i64, older: Code) {
        let first = quarter.saturating_mul(QUARTER);
        let minutes = (first..first.saturating_add(QUARTER)).map(|minute| self.minutes.get(minute));
        let own = if self.minutes.holds(first) {
            largest(minutes)
        } else {
            Code::GAP
        };
        let made = if own == Code::GAP {
            self.quarters.get(quarter).or_larger(older)
        } else {
            own
        };
        self.quarters.set(quarter, made);
    }

    pub(super) fn window(&self, until: i64) -> Window<'_> {
        Window::new(self, until)
    }

    pub(super) const fn newest(&self) -> Option<i64> {
        self.newest
    }

    pub(super) fn bytes(&self) -> usize {
        self.minutes.bytes() + self.quarters.bytes()
    }
}
