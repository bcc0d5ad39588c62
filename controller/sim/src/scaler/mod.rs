//! The published scalers, re-stated from their source: one file each.

pub mod vpa;
