//! Remedies: what is done about a function that is not well, one file each. Pure.
//!
//! Each is bounded: the OOM ladder has [`oom::MAX_RUNGS`] steps and then ends in quarantine, a harmful decrease of
//! ours is taken back and not repeated for a week, a harmful raise not for an hour, one pod at a time is replaced, and outliers three times a day.

pub mod crash_loop;
pub mod newborn;
pub mod oom;
pub mod outlier;
pub mod raise;
pub mod revert;
pub mod stuck_pod;
