#!/usr/bin/env bash
# Holds the chart to what it promises: charts/check.sh HELM. Lint, two renderings, every refusal, what never may be there.
set -euo pipefail
helm=${1:?usage: charts/check.sh HELM}
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    echo "chart: $*" >&2
    failures=$((failures + 1))
}

# has FILE NUMBER TEXT: the text stands in so many lines.
has() {
    local found
    found=$(grep -cF -- "$3" "$1" || true)
    [ "$found" -eq "$2" ] || fail "$(basename "$1") has $found lines with '$3', not $2"
}

# refused TEXT FLAGS...: rendering with these flags fails and says the text.
refused() {
    local text=$1
    shift
    if "$helm" template forewarm forewarm -n forewarm "$@" >"$work/out" 2>&1; then
        fail "accepted: $*"
    elif ! grep -qF -- "$text" "$work/out"; then
        fail "refused without '$text': $*: $(tail -3 "$work/out")"
    fi
}

"$helm" lint --strict forewarm >"$work/out" || fail "$(cat "$work/out")"
"$helm" lint --strict forewarm -f forewarm/ci/full-values.yaml >"$work/out" || fail "$(cat "$work/out")"
"$helm" template forewarm forewarm -n forewarm >"$work/plain.yaml"
profiles=$(cd forewarm/profiles && printf '%s,' *.yaml | sed 's/\.yaml,/,/g; s/,$//')
"$helm" template warm forewarm -n ops -f forewarm/ci/full-values.yaml \
    --set "profiles.install={$profiles}" --set profiles.default=istio >"$work/full.yaml"

# Every object has a kind, and no rendering leaves a hole.
for file in "$work/plain.yaml" "$work/full.yaml"; do
    for hole in '<no value>' '%!' 'latest'; do has "$file" 0 "$hole"; done
    has "$file" 3 'kind: CustomResourceDefinition'
    has "$file" 2 'helm.sh/resource-policy: keep'
    has "$file" 2 'runAsNonRoot: true' # the operator and the release hook
    has "$file" 2 'readOnlyRootFilesystem: true'
    has "$file" 2 'allowPrivilegeEscalation: false'
    has "$file" 2 'capabilities: {drop: [ALL]}'
    has "$file" 2 'seccompProfile: {type: RuntimeDefault}'
    has "$file" 1 'kind: PodDisruptionBudget'
    has "$file" 1 'kind: NetworkPolicy'
    has "$file" 0 'secrets'
    # Nobody but the operator may write a status; "patch" on it stands in one role.
    has "$file" 1 "resources: ['functionpolicies/status'], verbs: ['patch']"
done

has "$work/plain.yaml" "$(find forewarm/profiles -name '*.yaml' | wc -l)" 'helm.sh/hook: post-install,post-upgrade' # all of them
# A rail for each kind whose floor is moved, and one for the status; each is a policy and a binding.
rails=5
has "$work/plain.yaml" $((2 * rails)) 'kind: ValidatingAdmissionPolicy'
has "$work/plain.yaml" $rails "request.userInfo.username == 'system:serviceaccount:forewarm:forewarm'"
has "$work/plain.yaml" 1 'sources: []'
has "$work/plain.yaml" 3 'aggregate-to-'
has "$work/plain.yaml" 1 'kind: RoleBinding' # its own namespace

# Memory at birth: never in the way of a pod; and rails for what it reads and for resizes.
has "$work/plain.yaml" 0 'MutatingAdmissionPolicy'
has "$work/plain.yaml" 0 '--newborn-memory'
has "$work/full.yaml" 2 'kind: MutatingAdmissionPolicy'
has "$work/full.yaml" 1 'failurePolicy: Ignore'
has "$work/full.yaml" 1 '- --newborn-memory'
has "$work/plain.yaml" 0 "'nodes'"
has "$work/full.yaml" 1 "resources: ['nodes'], verbs: ['list', 'watch']"
has "$work/full.yaml" 1 '- --node-sizes'

has "$work/full.yaml" $((rails + 2)) "request.userInfo.username == 'system:serviceaccount:ops:warm'"
has "$work/full.yaml" 3 'kind: RoleBinding'
has "$work/plain.yaml" 0 '--metrics-by-namespace'
has "$work/full.yaml" 1 '- --metrics-by-namespace'
has "$work/full.yaml" 1 'namespace: "payments"'
has "$work/full.yaml" 1 'namespace: "trading"'
has "$work/full.yaml" 1 'resources: ["rollouts/scale"], verbs'
has "$work/full.yaml" 1 "operations: ['UPDATE'], resources: [\"fleets/scale\"]"
has "$work/full.yaml" 2 '--scale-kinds=argoproj.io/v1alpha1/Rollout/rollouts,example.com/v1/Fleet/fleets'
has "$work/full.yaml" 2 'registry.example/forewarm@sha256:0123'
has "$work/full.yaml" 1 'caFile: /etc/forewarm/sources/mimir/ca.crt'
has "$work/full.yaml" 1 'tokenFile: /etc/forewarm/sources/thanos/token'
has "$work/full.yaml" 1 'tenant: {header: "X-Scope-OrgID", value: "payments"}'
has "$work/full.yaml" 1 'ports: [{port: 9090, protocol: TCP}]'
has "$work/full.yaml" 1 '- {port: 10902, protocol: TCP}'
has "$work/full.yaml" 1 'ports: [{port: 8443, protocol: TCP}]'
has "$work/full.yaml" 1 'ports: [{port: 443, protocol: TCP}]'
has "$work/full.yaml" 0 'aggregate-to-'
has "$work/full.yaml" "$(find forewarm/profiles -name '*.yaml' | wc -l)" 'helm.sh/hook: post-install,post-upgrade'
has "$work/full.yaml" 1 'forewarm.dev/is-default: "true"'

refused "tickSeconds" --set tickSeconds=0
refused "tickSeconds" --set tickSeconds=61
refused "logFormat" --set logFormat=xml
refused "replicas" --set replicas=0
refused "additional properties 'tickSecond'" --set tickSecond=5
refused "sources/0" --set 'sources[0].name=a' --set 'sources[0].url=http://user:secret@p'
refused "sources/0" --set 'sources[0].name=a' --set 'sources[0].url=https://p'
refused "sources/0" --set 'sources[0].name=a' --set 'sources[0].url=http://p' --set 'sources[0].token.secret=t'
refused "sources/0/tenant/header" --set 'sources[0].name=a' --set 'sources[0].url=http://p' --set 'sources[0].tenant.header=Authorization' --set 'sources[0].tenant.value=x'
refused "enrolledNamespaces/0" --set 'enrolledNamespaces[0]=A_B'
refused "scaleKinds/0/resource" --set 'scaleKinds[0].apiVersion=a.b/v1' --set 'scaleKinds[0].kind=K' --set 'scaleKinds[0].resource=*'
refused "image/digest" --set image.digest=sha256:1
refused "profiles.install names nothing-like-it" --set 'profiles.install={nothing-like-it}' --set profiles.default=nothing-like-it
refused "profiles.default is other: it must be one of profiles.install" --set profiles.default=other
refused "missing property 'memory'" --set memory=null
refused "memory.birth is true, and newborn memory needs Kubernetes 1.36" --set memory.birth=true --kube-version 1.35.2
refused "kubeVersion" --kube-version 1.32.0

[ "$failures" -eq 0 ] || exit 1
echo "chart: lint, renderings and refusals as they should be"
