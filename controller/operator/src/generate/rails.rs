//! Admission rails: what the API server refuses even to us, as one chart template. Pure.
//!
//! One policy a kind of target, matched on our service account; and those that keep ours what we alone write: the status
//! of policies, since parts of it survive a restart (TM15), and what newborn pods get. No webhook: the API server evaluates them itself.

use super::template::{MADE, head, list, quoted};
use crate::target::{Complaint, Rail, TARGETS};

/// The user name of our service account.
const US: &str = "system:serviceaccount:{{ .Release.Namespace }}:{{ include \"forewarm.serviceAccountName\" . }}";

/// One release serves a cluster, so this name is fixed: a second one is refused by Helm at its installation instead
/// of by this rail at its first status write.
const STATUS_RAIL: &str = "functionpolicies-status.forewarm.dev";

/// As that one.
const NEWBORN_RAIL: &str = "newbornmemories.forewarm.dev";

/// The template.
pub(super) fn template() -> String {
    let kinds: String = TARGETS.iter().map(|kind| rail(&kind.rail())).collect();
    format!("{MADE}{kinds}{}{}{}", resize(), status(), newborns())
}

fn rail(rail: &Rail) -> String {
    let Rail {
        name,
        guards: _,
        listed_subresource: _,
        operations: _,
        variables: _,
        validations: _,
    } = rail;
    let name = format!("{{{{ include \"forewarm.clusterName\" . }}}}-{name}");
    format!(
        "{}spec:\n  failurePolicy: Fail\n{}{}{}{}{}",
        head(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy",
            &name,
            None
        ),
        constraints(rail),
        only_us(),
        variables(rail),
        validations(rail),
        binding(&name)
    )
}

fn constraints(rail: &Rail) -> String {
    let rule = |groups: &str, versions: &str, resources: &str| {
        let operations = list(rail.operations);
        format!(
            "      - {{apiGroups: {groups}, apiVersions: {versions}, operations: {operations}, resources: {resources}}}\n"
        )
    };
    let built_in: String = rail
        .guards
        .iter()
        .map(|g| rule(&list(&[g.group]), &list(g.versions), &list(g.resources)))
        .collect();
    let all = format!("  matchConstraints:\n    resourceRules:\n{built_in}");
    if rail.listed_subresource.is_empty() {
        return all;
    }
    let resource = format!(
        "[{{{{ printf \"%s/{}\" .resource | quote }}}}]",
        rail.listed_subresource
    );
    let listed = rule(
        "[{{ include \"forewarm.groupOf\" .apiVersion | quote }}]",
        "['*']",
        &resource,
    );
    format!("{all}      {{{{- range .Values.scaleKinds }}}}\n{listed}      {{{{- end }}}}\n")
}

fn only_us() -> String {
    format!("  matchConditions:\n    - name: forewarm\n      expression: \"request.userInfo.username == '{US}'\"\n")
}

fn variables(rail: &Rail) -> String {
    let one =
        |v: &crate::target::Variable| format!("    - name: {}\n      expression: {}\n", v.name, quoted(v.expression));
    format!("  variables:\n{}", rail.variables.iter().map(one).collect::<String>())
}

fn validations(rail: &Rail) -> String {
    let one = |v: &crate::target::Validation| {
        let (key, words) = match v.complaint {
            Complaint::Says(words) => ("message", words),
            Complaint::Computes(words) => ("messageExpression", words),
        };
        format!(
            "    - expression: {}\n      {key}: {}\n",
            quoted(v.expression),
            quoted(words)
        )
    };
    format!(
        "  validations:\n{}",
        rail.validations.iter().map(one).collect::<String>()
    )
}

fn binding(name: &str) -> String {
    let head = head(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        name,
        None,
    );
    format!("{head}spec:\n  policyName: {name}\n  validationActions: [Deny]\n")
}

/// What a resize of ours may do: memory alone, and at most a fifth less at a time (M7), or back to what is in force.
fn resize() -> String {
    let name = "{{ include \"forewarm.clusterName\" . }}-resize";
    let same = |which: &str| {
        format!(
            "(!has(c.resources.{which}) || !('cpu' in c.resources.{which}) || (has(o.resources.{which}) && 'cpu' in o.resources.{which} \
             && string(c.resources.{which}['cpu']) == string(o.resources.{which}['cpu'])))"
        )
    };
    let float = |of: &str| format!("quantity(string({of}.resources.limits['memory'])).asApproximateFloat()");
    let each = |what: &str| {
        format!("object.spec.containers.all(c, oldObject.spec.containers.exists(o, o.name == c.name && {what}))")
    };
    let falls = format!(
        "(!has(o.resources.limits) || !('memory' in o.resources.limits) || {} >= 0.795 * {} \
         || (has(oldObject.status.containerStatuses) && oldObject.status.containerStatuses.exists(s, s.name == c.name \
         && has(s.resources) && has(s.resources.limits) && 'memory' in s.resources.limits \
         && string(s.resources.limits['memory']) == string(c.resources.limits['memory']))))",
        float("c"),
        float("o")
    );
    let validation = |expression: &str, message: &str| {
        format!(
            "    - expression: {}\n      message: {}\n",
            quoted(expression),
            quoted(message)
        )
    };
    format!(
        "{{{{- if .Values.memory.inPlace }}}}\n{}spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - {{apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/resize']}}
{}  validations:
{}{}{}{}{{{{- end }}}}\n",
        head(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy",
            name,
            None
        ),
        only_us(),
        validation(&each(&falls), "a memory limit may fall by at most a fifth at a time"),
        validation(
            &each(&format!("{} && {}", same("requests"), same("limits"))),
            "Forewarm may change memory alone"
        ),
        validation(
            "has(request.options.fieldManager) && request.options.fieldManager == 'forewarm'",
            "Forewarm writes as field manager forewarm"
        ),
        binding(name)
    )
}

/// A forged status would be believed after a restart.
fn status() -> String {
    let message =
        "the status of a FunctionPolicy is written by Forewarm alone: change its spec or its annotations instead";
    ours(STATUS_RAIL, "functionpolicies/status", message)
}

/// A forged entry would give every newborn pod of a workload another memory.
fn newborns() -> String {
    let message = "what newborn pods get is written by Forewarm alone: change the memory of the FunctionPolicy instead";
    let rail = ours(NEWBORN_RAIL, "newbornmemories", message);
    format!("{{{{- if .Values.memory.birth }}}}\n{rail}{{{{- end }}}}\n")
}

/// Everybody else is refused, cluster administrators included.
fn ours(name: &str, resource: &str, message: &str) -> String {
    format!(
        "{}spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - {{apiGroups: ['forewarm.dev'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['{resource}']}}
  validations:
    - expression: \"request.userInfo.username == '{US}'\"
      message: '{message}'
{}",
        head(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy",
            name,
            None
        ),
        binding(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_registry_has_a_rail_that_fails_closed_and_a_binding_that_denies() {
        let text = template();
        assert_eq!(
            text.matches("kind: ValidatingAdmissionPolicy\n").count(),
            TARGETS.len() + 3
        );
        assert_eq!(text.matches("failurePolicy: Fail").count(), TARGETS.len() + 3);
        assert_eq!(text.matches("validationActions: [Deny]").count(), TARGETS.len() + 3);
        for validation in TARGETS.iter().flat_map(|kind| kind.rail().validations) {
            assert!(text.contains(&quoted(validation.expression)), "{validation:?}");
        }
    }
}
