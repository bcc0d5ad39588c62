//! Pods that are stuck or unlike their siblings: at most one eviction at a time out, with its evidence. Pure.

use super::Plan;
use crate::memory::decision::{Evidence, MemoryReason, MemoryStep, Said};
use crate::memory::policy::StuckRemedy;
use crate::memory::seen::{PodSeen, Resize};
use crate::memory::standing::{MemoryStanding, Suspect};
use crate::plan::memory::A_DAY;
use crate::plan::remedy::outlier::{self, Outlier};
use crate::plan::remedy::stuck_pod;

impl Plan<'_> {
    /// One that is not ready for long while most of its siblings are.
    pub(super) fn stuck(&mut self) {
        for pod in stuck_pod::terminating(self.seen, self.now) {
            self.say(&pod.name, MemoryReason::StuckTerminating, None);
        }
        let Some(pod) = stuck_pod::stuck(self.seen, self.now) else {
            return;
        };
        let (name, uid) = (pod.name.clone(), pod.uid.clone());
        if self.policy.stuck == StuckRemedy::Report || self.seen.world_vanished || self.is_spent() {
            return self.say(&name, MemoryReason::StuckReported, None);
        }
        if self.rests() {
            return;
        }
        self.say(&name, MemoryReason::StuckReplaced, None);
        self.steps.push(MemoryStep::Evict { pod: name, uid });
    }

    /// Those that fail or take far more than their siblings. The one that has done so for longest is replaced once it
    /// has for as long as patience reaches; a tick in which it did not, or nothing was known of it, and time starts anew.
    pub(super) fn outliers(&mut self) {
        let found = outlier::outliers(self.seen, self.now);
        let since = |pod: &PodSeen| {
            let before = self.standing.suspects.get(&pod.uid);
            // What was not looked at for a quarter of that may have been well in between.
            let gap = self.seen.patience.div_euclid(4);
            before
                .filter(|suspect| (0..=gap).contains(&self.now.saturating_sub(suspect.seen)))
                .map_or(self.now, |suspect| suspect.since)
        };
        let suspects = found.iter().map(|one| {
            let (since, seen) = (since(one.pod), self.now);
            (one.pod.uid.clone(), Suspect { since, seen })
        });
        self.standing.suspects = suspects.collect();
        let lasted = |one: &&Outlier<'_>| self.lasted(one.pod) >= self.seen.patience;
        let Some(worst) = found.iter().filter(lasted).max_by_key(|one| self.lasted(one.pod)) else {
            return;
        };
        let evidence = Evidence {
            measure: worst.measure,
            own: worst.own,
            siblings: worst.siblings,
            seconds: self.lasted(worst.pod),
        };
        let replaces = self.policy.outlier == StuckRemedy::Replace && self.may_replace();
        self.said.push(Said {
            subject: worst.pod.name.clone(),
            reason: if replaces {
                MemoryReason::OutlierReplaced
            } else {
                MemoryReason::OutlierReported
            },
            value: None,
            evidence: Some(evidence),
        });
        if replaces {
            let (pod, uid) = (worst.pod.name.clone(), worst.pod.uid.clone());
            self.steps.push(MemoryStep::Evict { pod, uid });
        }
    }

    /// How long a pod has been suspected, in seconds.
    fn lasted(&self, pod: &PodSeen) -> i64 {
        let suspect = self.standing.suspects.get(&pod.uid);
        suspect.map_or(0, |suspect| self.now.saturating_sub(suspect.since))
    }

    /// One at a time (M5), of a workload that is whole and has nothing else under way, and no more than a few a day.
    fn may_replace(&self) -> bool {
        let settled = |pod: &PodSeen| pod.ready && pod.ending_since.is_none() && pod.resize == Resize::Done;
        self.seen.pods.iter().all(settled) && !(self.rests() || self.is_spent() || self.evicts())
    }

    /// As many were evicted today as may be: where new pods fare no better, the cause is not the pod.
    fn is_spent(&self) -> bool {
        let today = |at: &&i64| self.now.saturating_sub(**at) < A_DAY;
        self.standing.evictions.iter().filter(today).count() >= MemoryStanding::MAX_EVICTIONS
    }

    /// The last eviction is not longer ago than a pod may take to be ready.
    fn rests(&self) -> bool {
        let last = self.standing.evicted.as_ref();
        last.is_some_and(|last| self.now.saturating_sub(last.at) < self.seen.patience)
    }

    /// An eviction is among the steps.
    pub(super) fn evicts(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, MemoryStep::Evict { .. }))
    }
}
