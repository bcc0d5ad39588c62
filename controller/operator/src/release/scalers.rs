//! What is held at scalers, listed and given back through the gate: the operator, which still runs, is kept out by
//! the Lease.

use super::{DEADLINE, PAGE, ReleaseError};
use crate::apply::Apply;
use crate::observe::left::{Left, give_back, is_ours};
use crate::record::Journal;
use crate::record::line::{ReleaseLine, print};
use crate::record::room::{GIVEN_BACK, NOT_GIVEN_BACK};
use crate::target::{Found, Kinds, Resource, TargetKind};
use crate::tick::leaving;
use forewarm_core::observation::Recorded;
use forewarm_core::outcome::Outcome;
use forewarm_core::units::Now;
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::timeout;

/// What the templates of services say, by namespace and name.
type Templates = HashMap<(String, String), Option<Recorded>>;

/// Everything that is ours at a scaler, with the steps that give it back. A kind whose API is not there has nothing.
pub(super) async fn held(client: &Client, kinds: &Kinds) -> Result<Vec<Left>, ReleaseError> {
    let (mut found, mut templates) = (Vec::new(), Templates::new());
    for (resource, kind) in kinds
        .served()
        .filter(|(resource, kind)| kind.scales(resource) || kind.optional())
    {
        for read in all(client, resource, kind).await? {
            if kind.scales(resource) {
                found.extend(Some(read).filter(|read| is_ours(&read.object)));
            } else {
                let key = (read.object.namespace.clone(), read.object.name.clone());
                templates.insert(key, read.object.template);
            }
        }
    }
    let template = |found: &Found| {
        let target = &found.object.scales.as_ref()?.target;
        *templates.get(&(target.namespace.clone(), target.name.clone()))?
    };
    Ok(found
        .iter()
        .filter_map(|found| give_back(found, template(found)))
        .collect())
}

/// Gives everything back and tells each. Returns how many did not go back.
pub(super) async fn release(apply: &Apply, held: &[Left], journal: &dyn Journal, now: Now) -> usize {
    let intents: Vec<_> = held.iter().map(|left| leaving(left, now.mono)).collect();
    let done = apply.run(intents.clone(), now).await;
    let mut failed = 0;
    for ((left, intent), done) in held.iter().zip(&intents).zip(done) {
        let given = done.outcomes.iter().all(|outcome| *outcome == Outcome::Applied);
        failed += usize::from(!given);
        let line = ReleaseLine {
            namespace: &left.writes.namespace,
            policy: "",
            target: Some(&left.writes),
            decision: &intent.decision,
            stays: None,
            outcomes: &done.outcomes,
            note: if given { GIVEN_BACK } else { NOT_GIVEN_BACK },
        };
        print(journal, &line);
    }
    failed
}

async fn all(client: &Client, resource: &Resource, kind: &dyn TargetKind) -> Result<Vec<Found>, ReleaseError> {
    let api = Api::<DynamicObject>::all_with(client.clone(), &resource.api_resource());
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = match timeout(DEADLINE, api.list(&params))
            .await
            .map_err(|_| ReleaseError::Late)?
        {
            Ok(page) => page,
            // An API that is not there answers in plain words, so only the code tells.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(all),
            Err(error) => return Err(ReleaseError::List(error)),
        };
        let more = page.metadata.continue_.clone().filter(|token| !token.is_empty());
        let objects = page.into_iter().filter_map(|object| kind.read(resource, &object).ok());
        all.extend(objects.map(|object| Found {
            kind: resource.kind.clone(),
            api_version: resource.api_version(),
            object: Arc::new(object),
        }));
        match more {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}
