package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// servingProfile is the test function's profile with its failures and latency by pod.
const servingProfile = "test-function-serving"

func serving() forewarm.Object {
	rate := func(metric string) string { return "sum by (namespace, pod) (rate(" + metric + "[20s]))" }
	return forewarm.Profile().With("metadata.name", servingProfile).
		With("spec.requestQuery", rate("function_request_seconds_count")).
		With("spec.errorQuery", rate("function_errors_total")).
		With("spec.latencyQuery", rate("function_request_seconds_sum")+" / "+rate("function_request_seconds_count"))
}

// outlierPod: of five pods with the same calls one becomes slow, and later another one fails. Each is replaced alone once it
// has been so for long, with the evidence in log and Event, and not while the disruption budget forbids it.
func outlierPod(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, serving().JSON())
	k.Apply(t, forewarm.Function(namespace, "odd", 5, "WORK_MS", "10", "CONCURRENCY", "8").JSON())
	before := k.WaitPods(t, namespace, selector("odd"), 5, patience)
	k.Apply(t, forewarm.Enforce(namespace, "odd").With("spec.demand.profile", servingProfile).
		With("spec.healing", forewarm.Map{"outlierPod": "Replace"}).JSON())
	budget := func(may int) {
		k.Apply(t, fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"namespace":%q,"name":"odd"},
			"spec":{"maxUnavailable":%d,"selector":{"matchLabels":{"app":"odd"}}}}`, namespace, may))
	}
	budget(0)
	callEach(t, k, namespace, "odd")
	log := forewarm.FollowLog(t, k)
	lines := func(reason string) []forewarm.Line {
		return log.Lines(forewarm.About(namespace, "odd"), forewarm.Is("forewarm.memory"), func(l forewarm.Line) bool {
			return strings.Contains(l.Raw, reason)
		})
	}

	slow := before[1]
	visit(k, namespace, slow, "become?work_ms=400")
	refused := log.Wait(t, "an eviction that the budget refuses", 6*time.Minute, forewarm.About(namespace, "odd"), refusal)
	if evidence := evidenceOf(t, refused, slow); evidence.Measure != "latency" || evidence.Own < 300_000 ||
		evidence.Siblings > 150_000 || evidence.Seconds < 40 {
		t.Errorf("evidence of a slow pod: %+v", evidence)
	}
	kit.Holds(t, "the budget", 10*time.Second, func() error {
		ready, err := k.ReadyPods(namespace, selector("odd"))
		if err == nil && !slices.Equal(sorted(ready), sorted(before)) {
			err = fmt.Errorf("%v, not %v", ready, before)
		}
		return err
	})

	budget(1)
	waitGone(t, k, namespace, slow)
	after := k.WaitPods(t, namespace, selector("odd"), 5, patience)
	if kept := common(before, after); len(kept) != 4 {
		t.Errorf("only the slow pod is replaced; of its siblings are left: %v", kept)
	}
	waitEvent(t, k, namespace, "OutlierReplaced", slow, "latency")

	failing := common(before, after)[0]
	visit(k, namespace, failing, "become?fail=1")
	waitGone(t, k, namespace, failing)
	last := k.WaitPods(t, namespace, selector("odd"), 5, patience)
	if kept := common(after, last); len(kept) != 4 {
		t.Errorf("only the failing pod is replaced; of its siblings are left: %v", kept)
	}
	replaced := lines("OutlierReplaced")
	if evidence := evidenceOf(t, replaced[len(replaced)-1], failing); evidence.Measure != "errors" || evidence.Own < 900 ||
		evidence.Siblings != 0 {
		t.Errorf("evidence of a failing pod: %+v", evidence)
	}
}

// callEach calls every pod of a function alike, four times a second, until the test ends.
func callEach(t *testing.T, k *kit.Kit, namespace, name string) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	client := http.Client{Timeout: 5 * time.Second}
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(250 * time.Millisecond):
			}
			found, err := pods(k, namespace, name)
			if err != nil {
				continue
			}
			for _, pod := range found {
				go func() {
					if answer, err := client.Get("http://" + pod.Status.PodIP + ":8080/"); err == nil {
						answer.Body.Close()
					}
				}()
			}
		}
	}()
}

type evidence struct {
	Measure                string
	Own, Siblings, Seconds int
}

// evidenceOf is what a line tells of a pod.
func evidenceOf(t *testing.T, line forewarm.Line, pod string) evidence {
	t.Helper()
	var told struct {
		Said []struct {
			Subject  string
			Evidence *evidence
		}
	}
	if err := json.Unmarshal([]byte(line.Raw), &told); err != nil {
		t.Fatal(err)
	}
	for _, said := range told.Said {
		if said.Subject == pod && said.Evidence != nil {
			return *said.Evidence
		}
	}
	t.Fatalf("nothing is told of %s: %s", pod, line.Raw)
	return evidence{}
}

// refusal keeps lines of an outlier whose eviction was refused.
func refusal(l forewarm.Line) bool {
	return l.Event == "forewarm.memory" && strings.Contains(l.Raw, "OutlierReplaced") && len(l.Outcomes) > 0 &&
		strings.Contains(string(l.Outcomes[len(l.Outcomes)-1]), "Refused")
}

func waitGone(t *testing.T, k *kit.Kit, namespace, pod string) {
	t.Helper()
	kit.WaitFor(t, pod+" to be replaced", 6*time.Minute, func() error {
		if _, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), pod, meta.GetOptions{}); err == nil {
			return fmt.Errorf("it is still there")
		}
		return nil
	})
}

func waitEvent(t *testing.T, k *kit.Kit, namespace, reason string, parts ...string) {
	t.Helper()
	kit.WaitFor(t, "the Event "+reason, patience, func() error {
		list, err := k.Typed.EventsV1().Events(namespace).List(context.Background(), meta.ListOptions{})
		if err != nil {
			return err
		}
		for _, event := range list.Items {
			has := func(part string) bool { return strings.Contains(event.Note, part) }
			if event.Reason == reason && !slices.ContainsFunc(parts, func(part string) bool { return !has(part) }) {
				return nil
			}
		}
		return fmt.Errorf("there is none that says %v", parts)
	})
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}

// common are the names that are in both.
func common(one, other []string) []string {
	return slices.DeleteFunc(slices.Clone(one), func(name string) bool { return !slices.Contains(other, name) })
}
