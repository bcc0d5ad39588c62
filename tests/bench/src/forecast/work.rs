//! Work: jobs over the cores of this machine, results in the order of the jobs, a progress bar on stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Does every job, the costliest first; `cost` also moves the bar. Results stand in the order of the jobs.
pub(crate) fn all<J: Sync, R: Send>(
    title: &'static str,
    jobs: &[J],
    cost: impl Fn(&J) -> u64 + Sync,
    work: impl Fn(&J) -> R + Sync,
) -> Vec<R> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(cost(&jobs[*place])));
    let bar = bar(title, jobs.iter().map(&cost).sum());
    let next = AtomicUsize::new(0);
    let told = AtomicU64::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(place) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(&jobs[*place]);
                    results.lock().expect("no job panics while it holds the lock")[*place] = Some(result);
                    bar.inc(cost(&jobs[*place]));
                    tell(title, &bar, &told);
                }
            });
        }
    });
    bar.finish_and_clear();
    let results = results.into_inner().expect("no job panics while it holds the lock");
    results
        .into_iter()
        .map(|result| result.expect("every job was done"))
        .collect()
}

fn bar(title: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} {wide_bar} {percent:>3} % {elapsed_precise} left {eta_precise}")
        .expect("a fixed template");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(4));
    bar.with_style(style).with_message(title)
}

/// Where there is no terminal to draw the bar on: a line for every tenth.
fn tell(title: &str, bar: &ProgressBar, told: &AtomicU64) {
    let tenths = bar.position() * 10 / bar.length().unwrap_or(1).max(1);
    if !std::io::stderr().is_terminal() && told.fetch_max(tenths, Ordering::Relaxed) < tenths {
        eprintln!("{title}: {} % after {:.0?}", tenths * 10, bar.elapsed());
    }
}
