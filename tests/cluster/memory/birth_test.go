package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

var newborns = schema.GroupVersionResource{Group: "forewarm.dev", Version: "v1alpha1", Resource: "newbornmemories"}

// bornRight: newborn pods carry the policy's memory, live ones of mode Birth keep theirs; a change reaches the next pod, a
// neighbour whose name begins alike is not touched, a pod of another template keeps its own, and Shadow gives back.
func bornRight(t *testing.T, k *kit.Kit) {
	k.Needs(t, 36)
	namespace := forewarm.Enrolled(t, k)
	for _, name := range []string{"fraud", "fraud-scorer"} {
		k.Apply(t, function(namespace, name, 1, 64, "MEMORY_MB", "8").JSON())
	}
	k.Apply(t, stateful(function(namespace, "ledger", 1, 64, "MEMORY_MB", "8")).JSON())
	for _, name := range []string{"fraud", "fraud-scorer", "ledger"} {
		k.WaitPods(t, namespace, selector(name), 1, patience)
	}
	k.Apply(t, birth(namespace, "fraud", "Deployment", "96Mi").JSON())
	k.Apply(t, birth(namespace, "ledger", "StatefulSet", "80Mi").JSON())
	waitEntry(t, k, namespace, "Deployment/fraud", "function=64Mi/64Mi>96Mi/96Mi")
	waitEntry(t, k, namespace, "StatefulSet/ledger", "function=64Mi/64Mi>80Mi/80Mi")

	first := sizes(t, k, namespace, "fraud")
	k.Apply(t, birth(namespace, "fraud", "Deployment", "96Mi").With("spec.floor.min", 2).JSON())
	scale(t, k, namespace, "deployment/fraud-scorer", 2)
	scale(t, k, namespace, "statefulset/ledger", 2)
	for name, wanted := range map[string]string{"fraud": "64 96", "fraud-scorer": "64 64", "ledger": "64 80"} {
		k.WaitPods(t, namespace, selector(name), 2, patience)
		if found := inOrder(t, k, namespace, name); found != wanted {
			t.Errorf("%s: %s Mi, not %s", name, found, wanted)
		}
	}
	for uid, size := range first {
		if now := sizes(t, k, namespace, "fraud")[uid]; now != size {
			t.Errorf("a live pod went from %d to %d Mi", size, now)
		}
	}
	all, err := pods(k, namespace, "fraud")
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range all {
		// The CPU has a request alone, before and after; and no resize may restart what is born here.
		if pod.Status.QOSClass != core.PodQOSBurstable || policy(pod) == core.RestartContainer {
			t.Errorf("%s: %s, %s", pod.Name, pod.Status.QOSClass, policy(pod))
		}
	}

	// Memory is written before the floor that makes the pods: both changes come at once, and the next pod has both.
	k.Apply(t, birth(namespace, "fraud", "Deployment", "112Mi").With("spec.floor.min", 3).JSON())
	k.WaitPods(t, namespace, selector("fraud"), 3, patience)
	if found := inOrder(t, k, namespace, "fraud"); found != "64 96 112" {
		t.Errorf("a change reaches the next pod: %s Mi", found)
	}

	// A deploy that gives more than the entry: no pod of it may be born with less, not even before the next tick.
	k.Apply(t, function(namespace, "fraud", 1, 160, "MEMORY_MB", "8").JSON())
	kit.WaitFor(t, "the rollout", patience, func() error {
		return onlySize(k, namespace, "fraud", 160)
	})

	k.Kubectl(t, "--namespace", namespace, "patch", "functionpolicy", "ledger", "--type=merge", "-p", `{"spec":{"mode":"Shadow"}}`)
	waitEntry(t, k, namespace, "StatefulSet/ledger", "")
	scale(t, k, namespace, "statefulset/ledger", 3)
	k.WaitPods(t, namespace, selector("ledger"), 3, patience)
	if found := inOrder(t, k, namespace, "ledger"); found != "64 80 64" {
		t.Errorf("given back in Shadow: %s Mi", found)
	}
	forged := `{"spec":{"functions":{"Deployment/fraud-scorer":"function=64Mi/64Mi>1Mi/1Mi"}}}`
	_, err = k.Dynamic.Resource(newborns).Namespace(namespace).Patch(context.Background(), "forewarm", types.MergePatchType,
		[]byte(forged), meta.PatchOptions{})
	if err == nil || !strings.Contains(err.Error(), "written by Forewarm alone") {
		t.Errorf("an entry was forged: %v", err)
	}
}

// birth is a policy whose pods are born with at least so much.
func birth(namespace, name, kind, least string) forewarm.Object {
	return forewarm.Enforce(namespace, name).
		With("spec.targetRef", forewarm.Map{"apiVersion": "apps/v1", "kind": kind, "name": name}).
		With("spec.memory", forewarm.Map{"mode": "Birth", "containers": []forewarm.Map{{"name": "function", "min": least}}})
}

// stateful is the same function as a StatefulSet.
func stateful(deployment forewarm.Object) forewarm.Object {
	return deployment.With("kind", "StatefulSet").With("spec.serviceName", "ledger")
}

func scale(t *testing.T, k *kit.Kit, namespace, target string, replicas int) {
	t.Helper()
	k.Kubectl(t, "--namespace", namespace, "scale", target, fmt.Sprintf("--replicas=%d", replicas))
}

// waitEntry waits until the namespace's object has that entry; none for an empty one.
func waitEntry(t *testing.T, k *kit.Kit, namespace, key, wanted string) {
	t.Helper()
	kit.WaitFor(t, "the entry of "+key, patience, func() error {
		object, err := k.Dynamic.Resource(newborns).Namespace(namespace).Get(context.Background(), "forewarm", meta.GetOptions{})
		if err != nil {
			return err
		}
		spec, _ := object.Object["spec"].(map[string]any)
		functions, _ := spec["functions"].(map[string]any)
		if found, _ := functions[key].(string); found != wanted {
			return fmt.Errorf("%q", found)
		}
		return nil
	})
}

// sizes are the limits of a function's pods in MiB, by UID.
func sizes(t *testing.T, k *kit.Kit, namespace, name string) map[string]int {
	t.Helper()
	all, err := pods(k, namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, pod := range all {
		found[string(pod.UID)] = limit(pod)
	}
	return found
}

// inOrder are the limits of a function's pods, oldest first.
func inOrder(t *testing.T, k *kit.Kit, namespace, name string) string {
	t.Helper()
	all, err := pods(k, namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b core.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	var text []string
	for _, pod := range all {
		text = append(text, fmt.Sprint(limit(pod)))
	}
	return strings.Join(text, " ")
}

func onlySize(k *kit.Kit, namespace, name string, wanted int) error {
	all, err := pods(k, namespace, name)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("no pods")
	}
	for _, pod := range all {
		if limit(pod) != wanted {
			return fmt.Errorf("%s has %d Mi", pod.Name, limit(pod))
		}
	}
	return nil
}

// policy is how the memory of a pod's first container may be resized.
func policy(pod core.Pod) core.ResourceResizeRestartPolicy {
	for _, policy := range pod.Spec.Containers[0].ResizePolicy {
		if policy.ResourceName == core.ResourceMemory {
			return policy.RestartPolicy
		}
	}
	return ""
}
