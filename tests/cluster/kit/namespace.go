package kit

import (
	"context"
	"fmt"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Namespace makes a namespace of the test's own, removed after it, and returns its name.
func (k *Kit) Namespace(t testing.TB, labels map[string]string) string {
	t.Helper()
	ctx := context.Background()
	made, err := k.Typed.CoreV1().Namespaces().Create(ctx, &core.Namespace{
		ObjectMeta: meta.ObjectMeta{GenerateName: "test-", Labels: labels},
	}, meta.CreateOptions{})
	if err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	name := made.Name
	t.Cleanup(func() {
		if err := k.Typed.CoreV1().Namespaces().Delete(ctx, name, meta.DeleteOptions{}); err != nil {
			t.Errorf("removing namespace %s: %v", name, err)
		}
	})
	// A pod without it would be refused, and its Deployment would wait before it tries again.
	WaitFor(t, "the ServiceAccount of "+name, time.Minute, func() error {
		_, err := k.Typed.CoreV1().ServiceAccounts(name).Get(ctx, "default", meta.GetOptions{})
		return err
	})
	return name
}

// ReadyPods lists the names of a namespace's ready pods that a selector finds.
func (k *Kit) ReadyPods(namespace, selector string) ([]string, error) {
	pods, err := k.Typed.CoreV1().Pods(namespace).List(context.Background(), meta.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var ready []string
	for _, pod := range pods.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == core.PodReady && condition.Status == core.ConditionTrue && pod.DeletionTimestamp == nil {
				ready = append(ready, pod.Name)
			}
		}
	}
	return ready, nil
}

// WaitPods waits until exactly so many pods are ready, and returns their names.
func (k *Kit) WaitPods(t testing.TB, namespace, selector string, count int, deadline time.Duration) []string {
	t.Helper()
	var ready []string
	WaitFor(t, fmt.Sprintf("%d ready pods %s in %s", count, selector, namespace), deadline, func() (err error) {
		if ready, err = k.ReadyPods(namespace, selector); err == nil && len(ready) != count {
			err = fmt.Errorf("%d are ready: %v", len(ready), ready)
		}
		return err
	})
	return ready
}
