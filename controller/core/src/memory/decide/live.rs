//! Live pods: what is held and what each pod has in, resizes out. Pure.

use super::Plan;
use crate::memory::decision::{MemoryReason, MemoryStep};
use crate::memory::policy::{ContainerBounds, Runtime};
use crate::memory::seen::{Amounts, ContainerSeen, PodSeen, Resize};
use crate::memory::standing::{ContainerStanding, Refused};
use crate::plan::memory::{LEFT, amounts, plateau};
use crate::plan::remedy::raise;
use crate::units::Bytes;

/// A resize that waits for its node longer than this is put back, in seconds.
const DEFERRED: i64 = 300;
/// One that the node is at for longer than this is not waited for, in seconds.
const IN_PROGRESS: i64 = 3600;

impl Plan<'_> {
    /// Steps for the live pods: what did not work is put back, raises at once, a decrease one pod at a time; so is a
    /// raise that restarts a pod which serves.
    pub(super) fn pods(
        &mut self,
        name: &str,
        bounds: &ContainerBounds,
        held: Amounts,
        standing: &mut ContainerStanding,
    ) {
        let (mut lower, mut restart, mut raised) = (None, None, Vec::new());
        let mut busy = false;
        for pod in self.seen.pods.iter().filter(|pod| pod.ending_since.is_none()) {
            let Some(found) = pod.containers.get(name) else {
                continue;
            };
            if let Some(actual) = found
                .actual
                .filter(|actual| *actual != found.spec && over(&pod.resize, self.now))
            {
                let size = found.spec.size().unwrap_or_default();
                self.refuse(&pod.uid, name, size);
                self.say(&pod.name, MemoryReason::PutBack, Some(size));
                // Where the API server takes no limit back, asking in every tick would not change its mind.
                if self.seen.lowers_in_place || actual.limit >= found.spec.limit {
                    self.steps.push(resize(pod, name, found.spec, actual));
                }
                continue;
            }
            busy |= pod.resize != Resize::Done || found.actual.is_some_and(|actual| actual != found.spec);
            let to = self.past_start(pod, name, amounts(found.spec, held), standing);
            let to = if to.size() > found.spec.size() {
                to.requesting_at_least(found.spec.request)
            } else {
                to
            };
            if to.size() > found.spec.size() || (to.size() == found.spec.size() && to.request > found.spec.request) {
                if self.refused(&pod.uid, name, to.size().unwrap_or_default()) {
                    self.say(&pod.name, MemoryReason::PutBack, to.size());
                } else if self.is_spared(pod, found, standing) {
                    busy = true;
                } else if found.restarts_on_resize && pod.ready {
                    restart = restart.or(Some((pod, found.spec, to)));
                } else {
                    raised.push(pod.uid.clone());
                    self.steps.push(resize(pod, name, found.spec, to));
                }
            } else if to.size() < found.spec.size() || to.request < found.spec.request {
                let heap = found.go_limit.map(|told| told.percent_up(self.percent()));
                let limits = to.limit < found.spec.limit;
                if limits && heap > to.size() {
                    self.say(&pod.name, MemoryReason::GoLimit, found.go_limit);
                } else {
                    lower = lower.or(Some((pod, found.spec, to)));
                }
            }
        }
        if let Some((pod, from, to)) = restart.filter(|_| !raise::is_under_way(standing, self.seen, self.now)) {
            raised.push(pod.uid.clone());
            self.steps.push(resize(pod, name, from, to));
        }
        raise::begin(standing, self.seen, name, &raised, self.now);
        // A pod that has come through its start is brought to the plateau on any day: the decision was made before.
        let decided = |(_, from, to): &(&PodSeen, Amounts, Amounts)| {
            standing.trial.is_some() || (standing.plateau.is_some() && to.size() == from.size())
        };
        let Some((pod, from, to)) = lower.filter(|one| decided(one) && !busy && !self.evicts()) else {
            return;
        };
        if bounds.runtime == Runtime::Jvm || pod.containers.get(name).is_some_and(|found| found.restarts_on_resize) {
            self.say(name, MemoryReason::RuntimeKeeps, to.size());
        } else if self.seen.lowers_in_place && self.room(name, to) && self.level(name, standing) {
            let least = from.size().unwrap_or_default().percent_up(LEFT);
            let to = if to.size() < Some(least) { from.sized(least) } else { to };
            let to = if to.size() == from.size() {
                let least = from
                    .request
                    .map(|request| request.percent_up(LEFT).whole_mib().min(request));
                to.requesting_at_least(least)
            } else {
                to
            };
            self.steps.push(resize(pod, name, from, to));
        }
    }

    /// The amounts of a pod past its start: its request is the plateau's, where its class of service lets it be.
    fn past_start(&self, pod: &PodSeen, name: &str, to: Amounts, standing: &ContainerStanding) -> Amounts {
        // One that has come down stays down while it is not ready: it has not started anew.
        let down = |plateau| to.request > Some(plateau) && requests(pod, name) <= Some(plateau);
        let past = |plateau: &Bytes| {
            plateau::is_past_start(pod, name, self.now) || (down(*plateau) && plateau::has_run(pod, name, self.now))
        };
        match standing.plateau.filter(past) {
            Some(plateau) if to.request < to.limit => Amounts {
                request: to.request.map(|request| request.min(plateau)),
                ..to
            },
            _ => to,
        }
    }

    /// M1 on the plateau: its margin above the use of every pod past its start, on this tick's read.
    fn level(&self, name: &str, standing: &ContainerStanding) -> bool {
        let Some(plateau) = standing.plateau else { return true };
        let past = |pod: &&PodSeen| plateau::is_past_start(pod, name, self.now);
        let living = self.seen.pods.iter().filter(past);
        living
            .filter_map(|pod| Some(pod.containers.get(name)?.working_set.known()))
            .all(|used| used.is_some_and(|used| used.percent_up(self.percent()) <= plateau))
    }

    /// A whole and the margin, in percent.
    fn percent(&self) -> u32 {
        u32::from(self.policy.margin.get()).saturating_add(100)
    }

    /// While raises are held off, a pod that serves and has more than a quarter of its margin left is not raised. What
    /// it uses must be known for that, and no kill may have asked for more.
    fn is_spared(&self, pod: &PodSeen, found: &ContainerSeen, standing: &ContainerStanding) -> bool {
        let quarter = u32::from(self.policy.margin.get())
            .saturating_div(4)
            .saturating_add(100);
        let used = found.working_set.known().map(|used| used.percent_up(quarter));
        let roomy = used.is_some_and(|used| Some(used) <= found.spec.size());
        let asked = standing.oom_floor.is_some_and(|floor| Some(floor) > found.spec.size());
        self.now < standing.no_raise_until && pod.ready && roomy && !asked
    }

    /// M1: the margin above every live pod's use, on this tick's read.
    fn room(&self, name: &str, to: Amounts) -> bool {
        let percent = self.percent();
        let Some(size) = to.size() else { return false };
        let living = self.seen.pods.iter().filter_map(|pod| pod.containers.get(name));
        living
            .map(|found| found.working_set.known())
            .all(|used| used.is_some_and(|used| used.percent_up(percent) <= size))
    }

    fn refused(&self, uid: &str, name: &str, size: Bytes) -> bool {
        let mut refused = self.standing.refused.iter();
        refused.any(|r| r.uid == uid && r.container == name && size >= r.size)
    }

    fn refuse(&mut self, uid: &str, name: &str, size: Bytes) {
        self.standing.refuse(Refused {
            uid: uid.to_owned(),
            container: name.to_owned(),
            size,
        });
    }
}

fn requests(pod: &PodSeen, name: &str) -> Option<Bytes> {
    pod.containers.get(name)?.spec.request
}

/// The node will not do it: put the spec back.
fn over(resize: &Resize, now: i64) -> bool {
    match resize {
        Resize::Infeasible | Resize::Failed => true,
        Resize::Deferred(since) => now.saturating_sub(*since) >= DEFERRED,
        Resize::InProgress(since) => now.saturating_sub(*since) >= IN_PROGRESS,
        Resize::Done => false,
    }
}

fn resize(pod: &PodSeen, container: &str, from: Amounts, to: Amounts) -> MemoryStep {
    MemoryStep::Resize {
        pod: pod.name.clone(),
        uid: pod.uid.clone(),
        container: container.to_owned(),
        from,
        to,
    }
}
