//go:build compare

package compare

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
)

// twins are two functions with the same scaler, of which one has a policy.
type twins struct {
	k           *kit.Kit
	kind        kind
	namespace   string
	alone, with *twin
	// begin of the first period that is measured.
	begin time.Time
}

// twin is one of them.
type twin struct {
	namespace, name, url, selector string
	load                           *load.Running
	pods                           <-chan int
}

func deploy(t *testing.T, k *kit.Kit, kind kind) *twins {
	t.Helper()
	p := &twins{k: k, kind: kind, namespace: forewarm.Enrolled(t, k)}
	p.alone, p.with = kind.deploy(t, k, p.namespace, "alone"), kind.deploy(t, k, p.namespace, "with")
	return p
}

func (p *twins) policy() forewarm.Object {
	return forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
		"metadata": forewarm.Map{"namespace": p.namespace, "name": p.with.name},
		"spec": forewarm.Map{
			"mode": "Enforce", "targetRef": p.kind.target(p.with.name), "floor": forewarm.Map{"max": most},
			"demand": forewarm.Map{"profile": p.kind.profile},
		},
	})
}

// waitsFrom is what a request may take beyond its work before it counts as one that waited for a start: a quarter of
// it. The Service gives calls to pods by chance, so that some wait for a slot of the one while the other has one free.
const waitsFrom = 250 * time.Millisecond

// result of one twin.
type result struct {
	sent, waited, failed, podSeconds int
	p99, lag                         time.Duration
}

func (w *twin) result() result {
	report := w.load.Wait()
	waits := make([]time.Duration, 0, report.Sent())
	waited := 0
	for _, shot := range report.Shots {
		wait := max(shot.Took-each, 0)
		good := shot.Err == nil && shot.Status == http.StatusOK
		if !good || wait > waitsFrom {
			waited++
		}
		waits = append(waits, wait)
	}
	slices.Sort(waits)
	found := result{sent: report.Sent(), waited: waited, failed: report.Sent() - report.OK(), podSeconds: <-w.pods, lag: report.Lag(0.99)}
	if len(waits) > 0 {
		found.p99 = waits[min(len(waits)*99/100, len(waits)-1)]
	}
	return found
}

// countPods adds up, second by second, the pods of a twin that exist: those that start and those that end among them.
func countPods(t *testing.T, k *kit.Kit, of *twin, from, to time.Time) <-chan int {
	done := make(chan int, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		sum := 0
		for at := from; at.Before(to) && ctx.Err() == nil; at = at.Add(time.Second) {
			time.Sleep(time.Until(at))
			pods, err := k.Typed.CoreV1().Pods(of.namespace).List(ctx, meta.ListOptions{LabelSelector: of.selector})
			if err != nil {
				t.Errorf("counting pods of %s: %v", of.name, err)
				break
			}
			for _, pod := range pods.Items {
				if pod.Status.Phase == core.PodPending || pod.Status.Phase == core.PodRunning {
					sum++
				}
			}
		}
		done <- sum
	}()
	return done
}

// environment of the function, by name and value.
func environment() []string {
	return []string{"CONCURRENCY", fmt.Sprint(slots), "WORK_MS", fmt.Sprint(each.Milliseconds()), "STARTUP_MS", fmt.Sprint(startup.Milliseconds())}
}
