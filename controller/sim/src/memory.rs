//! One function's pods and their memory on virtual time: start-up peaks, steady use, growth, leaks, kills.
//!
//! A pod whose working set passes its limit is killed and started again after a back-off, as a node does. Resizes are
//! carried out at once; one above the node's room is refused.

use forewarm_core::memory::{
    Amounts, Birth, ContainerSeen, Crash, LoadFit, MemorySeen, MemoryStep, Oom, Past, PodSeen, Resize,
};
use forewarm_core::observation::{Reading, Why};
use forewarm_core::outcome::{Outcome, RefusedKind};
use forewarm_core::plan::memory::plateau::START;
use forewarm_core::units::{Bytes, Percent, Seconds};
use std::collections::BTreeMap;

/// Name of the container.
pub const APP: &str = "app";
/// Kept history, in seconds: the eight days that a decrease needs.
const HISTORY: i64 = 8 * 86_400;
/// Longest back-off of a killed container, in seconds.
const BACK_OFF: i64 = 300;

/// What a pod uses, by its age and by the time.
#[derive(Clone, Debug)]
pub struct Use {
    /// Once started.
    pub steady: Bytes,
    /// While starting.
    pub start_up: Bytes,
    /// How long starting takes, in seconds.
    pub start_up_seconds: i64,
    /// What each hour of a pod's life adds: a leak.
    pub leak_per_hour: Bytes,
    /// From then on (seconds since 1970 UTC) every pod uses more by `growth_per_minute` until `growth_most`.
    pub growth_from: i64,
    /// Growth a minute.
    pub growth_per_minute: Bytes,
    /// Where growth ends.
    pub growth_most: Bytes,
}

impl Use {
    /// The same use at all times.
    pub fn steady(steady: Bytes) -> Self {
        Self {
            steady,
            start_up: steady,
            start_up_seconds: 10,
            leak_per_hour: Bytes(0),
            growth_from: i64::MAX,
            growth_per_minute: Bytes(0),
            growth_most: Bytes(0),
        }
    }

    /// Working set of a pod of that age, then.
    fn at(&self, age: i64, now: i64) -> Bytes {
        let base = if age < self.start_up_seconds {
            self.start_up
        } else {
            self.steady
        };
        let leaked = each(self.leak_per_hour, age, 3600);
        let grown = each(self.growth_per_minute, now.saturating_sub(self.growth_from), 60).min(self.growth_most);
        base.plus(leaked).plus(grown)
    }
}

/// Notes a use in its hour, and forgets what is older than the history.
fn note(hours: &mut Vec<(i64, Bytes)>, used: Bytes, now: i64) {
    let this = now / 3600 * 3600;
    match hours.last_mut() {
        Some((hour, peak)) if *hour == this => *peak = (*peak).max(used),
        _ => hours.push((this, used)),
    }
    hours.retain(|(hour, _)| *hour >= now - HISTORY - 3600);
}

/// `amount` for each `span` of `seconds`; nothing for seconds below zero.
fn each(amount: Bytes, seconds: i64, span: u64) -> Bytes {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    Bytes(amount.0.saturating_mul(seconds) / span)
}

/// One pod.
#[derive(Clone, Debug)]
struct Pod {
    name: String,
    amounts: Amounts,
    created: i64,
    started: i64,
    restarts: u32,
}

/// What a resize upwards does to a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRaise {
    /// Nothing.
    #[default]
    Nothing,
    /// Its spec says that it restarts (`RestartContainer`).
    Restarts,
    /// It does not survive it, which nobody has said.
    Dies,
}

/// Seconds that a container takes to be started again after a resize.
const RESTART: i64 = 20;

/// One function's pods.
#[derive(Clone, Debug)]
pub struct World {
    /// What its pods use.
    pub use_: Use,
    /// Seconds since 1970 UTC.
    pub now: i64,
    /// The newest revision.
    pub revision: String,
    /// What a resize upwards does to a container.
    pub on_raise: OnRaise,
    /// The lines that memory was found to follow, by container.
    pub loads: BTreeMap<String, LoadFit>,
    template: Amounts,
    node: Bytes,
    pods: Vec<Pod>,
    births: BTreeMap<String, Birth>,
    ooms: Vec<Oom>,
    /// Largest use of each hour, oldest first.
    hours: Vec<(i64, Bytes)>,
    /// The same of containers past their start.
    plateaus: Vec<(i64, Bytes)>,
    made: u32,
    killed: u32,
}

impl World {
    /// A function of so many pods on a node of that size.
    pub fn new(template: Amounts, node: Bytes, pods: usize, use_: Use, now: i64) -> Self {
        let mut world = Self {
            use_,
            now,
            revision: "a".to_owned(),
            on_raise: OnRaise::default(),
            loads: BTreeMap::new(),
            template,
            node,
            pods: Vec::new(),
            births: BTreeMap::new(),
            ooms: Vec::new(),
            hours: Vec::new(),
            plateaus: Vec::new(),
            made: 0,
            killed: 0,
        };
        world.scale(pods);
        world
    }

    /// Pretends that the last eight days were watched, with this largest use.
    pub fn remember(&mut self, peak: Bytes) {
        self.hours = self.watched(peak);
    }

    /// The same, with this largest use past a start.
    pub fn remember_plateau(&mut self, peak: Bytes) {
        self.plateaus = self.watched(peak);
    }

    /// The hours of eight days until now, with that largest use in each.
    fn watched(&self, peak: Bytes) -> Vec<(i64, Bytes)> {
        let hours = (0..=HISTORY / 3600).rev();
        hours.map(|ago| (self.now - 1 - ago * 3600, peak)).collect()
    }

    /// The container of one pod ends and is started again in its pod.
    pub fn restart(&mut self, pod: usize) {
        let pod = &mut self.pods[pod];
        pod.restarts += 1;
        pod.started = self.now + RESTART;
    }

    /// Makes or ends pods until there are so many; new ones are born with what is written for them.
    pub fn scale(&mut self, pods: usize) {
        self.pods.truncate(pods);
        while self.pods.len() < pods {
            self.made += 1;
            let amounts = self.newborn();
            self.pods.push(Pod {
                name: format!("{}-{}", self.revision, self.made),
                amounts,
                created: self.now,
                started: self.now,
                restarts: 0,
            });
        }
    }

    /// A deploy: new pods of another revision.
    pub fn deploy(&mut self, revision: &str, use_: Use) {
        let pods = self.pods.len();
        revision.clone_into(&mut self.revision);
        self.use_ = use_;
        self.scale(0);
        self.scale(pods);
    }

    /// Lets `seconds` pass, one by one.
    pub fn advance(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now += 1;
            self.second();
        }
    }

    fn second(&mut self) {
        let (mut largest, mut plateau) = (Bytes(0), Bytes(0));
        for at in 0..self.pods.len() {
            let pod = &self.pods[at];
            if pod.started > self.now {
                continue;
            }
            let used = self.use_.at(self.now - pod.started, self.now);
            let size = pod.amounts.limit.unwrap_or(self.node);
            largest = largest.max(used.min(size));
            if self.now - pod.started >= START {
                plateau = plateau.max(used.min(size));
            }
            if used > size {
                self.kill(at, size);
            }
        }
        let now = self.now;
        note(&mut self.hours, largest, now);
        note(&mut self.plateaus, plateau, now);
    }

    fn kill(&mut self, at: usize, size: Bytes) {
        self.killed += 1;
        let leaking = self.leaks(&self.pods[at]);
        let pod = &mut self.pods[at];
        pod.restarts += 1;
        let back_off = 10_i64.saturating_mul(1 << pod.restarts.min(5)).min(BACK_OFF);
        pod.started = self.now + back_off;
        self.ooms.push(Oom {
            pod: pod.name.clone(),
            container: APP.to_owned(),
            size,
            at: self.now,
            leaking,
        });
    }

    /// True once a pod's life shows its leak.
    fn leaks(&self, pod: &Pod) -> bool {
        self.use_.leak_per_hour > Bytes(0) && self.now - pod.started > 60
    }

    /// Kills so far.
    pub const fn killed(&self) -> u32 {
        self.killed
    }

    /// Pods that run and are past their start-up.
    pub fn ready(&self) -> usize {
        self.pods.iter().filter(|pod| self.is_ready(pod)).count()
    }

    fn is_ready(&self, pod: &Pod) -> bool {
        self.now - pod.started >= self.use_.start_up_seconds
    }

    /// Memory of each pod.
    pub fn sizes(&self) -> Vec<Bytes> {
        self.pods.iter().filter_map(|pod| pod.amounts.size()).collect()
    }

    /// Memory that each pod requests.
    pub fn requests(&self) -> Vec<Bytes> {
        self.pods.iter().filter_map(|pod| pod.amounts.request).collect()
    }

    /// What newborn pods get.
    pub fn birth(&self) -> Bytes {
        self.newborn().size().unwrap_or_default()
    }

    /// What is written counts for pods of the template it was written for.
    fn newborn(&self) -> Amounts {
        let written = self.births.get(APP).filter(|birth| birth.own == self.template);
        written.map_or(self.template, |birth| birth.amounts)
    }

    /// What an operator sees of it.
    pub fn seen(&self) -> MemorySeen {
        let past = self.hours.first().map(|(first, _)| Past {
            peak: self.hours.iter().map(|(_, peak)| *peak).max().unwrap_or_default(),
            plateau: self.plateaus.iter().map(|(_, peak)| *peak).max(),
            span: Seconds(u32::try_from(self.now - first).unwrap_or(u32::MAX)),
            coverage: Percent::new(100).expect("100 is a percentage"),
        });
        MemorySeen {
            template: BTreeMap::from([(APP.to_owned(), self.template)]),
            go_limits: BTreeMap::new(),
            default_container: Some(APP.to_owned()),
            pods: self.pods.iter().map(|pod| self.pod(pod)).collect(),
            past: past
                .map(|past| (APP.to_owned(), Reading::Known(past)))
                .into_iter()
                .collect(),
            revision: Some(self.revision.clone()),
            loads: self.loads.clone(),
            node_most: Some(self.node),
            allowed_least: None,
            allowed_most: None,
            spare: None,
            lowers_in_place: true,
            conflict: None,
            births: Some(self.births.clone()),
            patience: 300,
            ooms: self.ooms.clone(),
            world_vanished: false,
            worse: None,
        }
    }

    fn pod(&self, pod: &Pod) -> PodSeen {
        let running = pod.started <= self.now;
        let used = || self.use_.at(self.now - pod.started, self.now);
        let container = ContainerSeen {
            spec: pod.amounts,
            actual: Some(pod.amounts),
            working_set: if running {
                Reading::Known(used())
            } else {
                Reading::Unknown(Why::Absent)
            },
            restarts: pod.restarts,
            leaking: self.leaks(pod),
            restarts_on_resize: self.on_raise == OnRaise::Restarts,
            crash: (!running).then_some(Crash::OutOfMemory),
            go_limit: None,
            started: running.then_some(pod.started),
        };
        PodSeen {
            name: pod.name.clone(),
            uid: pod.name.clone(),
            revision: Some(self.revision.clone()),
            ready: self.is_ready(pod),
            since: Some(pod.started),
            created: pod.created,
            ending_since: None,
            unplaced_since: None,
            resize: Resize::Done,
            containers: BTreeMap::from([(APP.to_owned(), container)]),
            served: None,
        }
    }

    /// Carries the steps out; an outcome each.
    pub fn apply(&mut self, steps: &[MemoryStep]) -> Vec<Outcome> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &MemoryStep) -> Outcome {
        match step {
            MemoryStep::SetBirth { containers } => self.births.clone_from(containers),
            MemoryStep::Resize { uid, from, to, .. } => {
                if to.size() > Some(self.node) {
                    return Outcome::Refused {
                        kind: RefusedKind::PermissionDenied,
                        message: "node didn't have enough allocatable resources".to_owned(),
                    };
                }
                match self
                    .pods
                    .iter_mut()
                    .find(|pod| pod.name == *uid && pod.amounts == *from)
                {
                    Some(pod) => {
                        let raised = to.size() > pod.amounts.size();
                        if raised && self.on_raise != OnRaise::Nothing {
                            pod.restarts += 1;
                            pod.started = self.now + RESTART;
                        }
                        pod.amounts = *to;
                    }
                    None => return Outcome::Conflict,
                }
            }
            MemoryStep::Evict { uid, .. } => {
                let pods = self.pods.len();
                self.pods.retain(|pod| pod.name != *uid);
                self.scale(pods);
            }
        }
        Outcome::Applied
    }
}
