//! The memory that a workload's template gives its containers: the user's own values. Pure.

use crate::observe::health::go_limit;
use crate::observe::quantity;
use forewarm_core::memory::Amounts;
use forewarm_core::units::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Annotation of a template that names its main container.
const DEFAULT: &str = "kubectl.kubernetes.io/default-container";

/// Memory as the template has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// By container.
    pub containers: BTreeMap<String, Amounts>,
    /// What Go runtimes hold their heaps under, by container, where `GOMEMLIMIT` is set.
    pub go_limits: BTreeMap<String, Bytes>,
    /// The main container: the annotated one, else the first. `None`: the template has none.
    pub default: Option<String>,
}

/// The part of an object's `spec.template` that [`Template::read`] looks at. `None`: there is no template.
pub(super) fn kept(object: &Value) -> Option<Value> {
    let template = object.get("spec")?.get("template")?;
    let containers: Vec<Value> = containers(template)
        .iter()
        .map(|one| {
            json!({"name": one.get("name"), "env": variables(one),
            "resources": {"requests": memory(one, "requests"), "limits": memory(one, "limits")}})
        })
        .collect();
    let annotated = template
        .pointer("/metadata/annotations")
        .and_then(|all| all.get(DEFAULT));
    let mut metadata = Map::new();
    if let Some(name) = annotated {
        metadata.insert("annotations".to_owned(), json!({DEFAULT: name}));
    }
    Some(json!({"metadata": metadata, "spec": {"containers": containers}}))
}

impl Template {
    /// Reads an object's `spec.template`; empty where there is none.
    pub fn read(object: &Value) -> Self {
        let Some(template) = object.get("spec").and_then(|spec| spec.get("template")) else {
            return Self::default();
        };
        let name = |one: &Value| Some(one.get("name")?.as_str()?.to_owned());
        let all = containers(template);
        let annotated = template
            .pointer("/metadata/annotations")
            .and_then(|all| all.get(DEFAULT)?.as_str());
        Self {
            containers: all.iter().filter_map(|one| Some((name(one)?, amounts(one)))).collect(),
            go_limits: all.iter().filter_map(|one| Some((name(one)?, told(one)?))).collect(),
            default: annotated.map(str::to_owned).or_else(|| all.first().and_then(name)),
        }
    }
}

fn containers(template: &Value) -> &[Value] {
    template
        .pointer("/spec/containers")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn amounts(container: &Value) -> Amounts {
    let of = |which: &str| {
        let text = container.get("resources")?.get(which)?.get("memory")?;
        text.as_str()
            .and_then(quantity::bytes)
            .filter(|bytes| *bytes > Bytes(0))
    };
    // A limit without a request is defaulted by the API server to a request of the same size.
    let limit = of("limits");
    Amounts {
        request: of("requests").or(limit),
        limit,
    }
}

fn memory(container: &Value, which: &str) -> Value {
    let memory = container.get("resources").and_then(|all| all.get(which)?.get("memory"));
    memory.map_or_else(|| json!({}), |memory| json!({"memory": memory}))
}

/// The variable alone, of an environment that may hold anything.
fn variables(container: &Value) -> Vec<&Value> {
    let env = container.get("env").and_then(Value::as_array);
    let named = |one: &&Value| one.get("name").and_then(Value::as_str) == Some(go_limit::NAME);
    env.into_iter().flatten().filter(named).collect()
}

/// What Go was told, as a value of its own.
fn told(container: &Value) -> Option<Bytes> {
    go_limit::bytes(variables(container).last()?.get("value")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_memory_is_read_and_survives_pruning() {
        let object = json!({"spec": {"replicas": 2, "template": {
            "metadata": {"annotations": {DEFAULT: "app", "x": "y"}},
            "spec": {"containers": [
                {"name": "side", "image": "i", "resources": {"limits": {"memory": "64Mi", "cpu": "1"}}},
                {"name": "app", "resources": {"requests": {"memory": "8Mi"}, "limits": {"memory": "64Mi"}},
                 "env": [{"name": "TOKEN", "value": "secret"}, {"name": "GOMEMLIMIT", "value": "40MiB"}]},
                {"name": "bare"},
            ]},
        }}});
        let read = Template::read(&object);
        assert_eq!(read.default.as_deref(), Some("app"));
        assert_eq!(read.containers["side"], Amounts::both(Bytes::mib(64)));
        assert_eq!(read.containers["app"].request, Some(Bytes::mib(8)));
        assert_eq!(read.containers["bare"], Amounts::default());
        assert_eq!(read.go_limits, BTreeMap::from([("app".to_owned(), Bytes::mib(40))]));
        let pruned = json!({"spec": {"template": kept(&object)}});
        assert_eq!(Template::read(&pruned), read);
        assert!(!pruned.to_string().contains("image") && !pruned.to_string().contains("secret"));
    }
}
