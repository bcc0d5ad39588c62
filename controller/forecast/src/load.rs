//! Whether a container's working set follows the load of its pod: samples in, a fitted line out. Pure.
//!
//! One pair a minute: the largest load a ready pod and the largest working set of that minute, laid on six running sums
//! with a half-life of a day. The line is that of least squares.

mod line;

use std::collections::{BTreeMap, HashMap};

use forewarm_core::decide::Function;
use forewarm_core::memory::{LoadFit, MemorySeen};
use forewarm_core::policy::{ForecastMode, FunctionKey};
use forewarm_core::units::{Bytes, Demand, Mono, Percent, Replicas, Seconds, Slots};

use self::line::{KEPT, Sums};

/// A minute's samples make one pair.
const MINUTE: Seconds = Seconds(60);
/// Longer without a look, and the minute under way is dropped; the slowest tick is a minute.
const GAP: Seconds = Seconds(90);
/// Fewer minutes say nothing.
const FEWEST: u32 = 30;
/// A line that explains so much of the variance is found; it is lost again below the second figure.
const FOUND: f64 = 0.6;
const LOST: f64 = 0.4;

/// What is remembered of every container in sight, by its function and name.
#[derive(Debug, Default)]
pub struct Loads(HashMap<(FunctionKey, String), Pairs>);

/// One container's minutes.
#[derive(Clone, Debug, Default)]
struct Pairs {
    revision: Option<String>,
    minutes: u32,
    sums: Sums,
    most: f64,
    found: bool,
    minute: Option<Minute>,
    seen: Mono,
}

/// The minute that is under way.
#[derive(Clone, Copy, Debug)]
struct Minute {
    began: Mono,
    load: f64,
    used: f64,
}

/// One look at a container.
#[derive(Clone, Copy, Debug)]
struct Look<'a> {
    /// The newest revision: another one is other code, and begins anew.
    revision: Option<&'a str>,
    /// The largest load of the last minute, a ready pod. `None`: not known.
    load: Option<Demand>,
    /// The largest working set of now. `None`: not known of every ready pod.
    used: Option<Bytes>,
    /// The load that a pod is forecast to have.
    expected: Option<Demand>,
}

impl Loads {
    /// One look at a function; the line of each container that has one.
    pub fn follow(
        &mut self,
        key: &FunctionKey,
        function: &Function,
        sight: &MemorySeen,
        now: Mono,
    ) -> BTreeMap<String, LoadFit> {
        let demand = function.observation.demand.known();
        let whole = demand.filter(|sample| sample.unheard == Replicas::ZERO);
        let load = whole.and_then(|sample| a_pod(sample.peak, function));
        let expected = expected(function);
        let line = |name: &String| {
            let look = Look {
                revision: sight.revision.as_deref(),
                load,
                used: used(sight, name),
                expected,
            };
            Some((name.clone(), self.look(key, name, look, now)?))
        };
        sight.template.keys().filter_map(line).collect()
    }

    /// A look at a container; the line, where there is one.
    fn look(&mut self, of: &FunctionKey, container: &str, look: Look<'_>, now: Mono) -> Option<LoadFit> {
        let pairs = self.0.entry((of.clone(), container.to_owned())).or_default();
        // A function without a pod has no revision to tell, and keeps its line until one is back.
        if look.revision.is_some() && pairs.revision.as_deref() != look.revision {
            *pairs = Pairs {
                revision: look.revision.map(str::to_owned),
                ..Pairs::default()
            };
        }
        // A minute that nobody looked at, as while another replica led, is not joined with the one before.
        if now.passed(pairs.seen, GAP) {
            pairs.minute = None;
        }
        pairs.seen = now;
        pairs.note(look.load, look.used, now);
        let line = pairs.line()?;
        Some(LoadFit {
            expected: look.expected,
            ..line
        })
    }

    /// Drops what was not seen for an hour.
    pub fn forget(&mut self, now: Mono) {
        self.0.retain(|_, pairs| !now.passed(pairs.seen, Seconds(3600)));
    }
}

impl Pairs {
    /// A minute in which anything is missing is left out whole.
    fn note(&mut self, load: Option<Demand>, used: Option<Bytes>, now: Mono) {
        let (Some(load), Some(used)) = (load, used) else {
            self.minute = None;
            return;
        };
        let (load, used) = (load.get(), exact(used));
        let Some(minute) = &mut self.minute else {
            self.minute = Some(Minute { began: now, load, used });
            return;
        };
        minute.load = minute.load.max(load);
        minute.used = minute.used.max(used);
        if now.passed(minute.began, MINUTE) {
            let Minute { load, used, .. } = *minute;
            self.sums.add(load, used);
            self.minutes = self.minutes.saturating_add(1);
            self.most = (self.most * KEPT).max(load);
            self.minute = None;
        }
    }

    fn line(&mut self) -> Option<LoadFit> {
        let enough = self.minutes >= FEWEST;
        let found = self.sums.line().filter(|line| {
            let explains = if self.found { LOST } else { FOUND };
            enough && line.explained >= explains && line.slope > 0.0
        });
        self.found = found.is_some();
        let line = found?;
        Some(LoadFit {
            base: Bytes::of(line.at_zero.max(0.0))?,
            per_call: Bytes::of(line.slope)?,
            spread: Bytes::of(line.spread)?,
            explained: Percent::of_share(line.explained),
            minutes: self.minutes,
            most: Demand::new(self.most)?,
            expected: None,
        })
    }
}

/// Demand a ready pod. `None`: none is ready, or the target is not known.
fn a_pod(demand: Demand, function: &Function) -> Option<Demand> {
    let ready = function.observation.target.known()?.ready;
    Demand::new(demand.get() / f64::from(ready.0))
}

/// The load that a pod is forecast to have: no more than its slots, since more pods come for more. `None`: switched off,
/// not trusted, or no pod is ready.
fn expected(function: &Function) -> Option<Demand> {
    let upper = function.forecast.trusted();
    let upper = upper.filter(|_| function.policy.forecast == ForecastMode::Auto)?;
    let load = a_pod(upper, function)?;
    let slots = function.policy.per_replica.map_or(f64::INFINITY, Slots::get);
    Demand::new(load.get().min(slots))
}

/// What the worst ready pod uses. `None`: that of one is not known, or none is ready.
fn used(sight: &MemorySeen, container: &str) -> Option<Bytes> {
    let ready = sight.pods.iter().filter(|pod| pod.ready && pod.ending_since.is_none());
    let used = ready.map(|pod| pod.containers.get(container)?.working_set.known().copied());
    used.reduce(|one, other| Some(one?.max(other?))).flatten()
}

/// Exact below 2^53.
#[allow(clippy::as_conversions, clippy::cast_precision_loss)]
const fn exact(bytes: Bytes) -> f64 {
    bytes.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    fn key() -> FunctionKey {
        FunctionKey {
            namespace: "n".into(),
            name: "f".into(),
        }
    }

    /// The line after so many minutes of these loads, the working set being `used` of a load and the minute.
    fn after(minutes: u64, used: impl Fn(f64, u64) -> f64) -> Option<LoadFit> {
        let mut loads = Loads::default();
        let mut line = None;
        for at in 0..minutes * 4 + 4 {
            let minute = at / 4;
            let load = [0.0, 1.0, 3.0, 2.0, 4.0][usize::try_from(minute % 5).expect("small")];
            let look = Look {
                revision: Some("a"),
                load: Demand::new(load),
                used: Bytes::of(used(load, minute)),
                expected: Demand::new(6.0),
            };
            line = loads.look(&key(), "app", look, Mono(at * 15_001));
        }
        line
    }

    #[test]
    fn a_working_set_on_a_line_is_found_after_half_an_hour() {
        let on_a_line = |load: f64, _| (20.0 + 8.0 * load) * MIB;
        assert_eq!(after(20, on_a_line), None, "too short");
        let line = after(60, on_a_line).expect("a line");
        let near = |bytes: Bytes, mib: f64| (exact(bytes) / MIB - mib).abs() < 0.6;
        assert!(
            near(line.base, 20.0) && near(line.per_call, 8.0) && near(line.spread, 0.0),
            "{line:?}"
        );
        assert!(line.explained.get() >= 98 && (line.most.get() - 4.0).abs() < 0.1);
        assert!(
            near(line.needs().expect("a load is expected"), 68.0),
            "20 and six times 8"
        );
    }

    #[test]
    fn scatter_is_told_and_half_of_it_is_no_line() {
        let minute = |at: u64| f64::from(u32::try_from(at * 7 % 11).expect("small"));
        let line = after(200, |load, at| (20.0 + 8.0 * load + minute(at)) * MIB).expect("a line");
        let spread = exact(line.spread) / MIB;
        assert!(
            (2.8..3.6).contains(&spread),
            "a uniform of eleven steps has 3.16: {spread}"
        );
        assert_eq!(after(200, |load, at| (20.0 + load + 4.0 * minute(at)) * MIB), None);
        assert_eq!(after(200, |_, _| 20.0 * MIB), None, "it does not move");
        assert_eq!(
            after(200, |load, _| (90.0 - 8.0 * load) * MIB),
            None,
            "it falls with the load"
        );
    }

    #[test]
    fn a_function_that_sleeps_keeps_its_line_and_what_nobody_looked_at_is_no_pair() {
        let mut loads = Loads::default();
        let used = |load: f64| Bytes::of((20.0 + 8.0 * load) * MIB);
        let look = |revision, load: f64| Look {
            revision,
            load: Demand::new(load).filter(|_| revision.is_some()),
            used: used(load).filter(|_| revision.is_some()),
            expected: None,
        };
        for at in 0..400_u64 {
            let load = f64::from(u32::try_from(at / 5 % 5).expect("small"));
            loads.look(&key(), "app", look(Some("a"), load), Mono(at * 15_001));
        }
        let asleep = Mono(400 * 15_001);
        let before = loads.look(&key(), "app", look(None, 0.0), asleep).expect("a line");
        // One look an hour makes no minute, however often.
        for hour in 1..50_u64 {
            let now = Mono(asleep.0 + hour * 3_500_000);
            let kept = loads.look(&key(), "app", look(Some("a"), 4.0), now).expect("a line");
            assert_eq!(kept.minutes, before.minutes);
        }
    }

    #[test]
    fn another_revision_begins_anew_and_what_is_not_known_is_no_pair() {
        let mut loads = Loads::default();
        let look = |revision, load: f64, used| Look {
            revision: Some(revision),
            load: Demand::new(load),
            used,
            expected: None,
        };
        for at in 0..400_u64 {
            let load = f64::from(u32::try_from(at / 4 % 5).expect("small"));
            let used = Bytes::of((20.0 + load) * MIB).filter(|_| at % 3 == 0);
            assert_eq!(
                loads.look(&key(), "app", look("a", load, used), Mono(at * 15_001)),
                None
            );
        }
        for at in 400..800_u64 {
            let load = f64::from(u32::try_from(at / 5 % 5).expect("small"));
            let used = Bytes::of((20.0 + load) * MIB);
            loads.look(&key(), "app", look("a", load, used), Mono(at * 15_001));
        }
        let now = Mono(800 * 15_001);
        assert!(loads.look(&key(), "app", look("a", 1.0, None), now).is_some());
        assert_eq!(loads.look(&key(), "app", look("b", 1.0, None), now), None);
    }
}
