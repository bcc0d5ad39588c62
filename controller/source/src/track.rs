//! What is remembered of one function from tick to tick, and its reading made with it. Memory only.

use crate::ask::{Asked, Prepared};
use crate::peak::{Plausible, Step};
use crate::trust::{Context, Judged, amount, judge};
use forewarm_core::observation::{DemandSample, Reading, Why};
use forewarm_core::units::{Demand, Mono, Seconds};
use std::sync::{Arc, Weak};

/// One function's memory: samples of the last minute, and what was last believed.
#[derive(Debug, Default)]
pub(crate) struct Track {
    /// The profile it was learned by.
    of: Weak<Prepared>,
    step: Step,
    plausible: Plausible,
    known_at: Option<Mono>,
}

impl Track {
    /// Forgets everything when the profile is another one or has changed: its numbers may be of another unit.
    pub(crate) fn adopt(&mut self, prepared: &Arc<Prepared>) {
        if !std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(prepared)) {
            *self = Self {
                of: Arc::downgrade(prepared),
                ..Self::default()
            };
        }
    }

    /// The function's reading of this tick.
    pub(crate) fn read(&mut self, context: Context<'_>, asked: &Asked, member: usize) -> Reading<DemandSample> {
        let joined = match &asked.current {
            Ok(joined) => joined,
            Err(error) => return Reading::Unknown(error.why()),
        };
        let judged = match judge(context, joined, member) {
            Reading::Known(judged) => judged,
            Reading::Unknown(why) => return Reading::Unknown(self.plausible_part(why)),
        };
        match peak(context, asked, member) {
            Ok(peak) => self.believe(context, judged, peak),
            Err(why) => Reading::Unknown(why),
        }
    }

    /// Age of the newest sample, to the tick where it was once known, and otherwise at least.
    ///
    /// While it was known its sample was at most as old as the limit, and when it was last known just that old.
    pub(crate) fn age(&self, prepared: &Prepared, now: Mono) -> Seconds {
        let unknown_for = self.known_at.map_or(0, |at| now.since(at) / 1000);
        let limit = prepared.profile.stale_after().0;
        Seconds(limit.saturating_add(u32::try_from(unknown_for).unwrap_or(u32::MAX)))
    }

    /// The part of an incomplete demand raises as the whole would, so it must be as plausible.
    fn plausible_part(&self, why: Why) -> Why {
        match why {
            Why::Incomplete {
                reporting,
                ready,
                at_least,
            } if !self.plausible.is_near(at_least) => Why::Incomplete {
                reporting,
                ready,
                at_least: Demand::ZERO,
            },
            other => other,
        }
    }

    fn believe(&mut self, context: Context<'_>, judged: Judged, peak: Option<Demand>) -> Reading<DemandSample> {
        let Judged { current, unheard } = judged;
        let highest = peak.map_or(current, |peak| peak.max(current));
        if let Err(from) = self.plausible.admit(highest, context.now, context.profile.scrape) {
            return Reading::Unknown(Why::ImplausibleJump { from, to: highest });
        }
        self.known_at = Some(context.now);
        let of_step = self.step.push(context.now, current);
        Reading::Known(DemandSample {
            current,
            peak: highest.max(of_step),
            unheard,
        })
    }
}

/// What `peakQuery` says; `None` where there is none, or no series in its answer. A peak that cannot be used is
/// no smaller peak: the function's demand is then not known.
fn peak(context: Context<'_>, asked: &Asked, member: usize) -> Result<Option<Demand>, Why> {
    let tally = match &asked.peak {
        None => return Ok(None),
        Some(Err(error)) => return Err(error.why()),
        Some(Ok(joined)) => joined.tally(member),
    };
    match (tally.series, amount(tally, context.profile.unit)) {
        (0, _) => Ok(None),
        (_, Reading::Known(peak)) => Ok(Some(peak)),
        (_, Reading::Unknown(why)) => Err(why),
    }
}
