//! The OOM ladder: kills in, a floor under the memory, the next rung or quarantine out. Pure.
//!
//! A step is the larger of a fifth and 100 MiB over what the container *had* when it died (VPA's step), not over
//! what we recommended: a pod killed with the old size, or one a little larger, after the fix was decided climbs
//! nothing, so the ladder does not feed on itself (VPA #9521). It needs no sample, so it works for pods that die at their birth (VPA #6705).

use crate::memory::{Cause, ContainerStanding, Oom};
use crate::units::Bytes;

/// Steps until quarantine.
pub const MAX_RUNGS: u8 = 3;
/// How long a floor stays after the last kill, in seconds (M3).
pub const FLOOR_KEPT: i64 = 14 * 86_400;
/// A day without a kill, and the ladder starts anew, in seconds.
pub const CLEAN: i64 = 86_400;
/// The least that a step adds.
pub const STEP: Bytes = Bytes::mib(100);

/// What a container needs that was killed with `size`: 1.2 x, at least 100 MiB more.
pub fn needed(size: Bytes) -> Bytes {
    size.percent_up(120).max(size.plus(STEP)).whole_mib()
}

/// Counts the kills that are newer than the last one counted. `most`: the highest size there may be. Returns the
/// cause where the ladder has ended.
pub fn climb(standing: &mut ContainerStanding, kills: &[&Oom], most: Option<Bytes>, now: i64) -> Option<Cause> {
    if now.saturating_sub(standing.last_oom) >= CLEAN {
        standing.rung = 0;
    }
    if now >= standing.oom_floor_until {
        standing.oom_floor = None;
    }
    let counted = standing.last_oom;
    let mut ended = None;
    for kill in kills.iter().filter(|kill| kill.at > counted) {
        standing.last_oom = standing.last_oom.max(kill.at);
        standing.oom_floor_until = standing.oom_floor_until.max(kill.at.saturating_add(FLOOR_KEPT));
        ended = ended.or(step(standing, kill, most));
    }
    ended
}

fn step(standing: &mut ContainerStanding, kill: &Oom, most: Option<Bytes>) -> Option<Cause> {
    let wanted = needed(kill.size);
    // A floor that is a fifth above what it had is its next step, and not tried yet.
    let next = kill.size.percent_up(120);
    if standing.oom_floor.is_some_and(|floor| floor >= next) {
        return None;
    }
    if standing.rung >= MAX_RUNGS {
        return Some(if kill.leaking { Cause::Leak } else { Cause::OutOfMemory });
    }
    let bounded = most.map_or(wanted, |most| wanted.min(most));
    if bounded <= kill.size {
        return Some(Cause::AtMaximum);
    }
    if standing.oom_floor.is_none_or(|floor| bounded > floor) {
        standing.rung = standing.rung.saturating_add(1);
        standing.oom_floor = Some(bounded);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kill(mib: u64, at: i64) -> Oom {
        Oom {
            pod: "p".into(),
            container: "app".into(),
            size: Bytes::mib(mib),
            at,
            leaking: false,
        }
    }

    #[test]
    fn a_step_is_a_fifth_and_at_least_a_hundred_mebibytes() {
        assert_eq!(needed(Bytes::mib(64)), Bytes::mib(164));
        assert_eq!(needed(Bytes::mib(1000)), Bytes::mib(1200));
    }

    #[test]
    fn three_steps_then_quarantine_and_the_floor_never_falls() {
        let mut standing = ContainerStanding::default();
        let mut size = 64;
        for rung in 1..=3_u8 {
            let kill = kill(size, i64::from(rung).saturating_mul(100));
            assert_eq!(climb(&mut standing, &[&kill], None, kill.at), None);
            assert_eq!((standing.rung, standing.oom_floor), (rung, Some(needed(kill.size))));
            size = needed(kill.size).0.div_euclid(Bytes::MIB.0);
        }
        let last = kill(size, 400);
        assert_eq!(climb(&mut standing, &[&last], None, 400), Some(Cause::OutOfMemory));
        let leak = Oom {
            leaking: true,
            ..kill(size, 500)
        };
        assert_eq!(climb(&mut standing, &[&leak], None, 500), Some(Cause::Leak));
        assert_eq!(standing.oom_floor, Some(Bytes::mib(size)));
    }

    #[test]
    fn siblings_killed_with_the_old_size_climb_nothing_and_no_kill_counts_twice() {
        let mut standing = ContainerStanding::default();
        let (first, second) = (kill(64, 100), kill(64, 101));
        climb(&mut standing, &[&first, &second], None, 101);
        climb(&mut standing, &[&first, &second], None, 102);
        assert_eq!((standing.rung, standing.oom_floor), (1, Some(Bytes::mib(164))));
    }

    #[test]
    fn a_sibling_that_had_a_little_more_climbs_nothing_either() {
        let mut standing = ContainerStanding::default();
        climb(&mut standing, &[&kill(40, 100), &kill(47, 101)], None, 101);
        assert_eq!((standing.rung, standing.oom_floor), (1, Some(Bytes::mib(140))));
        climb(&mut standing, &[&kill(139, 102)], None, 102);
        assert_eq!(standing.rung, 2, "one more mebibyte is no step");
    }

    #[test]
    fn at_the_maximum_the_ladder_ends() {
        let mut standing = ContainerStanding::default();
        climb(&mut standing, &[&kill(64, 1)], Some(Bytes::mib(100)), 1);
        assert_eq!(standing.oom_floor, Some(Bytes::mib(100)));
        let ended = climb(&mut standing, &[&kill(100, 2)], Some(Bytes::mib(100)), 2);
        assert_eq!(ended, Some(Cause::AtMaximum));
    }

    #[test]
    fn a_clean_day_starts_the_ladder_anew_and_the_floor_stays_for_fourteen() {
        let mut standing = ContainerStanding::default();
        climb(&mut standing, &[&kill(64, 0), &kill(64, 1)], None, 1);
        climb(&mut standing, &[], None, 1 + CLEAN);
        assert_eq!((standing.rung, standing.oom_floor), (0, Some(Bytes::mib(164))));
        climb(&mut standing, &[], None, FLOOR_KEPT);
        assert!(standing.oom_floor.is_some());
        climb(&mut standing, &[], None, 1 + FLOOR_KEPT);
        assert_eq!(standing.oom_floor, None);
    }
}
