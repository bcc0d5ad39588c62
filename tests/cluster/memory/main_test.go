// Package memory proves on a real kubelet that pods get the memory they need before they die of it, and that a function
// that is not well is helped within bounds.
//
// Its tests share a bed and run beside each other: most of their time is waiting for the kubelet's back-off.
package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

func TestMain(m *testing.M) {
	os.Exit(kit.Main(m, bed.Options{}, prepare))
}

func prepare(k *kit.Kit) error {
	setup := forewarm.Setup{Values: []string{"memory.inPlace=true", "healing.evict=true"}}
	minor, err := k.Minor()
	if err != nil {
		return err
	}
	if minor >= 36 {
		setup.Values = append(setup.Values, "memory.birth=true")
	}
	return setup.Prepare(k)
}

// patience is for what takes a few ticks and starts of pods on an idle machine; a back-off of the kubelet takes longer.
const patience = 5 * time.Minute

const mebibyte = 1 << 20

// selector finds a function's pods.
func selector(name string) string { return "app=" + name }

// function is a Deployment with so much memory, request and limit alike.
func function(namespace, name string, replicas, limit int, environment ...string) forewarm.Object {
	object := forewarm.Function(namespace, name, replicas, environment...)
	return resources(object, limit, limit)
}

func resources(object forewarm.Object, request, limit int) forewarm.Object {
	text := func(mib int) string { return fmt.Sprintf("%dMi", mib) }
	amounts := map[string]any{"requests": map[string]any{"cpu": "5m", "memory": text(request)}, "limits": map[string]any{"memory": text(limit)}}
	var fields map[string]any
	if err := json.Unmarshal([]byte(object.JSON()), &fields); err != nil {
		panic(err) // it was made by marshalling
	}
	spec := fields["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	spec["containers"].([]any)[0].(map[string]any)["resources"] = amounts
	return object.With("spec.template.spec", spec)
}

// healing is a policy that may do everything.
func healing(namespace, name string) forewarm.Object {
	return forewarm.Enforce(namespace, name).
		With("spec.memory", forewarm.Map{"mode": "InPlace"}).
		With("spec.healing", forewarm.Map{"oom": "Raise"})
}

// pods are a function's pods that are not ending.
func pods(k *kit.Kit, namespace, name string) ([]core.Pod, error) {
	list, err := k.Typed.CoreV1().Pods(namespace).List(context.Background(), meta.ListOptions{LabelSelector: selector(name)})
	if err != nil {
		return nil, err
	}
	var living []core.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			living = append(living, pod)
		}
	}
	return living, nil
}

// limit is a pod's memory limit as specified, in MiB.
func limit(pod core.Pod) int {
	quantity := pod.Spec.Containers[0].Resources.Limits[core.ResourceMemory]
	return int(quantity.Value() / mebibyte)
}

// inForce is the limit that the kubelet tells it has set, in MiB.
func inForce(pod core.Pod) int {
	if len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].Resources == nil {
		return 0
	}
	quantity := pod.Status.ContainerStatuses[0].Resources.Limits[core.ResourceMemory]
	return int(quantity.Value() / mebibyte)
}

func restarts(pod core.Pod) int {
	count := 0
	for _, status := range pod.Status.ContainerStatuses {
		count += int(status.RestartCount)
	}
	return count
}

// waitLimits waits until every pod of a function has a limit that passes, as specified and in force.
func waitLimits(t *testing.T, k *kit.Kit, namespace, name string, deadline time.Duration, passes func(int) bool) []core.Pod {
	t.Helper()
	var found []core.Pod
	kit.WaitFor(t, "memory of "+name, deadline, func() (err error) {
		if found, err = pods(k, namespace, name); err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("no pods")
		}
		for _, pod := range found {
			if !passes(limit(pod)) || inForce(pod) != limit(pod) {
				return fmt.Errorf("%s has %d Mi, %d in force", pod.Name, limit(pod), inForce(pod))
			}
		}
		return nil
	})
	return found
}

// memory is what of a policy's status is about it.
type memory struct {
	Memory []struct {
		Container, Limit, OomFloor string
		Rung                       int
	}
	Quarantine []struct{ Revision, Cause string }
}

func memoryOf(k *kit.Kit, namespace, name string) (found memory, err error) {
	policy, err := k.Dynamic.Resource(forewarm.Policies).Namespace(namespace).Get(context.Background(), name, meta.GetOptions{})
	if err != nil {
		return found, err
	}
	text, err := json.Marshal(policy.Object["status"])
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(text, &found)
}
