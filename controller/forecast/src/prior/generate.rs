//! Generator: made-up calls a minute, of the kinds that services get. A seeded stream in, one series out. Pure.
//!
//! A rate is the product of independently drawn parts (day, opening hours, noise, shifts, ramp, sessions,
//! bursts), rescaled to a level; calls are drawn from it, timers added. Chances and ranges are the table of the
//! model study; none was fitted to data.

use crate::draw::Stream;
use crate::engine::number;

/// Minutes of a day.
const DAY: f64 = 1440.0;
/// Periods of timers in minutes; the commoner ones stand more than once.
const PERIODS: [f64; 18] = [
    1.0, 1.0, 1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 60.0, 120.0, 240.0, 360.0, 720.0, 1440.0,
];

/// Calls a minute of one made-up function over `minutes` minutes.
pub fn series(stream: &mut Stream, minutes: usize) -> Vec<f64> {
    let kind = stream.even();
    let mut calls = if kind < 0.78 {
        counts(stream, minutes)
    } else {
        vec![0.0; minutes]
    };
    // Below 0.72 only calls, above 0.78 only timers, both in between.
    if kind >= 0.72 {
        let timers = 1 + stream.below(3);
        for _ in 0..timers {
            timer(stream, &mut calls);
        }
    }
    if stream.chance(0.03) {
        let chance = stream.log_between(0.0005, 0.02);
        for calls in &mut calls {
            *calls += f64::from(u8::from(stream.chance(chance)));
        }
    }
    calls
}

/// Calls drawn from a rate: batches of Poisson, of gamma-Poisson, or a rounded rate.
fn counts(stream: &mut Stream, minutes: usize) -> Vec<f64> {
    let rate = rate(stream, minutes);
    let batch = if stream.chance(0.8) {
        1.0
    } else {
        stream.log_between(1.0, 30.0).round()
    };
    let kind = stream.even();
    let shape = stream.log_between(0.3, 30.0);
    let mut draw = |rate: f64| match kind {
        kind if kind < 0.55 => batch * stream.poisson(rate / batch),
        kind if kind < 0.85 => {
            let mean = rate / batch * stream.gamma(shape);
            batch * stream.poisson(mean)
        }
        _ => (rate * 0.02f64.mul_add(stream.normal(), 1.0)).round().max(0.0),
    };
    rate.into_iter().map(&mut draw).collect()
}

/// One part of a rate: multiplies it minute by minute.
type Part = fn(&mut Stream, &mut [f64]);

/// The rate a minute, rescaled to a level drawn once.
fn rate(stream: &mut Stream, minutes: usize) -> Vec<f64> {
    let level = if stream.chance(0.5) {
        stream.log_between(0.02, 5.0)
    } else {
        stream.log_between(1.0, 3000.0)
    };
    let mut rate = vec![1.0; minutes];
    let parts: [(f64, Part); 7] = [
        (0.55, day),
        (0.12, opening_hours),
        (0.6, noise),
        (0.35, shifts),
        (0.1, ramp),
        (0.3, sessions),
        (0.4, bursts),
    ];
    for (chance, part) in parts {
        if stream.chance(chance) {
            part(stream, &mut rate);
        }
    }
    let mean = rate.iter().sum::<f64>() / number(minutes).max(1.0);
    let by = if mean > 0.0 { level / mean } else { 0.0 };
    // No service gets a million times its mean: keeps an exploding product finite.
    rate.iter().map(|rate| (rate * by).min(1e6)).collect()
}

/// Daily and half-daily cosine in the logarithm, and a weekend factor in half of them.
fn day(stream: &mut Stream, rate: &mut [f64]) {
    let amplitude = stream.between(0.05, 1.6);
    let second = amplitude * stream.between(0.0, 0.5);
    let phases = [stream.even(), stream.even()];
    let weekend = if stream.chance(0.5) {
        stream.between(0.2, 1.0)
    } else {
        1.0
    };
    let first_day = number(stream.below(7));
    for (minute, rate) in rate.iter_mut().enumerate() {
        let days = number(minute) / DAY;
        let turn = |times: f64, phase: f64| (std::f64::consts::TAU * times.mul_add(days, phase)).cos();
        *rate *= amplitude
            .mul_add(turn(1.0, phases[0]), second * turn(2.0, phases[1]))
            .exp();
        if (first_day + days.floor()) % 7.0 >= 5.0 {
            *rate *= weekend;
        }
    }
}

/// Closed outside its hours, with a spike at opening and closing.
fn opening_hours(stream: &mut Stream, rate: &mut [f64]) {
    let start = stream.between(300.0, 700.0);
    let end = start + stream.between(300.0, 700.0);
    let closed = if stream.chance(0.5) {
        0.0
    } else {
        stream.between(0.0, 0.1)
    };
    let spikes = [stream.between(1.0, 6.0), stream.between(1.0, 6.0)];
    let decay = stream.between(5.0, 60.0);
    for (minute, rate) in rate.iter_mut().enumerate() {
        let of_day = number(minute) % DAY;
        *rate *= if of_day >= start && of_day < end {
            let opening = (spikes[0] - 1.0) * (-(of_day - start) / decay).exp();
            let closing = (spikes[1] - 1.0) * (-(end - of_day) / decay).exp();
            1.0 + opening + closing
        } else {
            closed
        };
    }
}

/// AR(1) noise in the logarithm.
fn noise(stream: &mut Stream, rate: &mut [f64]) {
    let keep = (-1.0 / stream.log_between(2.0, 600.0)).exp();
    let sd = stream.log_between(0.03, 0.9);
    let step = sd * (1.0 - keep * keep).sqrt();
    let mut state = sd * stream.normal();
    for rate in rate {
        *rate *= state.exp();
        state = keep.mul_add(state, step * stream.normal());
    }
}

/// Jumps to another level, each remembering a part of the one before.
fn shifts(stream: &mut Stream, rate: &mut [f64]) {
    let chance = stream.log_between(0.3, 12.0) / DAY;
    let sd = stream.between(0.2, 1.5);
    let mut state = sd * stream.normal();
    for rate in rate {
        if stream.chance(chance) {
            state = 0.4f64.mul_add(state, sd * stream.normal());
        }
        *rate *= state.exp();
    }
}

/// Growth or decline over the whole series.
fn ramp(stream: &mut Stream, rate: &mut [f64]) {
    let slope = stream.between(-1.5, 1.5) / number(rate.len()).max(1.0);
    for (minute, rate) in rate.iter_mut().enumerate() {
        *rate *= (slope * number(minute)).exp();
    }
}

/// On and off, for exponential times.
fn sessions(stream: &mut Stream, rate: &mut [f64]) {
    let (on, off) = (stream.log_between(1.0, 180.0), stream.log_between(3.0, 900.0));
    let quiet = if stream.chance(0.5) {
        0.0
    } else {
        stream.between(0.0, 0.3)
    };
    let mut is_on = stream.chance(on / (on + off));
    let mut left = stream.exponential() * if is_on { on } else { off };
    for rate in rate {
        if left < 0.0 {
            is_on = !is_on;
            left = stream.exponential() * if is_on { on } else { off };
        }
        left -= 1.0;
        if !is_on {
            *rate *= quiet;
        }
    }
}

/// Bursts on top, rectangular or decaying.
fn bursts(stream: &mut Stream, rate: &mut [f64]) {
    let chance = stream.log_between(0.5, 80.0) / DAY;
    let height = stream.log_between(1.5, 60.0);
    let minutes = stream.log_between(1.0, 40.0);
    let decaying = stream.chance(0.5);
    let mut extra = vec![0.0; rate.len()];
    for start in 0..rate.len() {
        if !stream.chance(chance) {
            continue;
        }
        let height = height * (0.6 * stream.normal()).exp();
        let reach = if decaying { 5.0 * minutes } else { minutes };
        for (since, extra) in extra[start..].iter_mut().enumerate() {
            let since = number(since);
            if since >= reach {
                break;
            }
            *extra += if decaying {
                height * (-since / minutes).exp()
            } else {
                height
            };
        }
    }
    rate.iter_mut()
        .zip(extra)
        .for_each(|(rate, extra)| *rate *= 1.0 + extra);
}

/// Calls at even times: a period, a size, and in some of them jitter and misses.
fn timer(stream: &mut Stream, calls: &mut [f64]) {
    let period = PERIODS[stream.below(PERIODS.len())];
    let size = if stream.chance(0.6) {
        1.0
    } else {
        stream.log_between(1.0, 40.0).round()
    };
    let jitter = if stream.chance(0.5) {
        0.0
    } else {
        stream.between(1.0, 4.0).floor()
    };
    let missed = if stream.chance(0.6) {
        0.0
    } else {
        stream.between(0.0, 0.2)
    };
    let drawn = stream.chance(0.3);
    let mut due = stream.between(0.0, period).floor();
    while due < number(calls.len()) {
        let late = if jitter > 0.0 {
            stream.between(-jitter, jitter + 1.0).floor()
        } else {
            0.0
        };
        let size = if drawn { stream.poisson(size) } else { size };
        let kept = !stream.chance(missed);
        if let Some(calls) = place(due + late)
            .and_then(|place| calls.get_mut(place))
            .filter(|_| kept)
        {
            *calls += size;
        }
        due += period;
    }
}

/// A whole number of minutes as a place. `None`: before the first.
fn place(minute: f64) -> Option<usize> {
    // From float, `as` saturates; std offers no other way.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (minute >= 0.0).then_some(minute as usize)
}
