//! What an answer says of one function in, a reading out. Pure: every reason not to believe a number is here or
//! in [`crate::join`] and [`crate::peak`].

use crate::age::pressed;
use crate::ask::Joins;
use crate::join::{Joined, Tally};
use crate::membership::Membership;
use forewarm_api::profile::JoinBy;
use forewarm_api::profile_parse::{Absent, Demanded, Profile};
use forewarm_core::observation::{Reading, Why};
use forewarm_core::units::{Demand, Mono, Replicas, Seconds};

/// Whether the source of a profile's series is up.
#[derive(Debug)]
pub(crate) enum Up {
    /// The profile does not ask, or its completeness is told by the pods.
    NotAsked,
    /// So many of its parts are; all of them for it to be up, and at least one.
    Parts {
        /// Parts above zero.
        up: u32,
        /// All parts.
        of: u32,
    },
    /// Told for each function or pod apart.
    Keyed(Joined),
    /// It could not be asked.
    Failed(Why),
}

/// What is known when one function's demand is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The profile.
    pub(crate) profile: &'a Profile,
    /// The functions.
    pub(crate) members: &'a Membership,
    /// Whether the source is up.
    pub(crate) up: &'a Up,
    /// How long the oldest item of each backlog has waited, where the profile asks for it.
    pub(crate) age: Option<&'a Joins>,
    /// Now.
    pub(crate) now: Mono,
}

/// What one answer says of one function's demand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    /// The sum, in the unit of the policy's slots.
    pub(crate) current: Demand,
    /// Ready pods that need not report yet and do not.
    pub(crate) unheard: Replicas,
}

/// The demand of `member` in the unit of its policy's slots, or why it is not known.
pub(crate) fn judge(context: Context<'_>, joined: &Joined, member: usize) -> Reading<Judged> {
    let tally = joined.tally(member);
    let judged = match (&tally.bad, context.up) {
        (Some(why), _) | (None, Up::Failed(why)) => Err(why.clone()),
        (None, _) if context.profile.join.by == JoinBy::Pod => by_pod(context, joined, member),
        (None, _) => whole(context, tally, member).map(|()| Replicas::ZERO),
    };
    match judged {
        Ok(unheard) => match amount(tally, context.profile.unit) {
            Reading::Known(demand) => {
                pressed(demand, context.profile.unit, context.age, member).map(|current| Judged { current, unheard })
            }
            Reading::Unknown(why) => Reading::Unknown(why),
        },
        Err(why) => Reading::Unknown(why),
    }
}

/// The sum over a tally's series in the unit of the policy's slots: a backlog becomes items per second.
pub(crate) fn amount(tally: &Tally, unit: Demanded) -> Reading<Demand> {
    if let Some(why) = &tally.bad {
        return Reading::Unknown(why.clone());
    }
    let sum = match unit {
        Demanded::Concurrency | Demanded::RequestsPerSecond => tally.sum,
        Demanded::Backlog { drain } => tally.sum / f64::from(drain.0.max(1)),
    };
    // Each series is finite and not negative; only their sum may still be infinite.
    Demand::new(sum).map_or(Reading::Unknown(Why::Infinite), Reading::Known)
}

/// Time a ready pod may go without a series: two scrapes (a rate needs two samples), and 10 s for discovery,
/// which hands a new target on every 5 s.
fn grace(scrape: Seconds) -> Seconds {
    Seconds(scrape.0 * 2 + 10)
}

/// Enough pods report. Those that are ready have to, but for the newborn, which are counted; those that are not may.
fn by_pod(context: Context<'_>, joined: &Joined, member: usize) -> Result<Replicas, Why> {
    let zero_if_up = matches!(context.profile.absent, Absent::ZeroIfUp(_));
    let (mut ready, mut reporting, mut missing) = (0_u32, 0_u32, 0_u32);
    for (slot, pod) in context.members.slots(member) {
        let Some(since) = pod.ready_since else { continue };
        ready += 1;
        if joined.pod(slot).is_some() || (zero_if_up && pod_is_up(context.up, slot)) {
            reporting += 1;
        } else if context.now.passed(since, grace(context.profile.scrape)) {
            missing += 1;
        }
    }
    let tally = joined.tally(member);
    let at_least = || amount(tally, context.profile.unit).known().copied().unwrap_or_default();
    match (ready, reporting) {
        (0, 0) if tally.series == 0 && zero_if_up => all_up(context.up).map(|()| Replicas::ZERO),
        (_, 0) if tally.series == 0 => Err(Why::Absent),
        // Pods that serve nobody say nothing about what callers want.
        (_, 0) => Err(incomplete(tally.series, ready, Demand::ZERO)),
        _ if missing > 0 => Err(incomplete(reporting, ready, at_least())),
        _ => Ok(Replicas(ready.saturating_sub(reporting))),
    }
}

fn pod_is_up(up: &Up, slot: usize) -> bool {
    match up {
        Up::Keyed(joined) => joined.pod(slot).is_some_and(|v| v > 0.0),
        Up::NotAsked | Up::Parts { .. } | Up::Failed(_) => all_up(up).is_ok(),
    }
}

/// The source is up, and has a series or may leave it out.
fn whole(context: Context<'_>, tally: &Tally, member: usize) -> Result<(), Why> {
    match context.up {
        Up::NotAsked => {}
        Up::Keyed(joined) => match joined.tally(member) {
            Tally { bad: None, sum, .. } if *sum > 0.0 => {}
            Tally { series: 0, .. } => return Err(Why::Absent),
            _ => return Err(incomplete(0, 1, Demand::ZERO)),
        },
        Up::Parts { .. } | Up::Failed(_) => all_up(context.up)?,
    }
    match (tally.series, &context.profile.absent) {
        (0, Absent::Unknown) => Err(Why::Absent),
        _ => Ok(()),
    }
}

fn all_up(up: &Up) -> Result<(), Why> {
    match up {
        Up::Parts { up, of } if up == of && *of > 0 => Ok(()),
        Up::Parts { of: 0, .. } | Up::NotAsked | Up::Keyed(_) => Err(Why::Absent),
        Up::Parts { up, of } => Err(incomplete(*up, *of, Demand::ZERO)),
        Up::Failed(why) => Err(why.clone()),
    }
}

fn incomplete(reporting: u32, ready: u32, at_least: Demand) -> Why {
    Why::Incomplete {
        reporting: Replicas(reporting),
        ready: Replicas(ready),
        at_least,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::join::tests::{body, by};
    use crate::membership::fixture::member;
    use forewarm_api::profile_parse::Query;

    fn query(text: &str) -> Query {
        Query::parse(text).expect("is PromQL")
    }

    pub(crate) fn profile(join_by: JoinBy, absent: Absent) -> Profile {
        Profile {
            name: "p".to_owned(),
            unit: Demanded::Concurrency,
            query: query("m"),
            peak: None,
            history: None,
            join: by(join_by),
            absent,
            age: None,
            service: None,
            up: None,
            scrape: Seconds(15),
            source: "default".to_owned(),
            is_default: false,
        }
    }

    fn joined(profile: &Profile, members: &Membership, series: &[&str]) -> Joined {
        let body = body(series);
        let answer = Answer::read(&body).expect("an answer");
        Joined::of(&answer, &profile.join, &profile.name, members, 100).expect("a vector")
    }

    /// Judges `a/f` at second 100, with the pods given, each ready since the second given.
    fn at_100(profile: &Profile, pods: &[(&str, Option<u64>)], up: &Up, series: &[&str]) -> Reading<f64> {
        let members = Membership::new([member("a/f", pods)]);
        let context = Context {
            profile,
            members: &members,
            up,
            age: None,
            now: Mono(100_000),
        };
        judge(context, &joined(profile, &members, series), 0).map(|judged| judged.current.get())
    }

    /// A pod and the second it became ready at.
    type Ready = (&'static str, Option<u64>);

    type Series = &'static [&'static str];

    const TWO: [Ready; 2] = [("f-1", Some(0)), ("f-2", Some(0))];

    fn missing(reporting: u32, ready: u32, at_least: f64) -> Reading<f64> {
        let at_least = Demand::new(at_least).expect("an amount");
        Reading::Unknown(incomplete(reporting, ready, at_least))
    }

    #[test]
    fn demand_by_pod_is_known_when_the_ready_pods_report() {
        let pods = profile(JoinBy::Pod, Absent::Unknown);
        let newborn = [("f-1", Some(0)), ("f-2", Some(61))];
        let unready = [("f-1", Some(0)), ("f-2", None)];
        let rows: [(&str, &[Ready], Series, Reading<f64>); 11] = [
            ("all report", &TWO, &["a/f-1=3", "a/f-2=4"], Reading::Known(7.0)),
            ("all report zero", &TWO, &["a/f-1=0", "a/f-2=0"], Reading::Known(0.0)),
            ("minus zero", &TWO, &["a/f-1=-0", "a/f-2=0"], Reading::Known(0.0)),
            ("one of two is lost", &TWO, &["a/f-1=3"], missing(1, 2, 3.0)),
            ("none reports", &TWO, &[], Reading::Unknown(Why::Absent)),
            (
                "a newborn does not report yet",
                &newborn,
                &["a/f-1=3"],
                Reading::Known(3.0),
            ),
            (
                "only newborns, none reports",
                &[("f-2", Some(61))],
                &[],
                Reading::Unknown(Why::Absent),
            ),
            (
                "a pod that is not ready counts",
                &unready,
                &["a/f-1=3", "a/f-2=4"],
                Reading::Known(7.0),
            ),
            (
                "a pod that is not ready may be silent",
                &unready,
                &["a/f-1=3"],
                Reading::Known(3.0),
            ),
            ("none is ready", &[("f-1", None)], &["a/f-1=0"], missing(1, 0, 0.0)),
            (
                "a pod that is gone counts no more",
                &TWO,
                &["a/f-1=3", "a/f-2=4", "a/f-0=9"],
                Reading::Known(7.0),
            ),
        ];
        for (name, members, series, expected) in rows {
            assert_eq!(at_100(&pods, members, &Up::NotAsked, series), expected, "{name}");
        }
    }

    #[test]
    fn a_newborn_that_does_not_report_yet_is_counted() {
        let pods = profile(JoinBy::Pod, Absent::Unknown);
        let members = Membership::new([member("a/f", &[("f-1", Some(0)), ("f-2", Some(61)), ("f-3", None)])]);
        let unheard = |series: &[&str]| {
            let context = Context {
                profile: &pods,
                members: &members,
                up: &Up::NotAsked,
                age: None,
                now: Mono(100_000),
            };
            judge(context, &joined(&pods, &members, series), 0).map(|judged| judged.unheard)
        };
        assert_eq!(unheard(&["a/f-1=3"]), Reading::Known(Replicas(1)));
        assert_eq!(unheard(&["a/f-1=3", "a/f-2=0"]), Reading::Known(Replicas::ZERO));
    }

    #[test]
    fn a_ready_pod_may_be_silent_for_two_scrapes_and_ten_seconds() {
        let pods = profile(JoinBy::Pod, Absent::Unknown);
        for (since, expected) in [(61, Reading::Known(3.0)), (60, missing(1, 2, 3.0))] {
            assert_eq!(
                at_100(&pods, &[TWO[0], ("f-2", Some(since))], &Up::NotAsked, &["a/f-1=3"]),
                expected
            );
        }
    }

    #[test]
    fn no_series_is_zero_only_while_the_source_is_up() {
        let up = query("min(up)");
        let zero = profile(JoinBy::Workload, Absent::ZeroIfUp(up.clone()));
        let unknown = profile(JoinBy::Workload, Absent::Unknown);
        let parts = |up, of| Up::Parts { up, of };
        let absent = || Reading::Unknown(Why::Absent);
        let rows: [(&Profile, Up, Series, Reading<f64>); 9] = [
            (&zero, parts(2, 2), &[], Reading::Known(0.0)),
            (&zero, parts(2, 2), &["a/f=5"], Reading::Known(5.0)),
            (&zero, parts(1, 2), &[], missing(1, 2, 0.0)),
            (&zero, parts(1, 2), &["a/f=5"], missing(1, 2, 0.0)),
            (&zero, parts(0, 0), &[], absent()),
            (
                &zero,
                Up::Failed(Why::SourceDown),
                &["a/f=5"],
                Reading::Unknown(Why::SourceDown),
            ),
            (&unknown, parts(2, 2), &[], absent()),
            (&unknown, Up::NotAsked, &[], absent()),
            (&unknown, parts(0, 2), &["a/f=5"], missing(0, 2, 0.0)),
        ];
        for (number, (profile, up, series, expected)) in rows.into_iter().enumerate() {
            assert_eq!(
                at_100(profile, &[], &up, series),
                expected,
                "row {number}: {up:?} {series:?}"
            );
        }
    }

    #[test]
    fn a_pod_that_is_up_and_has_no_series_reports_zero_where_the_profile_says_so() {
        let zero = profile(JoinBy::Pod, Absent::ZeroIfUp(query("max by (namespace, pod) (up)")));
        let members = Membership::new([member("a/f", &TWO)]);
        let judged = |up: &[&str], series: &[&str]| {
            let up = Up::Keyed(joined(&zero, &members, up));
            at_100(&zero, &TWO, &up, series)
        };
        assert_eq!(judged(&["a/f-1=1", "a/f-2=1"], &[]), Reading::Known(0.0));
        assert_eq!(judged(&["a/f-1=1", "a/f-2=1"], &["a/f-1=3"]), Reading::Known(3.0));
        assert_eq!(judged(&["a/f-1=1", "a/f-2=0"], &["a/f-1=3"]), missing(1, 2, 3.0));
        assert_eq!(judged(&["a/f-1=1"], &["a/f-1=3"]), missing(1, 2, 3.0));
        assert_eq!(judged(&["a/f-1=0"], &[]), Reading::Unknown(Why::Absent));
    }

    #[test]
    fn a_backlog_is_spread_over_the_time_to_drain_it() {
        let mut backlog = profile(JoinBy::Workload, Absent::Unknown);
        backlog.unit = Demanded::Backlog { drain: Seconds(60) };
        assert_eq!(at_100(&backlog, &[], &Up::NotAsked, &["a/f=600"]), Reading::Known(10.0));
    }

    #[test]
    fn a_sum_past_all_floats_is_infinite() {
        let pods = profile(JoinBy::Pod, Absent::Unknown);
        let reading = at_100(&pods, &TWO, &Up::NotAsked, &["a/f-1=1e308", "a/f-2=1e308"]);
        assert_eq!(reading, Reading::Unknown(Why::Infinite));
    }

    proptest::proptest! {
        /// A reading is a number only where every ready, grown pod has one, and then it is their sum.
        #[test]
        fn r9_garbage_never_becomes_a_number(values in proptest::collection::vec(proptest::option::of(0_u8..7), 1..6)) {
            let texts = ["0", "2.5", "NaN", "+Inf", "-1", "x", "1e3"];
            let names: Vec<String> = (0..values.len()).map(|i| format!("f-{i}")).collect();
            let pods: Vec<_> = names.iter().map(|n| (n.as_str(), Some(0))).collect();
            let text = |v: &u8| texts[usize::from(*v)];
            let series: Vec<String> = names.iter().zip(&values).filter_map(|(n, v)| v.as_ref().map(|v| format!("a/{n}={}", text(v)))).collect();
            let series: Vec<&str> = series.iter().map(String::as_str).collect();
            let good: Option<f64> = values.iter().map(|v| match v.as_ref().map(text) {
                Some("0") => Some(0.0), Some("2.5") => Some(2.5), Some("1e3") => Some(1000.0), _ => None,
            }).sum();
            let reading = at_100(&profile(JoinBy::Pod, Absent::Unknown), &pods, &Up::NotAsked, &series);
            proptest::prop_assert_eq!(reading.known().copied(), good);
        }
    }
}
