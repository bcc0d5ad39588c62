//! Which policy has a target that several name: all policies in, those that have to stand back out. No I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use forewarm_api::problem::PolicyProblem;
use forewarm_core::policy::FunctionKey;

use super::policies::{ByKey, Listed, PolicySeen, Usable};
use crate::target::TargetRef;

/// Who stands back, and for whom. Worked out anew only where a claim is another one.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Of which list; `None`: of none yet.
    of: Option<u64>,
    /// The older policy on the target of each that stands back.
    behind: BTreeMap<FunctionKey, Arc<str>>,
}

impl Claims {
    /// Of the policies that are listed now.
    pub(super) fn follow(&mut self, listed: &Listed) {
        if self.of != Some(listed.claims) {
            self.of = Some(listed.claims);
            self.behind = behind(&listed.by_key);
        }
    }

    /// The usable part of a policy, or why it is not: its own problems, or an older policy on the same target.
    pub(super) fn usable<'a>(
        &self,
        key: &FunctionKey,
        stored: &'a PolicySeen,
    ) -> Result<&'a Usable, Vec<PolicyProblem>> {
        let usable = stored.parsed.as_ref().map_err(Clone::clone)?;
        let Some(holder) = self.behind.get(key) else {
            return Ok(usable);
        };
        let fix = format!("the older policy {holder} has this target: delete one of the two");
        Err(vec![PolicyProblem::new(
            "spec.targetRef.name",
            &usable.target.name,
            fix,
        )])
    }
}

/// Of several policies that name a target the oldest has it, by name where they are of one second; the others, each
/// with the name of that one.
fn behind(policies: &ByKey) -> BTreeMap<FunctionKey, Arc<str>> {
    let claims = || {
        policies
            .iter()
            .filter_map(|(key, seen)| seen.claim().map(|(created, target)| (&**target, (created, key))))
    };
    let mut holders: HashMap<&TargetRef, (i64, &FunctionKey), RandomState> =
        HashMap::with_capacity_and_hasher(policies.len(), RandomState::default());
    for (target, claim) in claims() {
        let holder = holders.entry(target).or_insert(claim);
        *holder = claim.min(*holder);
    }
    let back = |(target, (_, key)): (&TargetRef, (i64, &FunctionKey))| {
        let (_, holder) = holders.get(target)?;
        (*holder != key).then(|| (key.clone(), Arc::clone(&holder.name)))
    };
    claims().filter_map(back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::pods::Owner;
    use forewarm_api::problem::sentence;

    /// A stored policy of that name in `payments`, created at that second, on that workload.
    fn stored(name: &str, created: i64, workload: &str) -> (FunctionKey, Arc<PolicySeen>) {
        let policy = serde_json::json!({
            "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
            "metadata": {"name": name, "namespace": "payments"},
            "spec": {"targetRef": {"name": workload}, "floor": {"max": 4}}
        });
        let policy: forewarm_api::FunctionPolicy = serde_json::from_value(policy).unwrap();
        let target = TargetRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "payments".into(),
            name: workload.into(),
        };
        let usable = Usable {
            policy: forewarm_api::parse(&policy, false).unwrap(),
            workload: Owner {
                namespace: "payments".into(),
                kind: "Deployment".into(),
                name: workload.into(),
            },
            target: Arc::new(target),
            profile: None,
            lead_time: None,
            objective: None,
            paced: false,
            memory: forewarm_core::memory::MemoryPolicy::default(),
        };
        let (uid, resource_version) = (name.to_owned(), "1".to_owned());
        let seen = PolicySeen {
            uid,
            resource_version,
            created,
            generation: 1,
            parsed: Ok(usable),
            status: None,
        };
        (policy.key(), Arc::new(seen))
    }

    #[test]
    fn of_two_policies_on_one_target_the_older_has_it_and_the_other_is_told() {
        let mut listed = Listed {
            by_key: Arc::new(ByKey::from([
                stored("a", 20, "orders"),
                stored("b", 10, "orders"),
                stored("c", 30, "ledger"),
            ])),
            claims: 7,
        };
        let mut claims = Claims::default();
        let problems = |claims: &Claims, name: &str| {
            let key = FunctionKey {
                namespace: "payments".into(),
                name: name.into(),
            };
            let (_, stored) = stored(name, 0, "orders");
            claims
                .usable(&key, &stored)
                .map(|_| ())
                .map_err(|problems| sentence(&problems))
        };
        claims.follow(&listed);
        assert_eq!(problems(&claims, "b"), Ok(()));
        assert_eq!(problems(&claims, "c"), Ok(()));
        assert_eq!(
            problems(&claims, "a").unwrap_err(),
            "spec.targetRef.name is orders: the older policy b has this target: delete one of the two"
        );
        listed.by_key = Arc::new(ByKey::from([stored("a", 20, "orders"), stored("c", 30, "ledger")]));
        listed.claims += 1;
        claims.follow(&listed);
        assert_eq!(problems(&claims, "a"), Ok(()), "the older one is gone");
    }
}
