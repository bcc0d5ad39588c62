//! Wake: a call after a quiet minute comes; was a pod asked for in time, and how many idle minutes did that cost?
//! Our rule against fixed keep-alives.

use super::groups::groups;
use super::options::Options;
use super::report::Figures;
use super::traces::Function;
use super::work;
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Demand;
use forewarm_forecast::{History, Wake};

/// Minutes ahead: the default lead time, a tick and a step.
const H: i64 = 2;
/// Chances in percent from which a pod is held, and keep-alives in minutes.
const CHANCES: [u32; 6] = [1, 5, 10, 30, 50, 80];
const KEPT: [usize; 10] = [1, 2, 5, 10, 20, 30, 60, 120, 240, 720];
/// Minutes of the past that a walk begins before the scored ones.
const BEFORE: usize = 4320;

/// First calls, those met, and idle minutes held.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    first: f64,
    met: f64,
    warm: f64,
}

pub(crate) fn wake(figures: &mut Figures, functions: &[Function], _options: &Options) {
    let tallies = work::all(
        "wake-ups",
        functions,
        |function| u64::try_from(function.calls.len()).unwrap_or(0),
        one,
    );
    for (group, members) in groups(functions) {
        let sum = |place: usize| {
            members.iter().fold(Tally::default(), |sum, member| {
                let one = tallies[*member][place];
                Tally {
                    first: sum.first + one.first,
                    met: sum.met + one.met,
                    warm: sum.warm + one.warm,
                }
            })
        };
        let kept: Vec<Tally> = (0..KEPT.len()).map(|place| sum(CHANCES.len() + place)).collect();
        let half = kept
            .iter()
            .zip(KEPT)
            .find(|(tally, _)| tally.first > 0.0 && tally.met >= 0.5 * tally.first);
        if let Some((tally, minutes)) = half {
            figures.add(
                format!("wake.{group}.keepalive-half-minutes"),
                f64::from(u32::try_from(minutes).unwrap_or(0)).into(),
            );
            figures.add(
                format!("wake.{group}.keepalive-half-hit"),
                Some(tally.met / tally.first),
            );
        }
        for (place, chance) in CHANCES.iter().enumerate() {
            let tally = sum(place);
            figures.add(
                format!("wake.{group}.hit.from{chance}"),
                (tally.first > 0.0).then_some(tally.met / tally.first),
            );
            figures.add(
                format!("wake.{group}.warmperhit.from{chance}"),
                (tally.met > 0.0).then_some(tally.warm / tally.met),
            );
            let against = half.map(|(half, _)| tally.warm / half.warm);
            figures.add(format!("wake.{group}.warm-over-keepalive.from{chance}"), against);
        }
    }
}

/// One tally for each chance, then for each keep-alive.
fn one(function: &Function) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); CHANCES.len() + KEPT.len()];
    let warmup = function.warmup.min(function.calls.len());
    let first = warmup.saturating_sub(BEFORE);
    let key = FunctionKey {
        namespace: "bench".into(),
        name: function.id.as_str().into(),
    };
    let (mut history, mut wake) = (History::new(), Wake::default());
    let mut asked = vec![0.0; function.calls.len() + 3];
    let mut quiet = usize::MAX;
    for (place, calls) in function.calls.iter().enumerate().skip(first) {
        let minute = i64::try_from(place).unwrap_or(0);
        if place >= warmup {
            let idle = *calls <= 0.0;
            let begins = !idle && quiet > 0;
            for (tally, chance) in tallies.iter_mut().zip(CHANCES) {
                let warm = asked[place] * 100.0 >= f64::from(chance);
                add(tally, begins, idle, warm);
            }
            for (tally, kept) in tallies[CHANCES.len()..].iter_mut().zip(KEPT) {
                add(tally, begins, idle, quiet < kept || (begins && quiet <= kept));
            }
        }
        quiet = if *calls > 0.0 { 0 } else { quiet.saturating_add(1) };
        history.backfill(&key, Demand::new(*calls).map(|calls| (minute, calls)));
        if let Some(window) = history.window(&key, minute) {
            wake.fold(&window, minute, H);
        }
        // A pod asked for now is of use in the second minute from now.
        asked[place + 2] = wake.chance();
    }
    tallies
}

fn add(tally: &mut Tally, begins: bool, idle: bool, warm: bool) {
    tally.first += f64::from(u8::from(begins));
    tally.met += f64::from(u8::from(begins && warm));
    tally.warm += f64::from(u8::from(idle && warm));
}
