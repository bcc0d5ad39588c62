//! Windows: what is known of a function at one minute, whatever the horizon. The past in, running sums and
//! order statistics out. Pure; streaming, one minute at a time.

use super::past::{Past, largest, mean, minutes, narrow, number, quantile, upper_quantile};

/// Newest minutes looked at each minute: four hours, and a horizon more for the local scale.
pub(crate) const NEWEST: usize = 304;
/// Minutes of a day.
pub(crate) const DAY: usize = 1440;
/// Minutes between two looks at the whole day: its quantiles move slowly and cost most.
pub(crate) const SLOW: i64 = 10;
/// Rates of the running means.
const RATES: [f64; 3] = [0.01, 0.03, 0.1];

/// What is kept between minutes.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    ewma: [f32; 3],
    last_call: Option<i64>,
    day: Option<Day>,
}

/// Of the last day, as of the last look.
#[derive(Clone, Copy, Debug)]
struct Day {
    mean: f32,
    busy: f32,
    q95: f32,
    whole: bool,
}

/// Work space of one step; nothing in it outlives the step, so one serves all functions.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// The newest [`NEWEST`] minutes, oldest first.
    pub(crate) newest: Vec<f64>,
    /// The last day, when it was looked at this minute.
    pub(crate) day: Vec<f64>,
    pub(crate) sort: Vec<f64>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            newest: vec![f64::NAN; NEWEST],
            day: vec![f64::NAN; DAY],
            sort: Vec::with_capacity(DAY),
        }
    }
}

impl Scratch {
    /// The newest `count` minutes that end `ago` minutes before now.
    pub(crate) fn last(&self, count: usize, ago: usize) -> &[f64] {
        &self.newest[NEWEST - ago - count..NEWEST - ago]
    }

    /// Known values of a slice into `sort`.
    fn gather(sort: &mut Vec<f64>, values: &[f64]) {
        sort.clear();
        sort.extend_from_slice(values);
        sort.retain(|value| !value.is_nan());
    }
}

/// What the windows say at one minute; NaN is "not known".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The newest minute.
    pub(crate) now: f64,
    /// Mean of the known ones of the last five minutes, else of the last fifteen.
    pub(crate) level: f64,
    /// Mean of the last day.
    pub(crate) day_mean: f64,
    pub(crate) ewma: [f64; 3],
    pub(crate) mean15: f64,
    pub(crate) mean60: f64,
    pub(crate) min15: f64,
    pub(crate) max15: f64,
    pub(crate) max60: f64,
    pub(crate) max240: f64,
    pub(crate) q90_60: f64,
    pub(crate) q95_240: f64,
    pub(crate) q95_day: f64,
    /// Minutes since the last call, at most 1440.
    pub(crate) idle: f64,
    pub(crate) busy60: f64,
    pub(crate) busy_day: f64,
    /// Whether all amounts of the last day were whole numbers, as of the last look.
    pub(crate) whole: bool,
}

impl Windows {
    pub(crate) const fn new() -> Self {
        Self {
            ewma: [f32::NAN; 3],
            last_call: None,
            day: None,
        }
    }

    /// Whether the whole day is looked at in this minute.
    pub(crate) fn is_slow(&self, t: i64) -> bool {
        self.day.is_none() || t.rem_euclid(SLOW) == 0
    }

    /// Takes in minute `t`. `None`: nothing of the last quarter of an hour is known, so nothing is said.
    pub(crate) fn fold(&mut self, past: &dyn Past, t: i64, scratch: &mut Scratch) -> Option<Seen> {
        past.copy(t + 1 - 304, &mut scratch.newest);
        let now = scratch.newest[NEWEST - 1];
        if !now.is_nan() {
            self.learn(now, t);
        }
        if self.is_slow(t) {
            past.copy(t + 1 - 1440, &mut scratch.day);
            self.look(scratch);
        }
        let last = |count: usize| &scratch.newest[NEWEST - count..];
        let of_five = mean(last(5));
        let level = if of_five.is_nan() { mean(last(15)) } else { of_five };
        if level.is_nan() {
            return None;
        }
        let upper = |count: usize, share: f64| upper_quantile(last(count).iter().copied(), share);
        let (q90_60, q95_240) = (upper(60, 0.90), upper(240, 0.95));
        let day = self.day.as_ref();
        let of_day = |value: fn(&Day) -> f32| day.map_or(f64::NAN, |day| f64::from(value(day)));
        Some(Seen {
            now,
            level,
            day_mean: of_day(|day| day.mean),
            ewma: self.ewma.map(f64::from),
            mean15: mean(last(15)),
            mean60: mean(last(60)),
            min15: last(15).iter().copied().fold(f64::NAN, f64::min),
            max15: largest(last(15)),
            max60: largest(last(60)),
            max240: largest(last(240)),
            q90_60,
            q95_240,
            q95_day: of_day(|day| day.q95),
            idle: self.last_call.map_or(1440.0, |last| minutes((t - last).min(1440))),
            busy60: busy(last(60)),
            busy_day: of_day(|day| day.busy),
            whole: day.is_some_and(|day| day.whole),
        })
    }

    fn learn(&mut self, now: f64, t: i64) {
        for (mean, rate) in self.ewma.iter_mut().zip(RATES) {
            let before = if mean.is_nan() { now } else { f64::from(*mean) };
            *mean = narrow(before + rate * (now - before));
        }
        if now > 0.0 {
            self.last_call = Some(t);
        }
    }

    fn look(&mut self, scratch: &mut Scratch) {
        Scratch::gather(&mut scratch.sort, &scratch.day);
        if !scratch.sort.is_empty() {
            self.day = Some(Day {
                mean: narrow(mean(&scratch.sort)),
                busy: narrow(busy(&scratch.sort)),
                whole: scratch.sort.iter().all(|amount| amount.fract() == 0.0),
                q95: narrow(quantile(&mut scratch.sort, 0.95)),
            });
        }
    }
}

/// Share of the known minutes with a call; NaN of none.
fn busy(values: &[f64]) -> f64 {
    let known = values.iter().filter(|value| !value.is_nan()).count();
    let busy = values.iter().filter(|value| **value > 0.0).count();
    if known > 0 {
        number(busy) / number(known)
    } else {
        f64::NAN
    }
}
