//! The lines that `make bench` prints.

use std::time::Duration;

/// Prints one figure with three digits after the point at most.
pub(crate) fn figure(name: &str, value: f64, unit: &str) {
    println!("figure: {name} {} {unit}", (value * 1000.0).round() / 1000.0);
}

/// Prints a length of time in milliseconds.
pub(crate) fn millis(name: &str, value: Duration) {
    figure(name, value.as_secs_f64() * 1000.0, "ms");
}

/// Prints an amount of memory, given in KiB, in MiB.
pub(crate) fn mebibytes(name: &str, kib: u64) {
    figure(name, f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0, "MiB");
}
