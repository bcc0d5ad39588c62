//! Memory at birth: the admission policy that gives newborn pods what is written for them, as one chart template. Pure.
//!
//! It runs in the API server, without a webhook, and ignores its own failures: a pod is then born with its template's
//! memory. It touches a container only where that comes with exactly the values of the template the entry was written
//! for, so that an entry never outlives a deploy that changes them.

use super::template::{MADE, head, list, quoted};
use crate::target::TEMPLATE_HASHES;
use forewarm_api::newborn::NAME;
use forewarm_api::{GROUP, VERSION};

/// Of the policy and its binding.
const POLICY: &str = "{{ include \"forewarm.clusterName\" . }}-newborn";

/// The template: nothing without the chart's `memory.birth`. A namespace without an object to read is none of its
/// business, and only in an enrolled one may Forewarm write that.
pub(super) fn template() -> String {
    let fail = "memory.birth is true, and newborn memory needs Kubernetes 1.36: set it to false";
    format!(
        "{MADE}{{{{- if .Values.memory.birth }}}}
{{{{- if semverCompare \"<1.36-0\" .Capabilities.KubeVersion.Version }}}}
{{{{- fail \"{fail}\" }}}}
{{{{- end }}}}
{}{}{{{{- end }}}}
",
        policy(),
        binding()
    )
}

fn policy() -> String {
    let variable =
        |(name, expression): (&str, String)| format!("    - name: {name}\n      expression: {}\n", quoted(&expression));
    let variables = [("owner", owner()), ("key", key()), ("parts", parts()), ("born", born())];
    let rule = format!(
        "{{apiGroups: [''], apiVersions: ['v1'], operations: {}, resources: ['pods']}}",
        list(&["CREATE"])
    );
    format!(
        "{}spec:
  failurePolicy: Ignore
  reinvocationPolicy: Never
  paramKind: {{apiVersion: {GROUP}/{VERSION}, kind: NewbornMemory}}
  matchConstraints:
    resourceRules:
      - {rule}
  matchConditions:
    - name: controlled
      expression: {}
  variables:
{}  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: {}
",
        head(
            "admissionregistration.k8s.io/v1",
            "MutatingAdmissionPolicy",
            POLICY,
            None
        ),
        quoted("object.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))"),
        variables.into_iter().map(variable).collect::<String>(),
        quoted(&mutation()),
    )
}

fn owner() -> String {
    "object.metadata.ownerReferences.filter(o, o.?controller.orValue(false))[0]".to_owned()
}

/// `KIND/NAME` as [`crate::target::pod_owner`] has it: a `ReplicaSet` named after the pod's template hash stands for
/// what is behind it.
fn key() -> String {
    let plain = "variables.owner.kind + '/' + variables.owner.name".to_owned();
    TEMPLATE_HASHES.iter().rev().fold(plain, |otherwise, (label, kind)| {
        let hash = format!("object.metadata.?labels[?'{label}'].orValue('')");
        format!(
            "(variables.owner.kind == 'ReplicaSet' && {hash} != '' && variables.owner.name.endsWith('-' + {hash})) \
             ? '{kind}/' + variables.owner.name.substring(0, size(variables.owner.name) - size({hash}) - 1) : ({otherwise})"
        )
    })
}

/// The entry's parts, each `[container, own request, own limit, request, limit]`.
fn parts() -> String {
    "params.spec.?functions[?variables.key].orValue('').split(',').filter(p, p != '')\
     .map(p, p.replace('=', '/').replace('>', '/').split('/'))"
        .to_owned()
}

/// Those of containers that come with the values the entry was written for. A pod with resources of its own as a whole
/// is left alone: its containers' may not add up to more.
fn born() -> String {
    let same = |which: &str, at: u8| {
        let value = format!("c.?resources.?{which}[?'memory']");
        format!(
            "(p[{at}] == '' ? !{value}.hasValue() : ({value}.hasValue() && \
             quantity(string({value}.value())).compareTo(quantity(p[{at}])) == 0))"
        )
    };
    format!(
        "has(object.spec.resources) ? [] : variables.parts.filter(p, size(p) == 5 && object.spec.containers.exists(c, \
         c.name == p[0] && {} && {}))",
        same("requests", 1),
        same("limits", 2)
    )
}

fn mutation() -> String {
    let amount = |at: u8| format!("(p[{at}] == '' ? {{}} : {{'memory': p[{at}]}})");
    format!(
        "Object{{spec: Object.spec{{containers: variables.born.map(p, Object.spec.containers{{name: p[0], \
         resources: Object.spec.containers.resources{{requests: {}, limits: {}}} }}) }} }}",
        amount(3),
        amount(4)
    )
}

fn binding() -> String {
    format!(
        "{}spec:
  policyName: {POLICY}
  paramRef: {{name: {NAME}, parameterNotFoundAction: Allow}}
",
        head(
            "admissionregistration.k8s.io/v1",
            "MutatingAdmissionPolicyBinding",
            POLICY,
            None
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_it_leaves_the_pod_as_it_is() {
        let text = template();
        assert_eq!(text.matches("failurePolicy: Ignore").count(), 1);
        assert_eq!(text.matches("parameterNotFoundAction: Allow").count(), 1);
    }

    #[test]
    fn every_controller_that_puts_a_replica_set_in_between_is_seen_through() {
        for (label, kind) in TEMPLATE_HASHES {
            assert!(key().contains(&format!("labels[?'{label}']")) && key().contains(&format!("'{kind}/'")));
        }
    }
}
