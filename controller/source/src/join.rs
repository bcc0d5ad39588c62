//! The series of one answer in, a tally a function out. Pure.
//!
//! A series belongs to a function only where its labels name one of the function's own pods, its workload or one
//! of its revisions (TM7); whatever a stranger exports under another name is counted as foreign and left out.

use crate::answer::{Answer, Sampled};
use crate::error::SourceError;
use crate::membership::Membership;
use crate::series::{LabelNames, Labels};
use forewarm_api::profile::JoinBy;
use forewarm_api::profile_parse::JoinLabels;
use forewarm_core::observation::Why;

/// What one answer says of one function.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// Sum over its series.
    pub(crate) sum: f64,
    /// How many there were.
    pub(crate) series: u32,
    /// A series that cannot be used, if there was one.
    pub(crate) bad: Option<Why>,
}

/// One answer, joined.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// By member.
    tallies: Vec<Tally>,
    /// By slot: the pod's own series, where the answer is by pod.
    pods: Vec<Option<f64>>,
    /// Series in the answer.
    pub(crate) series: usize,
    /// Of them, those of no function of this profile.
    pub(crate) foreign: usize,
    /// Of the foreign ones, those that lack the labels to join by.
    pub(crate) unlabelled: usize,
    /// Of the unlabelled ones, those above zero.
    pub(crate) unlabelled_up: usize,
}

impl Joined {
    /// Joins an instant vector.
    pub(crate) fn of(
        answer: &Answer<'_>,
        join: &JoinLabels,
        profile: &str,
        members: &Membership,
        most: usize,
    ) -> Result<Self, SourceError> {
        let profile = members.profile_number(profile);
        let mut joined = Self {
            tallies: vec![Tally::default(); members.len()],
            ..Self::default()
        };
        joined.pods = vec![None; members.slot_count()];
        let names = LabelNames::new(&join.namespace, &join.name);
        let mut key = Key {
            join: join.by,
            profile,
            members,
        };
        joined.series = answer.vector(&names, most, |series| joined.take(&mut key, &series))?;
        Ok(joined)
    }

    /// What is said of a member.
    pub(crate) fn tally(&self, member: usize) -> &Tally {
        &self.tallies[member]
    }

    /// The value of a pod's series. `None`: it has none, or the answer is not by pod.
    pub(crate) fn pod(&self, slot: usize) -> Option<f64> {
        self.pods[slot]
    }

    /// True when there are series and none of them has the labels to join by.
    pub(crate) fn is_unlabelled(&self) -> bool {
        self.series > 0 && self.unlabelled == self.series
    }

    /// The answer, unless it has the wrong shape as a whole because no series can be joined.
    pub(crate) fn labelled(self, join: &JoinLabels) -> Result<Self, SourceError> {
        if !self.is_unlabelled() {
            return Ok(self);
        }
        let text = format!(
            "no series has both labels {} and {} of the join",
            join.namespace, join.name
        );
        Err(SourceError::Shape(text))
    }

    fn take(&mut self, key: &mut Key<'_>, series: &Sampled<'_>) {
        match key.find(&series.labels) {
            Found::Pod(slot) => {
                let twice = self.pods[slot].is_some();
                // Of two values of one pod neither can be believed.
                let value = series.value.filter(|_| !twice);
                self.pods[slot] = Some(value.unwrap_or(f64::NAN));
                self.tallies[key.members.member_of_slot(slot)].add(series.value, twice);
            }
            Found::Member(member) => {
                // Several revisions of one function add up; one workload twice does not.
                let twice = key.join != JoinBy::Revision && self.tallies[member].series > 0;
                self.tallies[member].add(series.value, twice);
            }
            Found::Foreign => self.foreign += 1,
            Found::Unlabelled => {
                self.foreign += 1;
                self.unlabelled += 1;
                self.unlabelled_up += usize::from(series.value.is_some_and(|v| v > 0.0));
            }
        }
    }
}

impl Tally {
    fn add(&mut self, value: Option<f64>, twice: bool) {
        self.series += 1;
        let bad = match value {
            _ if twice => Some(Why::WrongShape),
            None => Some(Why::WrongShape),
            Some(v) if v.is_nan() => Some(Why::NotANumber),
            Some(v) if v.is_infinite() => Some(Why::Infinite),
            Some(v) if v < 0.0 => Some(Why::Negative),
            Some(v) => {
                self.sum += v;
                None
            }
        };
        if self.bad.is_none() {
            self.bad = bad;
        }
    }
}

struct Key<'m> {
    join: JoinBy,
    /// The profile's number. `None`: no member uses it.
    profile: Option<usize>,
    members: &'m Membership,
}

enum Found {
    Pod(usize),
    Member(usize),
    Foreign,
    Unlabelled,
}

impl Key<'_> {
    /// The pod or member that the labels name. A query by workload (label `workload` beside the namespace) is
    /// joined by it whatever the profile's own join is, so that a peak of the sum can be asked for.
    fn find(&mut self, labels: &Labels<'_>) -> Found {
        let Some(namespace) = labels.namespace.as_deref() else {
            return Found::Unlabelled;
        };
        let found = match (labels.name.as_deref(), labels.workload.as_deref()) {
            (Some(pod), _) if self.join == JoinBy::Pod => self.members.pod(namespace, pod).map(Found::Pod),
            (Some(name), _) if self.join == JoinBy::Revision => {
                self.members.revision(namespace, name).map(Found::Member)
            }
            (Some(name), _) | (None, Some(name)) => self.members.workload(namespace, name).map(Found::Member),
            (None, None) => return Found::Unlabelled,
        };
        found.filter(|found| self.of_profile(found)).unwrap_or(Found::Foreign)
    }

    fn of_profile(&self, found: &Found) -> bool {
        let member = match *found {
            Found::Pod(slot) => self.members.member_of_slot(slot),
            Found::Member(member) => member,
            Found::Foreign | Found::Unlabelled => return true,
        };
        Some(self.members.profile(member)) == self.profile
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::membership::fixture::member;

    pub(crate) fn by(by: JoinBy) -> JoinLabels {
        JoinLabels {
            by,
            namespace: "namespace".to_owned(),
            name: "pod".to_owned(),
        }
    }

    /// A vector of `namespace/name=value`; `/` alone stands for no labels, `ns/=w=value` for a workload label.
    pub(crate) fn body(series: &[&str]) -> Vec<u8> {
        let one = |s: &&str| {
            let (path, value) = s.rsplit_once('=').expect("a value");
            let (namespace, name) = path.split_once('/').expect("a path");
            let (label, name) = name.strip_prefix('=').map_or(("pod", name), |w| ("workload", w));
            format!(r#"{{"metric":{{"namespace":"{namespace}","{label}":"{name}"}},"value":[1,"{value}"]}}"#)
        };
        let result = series.iter().map(one).collect::<Vec<_>>().join(",");
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#).into_bytes()
    }

    fn join(join_by: JoinBy, series: &[&str]) -> Result<Vec<(f64, u32, Option<Why>)>, SourceError> {
        let mut other = member("a/other", &[("other-1", Some(0))]);
        other.profile = "q".into();
        let members = Membership::new([
            member("a/f", &[("f-1", Some(0)), ("f-2", Some(0))]),
            member("b/f", &[("f-1", Some(0))]),
            member("a/f-twin", &[("f-1", Some(0))]),
            other,
        ]);
        let body = body(series);
        let joined = Joined::of(&Answer::read(&body)?, &by(join_by), "p", &members, 100)?.labelled(&by(join_by))?;
        Ok((0..4)
            .map(|m| joined.tally(m))
            .map(|t| (t.sum, t.series, t.bad.clone()))
            .collect())
    }

    #[test]
    fn a_series_counts_for_the_function_whose_pod_it_names() {
        let tallies = join(
            JoinBy::Pod,
            &[
                "a/f-1=1",
                "a/f-2=2",
                "b/f-1=4",
                "b/f-2=8",
                "c/f-1=16",
                "a/other-1=32",
                "/=64",
            ],
        );
        assert_eq!(
            tallies,
            Ok(vec![(3.0, 2, None), (4.0, 1, None), (0.0, 0, None), (0.0, 0, None)])
        );
    }

    #[test]
    fn the_other_joins_go_by_the_name_of_the_workload_or_revision() {
        let workload = Ok(vec![(1.0, 1, None), (2.0, 1, None), (0.0, 0, None), (0.0, 0, None)]);
        assert_eq!(
            join(JoinBy::Workload, &["a/f=1", "b/f=2", "a/other=4", "a/x=8"]),
            workload
        );
        assert_eq!(join(JoinBy::Service, &["a/f=1", "b/f=2"]), workload);
        assert_eq!(
            join(JoinBy::Revision, &["a/f-00001=1", "b/f-00001=2", "a/f=4"]),
            workload
        );
        assert_eq!(join(JoinBy::Pod, &["a/=f=1", "b/=f=2", "/=4"]), workload);
    }

    #[test]
    fn a_series_that_cannot_be_used_spoils_its_own_function_only() {
        let rows = [
            ("NaN", Why::NotANumber),
            ("+Inf", Why::Infinite),
            ("-Inf", Why::Infinite),
            ("1e999", Why::Infinite),
            ("-1", Why::Negative),
            ("", Why::WrongShape),
        ];
        for (value, why) in rows {
            let tallies = join(JoinBy::Pod, &[&format!("a/f-1={value}"), "a/f-2=5", "b/f-1=4"]).expect(value);
            assert_eq!(tallies[0].2, Some(why), "{value}");
            assert_eq!(tallies[1], (4.0, 1, None), "{value}");
        }
    }

    #[test]
    fn a_series_that_is_there_twice_has_the_wrong_shape() {
        for (join_by, series) in [
            (JoinBy::Pod, ["a/f-1=1", "a/f-1=1"]),
            (JoinBy::Workload, ["a/f=1", "a/f=1"]),
        ] {
            assert_eq!(join(join_by, &series).expect("joined")[0].2, Some(Why::WrongShape));
        }
    }

    #[test]
    fn an_answer_without_the_labels_has_the_wrong_shape() {
        let error = join(JoinBy::Pod, &["/=1", "a/=1"]).expect_err("no labels");
        assert_eq!(
            error.to_string(),
            "the answer has the wrong shape: no series has both labels namespace and pod of the join"
        );
        assert!(join(JoinBy::Pod, &[]).is_ok());
    }
}
