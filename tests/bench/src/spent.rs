//! Processor time and memory of this process, as Linux tells them under `/proc/self`.

use std::fs;
use std::time::Duration;

/// Processor time of all threads of this process so far, in nanoseconds of one core.
///
/// Time on the processor and not on the wall, so that what else runs on the machine costs only warm caches. Linux
/// brings a running thread's time up to date when it gives way.
pub(crate) fn processor() -> Duration {
    std::thread::yield_now();
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Resident memory now, in KiB.
pub(crate) fn resident() -> u64 {
    status("VmRSS:")
}

/// Largest resident memory since [`forget_peak`], in KiB.
pub(crate) fn peak() -> u64 {
    status("VmHWM:")
}

/// Lets [`peak`] begin anew from what is resident now.
pub(crate) fn forget_peak() -> std::io::Result<()> {
    fs::write("/proc/self/clear_refs", "5")
}

/// A line of `/proc/self/status`; 0 where it is missing.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
