//! Lines about what decisions rest on: the questions to the sources, and policies that cannot be used. What was
//! seen in one tick in, lines to the journal out; each when it changes.

use super::Unusable;
use super::line::{PolicyLine, SourceLine, print};
use super::{Journal, ascii};
use forewarm_core::policy::FunctionKey;
use forewarm_source::ProfileState;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Policy lines of one tick, at most; the others wait for the next tick.
const A_TICK: usize = 100;

/// Characters of one problem in a line, and problems.
const LONGEST: usize = 256;
const MOST: usize = 16;

/// Prints what changed.
pub struct Notices {
    journal: Arc<dyn Journal>,
    /// Why each profile's questions fail. `None`: they are answered.
    sources: BTreeMap<String, Option<&'static str>>,
    /// The problems told of each policy that cannot be used.
    policies: BTreeMap<FunctionKey, Vec<String>>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices")
            .field("policies", &self.policies.len())
            .finish_non_exhaustive()
    }
}

impl Notices {
    /// One that has told nothing yet.
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            sources: BTreeMap::new(),
            policies: BTreeMap::new(),
        }
    }

    /// Tells of profiles whose questions fail, or fail for another reason, or are answered again. A profile
    /// that is answered from the start is no news.
    pub fn sources(&mut self, profiles: &BTreeMap<String, ProfileState>) {
        for (profile, state) in profiles {
            let why = state.failed.as_ref().map(|failure| failure.why.label());
            let before = self.sources.insert(profile.clone(), why);
            if before.unwrap_or_default() != why {
                let message = state.failed.as_ref().map(|failure| failure.text.as_str());
                print(
                    &*self.journal,
                    &SourceLine {
                        profile,
                        up: why.is_none(),
                        why,
                        message,
                    },
                );
            }
        }
        self.sources.retain(|profile, _| profiles.contains_key(profile));
    }

    /// Tells of policies that cannot be used, or can again; `usable`: those that can. Returns the former, where
    /// their problems are new.
    pub fn policies<'a>(
        &mut self,
        unusable: &[Unusable<'a>],
        usable: impl Iterator<Item = &'a FunctionKey>,
    ) -> BTreeSet<FunctionKey> {
        let mut told = BTreeSet::new();
        for bad in unusable {
            let problems = problems(bad);
            if told.len() < A_TICK && self.policies.get(bad.key) != Some(&problems) {
                policy(&*self.journal, bad.key, bad.policy.generation, &problems);
                self.policies.insert(bad.key.clone(), problems);
                told.insert(bad.key.clone());
            }
        }
        if !self.policies.is_empty() {
            self.mended(unusable, usable);
        }
        told
    }

    fn mended<'a>(&mut self, unusable: &[Unusable<'a>], usable: impl Iterator<Item = &'a FunctionKey>) {
        for key in usable {
            if self.policies.remove(key).is_some() {
                policy(&*self.journal, key, 0, &[]);
            }
        }
        let bad: BTreeSet<&FunctionKey> = unusable.iter().map(|bad| bad.key).collect();
        self.policies.retain(|key, _| bad.contains(key));
    }
}

fn policy(journal: &dyn Journal, key: &FunctionKey, generation: i64, problems: &[String]) {
    let generation = Some(generation).filter(|generation| *generation > 0);
    print(
        journal,
        &PolicyLine {
            namespace: &key.namespace,
            policy: &key.name,
            generation,
            problems,
        },
    );
}

fn problems(bad: &Unusable<'_>) -> Vec<String> {
    let text = |problem: &forewarm_api::PolicyProblem| {
        let mut text = problem.to_string();
        ascii::cut(&mut text, LONGEST);
        text
    };
    bad.problems.iter().take(MOST).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PolicyObject;
    use crate::record::chain::Chain;
    use crate::record::human::LogFormat;
    use crate::record::memory::Memory;
    use forewarm_api::PolicyProblem;
    use forewarm_core::observation::Why;
    use forewarm_core::units::Wall;
    use forewarm_source::Failure;
    use serde_json::Value;

    fn notices() -> (Notices, Memory) {
        let output = Memory::default();
        let chain = Chain::new(
            Box::new(output.clone()),
            LogFormat::Json,
            "R".into(),
            Box::new(|| Wall(0)),
        );
        (Notices::new(Arc::new(chain)), output)
    }

    fn taken(output: &Memory) -> Vec<Value> {
        output
            .take()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn profiles(failed: Option<Why>) -> BTreeMap<String, ProfileState> {
        let failed = failed.map(|why| Failure {
            why,
            text: "no answer within 9 s".into(),
        });
        [(
            "http-inflight".to_owned(),
            ProfileState {
                failed,
                ..ProfileState::default()
            },
        )]
        .into()
    }

    #[test]
    fn a_source_is_told_of_when_it_goes_changes_its_trouble_and_comes_back() {
        let (mut notices, output) = notices();
        let steps = [
            None,
            Some(Why::SourceDown),
            Some(Why::SourceDown),
            Some(Why::PartialAnswer),
            None,
            None,
        ];
        let told: Vec<Vec<Value>> = steps
            .into_iter()
            .map(|why| {
                notices.sources(&profiles(why));
                taken(&output)
            })
            .collect();
        assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 0, 1, 1, 0]);
        assert_eq!(
            (&told[1][0]["why"], &told[1][0]["up"]),
            (&"SourceDown".into(), &false.into())
        );
        assert_eq!(told[1][0]["message"], "no answer within 9 s");
        assert_eq!(told[4][0]["up"], true);
    }

    #[test]
    fn a_policy_is_told_of_when_its_problems_change_and_when_they_are_mended() {
        let (mut notices, output) = notices();
        let keys: Vec<FunctionKey> = (0..150)
            .map(|n| FunctionKey {
                namespace: "payments".into(),
                name: format!("f{n}").into(),
            })
            .collect();
        let problems = [PolicyProblem::new("spec.floor.min", "50", "lower it".repeat(100))];
        let policy = PolicyObject {
            uid: "u",
            resource_version: "1",
            generation: 4,
            status: None,
        };
        let bad: Vec<Unusable<'_>> = keys
            .iter()
            .map(|key| Unusable {
                key,
                policy,
                problems: &problems,
            })
            .collect();
        assert_eq!(notices.policies(&bad, [].into_iter()).len(), 100);
        assert_eq!(notices.policies(&bad, [].into_iter()).len(), 50);
        assert_eq!(notices.policies(&bad, [].into_iter()).len(), 0);
        let lines = taken(&output);
        assert_eq!(lines.len(), 150);
        assert_eq!(lines[0]["problems"][0].as_str().unwrap().chars().count(), LONGEST);
        notices.policies(&bad[1..], keys[..1].iter());
        let lines = taken(&output);
        assert_eq!((lines.len(), &lines[0]["policy"]), (1, &"f0".into()));
        assert_eq!(lines[0]["problems"].as_array().unwrap().len(), 0);
        notices.policies(&[], [].into_iter());
        assert!(
            notices.policies.is_empty() && taken(&output).is_empty(),
            "gone is not mended"
        );
    }
}
