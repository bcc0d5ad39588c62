package memory

import (
	"context"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// withinTheLargest: what no node has is not asked for; a limit is raised to what the largest node lets pods have. The request
// follows in its ratio, so that it fits.
func withinTheLargest(t *testing.T, k *kit.Kit, namespace string) {
	k.Apply(t, resources(forewarm.Function(namespace, "bounded", 1, "MEMORY_MB", "8"), 1, 64).JSON())
	k.WaitPods(t, namespace, selector("bounded"), 1, patience)
	k.Apply(t, healing(namespace, "bounded").With("spec.memory.containers",
		[]forewarm.Map{{"name": "function", "min": "900Gi"}}).JSON())
	largest := largestNode(t, k)
	waitLimits(t, k, namespace, "bounded", patience, func(mib int) bool { return mib == largest })
}

// largestNode is what the largest node lets pods have of memory, in MiB.
func largestNode(t *testing.T, k *kit.Kit) int {
	t.Helper()
	nodes, err := k.Typed.CoreV1().Nodes().List(context.Background(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	largest := 0
	for _, node := range nodes.Items {
		largest = max(largest, int(node.Status.Allocatable.Memory().Value()/mebibyte))
	}
	return largest
}

// larger adds a node with more memory than anybody needs, which takes no pods: what is decided may then be more than the
// node of a pod has.
func larger(t *testing.T, k *kit.Kit) {
	t.Helper()
	k.Apply(t, forewarm.ObjectOf(forewarm.Map{"apiVersion": "v1", "kind": "Node",
		"metadata": forewarm.Map{"name": "larger"}, "spec": forewarm.Map{"unschedulable": true}}).JSON())
	t.Cleanup(func() {
		if err := k.Typed.CoreV1().Nodes().Delete(context.Background(), "larger", meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	patch := `{"status":{"capacity":{"memory":"1Ti"},"allocatable":{"memory":"1Ti"}}}`
	k.Kubectl(t, "patch", "node", "larger", "--subresource=status", "--patch", patch)
	if largestNode(t, k) < 1<<20 {
		t.Fatal("the node has no terabyte")
	}
}
