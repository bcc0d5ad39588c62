//! What the user asks for the memory and the health of a function's pods, parsed.

use crate::policy::Mode;
use crate::units::{Bytes, Percent};
use serde::{Deserialize, Serialize};

/// What may be done about memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryMode {
    /// Nothing.
    #[default]
    Off,
    /// New pods are born with it.
    Birth,
    /// New pods are born with it, and live ones are resized.
    InPlace,
}

/// Which of the two values are moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlledValues {
    /// Both, in the ratio of the template.
    #[default]
    RequestsAndLimits,
    /// Requests alone; the limit stays the template's.
    RequestsOnly,
}

/// What is known of a container's runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    /// Nothing particular.
    #[default]
    Auto,
    /// Sizes its heap at its start: the value at birth counts, and nothing shrinks in place.
    Jvm,
    /// Needs most while it starts, then stays on a plateau: a server that loads its weights.
    Inference,
}

/// What may be done after an out-of-memory kill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OomRemedy {
    /// Say so.
    #[default]
    Report,
    /// Climb the ladder.
    Raise,
}

/// What may be done about a pod that is stuck or unlike its siblings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StuckRemedy {
    /// Say so.
    #[default]
    Report,
    /// Evict it, so that another takes its place.
    Replace,
}

/// One container that may be moved, and its bounds; `min <= max` holds by construction in the api crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerBounds {
    /// Its name. `None`: the pod's default container.
    pub name: Option<String>,
    /// Lowest value of what is moved. `None`: 16 MiB.
    pub min: Option<Bytes>,
    /// Highest. `None`: the largest node decides.
    pub max: Option<Bytes>,
    /// What is known of its runtime.
    pub runtime: Runtime,
}

/// One function's wishes for memory and health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// How far Forewarm may go.
    pub enforce: Mode,
    /// A pause is set: nothing moves.
    pub paused: bool,
    /// What may be done about memory.
    pub mode: MemoryMode,
    /// Which values are moved.
    pub controlled: ControlledValues,
    /// Room above the largest use known.
    pub margin: Percent,
    /// The containers that may be moved.
    pub containers: Vec<ContainerBounds>,
    /// What may be done after an out-of-memory kill.
    pub oom: OomRemedy,
    /// What may be done about stuck pods.
    pub stuck: StuckRemedy,
    /// What may be done about pods that fail more calls than their siblings, or take longer.
    #[serde(default)]
    pub outlier: StuckRemedy,
}

impl MemoryPolicy {
    /// True where pods may be written to at all.
    pub fn acts(&self) -> bool {
        self.enforce == Mode::Enforce && !self.paused
    }
}

impl Default for MemoryPolicy {
    /// Nothing is moved; the margin is 20 %.
    fn default() -> Self {
        Self {
            enforce: Mode::Shadow,
            paused: false,
            mode: MemoryMode::Off,
            controlled: ControlledValues::default(),
            margin: Percent::new(20).expect("20 is a percentage"),
            containers: Vec::new(),
            oom: OomRemedy::default(),
            stuck: StuckRemedy::default(),
            outlier: StuckRemedy::default(),
        }
    }
}
