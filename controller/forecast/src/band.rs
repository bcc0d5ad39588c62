//! Bands: how calls are served in, the band that each function keeps by itself and what lies far outside it out. Pure.
//!
//! The band of failures and of latency is calibrated on the function's own last day: its upper edge is the 99th percentile
//! of the largest values of five minutes each (at a tick of 15 s), and a difference that matters to nobody on top. That of the demand is what
//! the forecast said a horizon ago ([`forewarm_core::forecast::Band`]). What lies outside is kept out of the band it is held
//! against, for six hours: then it is how the function is, and the band is begun anew.

use forewarm_core::forecast::Band;
use forewarm_core::service::{Anomaly, Banded, Served, Service};
use forewarm_core::units::Demand;
use std::collections::VecDeque;

/// Ticks that one kept value speaks for: five minutes at 15 s, as all that follows.
const SLOT: i64 = 20;
/// Values kept: a day.
const KEPT: usize = 288;
/// Fewer values make no band: an hour.
const FEWEST: usize = 12;
/// Ticks outside the band after which it is begun anew: six hours.
const BELIEVED: i64 = 1440;
/// Ticks for which what was last seen above its band counts as above while nothing is known of it: an hour. Callers that
/// have given up make no calls, and so no failures.
const UNHEARD: i64 = 240;
/// Ticks outside before it is named, and back inside before it is not any more: three minutes.
const LASTS: i64 = 12;
/// Longer without a look, in ticks, and time outside starts anew: a minute.
const GAP: i64 = 4;

/// What of one function is remembered for its bands.
#[derive(Clone, Debug, Default)]
pub struct Bands {
    errors: Track,
    latency: Track,
    named: [Named; 3],
}

/// The last day of one measure.
#[derive(Clone, Debug, Default)]
struct Track {
    kept: VecDeque<u64>,
    /// Their 99th percentile, worked out when they change: it is asked for in every tick. `None`: too few are kept.
    edge: Option<u64>,
    /// The slot that is not over yet, and its largest value.
    open: Option<(i64, u64)>,
    outside_since: Option<i64>,
    /// The last known value, where it was above the band, and its tick.
    above: Option<(Banded, i64)>,
}

/// One anomaly on its way to be named, or back.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    outside_since: Option<i64>,
    inside_since: Option<i64>,
    last: i64,
    anomaly: Option<Anomaly>,
}

impl Bands {
    /// Takes in what is seen at `tick` (counted since 1970 UTC) and holds it against the bands. `served`: `None` where it is not
    /// known. `demand`, with its band of now: `None` where either is not known. What is not known is not outside, unless it
    /// was when last known: then it is for an hour.
    pub fn look(
        &mut self,
        served: Option<Served>,
        demand: Option<(Demand, Band)>,
        unanswered: bool,
        tick: i64,
    ) -> (Service, Vec<Anomaly>) {
        let share = served.and_then(|served| served.failed_permille);
        let micros = served.and_then(|served| served.latency_micros);
        // A fiftieth of the calls; a quarter of the latency and 10 ms.
        let errors = self.errors.take(share, tick, |edge| edge.saturating_add(20));
        let latency = self.latency.take(micros, tick, |edge| {
            edge.saturating_add(edge / 4).saturating_add(10_000)
        });
        let service = Service {
            errors,
            latency,
            unanswered,
        };
        let outside = [
            demand.and_then(|(demand, band)| far(demand, band)),
            above(service.errors).map(|upper_permille| Anomaly::ErrorsAboveBand { upper_permille }),
            above(service.latency).map(|upper_micros| Anomaly::LatencyAboveBand { upper_micros }),
        ];
        let named = self.named.iter_mut().zip(outside);
        let anomalies = named.filter_map(|(named, outside)| named.look(outside, tick)).collect();
        (service, anomalies)
    }
}

fn above(banded: Option<Banded>) -> Option<u64> {
    banded.filter(|banded| banded.is_above())?.upper
}

/// Outside the forecast's band by as much as it is wide, and at least a call.
fn far(demand: Demand, band: Band) -> Option<Anomaly> {
    let (lower, upper) = (band.lower.get(), band.upper.get());
    let room = (upper - lower).max(1.0);
    if demand.get() > upper + room {
        return Some(Anomaly::DemandAboveBand { upper: band.upper });
    }
    (demand.get() < lower - room).then_some(Anomaly::DemandBelowBand { lower: band.lower })
}

impl Track {
    /// A value with its band's upper edge as it was before it. `widened`: the edge with what does not matter on top.
    fn take(&mut self, value: Option<u64>, tick: i64, widened: impl Fn(u64) -> u64) -> Option<Banded> {
        let Some(now) = value else {
            let (banded, at) = self.above?;
            return (tick.saturating_sub(at) < UNHEARD).then_some(banded);
        };
        let upper = self.edge.map(widened);
        let banded = Banded { now, upper };
        self.above = banded.is_above().then_some((banded, tick));
        if banded.is_above() {
            let since = *self.outside_since.get_or_insert(tick);
            if tick.saturating_sub(since) >= BELIEVED {
                *self = Self::default();
            }
            return Some(banded);
        }
        self.outside_since = None;
        let slot = tick.div_euclid(SLOT);
        match &mut self.open {
            Some((open, largest)) if *open == slot => *largest = now.max(*largest),
            open => {
                if let Some((_, largest)) = open.replace((slot, now)) {
                    self.keep(largest);
                }
            }
        }
        Some(banded)
    }

    /// Keeps a slot's largest value, the oldest one less; the percentile is by nearest rank.
    fn keep(&mut self, largest: u64) {
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(largest);
        let mut sorted: Vec<u64> = self.kept.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        self.edge = sorted.get(rank).copied().filter(|_| sorted.len() >= FEWEST);
    }
}

impl Named {
    fn look(&mut self, outside: Option<Anomaly>, tick: i64) -> Option<Anomaly> {
        if tick.saturating_sub(self.last) > GAP {
            (self.outside_since, self.inside_since) = (None, None);
        }
        self.last = tick;
        let lasts = |since: &mut Option<i64>| tick.saturating_sub(*since.get_or_insert(tick)) >= LASTS;
        if let Some(anomaly) = outside {
            self.inside_since = None;
            if lasts(&mut self.outside_since) {
                // The edge at which it was named stays, so that an unchanged state is told once.
                let other_side = self.anomaly.is_none_or(|named| named.label() != anomaly.label());
                self.anomaly = if other_side { Some(anomaly) } else { self.anomaly };
            }
        } else {
            self.outside_since = None;
            if lasts(&mut self.inside_since) {
                self.anomaly = None;
            }
        }
        self.anomaly
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: i64 = 1_800_000_000;
    const TICK: i64 = 15;

    const fn served(failed: u64, latency: u64) -> Served {
        Served {
            calls_milli: 5000,
            failed_permille: Some(failed),
            latency_micros: Some(latency),
        }
    }

    /// Callers that give up altogether leave no calls to fail.
    #[test]
    fn silence_after_failures_is_no_end_of_them_for_an_hour() {
        let (mut bands, mut now) = (Bands::default(), BEGIN);
        let well = |_| Some(served(0, 20_000));
        live(&mut bands, &mut now, 7200, well);
        assert!(
            !live(&mut bands, &mut now, 300, |_| None).0.worse(),
            "nothing was wrong"
        );
        live(&mut bands, &mut now, 15, |_| Some(served(900, 20_000)));
        let (service, anomalies) = live(&mut bands, &mut now, 3585, |_| None);
        assert!(service.worse() && anomalies.len() == 1, "{service:?} {anomalies:?}");
        assert!(!live(&mut bands, &mut now, 30, |_| None).0.worse(), "an hour later");
        live(&mut bands, &mut now, 15, |_| Some(served(900, 20_000)));
        assert!(!live(&mut bands, &mut now, 15, well).0.worse(), "known to be well");
    }

    /// Lives for so long, and tells the last look.
    fn live(
        bands: &mut Bands,
        from: &mut i64,
        seconds: i64,
        mut at: impl FnMut(i64) -> Option<Served>,
    ) -> (Service, Vec<Anomaly>) {
        let mut last = (Service::default(), Vec::new());
        for second in (*from..*from + seconds).step_by(15) {
            last = bands.look(at(second), None, false, second / TICK);
        }
        *from += seconds;
        last
    }

    #[test]
    fn a_band_takes_an_hour_and_then_has_99_of_100_values_in_it() {
        let (mut bands, mut now) = (Bands::default(), BEGIN);
        let ripple = |second: i64| Some(served(u64::try_from(second / TICK % 10).unwrap(), 20_000));
        let (early, none) = live(&mut bands, &mut now, 1800, ripple);
        assert_eq!(
            (early.errors.unwrap().upper, none),
            (None, vec![]),
            "too little is known"
        );
        let (service, anomalies) = live(&mut bands, &mut now, 6 * 3600, ripple);
        assert_eq!(service.errors.unwrap().upper, Some(9 + 20));
        assert_eq!(service.latency.unwrap().upper, Some(35_000));
        assert_eq!(anomalies, []);
    }

    #[test]
    fn what_is_outside_is_above_at_once_and_named_after_three_minutes_with_an_edge_that_stays() {
        let (mut bands, mut now) = (Bands::default(), BEGIN);
        live(&mut bands, &mut now, 7200, |_| Some(served(2, 20_000)));
        let (service, anomalies) = live(&mut bands, &mut now, 15, |_| Some(served(300, 20_000)));
        assert!(service.worse() && anomalies.is_empty());
        let (_, anomalies) = live(&mut bands, &mut now, 180, |_| Some(served(300, 20_000)));
        assert_eq!(anomalies, [Anomaly::ErrorsAboveBand { upper_permille: 22 }]);
        let (service, anomalies) = live(&mut bands, &mut now, 5 * 3600, |_| Some(served(300, 20_000)));
        assert!(service.worse(), "an outage does not become the band it is held against");
        assert_eq!(anomalies, [Anomaly::ErrorsAboveBand { upper_permille: 22 }]);
        let (service, anomalies) = live(&mut bands, &mut now, 7200, |_| Some(served(300, 20_000)));
        assert!(
            !service.worse() && anomalies.is_empty(),
            "after six hours it is how the function is"
        );
    }

    #[test]
    fn what_is_missing_ends_an_anomaly_after_an_hour_and_a_while() {
        let (mut bands, mut now) = (Bands::default(), BEGIN);
        live(&mut bands, &mut now, 7200, |_| Some(served(2, 20_000)));
        let (_, anomalies) = live(&mut bands, &mut now, 400, |_| Some(served(2, 900_000)));
        assert_eq!(anomalies, [Anomaly::LatencyAboveBand { upper_micros: 35_000 }]);
        let (service, anomalies) = live(&mut bands, &mut now, 3630, |_| None);
        assert!(!service.worse() && anomalies.len() == 1, "not at once");
        assert_eq!(live(&mut bands, &mut now, 300, |_| None).1, []);
    }

    #[test]
    fn demand_is_far_outside_by_the_bands_own_width() {
        let amount = |amount: f64| Demand::new(amount).unwrap();
        let band = |lower: f64, upper: f64| Band {
            lower: amount(lower),
            upper: amount(upper),
        };
        let label = |demand: f64, band: Band| far(amount(demand), band).map(Anomaly::label);
        assert_eq!(label(40.0, band(10.0, 20.0)), Some("DemandAboveBand"));
        assert_eq!(label(30.0, band(10.0, 20.0)), None);
        assert_eq!(label(0.0, band(10.0, 20.0)), None, "the band is as wide as that");
        assert_eq!(label(50.0, band(90.0, 100.0)), Some("DemandBelowBand"));
        assert_eq!(label(1.0, band(0.0, 0.0)), None, "one call is none");
    }
}
