package memory

import (
	"fmt"
	"testing"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// conflict: memory that a horizontal autoscaler goes by, or a vertical one moves, is left alone and said; when the other one
// is gone, it is moved. The definition of the vertical one is cut to what is read of it.
func conflict(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, verticals)
	k.Kubectl(t, "wait", "--for=condition=Established", "--timeout=60s", "crd/verticalpodautoscalers.autoscaling.k8s.io")
	others := map[string]string{
		"by-memory": fmt.Sprintf(`{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
			"metadata": {"namespace": %q, "name": "by-memory"}, "spec": {"maxReplicas": 2,
			"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "by-memory"},
			"metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 90}}}]}}`, namespace),
		"sized": fmt.Sprintf(`{"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler",
			"metadata": {"namespace": %q, "name": "sized"},
			"spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "sized"}}}`, namespace),
	}
	for name, other := range others {
		k.Apply(t, function(namespace, name, 1, 64, "MEMORY_MB", "58").JSON())
		k.Apply(t, other)
		k.WaitPods(t, namespace, selector(name), 1, patience)
		k.Apply(t, healing(namespace, name).JSON())
	}
	for name := range others {
		// The API of the vertical one is looked for once a minute.
		forewarm.WaitCondition(t, k, namespace, name, "Unhealthy", "MemoryConflict", patience)
	}
	k.Kubectl(t, "--namespace", namespace, "delete", "hpa/by-memory", "verticalpodautoscalers.autoscaling.k8s.io/sized")
	for name := range others {
		waitLimits(t, k, namespace, name, patience, func(mib int) bool { return mib > 64 })
	}
}

const verticals = `{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
	"metadata": {"name": "verticalpodautoscalers.autoscaling.k8s.io",
		"annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/63797"}},
	"spec": {"group": "autoscaling.k8s.io", "scope": "Namespaced",
		"names": {"kind": "VerticalPodAutoscaler", "plural": "verticalpodautoscalers"},
		"versions": [{"name": "v1", "served": true, "storage": true,
			"schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}`
