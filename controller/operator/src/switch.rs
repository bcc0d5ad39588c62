//! The switch: a `ConfigMap` in our own namespace that stops all writes. One GET at most every two seconds.
//!
//! * no such `ConfigMap`: on. The chart ships none, so no upgrade and no sync turns on what a person turned off;
//! * `writes: "on"`: on;
//! * anything else in it, or no such key: off, since whoever made it meant to stop something;
//! * it cannot be read: off, since nobody knows.
//!
//! `kubectl -n forewarm create configmap forewarm-switch --from-literal=writes=off` stops every write within
//! two seconds; floors stay where they are.

use crate::record::Journal;
use crate::record::line::{SwitchLine, print};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// The key that is read.
pub const KEY: &str = "writes";

/// How long one look serves all writes.
const FRESH: Duration = Duration::from_secs(2);

/// Deadline of the look.
const DEADLINE: Duration = Duration::from_secs(2);

/// Where the switch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Writes are allowed.
    On,
    /// No writes; with the words found, or why nothing could be read.
    Off(String),
}

impl Position {
    /// Whether writes are allowed.
    pub fn allows(&self) -> bool {
        *self == Self::On
    }
}

/// The switch, with the last look at it.
pub struct Switch {
    api: Api<ConfigMap>,
    name: String,
    journal: Arc<dyn Journal>,
    last: Mutex<Option<(Instant, Position)>>,
}

impl Switch {
    /// The switch of that name in `namespace`.
    pub fn new(client: Client, namespace: &str, name: &str, journal: Arc<dyn Journal>) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            journal,
            last: Mutex::default(),
        }
    }

    /// Whether writes are allowed: by the last look if it is fresh, else by a new one.
    pub async fn allows(&self) -> bool {
        self.position().await.allows()
    }

    /// Where it stands. Several callers share one look; a move is told in the log.
    pub async fn position(&self) -> Position {
        let mut last = self.last.lock().await;
        if let Some((at, position)) = &*last
            && at.elapsed() < FRESH
        {
            return position.clone();
        }
        let now = self.look().await;
        let before = last
            .replace((Instant::now(), now.clone()))
            .map_or(Position::On, |(_, position)| position);
        if before.allows() != now.allows() {
            self.tell(&now);
        }
        now
    }

    async fn look(&self) -> Position {
        match timeout(DEADLINE, self.api.get_opt(&self.name)).await {
            Ok(Ok(found)) => read(found.as_ref()),
            Ok(Err(kube::Error::Api(status))) => Position::Off(format!("unreadable: HTTP {}", status.code)),
            Ok(Err(_)) => Position::Off("unreadable: no connection".to_owned()),
            Err(_) => Position::Off("unreadable: no answer in time".to_owned()),
        }
    }

    fn tell(&self, position: &Position) {
        let (stopped, why) = match position {
            Position::On => (false, KEY),
            Position::Off(why) => (true, why.as_str()),
        };
        print(self.journal.as_ref(), &SwitchLine { stopped, why });
    }
}

impl std::fmt::Debug for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switch")
            .field("name", &self.name)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

fn read(found: Option<&ConfigMap>) -> Position {
    let Some(map) = found else { return Position::On };
    match map
        .data
        .as_ref()
        .and_then(|data| data.get(KEY))
        .map(|words| words.trim())
    {
        Some("on") => Position::On,
        Some(words) => Position::Off(format!("{KEY}: {}", words.chars().take(64).collect::<String>())),
        None => Position::Off(format!("no key {KEY}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::{Reply, Seen, api_server, journal};
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn config_map(data: &Value) -> Reply {
        Reply::Json(
            200,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": data}),
        )
    }

    fn absent() -> Reply {
        Reply::status(404, "NotFound", "no such ConfigMap")
    }

    async fn position(answer: impl Fn() -> Reply + Send + 'static) -> Position {
        let (client, _) = api_server(move |_: &Seen| answer());
        Switch::new(client, "forewarm", "s", journal().0).position().await
    }

    fn off(why: &str) -> Position {
        Position::Off(why.into())
    }

    #[tokio::test(start_paused = true)]
    async fn each_state_of_the_switch_has_its_meaning() {
        assert_eq!(position(absent).await, Position::On);
        assert_eq!(position(|| config_map(&json!({"writes": "on"}))).await, Position::On);
        assert_eq!(position(|| config_map(&json!({"writes": " on\n"}))).await, Position::On);
        assert_eq!(
            position(|| config_map(&json!({"writes": "off"}))).await,
            off("writes: off")
        );
        assert_eq!(position(|| config_map(&json!({"writes": ""}))).await, off("writes: "));
        assert_eq!(
            position(|| config_map(&json!({"write": "on"}))).await,
            off("no key writes")
        );
        assert_eq!(position(|| config_map(&Value::Null)).await, off("no key writes"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_switch_that_cannot_be_read_is_off() {
        assert_eq!(
            position(|| Reply::status(403, "Forbidden", "no")).await,
            off("unreadable: HTTP 403")
        );
        assert_eq!(
            position(|| Reply::Text(200, "<html>")).await,
            off("unreadable: no connection")
        );
        assert_eq!(position(|| Reply::Reset).await, off("unreadable: no connection"));
        assert_eq!(position(|| Reply::Silence).await, off("unreadable: no answer in time"));
    }

    #[tokio::test(start_paused = true)]
    async fn one_look_serves_two_seconds_and_moves_are_told() {
        let looks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&looks);
        let (client, seen) = api_server(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => absent(),
            1 => config_map(&json!({"writes": "off"})),
            _ => config_map(&json!({"writes": "on"})),
        });
        let (journal, lines) = journal();
        let switch = Switch::new(client, "forewarm", "forewarm-switch", journal);
        for (wait, allowed, looked) in [(0, true, 1), (1, true, 1), (1, false, 2), (1, false, 2), (1, true, 3)] {
            tokio::time::advance(Duration::from_secs(wait)).await;
            assert_eq!(
                (switch.allows().await, looks.load(Ordering::Relaxed)),
                (allowed, looked)
            );
        }
        assert_eq!(
            seen.all()[0].line(),
            "GET /api/v1/namespaces/forewarm/configmaps/forewarm-switch"
        );
        let told: Vec<_> = lines
            .all()
            .into_iter()
            .map(|(_, fields)| fields["stopped"].clone())
            .collect();
        assert_eq!(told, [json!(true), json!(false)]);
    }
}
