//! The room as the tick calls it: everything that is told in one tick, in its order.

use std::collections::BTreeSet;
use std::sync::Arc;

use forewarm_core::policy::FunctionKey;
use forewarm_core::standing::Standing;
use forewarm_core::units::Now;
use kube::Client;
use ulid::Ulid;

use super::line::{ReleaseLine, print};
use super::status::StatusWriter;
use super::tell::Teller;
use super::{Journal, Told, Unusable};
use crate::observe::Snapshot;

/// What a user is told of a workload whose policy is gone.
const STAYS: &str =
    "policy gone: replicas stay as they are, since a target without a scaler has no floor to go back to";

/// Tells the world.
#[derive(Debug)]
pub struct Record {
    journal: Arc<dyn Journal>,
    teller: Teller,
    status: StatusWriter,
}

impl std::fmt::Debug for dyn Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("head", &self.head()).finish()
    }
}

impl Record {
    /// Tells through `journal`, and the policies' status through `client`, which must not retry by itself.
    pub fn new(journal: Arc<dyn Journal>, client: Client) -> Self {
        Self {
            teller: Teller::new(Arc::clone(&journal)),
            journal,
            status: StatusWriter::new(client),
        }
    }

    /// What must be on record before the effect it protects. Returns the functions whose record failed: their
    /// effect must wait.
    pub async fn before(&mut self, told: &[Told<'_>]) -> BTreeSet<FunctionKey> {
        self.status.before(told).await
    }

    /// Tells what was decided and done.
    pub async fn run(&mut self, told: &[Told<'_>], snapshot: &Snapshot) {
        let lines = self.teller.tick(told);
        let unusable: Vec<Unusable<'_>> = snapshot
            .unusable
            .iter()
            .map(|(key, (stored, problems))| Unusable {
                key,
                policy: stored.object(),
                problems,
            })
            .collect();
        let Now { wall, mono } = snapshot.now;
        let written = self.status.run(told, &unusable, &lines, (wall, mono)).await;
        tracing::debug!(?written, "Status told.");
    }

    /// A tick of a replica that does not lead.
    pub fn follow(&mut self, _snapshot: &Snapshot) {}

    /// A policy is gone.
    pub fn released(&mut self, key: &FunctionKey, standing: &Standing) {
        let (decision, stays) = (Ulid::new().to_string(), standing.held);
        let (namespace, policy) = (key.namespace.as_str(), key.name.as_str());
        let line = ReleaseLine {
            namespace,
            policy,
            target: None,
            decision: &decision,
            stays,
            note: STAYS,
        };
        print(&*self.journal, &line);
    }
}
