//! Roles: what the registry and the rooms need, as one chart template. Pure.
//!
//! Reads are bound cluster-wide; writes to targets by a `RoleBinding` in each enrolled namespace; our own objects in
//! our own namespace. So a write in a namespace that is not enrolled is a 403, whatever the operator decides.

use super::template::{MADE, head, list};
use crate::target::{ListedRule, Rule, Scope, TARGETS};

/// What is watched besides targets: our kinds, pods for readiness and lead time, namespaces for their pause, quotas and
/// limit ranges for their room, and vertical autoscalers, which move memory as we do.
const WATCHED: &[Rule] = &[
    read("forewarm.dev", &["functionpolicies", "demandprofiles"]),
    read("", &["pods", "namespaces", "resourcequotas", "limitranges"]),
    read("autoscaling.k8s.io", &["verticalpodautoscalers"]),
];

/// What is written about policies wherever they are: their status and Events.
const REPORTED: &[Rule] = &[
    Rule {
        scope: Scope::Cluster,
        group: "forewarm.dev",
        resources: &["functionpolicies/status"],
        verbs: &["patch"],
    },
    Rule {
        scope: Scope::Cluster,
        group: "events.k8s.io",
        resources: &["events"],
        verbs: &["create"],
    },
];

/// What memory and healing write in enrolled namespaces, each only where the chart's value allows it.
const HEALING: &str = "  {{- if or .Values.memory.inPlace .Values.healing.evict }}
  - {apiGroups: [''], resources: ['pods'], verbs: ['get']}
  {{- end }}
  {{- if .Values.memory.inPlace }}
  - {apiGroups: [''], resources: ['pods/resize'], verbs: ['patch']}
  {{- end }}
  {{- if .Values.healing.evict }}
  - {apiGroups: [''], resources: ['pods/eviction'], verbs: ['create']}
  {{- end }}
  {{- if .Values.memory.birth }}
  - {apiGroups: ['forewarm.dev'], resources: ['newbornmemories'], verbs: ['create', 'patch']}
  {{- end }}
";

/// The sizes of nodes bound memory, where it may be moved.
const NODES: &str = "  {{- if or .Values.memory.inPlace .Values.memory.birth }}
  - {apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch']}
  {{- end }}
";

/// What is written for newborn pods is read everywhere, where it is installed.
const NEWBORNS: &str = "  {{- if .Values.memory.birth }}
  - {apiGroups: ['forewarm.dev'], resources: ['newbornmemories'], verbs: ['list', 'watch']}
  {{- end }}
";

/// Name template of the cluster-wide objects: the release and its namespace, so that releases do not collide.
const CLUSTER_NAME: &str = "{{ include \"forewarm.clusterName\" . }}";

const fn read(group: &'static str, resources: &'static [&'static str]) -> Rule {
    Rule {
        scope: Scope::Cluster,
        group,
        resources,
        verbs: &["list", "watch"],
    }
}

/// The template.
pub(super) fn template() -> String {
    let [read, report, write] = ["read", "report", "write"].map(|part| format!("{CLUSTER_NAME}-{part}"));
    [
        MADE.to_owned(),
        role(&read, &(all(Scope::Cluster) + NODES + NEWBORNS)),
        binding(&read),
        role(&report, &rules(REPORTED)),
        binding(&report),
        role(&write, &(all(Scope::Enrolled) + HEALING)),
        enrolment(&write),
        own(),
    ]
    .concat()
}

/// Every rule of that scope: the rooms', the built-in kinds', the listed kinds'.
fn all(scope: Scope) -> String {
    let rooms = WATCHED.iter().copied();
    let kinds = TARGETS.iter().flat_map(|kind| kind.rights().rules.iter().copied());
    let fixed: Vec<_> = rooms.chain(kinds).filter(|rule| rule.scope == scope).collect();
    let listed: Vec<_> = TARGETS
        .iter()
        .flat_map(|kind| kind.rights().listed)
        .filter(|r| r.scope == scope)
        .collect();
    rules(&fixed) + &listed_rules(&listed)
}

fn role(name: &str, rules: &str) -> String {
    format!(
        "{}rules:\n{rules}",
        head("rbac.authorization.k8s.io/v1", "ClusterRole", name, None)
    )
}

fn rules(rules: &[Rule]) -> String {
    let one = |rule: &Rule| {
        let Rule {
            scope: _,
            group,
            resources,
            verbs,
        } = rule;
        format!(
            "  - {{apiGroups: {}, resources: {}, verbs: {}}}\n",
            list(&[group]),
            list(resources),
            list(verbs)
        )
    };
    rules.iter().map(one).collect()
}

fn listed_rules(rules: &[&ListedRule]) -> String {
    let one = |rule: &&ListedRule| {
        let ListedRule {
            scope: _,
            suffix,
            verbs,
        } = rule;
        let group = "{{ include \"forewarm.groupOf\" .apiVersion | quote }}";
        let resource = format!("{{{{ printf \"%s{suffix}\" .resource | quote }}}}");
        format!(
            "  - {{apiGroups: [{group}], resources: [{resource}], verbs: {}}}\n",
            list(verbs)
        )
    };
    let each: String = rules.iter().map(one).collect();
    format!("  {{{{- range .Values.scaleKinds }}}}\n{each}  {{{{- end }}}}\n")
}

fn binding(name: &str) -> String {
    let head = head("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name, None);
    format!("{head}{}{}", role_ref("ClusterRole", name), subjects("."))
}

/// One binding in each enrolled namespace; inside the range the root is `$`.
fn enrolment(write: &str) -> String {
    let head = head("rbac.authorization.k8s.io/v1", "RoleBinding", write, Some("{{ . }}"));
    let body = format!("{head}{}", role_ref("ClusterRole", write))
        .replace(" . }}", " $ }}")
        .replace(" . |", " $ |");
    let body = body.replace("namespace: {{ $ }}", "namespace: {{ . | quote }}");
    format!(
        "{{{{- range .Values.enrolledNamespaces }}}}\n{body}{}{{{{- end }}}}\n",
        subjects("$")
    )
}

/// Our own objects: the Lease by its name (only `create` cannot be narrowed to a name), and a look at the switch.
fn own() -> String {
    let name = "{{ include \"forewarm.fullname\" . }}";
    let namespace = Some("{{ .Release.Namespace }}");
    let role = head("rbac.authorization.k8s.io/v1", "Role", name, namespace);
    let binding = head("rbac.authorization.k8s.io/v1", "RoleBinding", name, namespace);
    format!(
        "{role}rules:
  - {{apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create']}}
  - {{apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [{name}], verbs: ['get', 'update']}}
  - {{apiGroups: [''], resources: ['configmaps'], resourceNames: [{name}-switch], verbs: ['get']}}
{binding}{}{}",
        role_ref("Role", name),
        subjects("."),
    )
}

fn role_ref(kind: &str, name: &str) -> String {
    format!("roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}\n")
}

/// Our service account, with the root at `root`.
fn subjects(root: &str) -> String {
    let name = format!("{{{{ include \"forewarm.serviceAccountName\" {root} }}}}");
    let release = if root == "." { "" } else { root };
    format!(
        "subjects:\n  - kind: ServiceAccount\n    name: {name}\n    namespace: {{{{ {release}.Release.Namespace }}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S5, the part that needs no cluster: what must never be granted is not there.
    #[test]
    fn s5_nothing_is_granted_that_could_reach_a_secret_an_image_or_everything() {
        let text = template();
        for never in [
            "secrets",
            "'*'",
            "escalate",
            "bind'",
            "impersonate",
            "'deployments'], verbs: ['patch",
            "nodes/",
            "token",
        ] {
            assert!(!text.contains(never), "{never}");
        }
        for line in text
            .lines()
            .filter(|line| line.contains("configmaps") || line.contains("'delete'"))
        {
            assert!(line.contains("resourceNames") && line.contains("['get']"), "{line}");
        }
        for line in text.lines().filter(|line| line.contains("'nodes'")) {
            assert!(
                line.contains("resources: ['nodes'], verbs: ['list', 'watch']"),
                "{line}"
            );
        }
    }

    #[test]
    fn writes_to_targets_are_bound_in_enrolled_namespaces_alone() {
        let text = template();
        let cluster = all(Scope::Cluster);
        assert!(
            !cluster.contains("patch") && !cluster.contains("update") && !cluster.contains("create"),
            "{cluster}"
        );
        let writing: Vec<_> = text
            .split("---\n")
            .filter(|object| object.contains("-write\nsubjects"))
            .collect();
        assert_eq!(writing.len(), 1);
        assert!(
            writing[0].contains("kind: RoleBinding") && writing[0].contains("namespace: {{ . | quote }}"),
            "{}",
            writing[0]
        );
    }

    #[test]
    fn every_kind_of_the_registry_has_its_rights_in_the_template() {
        let text = template();
        for rule in TARGETS.iter().flat_map(|kind| kind.rights().rules) {
            assert!(
                text.contains(&format!(
                    "resources: {}, verbs: {}",
                    list(rule.resources),
                    list(rule.verbs)
                )),
                "{rule:?}"
            );
        }
    }
}
