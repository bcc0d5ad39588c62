//! Pieces of chart templates as text: quoting, and the head of an object. Pure.

/// First line of every generated template; a template comment, so that it renders to nothing.
pub(super) const MADE: &str = "{{- /* Made by `forewarm generate` from controller/operator/src; not edited. */ -}}\n";

/// A YAML string in single quotes. None of ours may look like a template action: Helm would run it.
pub(super) fn quoted(text: &str) -> String {
    debug_assert!(!text.contains("{{"), "{text:?} would be run as a template");
    format!("'{}'", text.replace('\'', "''"))
}

/// A YAML list on one line.
pub(super) fn list(items: &[&str]) -> String {
    let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// The first lines of an object: `name` is a template, `namespace` too.
pub(super) fn head(api_version: &str, kind: &str, name: &str, namespace: Option<&str>) -> String {
    let namespace = namespace
        .map(|namespace| format!("  namespace: {namespace}\n"))
        .unwrap_or_default();
    format!(
        "---\napiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n{namespace}  labels: \
         {{{{- include \"forewarm.labels\" . | nindent 4 }}}}\n"
    )
}
