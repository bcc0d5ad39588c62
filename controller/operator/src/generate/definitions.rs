//! Custom resource definitions: as files of their own, and as templates of the chart. Pure.

use super::template::MADE;
use forewarm_api::crd;
use serde_json::json;

/// `crds/*.yaml` and the same as chart templates.
pub(super) fn files() -> Vec<(String, String)> {
    let plain = forewarm_api::crds()
        .into_iter()
        .map(|(name, yaml)| (format!("crds/{name}"), yaml));
    let kind = |name: &str| name.trim_start_matches("forewarm.dev_").to_owned();
    let templates = crd::definitions().into_iter().map(|(name, mut definition)| {
        // Deleting a definition deletes every policy of the cluster, so an uninstall leaves it. What is written for
        // newborn pods is no user's, and goes.
        if !name.contains("newborn") {
            definition["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
        }
        (
            format!("charts/forewarm/templates/crds/{}", kind(name)),
            template(&crd::yaml(&definition)),
        )
    });
    plain.chain(templates).collect()
}

fn template(yaml: &str) -> String {
    assert!(!yaml.contains("{{"), "a description would be run as a template");
    format!("{MADE}{{{{- if .Values.crds.install }}}}\n{yaml}{{{{- end }}}}\n")
}
