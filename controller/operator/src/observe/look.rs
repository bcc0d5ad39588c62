//! What the watched stores show of every function, before its demand is known. No I/O.
//!
//! A look goes on from the one before: what was made of a function stands until its policy, its profile or one of the
//! names it was looked up by is another ([`super::touched`]). Names are shared with the stores, not copied: a tick
//! looks at 10,000 functions and 20,000 pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use forewarm_api::Profile;
use forewarm_api::problem::PolicyProblem;
use forewarm_core::observation::{LeadTime, LeadTimeSource};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::{Now, Seconds};
use forewarm_source::{Member, Membership};

use super::claims::Claims;
use super::in_use::{ByWish, InUse};
use super::place::fit;
use super::policies::{PolicySeen, Usable};
use super::snapshot::Seen;
use super::stores::Stores;
use super::touched::Names;
use super::view::{lead_time, view};

/// Profile of a function that names none while there is no default: no profile has this name.
const NO_PROFILE: &str = "";

/// What the stores show.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Functions that can be decided upon; what changes in every tick is not up to date.
    pub(super) functions: BTreeMap<FunctionKey, Seen>,
    pub(super) unusable: BTreeMap<FunctionKey, (Arc<PolicySeen>, Vec<PolicyProblem>)>,
    /// The usable profiles in use.
    pub(super) profiles: BTreeMap<String, Profile>,
}

/// The last look, as far as the next one may go on from it.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Handed back when the tick is done with them; none where a tick was broken off, so that all are made anew.
    functions: BTreeMap<FunctionKey, Seen>,
    members: Arc<Membership>,
    in_use: ByWish,
    claims: Claims,
    fresh: bool,
}

/// What every function is looked at with.
#[derive(Clone, Copy)]
pub(super) struct Eye<'a> {
    pub(super) stores: &'a Stores,
    /// Time from an accepted write to the creation of pods, by kind: part of the lead time.
    pub(super) latency: &'a BTreeMap<String, Seconds>,
    /// The stores may be read as the present state.
    pub(super) fresh: bool,
    pub(super) now: Now,
}

/// A policy that can be used, with the profile it does.
struct Asked<'a> {
    key: &'a FunctionKey,
    stored: &'a Arc<PolicySeen>,
    usable: &'a Usable,
    in_use: Arc<InUse>,
}

impl Before {
    /// Takes back what the tick is done with.
    pub(super) fn keep(&mut self, functions: BTreeMap<FunctionKey, Seen>) {
        self.functions = functions;
    }

    /// Who is to be found in the answers.
    pub(super) fn members(&self) -> Arc<Membership> {
        Arc::clone(&self.members)
    }

    /// Looks at everything.
    pub(super) fn look(&mut self, eye: Eye<'_>) -> Look {
        // Before anything is read: what changes from here on is among the names of the next look.
        let touched = eye.stores.touched.take();
        let listed = eye.stores.policies.listed();
        self.claims.follow(&listed);
        let mut look = Look::default();
        let mut in_use = ByWish::new();
        let mut asked = Vec::with_capacity(listed.by_key.len());
        for (key, stored) in listed.by_key.iter() {
            match self.claims.usable(key, stored) {
                Ok(usable) => asked.push(Asked {
                    key,
                    stored,
                    usable,
                    in_use: self.in_use(eye.stores, usable, &mut in_use, &mut look.profiles),
                }),
                Err(problems) => {
                    look.unusable.insert(key.clone(), (Arc::clone(stored), problems));
                }
            }
        }
        self.in_use = in_use;
        let functions = std::mem::take(&mut self.functions);
        let stand = eye.fresh == self.fresh && functions.keys().eq(asked.iter().map(|asked| asked.key));
        self.fresh = eye.fresh;
        look.functions = if stand {
            self.again(functions, &asked, eye, &touched)
        } else {
            self.anew(&asked, eye)
        };
        for (seen, asked) in look.functions.values_mut().zip(&asked) {
            let paused = eye.stores.paused.contains(&asked.key.namespace);
            seen.function.policy.paused = paused || asked.usable.policy.paused;
        }
        look
    }

    /// The profile of a policy, looked up once a look.
    fn in_use(
        &self,
        stores: &Stores,
        usable: &Usable,
        found: &mut ByWish,
        profiles: &mut BTreeMap<String, Profile>,
    ) -> Arc<InUse> {
        if let Some(known) = found.get(&usable.profile) {
            return Arc::clone(known);
        }
        let in_use = InUse::of(&stores.profiles, usable.profile.as_deref(), profiles);
        let in_use = in_use.or_before(self.in_use.get(&usable.profile));
        found.insert(usable.profile.clone(), Arc::clone(&in_use));
        in_use
    }

    /// Makes all functions.
    fn anew(&mut self, asked: &[Asked<'_>], eye: Eye<'_>) -> BTreeMap<FunctionKey, Seen> {
        let mut members = Vec::with_capacity(asked.len());
        let one = |asked: &Asked<'_>| {
            let (seen, member) = asked.made(eye);
            members.push(member);
            (asked.key.clone(), seen)
        };
        let functions = asked.iter().map(one).collect();
        self.members = Arc::new(Membership::new(members));
        functions
    }

    /// Makes anew what no longer stands of the same functions.
    fn again(
        &mut self,
        mut functions: BTreeMap<FunctionKey, Seen>,
        asked: &[Asked<'_>],
        eye: Eye<'_>,
        touched: &Names,
    ) -> BTreeMap<FunctionKey, Seen> {
        let mut changed = Vec::new();
        for (number, (seen, asked)) in functions.values_mut().zip(asked).enumerate() {
            if !seen.stands(asked.stored, &asked.in_use, touched) {
                let (made, member) = asked.made(eye);
                *seen = made;
                changed.push((number, member));
            }
        }
        if !changed.is_empty() {
            Arc::make_mut(&mut self.members).replace(changed);
        }
        functions
    }
}

impl Asked<'_> {
    /// The function as the stores show it, and who it is in the answers.
    fn made(&self, eye: Eye<'_>) -> (Seen, Member) {
        let Self {
            key,
            stored,
            usable,
            in_use,
        } = self;
        let mut view = view(eye.stores, usable, eye.fresh, eye.now);
        let member = Member {
            key: (*key).clone(),
            profile: in_use.name.clone().unwrap_or_else(|| NO_PROFILE.into()),
            kind: usable.workload.kind.clone(),
            workload: usable.workload.name.clone(),
            revisions: std::mem::take(&mut view.revisions),
            pods: std::mem::take(&mut view.pods),
        };
        let kind = view.writes.as_ref().map_or(&usable.target.kind, |writes| &writes.kind);
        let latency = eye.latency.get(kind).copied().unwrap_or_default();
        let extra = Seconds(in_use.scrape.0.saturating_add(latency.0));
        let lead_time = lead_time(usable, view.learned, stored, extra);
        let mut policy = usable.policy.clone();
        fit(
            &mut policy,
            view.target.known(),
            view.serves,
            start(lead_time, extra),
            usable.paced,
        );
        let seen = Seen::made(stored, usable, policy, lead_time, view, in_use);
        (seen, member)
    }
}

/// What a new pod takes of the lead time, as far as it is known by itself: how fast a floor comes down depends on
/// that and not on how often the metric is read.
fn start(lead: LeadTime, extra: Seconds) -> Seconds {
    match lead.source {
        LeadTimeSource::Policy => lead.total,
        LeadTimeSource::Learned | LeadTimeSource::Default => Seconds(lead.total.0.saturating_sub(extra.0)),
    }
}

#[cfg(test)]
mod tests;
