//! What live pods past their start should request: the start-up peak and the plateau behind it, kept apart. Pure.
//!
//! For a container that needs most while it starts, as a server that loads its weights. Newborn pods, and those that
//! start again, have what a start needs; what comes down behind it is the request, which the scheduler counts. The limit
//! stays: a container that starts again in its pod must find it, and no limit falls below a use of eight days (M1).

use super::{A_DAY, LEAST, LEFT, ROOM, Sizing, WORTH};
use crate::memory::{Amounts, MemoryReason, PodSeen, Runtime};
use crate::observation::Reading;
use crate::units::Bytes;

/// A container that has run for so long is past its start, in seconds.
pub const START: i64 = 600;

/// True for a ready pod whose container is past its start; not where nobody knows since when it runs.
pub fn is_past_start(pod: &PodSeen, name: &str, now: i64) -> bool {
    pod.ready && pod.ending_since.is_none() && has_run(pod, name, now)
}

/// True where the container has run for [`START`] without a restart, ready or not.
pub fn has_run(pod: &PodSeen, name: &str, now: i64) -> bool {
    let started = pod.containers.get(name).and_then(|found| found.started);
    started.is_some_and(|at| now.saturating_sub(at) >= START)
}

impl Sizing<'_> {
    /// The request to hold for live pods past their start where `held` is in force, and why; `None`: what is held.
    ///
    /// It rises at once when half of its margin is eaten, and falls under all that a decrease needs (M2, M7), to the
    /// largest use past a start with the margin.
    pub fn plateau(&self, held: Amounts) -> (Option<Bytes>, Option<MemoryReason>) {
        let Some(most) = held.request.filter(|_| self.bounds.runtime == Runtime::Inference) else {
            return (None, None);
        };
        let now = self.standing.plateau.filter(|plateau| *plateau < most);
        let current = now.unwrap_or(most);
        if now.is_some() && self.leaking() {
            return (None, Some(MemoryReason::WorkingSet));
        }
        let used = self.past_start().filter_map(|used| used.known().copied()).max();
        let half = self.margin().saturating_div(2).saturating_add(100);
        if let Some(used) = used.filter(|used| now.is_some() && used.percent_up(half) > current) {
            let to = self
                .with_margin(Some(used))
                .unwrap_or(most)
                .max(used.plus(ROOM))
                .whole_mib();
            return (Some(to).filter(|to| *to < most), Some(MemoryReason::WorkingSet));
        }
        let keeps = |reason| (now, reason);
        let Some(needed) = self.plateau_needs() else {
            return keeps(None);
        };
        let least = self
            .bounds
            .min
            .unwrap_or(LEAST)
            .max(self.seen.allowed_least.unwrap_or_default());
        let to = needed.max(least).max(current.percent_up(LEFT)).whole_mib();
        if to >= current.percent_up(WORTH) || self.quarantined || self.leaking() {
            return keeps(None);
        }
        // The class of service must stay, and a request that is all there is limits the container as well.
        if held.request >= held.limit {
            return keeps(Some(MemoryReason::RuntimeKeeps));
        }
        if !self.known_for_long() {
            return keeps(Some(MemoryReason::HistoryShort));
        }
        let recently = self.standing.lowered_at;
        let recently = recently.is_some_and(|at| self.now.saturating_sub(at) < A_DAY);
        if recently || self.now < self.standing.no_decrease_until || self.busy() {
            return keeps(None);
        }
        (Some(to), Some(MemoryReason::Lowered))
    }

    /// The largest use past a start, of now and of eight days, with the margin. `None`: no pod is past its start, or the
    /// use of one is not known, or that of the past is not.
    fn plateau_needs(&self) -> Option<Bytes> {
        let past = self.past()?.plateau?;
        self.past_start().next()?;
        let peak = self
            .past_start()
            .try_fold(past, |most, used| Some(most.max(*used.known()?)))?;
        Some(self.with_margin(Some(peak))?.max(peak.plus(ROOM)))
    }

    /// What containers past their start use now.
    fn past_start(&self) -> impl Iterator<Item = &Reading<Bytes>> {
        let pods = self
            .seen
            .pods
            .iter()
            .filter(|pod| is_past_start(pod, self.name, self.now));
        pods.filter_map(|pod| Some(&pod.containers.get(self.name)?.working_set))
    }
}
