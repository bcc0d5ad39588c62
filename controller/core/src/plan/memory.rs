//! What one container should have: policy, sight and standing in, a size and its reason out. Pure.
//!
//! From the worst pod, never the mean: the largest working set of now and of eight days, start-up peaks included,
//! with the policy's margin; where memory follows the load, what the forecast load will bring as well. A rise needs any
//! one of them; a fall needs all of them (M1, M2), is one a day and at most a fifth (M7), and never goes under the floor
//! that an OOM left (M3).

pub mod plateau;

use crate::memory::{
    Amounts, ContainerBounds, ContainerStanding, ControlledValues, MemoryPolicy, MemoryReason, MemorySeen, Past, Resize,
};
use crate::observation::Reading;
use crate::units::{Bytes, Seconds};

/// History that a decrease needs (M2).
pub const SPAN: Seconds = Seconds(8 * 86_400);
/// Part of it that must be known, in percent (M2).
pub const COVERAGE: u8 = 95;
/// Between two decisions to lower one workload, in seconds (M7).
pub const A_DAY: i64 = 86_400;
/// Percent of the size that is left by the largest decrease (M7).
pub const LEFT: u32 = 80;
/// A decrease leaves at least so much above the largest use: growth between the read and the resize.
pub const ROOM: Bytes = Bytes::mib(64);
/// A decrease by less than this part of the size is not worth a resize, in percent.
const WORTH: u32 = 95;
/// No container is held below this.
const LEAST: Bytes = Bytes::mib(16);

/// Highest size: the least of the policy's maximum, a `LimitRange`'s and the largest node's memory. `None`: none is known.
pub fn most(bounds: &ContainerBounds, seen: &MemorySeen) -> Option<Bytes> {
    let known = [bounds.max, seen.allowed_most, seen.node_most];
    known.into_iter().flatten().min()
}

/// All that sizing one container looks at.
#[derive(Clone, Copy, Debug)]
pub struct Sizing<'a> {
    /// What is asked.
    pub policy: &'a MemoryPolicy,
    /// The container's bounds.
    pub bounds: &'a ContainerBounds,
    /// What is seen.
    pub seen: &'a MemorySeen,
    /// The container's name.
    pub name: &'a str,
    /// What is in force.
    pub standing: &'a ContainerStanding,
    /// Nothing more is raised: the revision is in quarantine.
    pub quarantined: bool,
    /// Seconds since 1970 UTC.
    pub now: i64,
}

impl Sizing<'_> {
    /// The size to hold instead of `held`, with the reason; the same one where there is nothing to do.
    pub fn size(&self, held: Bytes) -> (Bytes, Option<MemoryReason>) {
        let least = self
            .bounds
            .min
            .unwrap_or(LEAST)
            .max(self.seen.allowed_least.unwrap_or_default());
        let floor = self
            .standing
            .oom_floor
            .filter(|_| self.now < self.standing.oom_floor_until);
        let kept = floor.into_iter().fold(least, Bytes::max);
        let used = self.largest_use().filter(|_| !self.leaking());
        // Half of the margin may be eaten before it is made whole again: not every wobble is a write.
        let half = self.margin().saturating_div(2).saturating_add(100);
        let tight = |used: Option<Bytes>| used.is_some_and(|used| used.percent_up(half) > held);
        let needed = tight(used) || kept > held;
        if needed || tight(self.forecast()) {
            let wanted = self.with_margin(used.max(self.forecast()));
            let (to, reason) = self.raised(held, wanted.into_iter().fold(kept, Bytes::max), floor);
            // What is only forecast is no use that was seen, and reaches no maximum; `FollowsLoad` is said of it.
            return (to, reason.filter(|_| needed));
        }
        let goal = self.lowered(held, least.max(floor.unwrap_or_default()));
        let Some(heap) = self.go_heap() else { return goal };
        // A heap that may grow to the limit that Go was told is killed before Go collects it.
        if goal.0 < held && goal.0 < heap {
            let to = heap.whole_mib().min(held);
            let worth = to < held.percent_up(WORTH);
            return (if worth { to } else { held }, Some(MemoryReason::GoLimit));
        }
        goal
    }

    /// The largest limit that Go runtimes of this container were told, of the template and of live pods, with the
    /// margin. `None`: none was, or only requests are moved, which limit no heap.
    fn go_heap(&self) -> Option<Bytes> {
        let live = self.seen.pods.iter().filter(|pod| pod.ending_since.is_none());
        let told = live.filter_map(|pod| pod.containers.get(self.name)?.go_limit);
        let largest = told.chain(self.seen.go_limits.get(self.name).copied()).max();
        self.with_margin(largest.filter(|_| self.policy.controlled == ControlledValues::RequestsAndLimits))
    }

    /// What the template's Go runtime was told, where `held` is more than it and its margin: of what is beyond, no Go heap
    /// makes use.
    pub fn go_limit_below(&self, held: Bytes) -> Option<Bytes> {
        let told = self.seen.go_limits.get(self.name).copied();
        told.filter(|_| self.go_heap().is_some_and(|heap| heap < held))
    }

    fn raised(&self, held: Bytes, wanted: Bytes, floor: Option<Bytes>) -> (Bytes, Option<MemoryReason>) {
        if self.quarantined {
            return (held, None);
        }
        let to = most(self.bounds, self.seen)
            .map_or(wanted, |most| wanted.min(most))
            .whole_mib();
        let to = most(self.bounds, self.seen).map_or(to, |most| to.min(most));
        if to <= held {
            return (held, Some(MemoryReason::AtMaximum));
        }
        // What a kill raised is said for longer than this tick, by the ladder.
        let by_oom = floor.is_some_and(|floor| floor >= wanted);
        (to, (!by_oom).then_some(MemoryReason::WorkingSet))
    }

    fn lowered(&self, held: Bytes, least: Bytes) -> (Bytes, Option<MemoryReason>) {
        let Some(peak) = self.peak() else {
            return (held, None);
        };
        let peak = self.forecast().map_or(peak, |forecast| forecast.max(peak));
        let Some(needed) = self.with_margin(Some(peak)).map(|needed| needed.max(peak.plus(ROOM))) else {
            return (held, None);
        };
        let to = needed.max(least).max(held.percent_up(LEFT)).whole_mib();
        if to >= held.percent_up(WORTH) || self.quarantined || self.leaking() {
            return (held, None);
        }
        if !self.known_for_long() {
            return (held, Some(MemoryReason::HistoryShort));
        }
        let recently = self
            .standing
            .lowered_at
            .is_some_and(|at| self.now.saturating_sub(at) < A_DAY);
        if recently || self.now < self.standing.no_decrease_until || self.busy() {
            return (held, None);
        }
        (to, Some(MemoryReason::Lowered))
    }

    /// The largest use known, of now and of the past. `None`: none is.
    fn largest_use(&self) -> Option<Bytes> {
        let past = self.past().map(|past| past.peak);
        self.live().filter_map(|now| now.known().copied()).chain(past).max()
    }

    /// The use that the forecast load will bring, where memory follows the load. `None`: it does not, none is trusted, or
    /// the container leaks.
    pub fn forecast(&self) -> Option<Bytes> {
        self.seen.loads.get(self.name)?.needs().filter(|_| !self.leaking())
    }

    /// The largest use, where the past and every live pod are known. `None`: something is not.
    fn peak(&self) -> Option<Bytes> {
        let past = self.past()?.peak;
        self.live()
            .try_fold(past, |largest, now| Some(largest.max(*now.known()?)))
    }

    fn live(&self) -> impl Iterator<Item = &Reading<Bytes>> {
        let of = |pod: &'_ crate::memory::PodSeen| pod.ending_since.is_none();
        let pods = self.seen.pods.iter().filter(move |pod| of(pod));
        pods.filter_map(|pod| Some(&pod.containers.get(self.name)?.working_set))
    }

    fn past(&self) -> Option<Past> {
        self.seen.past.get(self.name)?.known().copied()
    }

    fn known_for_long(&self) -> bool {
        self.past()
            .is_some_and(|past| past.span >= SPAN && past.coverage.get() >= COVERAGE)
    }

    /// Something of the workload is under way: a resize, or a pod that is not ready.
    fn busy(&self) -> bool {
        let pods = &self.seen.pods;
        pods.is_empty() || pods.iter().any(|pod| pod.resize != Resize::Done || !pod.ready)
    }

    /// A use that grows steadily is not met by more memory: the ladder's few steps are all it gets.
    fn leaking(&self) -> bool {
        let pods = self.seen.pods.iter();
        pods.filter_map(|pod| pod.containers.get(self.name))
            .any(|found| found.leaking)
    }

    fn margin(&self) -> u32 {
        u32::from(self.policy.margin.get())
    }

    fn with_margin(&self, amount: Option<Bytes>) -> Option<Bytes> {
        amount.map(|amount| amount.percent_up(self.margin().saturating_add(100)))
    }
}

/// The amounts that a container which has `own` gets when `held` is in force: the held ones where both set the
/// same values, else its own shape at the held size.
pub fn amounts(own: Amounts, held: Amounts) -> Amounts {
    let shape = |amounts: Amounts| {
        let equal = amounts.request == amounts.limit;
        (amounts.request.is_some(), amounts.limit.is_some(), equal)
    };
    match held.size() {
        Some(_) if shape(own) == shape(held) => held,
        Some(size) => own.sized(size),
        None => own,
    }
}
