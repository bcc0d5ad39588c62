//! Forewarm's memory plan beside VPA's recommender over one series of a container's use: *recommendations* are
//! compared, as if each were in force a minute later. Pure.
//!
//! A series of a day is too short for plans that think in eight: all spans of both pass faster by the same factor.

use crate::memory::APP;
use crate::scaler::vpa::Recommender;
use forewarm_core::memory::{
    Amounts, ContainerBounds, ContainerSeen, ControlledValues, MemoryInputs, MemoryMode, MemoryPolicy, MemorySeen,
    MemoryStanding, Oom, OomRemedy, Past, PodSeen, Resize, Runtime, StuckRemedy,
};
use forewarm_core::observation::Reading;
use forewarm_core::policy::Mode;
use forewarm_core::units::{Bytes, Percent, Seconds, Wall};
use std::collections::{BTreeMap, VecDeque};

/// Where the clock starts, in seconds since 1970 UTC.
const START: i64 = 1_800_000_000;
/// Minutes of eight days.
const EIGHT_DAYS: i64 = 8 * 1440;

/// How one sizer did over one or more series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Sum of what was recommended, in byte-minutes.
    pub recommended: f64,
    /// Sum of what was used meanwhile.
    pub used: f64,
    /// Minutes at which more was used than recommended.
    pub ooms: u32,
    /// Of those, the ones within a (scaled) day of a decrease.
    pub after_decrease: u32,
    /// Of those, the ones that what was held before the decrease would have been enough for.
    pub by_decrease: u32,
}

impl Score {
    /// Share of what was recommended that nobody used, in percent. Zero where nothing was recommended.
    pub fn slack_percent(&self) -> f64 {
        if self.recommended > 0.0 {
            100.0 * (self.recommended - self.used) / self.recommended
        } else {
            0.0
        }
    }

    fn minute(&mut self, recommended: f64, used: f64) -> bool {
        self.recommended += recommended;
        self.used += used.min(recommended);
        let killed = used > recommended;
        self.ooms += u32::from(killed);
        killed
    }

    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.recommended += other.recommended;
        self.used += other.used;
        self.ooms += other.ooms;
        self.after_decrease += other.after_decrease;
        self.by_decrease += other.by_decrease;
    }
}

/// What both start from.
#[derive(Clone, Copy, Debug)]
pub struct Contest {
    /// The limit before anybody has sized anything.
    pub limit: Bytes,
    /// Our margin; VPA has its own, 15 %.
    pub margin: Percent,
    /// Minutes that are not scored.
    pub warm_up: usize,
    /// How much faster days pass for both.
    pub factor: u32,
}

/// Sizes one container by `use_`, bytes a minute: our score and VPA's.
pub fn contest(use_: &[Bytes], on: Contest) -> (Score, Score) {
    (forewarm(use_, on), vpa(use_, on))
}

fn vpa(use_: &[Bytes], on: Contest) -> Score {
    let Contest {
        limit, warm_up, factor, ..
    } = on;
    let (mut vpa, mut score) = (Recommender::scaled(f64::from(factor)), Score::default());
    let mut second = 0.0;
    for (minute, used) in use_.iter().map(|used| float(*used)).enumerate() {
        let recommended = vpa.target(second).unwrap_or_else(|| float(limit));
        if minute >= warm_up && score.minute(recommended, used) {
            vpa.killed(second, recommended, used.min(recommended));
        }
        vpa.sample(second, used);
        second += 60.0;
    }
    score
}

fn forewarm(use_: &[Bytes], on: Contest) -> Score {
    let Contest {
        limit, warm_up, factor, ..
    } = on;
    let (mut score, mut standing) = (Score::default(), MemoryStanding::default());
    let mut held = limit;
    let mut kills: Vec<Oom> = Vec::new();
    let mut restarts = 0;
    let mut lowered: Option<(i64, Bytes)> = None;
    let mut window: VecDeque<Bytes> = VecDeque::new();
    let minutes = EIGHT_DAYS / i64::from(factor);
    for (minute, used) in (0_i64..).zip(use_) {
        let now = START + minute * 60 * i64::from(factor);
        let scored = usize::try_from(minute).is_ok_and(|minute| minute >= warm_up);
        if scored && score.minute(float(held), float(*used)) {
            let lately = lowered.filter(|(at, _)| now - at < 86_400);
            score.after_decrease += u32::from(lately.is_some());
            score.by_decrease += u32::from(lately.is_some_and(|(_, before)| *used <= before));
            restarts += 1;
            kills = vec![kill(held, now)];
        }
        window.push_back(*used);
        while i64::try_from(window.len()).unwrap_or(i64::MAX) > minutes {
            window.pop_front();
        }
        let past = Past {
            peak: window.iter().copied().max().unwrap_or_default(),
            plateau: None,
            span: Seconds(
                u32::try_from(window.len())
                    .unwrap_or(u32::MAX)
                    .saturating_mul(60 * factor),
            ),
            coverage: Percent::new(100).expect("100 is a percentage"),
        };
        let inputs = inputs(on, held, *used, past, restarts, &kills, standing, now);
        let decision = inputs.decide();
        standing = MemoryStanding::fold(&decision, &[], inputs.now);
        let next = standing
            .containers
            .get(APP)
            .and_then(|c| c.held?.size())
            .unwrap_or(held);
        if next < held {
            lowered = Some((now, held));
        }
        held = next;
    }
    score
}

fn kill(size: Bytes, at: i64) -> Oom {
    Oom {
        pod: "p".to_owned(),
        container: APP.to_owned(),
        size,
        at,
        leaking: false,
    }
}

#[allow(clippy::too_many_arguments)]
fn inputs(
    on: Contest,
    held: Bytes,
    used: Bytes,
    past: Past,
    restarts: u32,
    kills: &[Oom],
    standing: MemoryStanding,
    now: i64,
) -> MemoryInputs {
    let container = ContainerSeen {
        spec: Amounts::both(held),
        actual: Some(Amounts::both(held)),
        working_set: Reading::Known(used),
        restarts,
        leaking: false,
        restarts_on_resize: false,
        crash: None,
        started: None,
        go_limit: None,
    };
    let pod = PodSeen {
        name: "p".to_owned(),
        uid: "p".to_owned(),
        revision: Some("a".to_owned()),
        ready: true,
        since: Some(START),
        created: START,
        ending_since: None,
        unplaced_since: None,
        resize: Resize::Done,
        containers: BTreeMap::from([(APP.to_owned(), container)]),
        served: None,
    };
    let seen = MemorySeen {
        template: BTreeMap::from([(APP.to_owned(), Amounts::both(on.limit))]),
        go_limits: BTreeMap::new(),
        default_container: Some(APP.to_owned()),
        pods: vec![pod],
        past: BTreeMap::from([(APP.to_owned(), Reading::Known(past))]),
        revision: Some("a".to_owned()),
        loads: BTreeMap::new(),
        node_most: None,
        allowed_least: None,
        allowed_most: None,
        spare: None,
        lowers_in_place: true,
        conflict: None,
        births: None,
        patience: 300,
        ooms: kills.to_vec(),
        world_vanished: false,
        worse: None,
    };
    let policy = MemoryPolicy {
        enforce: Mode::Enforce,
        paused: false,
        mode: MemoryMode::InPlace,
        controlled: ControlledValues::RequestsAndLimits,
        oom: OomRemedy::Raise,
        stuck: StuckRemedy::Report,
        outlier: StuckRemedy::Report,
        containers: vec![ContainerBounds {
            name: None,
            min: None,
            max: None,
            runtime: Runtime::Auto,
        }],
        margin: on.margin,
    };
    MemoryInputs {
        policy,
        seen,
        standing,
        now: Wall(now * 1000),
    }
}

#[allow(clippy::cast_precision_loss)]
const fn float(bytes: Bytes) -> f64 {
    bytes.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Contest {
        Contest {
            limit: Bytes::mib(4096),
            margin: MemoryPolicy::default().margin,
            warm_up: 60,
            factor: 24,
        }
    }

    #[test]
    fn a_flat_use_is_sized_to_its_margin_by_both_and_kills_nobody() {
        let use_ = vec![Bytes::mib(1000); 1380];
        let (ours, vpa) = contest(&use_, shipped());
        assert_eq!((ours.ooms, vpa.ooms), (0, 0));
        assert!(
            ours.slack_percent() > 0.0 && vpa.slack_percent() < 25.0,
            "{ours:?} {vpa:?}"
        );
    }

    #[test]
    fn a_jump_beyond_everything_seen_kills_both_and_is_answered() {
        let mut use_ = vec![Bytes::mib(1000); 1380];
        for used in &mut use_[1000..] {
            *used = Bytes::mib(3900);
        }
        let (ours, vpa) = contest(&use_, shipped());
        assert!(vpa.ooms >= 1 && ours.ooms <= vpa.ooms + 3, "{ours:?} {vpa:?}");
    }
}
