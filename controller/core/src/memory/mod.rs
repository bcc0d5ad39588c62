//! Memory of a function's pods: what is asked, seen and in force, and what was decided. Types, and the function
//! that joins the plans of [`crate::plan::memory`] and [`crate::plan::remedy`]. Pure.
//!
//! ```text
//! MemoryInputs { policy, seen, standing, now } ─► MemoryDecision { standing after, steps, reasons }
//! ```
//!
//! Raises come first and at once; a decrease needs eight days of known use, one decision a day (M1, M2, M7). What
//! is remembered is written to the status before the steps are carried out (M3), and what is not remembered is read
//! from the pods: memory above the template's that nothing explains counts as an OOM floor (M6).

mod birth;
mod decide;
mod decision;
mod fold;
mod load;
mod policy;
mod seen;
mod standing;

pub use birth::Birth;
pub use decide::MemoryInputs;
pub use decision::{Evidence, MemoryDecision, MemoryReason, MemoryStep, Said};
pub use load::LoadFit;
pub use policy::{ContainerBounds, ControlledValues, MemoryMode, MemoryPolicy, OomRemedy, Runtime, StuckRemedy};
pub use seen::{Amounts, ContainerSeen, Crash, MemorySeen, Oom, Past, PodSeen, Resize};
pub use standing::{
    Before, Cause, ContainerStanding, Evicted, MemoryStanding, Quarantine, Raise, Refused, Suspect, Trial,
};
