//! Figures as lines, and the memory of this process.

use anyhow::Context as _;

/// Prints one figure.
pub(crate) fn print(name: &str, value: f64, unit: &str) {
    println!("figure: {name} {value:.1} {unit}");
}

/// The middle one; of none, zero.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Memory now in MiB; from here on [`peak_mebibytes`] counts anew.
pub(crate) fn start_counting_mebibytes() -> anyhow::Result<f64> {
    // 5 resets the peak (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").context("could not reset the peak of memory")?;
    status("VmRSS:")
}

/// The most memory since then in MiB.
pub(crate) fn peak_mebibytes() -> anyhow::Result<f64> {
    status("VmHWM:")
}

fn status(field: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status").context("could not read /proc/self/status")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .context("no such field")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().context("not a number")?;
    Ok(kibibytes / 1024.0)
}

/// CPU time that this process has used, in ms, to a hundredth of a second.
pub(crate) fn cpu_millis() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").context("could not read /proc/self/stat")?;
    // Fields 14 and 15 of proc(5), counted after the name, which may hold spaces; in ticks of 10 ms.
    let after_name = text.rsplit_once(") ").context("no name")?.1;
    let ticks = after_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>().context("not a number")? * 10.0)
}
