//! Policy, sight and standing in, the decision on memory and health out. Pure and total. Live pods are `live`'s,
//! evictions `replace`'s.

mod live;
mod replace;

use super::birth::{Birth, bearable};
use super::decision::{MemoryDecision, MemoryReason, MemoryStep, Said};
use super::policy::{ContainerBounds, ControlledValues, MemoryMode, MemoryPolicy, OomRemedy};
use super::seen::{Amounts, MemorySeen, Oom};
use super::standing::{ContainerStanding, MemoryStanding, Quarantine};
use crate::plan::memory::{Sizing, most};
use crate::plan::remedy::{crash_loop, oom, raise, revert};
use crate::units::{Bytes, Wall};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So long after a kill it is said that it was answered, in seconds.
const SAID_FOR: i64 = 600;

/// The complete input of one decision on memory and health, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryInputs {
    /// What is asked.
    pub policy: MemoryPolicy,
    /// What is seen.
    pub seen: MemorySeen,
    /// What is in force because of us.
    pub standing: MemoryStanding,
    /// When.
    pub now: Wall,
}

/// A decision on its way.
struct Plan<'a> {
    policy: &'a MemoryPolicy,
    seen: &'a MemorySeen,
    now: i64,
    standing: MemoryStanding,
    steps: Vec<MemoryStep>,
    said: Vec<Said>,
}

impl MemoryInputs {
    /// Decides. While paused nothing is to be done, and in Shadow no more than to give newborn pods their template's
    /// memory back; what is remembered stays as it was, and `said` tells what would have been.
    pub fn decide(&self) -> MemoryDecision {
        let now = self.now.0.div_euclid(1000);
        let mut plan = Plan {
            policy: &self.policy,
            seen: &self.seen,
            now,
            standing: self.standing.clone(),
            steps: Vec::new(),
            said: Vec::new(),
        };
        plan.run();
        if self.policy.acts() {
            let Plan {
                standing, steps, said, ..
            } = plan;
            return MemoryDecision { standing, steps, said };
        }
        MemoryDecision {
            // What was seen is remembered: it tells how long a pod has been unlike its siblings.
            standing: MemoryStanding {
                suspects: plan.standing.suspects.clone(),
                ..self.standing.clone()
            },
            steps: if self.policy.paused {
                Vec::new()
            } else {
                plan.given_back()
            },
            said: plan.said,
        }
    }
}

impl Plan<'_> {
    fn run(&mut self) {
        if let Some(failing) = crash_loop::failing(self.seen).or_else(|| self.seen.worse.clone()) {
            self.say(&failing.revision, MemoryReason::CrashLoop(failing.cause), None);
        }
        self.stuck();
        self.outliers();
        if let Some(by) = self
            .seen
            .conflict
            .as_ref()
            .filter(|_| self.policy.mode != MemoryMode::Off)
        {
            self.say(by, MemoryReason::Conflict, None);
            // Two would fight over each pod: the other one has the last word at birth, and in place.
            self.birth(BTreeMap::new());
            return;
        }
        if self.policy.mode == MemoryMode::Birth && self.seen.births.is_none() {
            self.say("spec.memory.mode", MemoryReason::NoBirth, None);
        }
        self.release_quarantine();
        let mut births = BTreeMap::new();
        for bounds in &self.policy.containers {
            let Some(name) = bounds.name.as_ref().or(self.seen.default_container.as_ref()) else {
                continue;
            };
            if let Some(birth) = self.container(name, bounds) {
                births.insert(name.clone(), birth);
            }
        }
        self.birth(births);
    }

    fn say(&mut self, subject: &str, reason: MemoryReason, value: Option<Bytes>) {
        let subject = subject.to_owned();
        let evidence = None;
        self.said.push(Said {
            subject,
            reason,
            value,
            evidence,
        });
    }

    /// A new revision gets a new ladder; the floor that an OOM left stays (M3).
    fn release_quarantine(&mut self) {
        let Some(quarantine) = &self.standing.quarantine else {
            return;
        };
        if self
            .seen
            .revision
            .as_ref()
            .is_some_and(|now| *now != quarantine.revision)
        {
            if let Some(container) = self.standing.containers.get_mut(&quarantine.container) {
                container.rung = 0;
            }
            self.standing.quarantine = None;
        }
    }

    /// One container: what newborn pods are to get, where it is not the template's.
    fn container(&mut self, name: &str, bounds: &ContainerBounds) -> Option<Birth> {
        let Some(own) = self.seen.template.get(name).copied() else {
            self.say(name, MemoryReason::NoContainer, None);
            return None;
        };
        let fixed = self.policy.controlled == ControlledValues::RequestsOnly && own.request == own.limit;
        if own.size().is_none() || fixed {
            self.say(name, MemoryReason::NoMemorySet, None);
            return None;
        }
        let mut standing = self.standing.containers.get(name).cloned().unwrap_or_default();
        let held = standing.held.unwrap_or_else(|| self.meet(name, own, &mut standing));
        let held = self.deployed(name, own, held, &mut standing);
        standing.held = Some(held);
        self.kills(name, bounds, &mut standing);
        let reverted = revert::judge(&mut standing, self.seen, name, self.policy.margin, self.now);
        if reverted {
            let value = standing.held.and_then(Amounts::size);
            self.say(name, MemoryReason::Reverted, value);
        }
        raise::judge(&mut standing, self.seen, name, self.now);
        if self.now < standing.no_raise_until {
            self.say(name, MemoryReason::RaiseHarmful, None);
        }
        if self.policy.mode != MemoryMode::Off {
            self.size(name, bounds, &mut standing);
            self.plateau(name, bounds, &mut standing);
        }
        let held = standing.held.unwrap_or(held);
        if self.policy.mode == MemoryMode::InPlace {
            self.pods(name, bounds, held, &mut standing);
        }
        self.standing.containers.insert(name.to_owned(), standing);
        let amounts = bearable(name, own, held, self.seen, &self.standing.refused, self.now);
        (self.policy.mode != MemoryMode::Off && amounts != own).then_some(Birth { own, amounts })
    }

    /// What is held of `held` once its owner's template has become `own`: no less than a template that was raised. A hold
    /// below it was decided upon another one, and less than this one is a decrease, with all that it needs (M2).
    fn deployed(&self, name: &str, own: Amounts, held: Amounts, standing: &mut ContainerStanding) -> Amounts {
        let written = || self.seen.births.as_ref()?.get(name).map(|birth| birth.own);
        let before = standing.template.or_else(written);
        standing.template = Some(own);
        let raised = before.is_some_and(|before| before.size() < own.size());
        if !raised || held.size() >= own.size() {
            return held;
        }
        standing.trial = None;
        own
    }

    /// First sight. More than the template's that nothing explains is the work of a process whose memory is lost: it
    /// counts as an OOM floor. Less counts as lowered just now (M6).
    fn meet(&self, name: &str, own: Amounts, standing: &mut ContainerStanding) -> Amounts {
        let living = || {
            let pods = self.seen.pods.iter();
            pods.filter_map(|pod| pod.containers.get(name)).map(|found| found.spec)
        };
        let sizes: Vec<Bytes> = living()
            .chain(
                self.seen
                    .births
                    .as_ref()
                    .and_then(|births| births.get(name))
                    .map(|birth| birth.amounts),
            )
            .filter_map(Amounts::size)
            .collect();
        let base = own.size().unwrap_or_default();
        let largest = sizes.iter().copied().max().unwrap_or(base).max(base);
        if largest > base {
            standing.oom_floor = Some(largest);
            standing.oom_floor_until = self.now.saturating_add(oom::FLOOR_KEPT);
        }
        let requests_less = living().any(|spec| spec.request < own.request);
        if requests_less || sizes.iter().any(|size| *size < base) {
            standing.lowered_at = Some(self.now);
        }
        if largest > base { own.sized(largest) } else { own }
    }

    fn kills(&mut self, name: &str, bounds: &ContainerBounds, standing: &mut ContainerStanding) {
        let ooms = &self.seen.ooms;
        let kills: Vec<&Oom> = ooms.iter().filter(|oom| oom.container == name).collect();
        let raises = self.policy.oom == OomRemedy::Raise
            && self.policy.mode != MemoryMode::Off
            && self.policy.controlled == ControlledValues::RequestsAndLimits;
        if !raises {
            if let Some(last) = kills.last() {
                self.say(name, MemoryReason::OomReported, Some(last.size));
            }
            return;
        }
        if let Some(cause) = oom::climb(standing, &kills, most(bounds, self.seen), self.now)
            && self.standing.quarantine.is_none()
        {
            self.standing.quarantine = Some(Quarantine {
                revision: self.seen.revision.clone().unwrap_or_default(),
                container: name.to_owned(),
                cause,
                since: self.now,
            });
        }
        if self.now.saturating_sub(standing.last_oom) < SAID_FOR && standing.oom_floor.is_some() {
            self.say(name, MemoryReason::OomRaised, standing.oom_floor);
        }
        if let Some(quarantine) = self.standing.quarantine.clone().filter(|q| q.container == name) {
            self.say(name, MemoryReason::Quarantined(quarantine.cause), standing.oom_floor);
        }
    }

    fn size(&mut self, name: &str, bounds: &ContainerBounds, standing: &mut ContainerStanding) {
        let Some(held) = standing.held else { return };
        let sizing = self.sizing(name, bounds, standing);
        let requests = self.policy.controlled == ControlledValues::RequestsOnly;
        let Some(before) = (if requests { held.request } else { held.size() }) else {
            return;
        };
        let (to, reason) = sizing.size(before);
        let forecast = sizing.forecast();
        let above = sizing.go_limit_below(to);
        if let Some(reason) = reason {
            self.say(name, reason, Some(to));
        }
        if self.seen.loads.contains_key(name) {
            self.say(name, MemoryReason::FollowsLoad, forecast);
        }
        let own = self.seen.template.get(name).and_then(|own| own.size());
        if above.is_some() && Some(to) > own {
            self.say(name, MemoryReason::GoLimit, above);
        }
        if to == before {
            return;
        }
        if to < before {
            standing.lowered_at = Some(self.now);
            standing.trial = Some(revert::begin(self.seen, name, held, self.now));
        } else {
            // What is needed now settles the trial of an earlier decrease.
            standing.trial = None;
        }
        standing.held = Some(if requests {
            requests_at(held, to)
        } else {
            held.sized(to)
        });
    }

    /// The request of live pods past their start; only where they are resized.
    fn plateau(&mut self, name: &str, bounds: &ContainerBounds, standing: &mut ContainerStanding) {
        let Some(held) = standing.held.filter(|_| self.policy.mode == MemoryMode::InPlace) else {
            standing.plateau = None;
            return;
        };
        let (to, reason) = self.sizing(name, bounds, standing).plateau(held);
        if let Some(reason) = reason {
            self.say(name, reason, to.or(held.request));
        }
        if reason == Some(MemoryReason::Lowered) {
            standing.lowered_at = Some(self.now);
            standing.trial = Some(revert::begin(self.seen, name, held, self.now));
        }
        standing.plateau = to;
    }

    fn sizing<'a>(&'a self, name: &'a str, bounds: &'a ContainerBounds, standing: &'a ContainerStanding) -> Sizing<'a> {
        Sizing {
            policy: self.policy,
            bounds,
            seen: self.seen,
            name,
            standing,
            quarantined: self.standing.quarantine.as_ref().is_some_and(|q| q.container == name),
            now: self.now,
        }
    }

    /// Newborn memory is written before anything that makes pods.
    fn birth(&mut self, births: BTreeMap<String, Birth>) {
        if self.seen.births.as_ref().is_some_and(|now| *now != births) {
            self.steps.insert(0, MemoryStep::SetBirth { containers: births });
        }
    }

    /// What gives newborn pods their template's memory back.
    fn given_back(&self) -> Vec<MemoryStep> {
        let written = self.seen.births.as_ref().is_some_and(|births| !births.is_empty());
        let none = MemoryStep::SetBirth {
            containers: BTreeMap::new(),
        };
        written.then_some(none).into_iter().collect()
    }
}

/// The request alone, at most the limit less a mebibyte, so that the `QoS` class stays.
fn requests_at(held: Amounts, to: Bytes) -> Amounts {
    let most = held.limit.map_or(to, |limit| to.min(limit.minus(Bytes::MIB)));
    Amounts {
        request: Some(most),
        ..held
    }
}
