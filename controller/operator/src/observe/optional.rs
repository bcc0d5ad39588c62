//! An API that may not be installed: looked for until it is there, and looked after. Here is I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Client;
use kube::api::ApiResource;

use super::watch::Health;

/// How often it is looked whether an API is installed; it is gone when it was missing twice in a row.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How soon it is asked again where there was no answer yet.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// What is to be done about one such API.
pub(super) struct Optional {
    /// Its kind, in the log.
    pub(super) name: &'static str,
    /// The resource that is served where it is installed.
    pub(super) resource: ApiResource,
    /// Starts its watches.
    pub(super) begin: Box<dyn Fn() -> Vec<Health> + Send + Sync>,
    /// Forgets what was seen of it.
    pub(super) forget: Box<dyn Fn() + Send + Sync>,
    /// Done each time it is seen to be there.
    pub(super) found: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Optional {
    /// Looks for the API until it is there, then starts its watches, and looks on: one that goes takes what was seen of
    /// it along, and no other kind waits for its watch. `unasked` counts one less once there was an answer; `started`
    /// gets the watches.
    pub(super) async fn follow(self, client: Client, unasked: Arc<AtomicUsize>, started: impl Fn(Vec<Health>)) {
        let (mut watches, mut missing) = (Vec::new(), 0_u32);
        let mut asked = false;
        loop {
            let there = installed(&client, &self.resource).await;
            missing = if there == Some(false) {
                missing.saturating_add(1)
            } else {
                0
            };
            if there == Some(true) && watches.is_empty() {
                watches = (self.begin)();
                started(watches.clone());
            }
            if let Some(there) = there.filter(|there| *there || missing > 1) {
                self.note(there, &watches);
            }
            if there.is_some() && !std::mem::replace(&mut asked, true) {
                unasked.fetch_sub(1, Ordering::AcqRel);
            }
            if there == Some(true) {
                (self.found)().await;
            }
            tokio::time::sleep(if asked { LOOK_AGAIN } else { ASK_AGAIN }).await;
        }
    }

    /// Notes whether the API of `watches` is there. Its objects went with it.
    pub(super) fn note(&self, there: bool, watches: &[Health]) {
        let change = watches.iter().any(|watch| watch.absent() == there);
        if !change {
            return;
        }
        tracing::info!(kind = self.name, there, "An API was removed, or is back.");
        if !there {
            (self.forget)();
        }
        for watch in watches {
            watch.set_absent(!there);
        }
    }
}

/// Whether the API server serves the resource. `None`: it did not say.
async fn installed(client: &Client, resource: &ApiResource) -> Option<bool> {
    let listed = client.list_api_group_resources(&resource.api_version);
    match tokio::time::timeout(Duration::from_secs(10), listed).await {
        Ok(Ok(list)) => Some(list.resources.iter().any(|served| served.kind == resource.kind)),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Some(false),
        Ok(Err(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{Reply, api_server};

    async fn answered(reply: Reply) -> Option<bool> {
        let (client, _) = api_server(move |_| reply.clone());
        let kind = kube::core::GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject");
        let keda = ApiResource::from_gvk_with_plural(&kind, "scaledobjects");
        installed(&client, &keda).await
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_answer_tells_that_an_api_is_not_there() {
        let list = |kind: &str| {
            let served = serde_json::json!({"name": "scaledobjects", "singularName": "", "namespaced": true,
                "kind": kind, "verbs": ["list"]});
            let list = serde_json::json!({"kind": "APIResourceList", "groupVersion": "keda.sh/v1alpha1",
                "resources": [served]});
            Reply::Json(200, list)
        };
        assert_eq!(answered(list("ScaledObject")).await, Some(true));
        assert_eq!(answered(list("ScaledJob")).await, Some(false));
        assert_eq!(
            answered(Reply::status(404, "NotFound", "no such group")).await,
            Some(false)
        );
        assert_eq!(
            answered(Reply::status(503, "ServiceUnavailable", "starting")).await,
            None
        );
        assert_eq!(answered(Reply::Silence).await, None);
    }
}
