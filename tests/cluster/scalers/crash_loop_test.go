package scalers

import (
	"context"
	"fmt"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// Test_crash_loop_beside_an_hpa: two functions get a revision that cannot start, and then the same load. The autoscaler makes
// more pods of it; Forewarm makes none, and the good revision serves.
func Test_crash_loop_beside_an_hpa(t *testing.T) {
	t.Parallel()
	const twin = "twin"
	k := kit.Of(t)
	namespace := forewarm.Enrolled(t, k)
	for _, function := range []string{name, twin} {
		k.Apply(t, forewarm.Function(namespace, function, 2).JSON())
	}
	for _, function := range []string{name, twin} {
		k.WaitPods(t, namespace, "app="+function, 2, patience)
	}
	k.Apply(t, forewarm.Enforce(namespace, name).JSON())
	forewarm.WaitCondition(t, k, namespace, name, "Ready", "Deciding", patience)
	calls := fmt.Sprintf(`sum(function_inflight_requests{namespace=%q, pod=~"%s-.*"}) or vector(0)`, namespace, twin)
	k.Apply(t, keda.manifest(namespace, twin, 2).With("spec.maxReplicaCount", 10).
		With("spec.scaleTargetRef", forewarm.Map{"name": twin}).
		With("spec.triggers", []forewarm.Map{{"type": "prometheus", "metadata": forewarm.Map{
			"serverAddress": "http://10.244.0.1:9090", "query": calls, "threshold": "10"}}}).JSON())
	for _, function := range []string{name, twin} {
		k.Kubectl(t, "--namespace", namespace, "set", "image", "deployment/"+function, "function=dev.local/nothing:dev")
	}
	forewarm.WaitCondition(t, k, namespace, name, "Unhealthy", "ImagePull", patience)
	for _, function := range []string{name, twin} {
		forewarm.Calls(t, k, namespace, function, 80) // eight pods' worth
	}
	kit.WaitFor(t, "the autoscaler to raise what cannot start", patience, func() error { return atLeast(k, namespace, twin, 8) })
	forewarm.FollowLog(t, k).Wait(t, "our hold", patience, forewarm.About(namespace, name),
		func(l forewarm.Line) bool { return l.Rule == "crash_loop" })
	kit.Holds(t, "no replica of ours", 3*threeTicks, func() error {
		found, err := forewarm.Replicas(k, namespace, name)
		if err == nil && found != 2 {
			err = fmt.Errorf("%d replicas", found)
		}
		return err
	})
	// Of what the autoscaler added, the Deployment gave a share to the good revision too; ours has one pod that fails, that of
	// the rollout.
	ours, theirs := failing(t, k, namespace, name), failing(t, k, namespace, twin)
	if ours != 1 || theirs <= ours {
		t.Errorf("%d pods of ours fail, and %d beside an autoscaler", ours, theirs)
	}
	if ready, err := k.ReadyPods(namespace, "app="+name); err != nil || len(ready) != 2 {
		t.Errorf("the good revision's two pods serve: %v, %v", ready, err)
	}
}

// failing counts the pods of a function that are not ready.
func failing(t *testing.T, k *kit.Kit, namespace, function string) int {
	t.Helper()
	all, err := k.Typed.CoreV1().Pods(namespace).List(context.Background(), meta.ListOptions{LabelSelector: "app=" + function})
	if err != nil {
		t.Fatal(err)
	}
	ready, err := k.ReadyPods(namespace, "app="+function)
	if err != nil {
		t.Fatal(err)
	}
	return len(all.Items) - len(ready)
}

func atLeast(k *kit.Kit, namespace, function string, wanted int) error {
	found, err := forewarm.Replicas(k, namespace, function)
	if err == nil && found < wanted {
		err = fmt.Errorf("%d replicas", found)
	}
	return err
}
