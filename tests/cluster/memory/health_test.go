package memory

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// visit sends one request to one pod; what becomes of it is not of interest.
func visit(k *kit.Kit, namespace, pod, query string) {
	found, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), pod, meta.GetOptions{})
	if err != nil {
		return
	}
	client := http.Client{Timeout: 20 * time.Second}
	if answer, err := client.Get("http://" + found.Status.PodIP + ":8080/" + query); err == nil {
		answer.Body.Close()
	}
}

// crashLoop: a new revision cannot start while the load rises. No further replica comes from us, and the good revision
// keeps serving.
func crashLoop(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, forewarm.Function(namespace, "broken", 2).JSON())
	k.WaitPods(t, namespace, selector("broken"), 2, patience)
	k.Apply(t, forewarm.Enforce(namespace, "broken").JSON())
	forewarm.WaitCondition(t, k, namespace, "broken", "Ready", "Deciding", patience)
	k.Kubectl(t, "--namespace", namespace, "set", "image", "deployment/broken", "function=dev.local/nothing:dev")
	forewarm.WaitCondition(t, k, namespace, "broken", "Unhealthy", "ImagePull", patience)
	forewarm.Calls(t, k, namespace, "broken", 80) // eight pods' worth
	log := forewarm.FollowLog(t, k)
	log.Wait(t, "the hold", patience, forewarm.About(namespace, "broken"),
		func(l forewarm.Line) bool { return l.Rule == "crash_loop" })
	kit.Holds(t, "no further replica", 20*time.Second, func() error {
		replicas, err := forewarm.Replicas(k, namespace, "broken")
		if err == nil && replicas != 2 {
			err = fmt.Errorf("%d replicas", replicas)
		}
		return err
	})
	if ready, err := k.ReadyPods(namespace, selector("broken")); err != nil || len(ready) < 2 {
		t.Errorf("the good revision keeps serving: %v, %v", ready, err)
	}
	// What is mended is raised again.
	k.Kubectl(t, "--namespace", namespace, "set", "image", "deployment/broken", "function="+forewarm.FunctionImage)
	kit.WaitFor(t, "a raise after the mend", patience, func() error {
		replicas, err := forewarm.Replicas(k, namespace, "broken")
		if err == nil && replicas <= 2 {
			err = fmt.Errorf("%d replicas", replicas)
		}
		return err
	})
}

// stuckPod: one pod of three stops answering its probe for long. It alone is replaced, and only as far as the
// disruption budget allows.
func stuckPod(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, forewarm.Function(namespace, "stuck", 3).JSON())
	ready := k.WaitPods(t, namespace, selector("stuck"), 3, patience)
	k.Apply(t, forewarm.Enforce(namespace, "stuck").With("spec.healing", forewarm.Map{"stuckPod": "Replace"}).JSON())
	k.Apply(t, `{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"namespace":"`+namespace+`","name":"stuck"},
		"spec":{"minAvailable":2,"unhealthyPodEvictionPolicy":"AlwaysAllow","selector":{"matchLabels":{"app":"stuck"}}}}`)
	if err := k.SignalPod(namespace, ready[0], 19); err != nil { // SIGSTOP: it hangs
		t.Fatal(err)
	}
	kit.WaitFor(t, "its replacement", 8*time.Minute, func() error {
		_, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), ready[0], meta.GetOptions{})
		if err == nil {
			return fmt.Errorf("%s is still there", ready[0])
		}
		return nil
	})
	left := 0
	for _, pod := range k.WaitPods(t, namespace, selector("stuck"), 3, patience) {
		if pod == ready[1] || pod == ready[2] {
			left++
		}
	}
	if left != 2 {
		t.Errorf("only the stuck pod is replaced; %d of its two siblings are left", left)
	}
}

// terminatingPod: a pod that is deleted and does not end, since somebody's finalizer holds it, is told by its name until it has.
func terminatingPod(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, forewarm.Function(namespace, "held", 1).JSON())
	pod := k.WaitPods(t, namespace, selector("held"), 1, patience)[0]
	k.Apply(t, forewarm.Enforce(namespace, "held").JSON())
	finalizers := func(names string) {
		k.Kubectl(t, "--namespace", namespace, "patch", "pod", pod, "--patch", `{"metadata":{"finalizers":`+names+`}}`)
	}
	finalizers(`["forewarm.test/held"]`)
	k.Kubectl(t, "--namespace", namespace, "delete", "pod", pod, "--wait=false", "--grace-period=1")
	waitEvent(t, k, namespace, "StuckTerminating", pod)
	forewarm.WaitCondition(t, k, namespace, "held", "Unhealthy", "StuckTerminating", patience)
	finalizers("null")
	forewarm.WaitCondition(t, k, namespace, "held", "Unhealthy", "Healthy", patience)
}
