package metrics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/kit"
)

// Test_metrics_killed: Prometheus is killed and started again; connections are refused meanwhile.
func Test_metrics_killed(t *testing.T) {
	s := stage(t)
	p := s.k.Prometheus
	s.endure(fault{strike: p.Kill, mend: func() error { return unless(p.Running, p.Start) }, shows: down, reason: "SourceDown"})
}

// Test_metrics_frozen: Prometheus is stopped by SIGSTOP: connections are accepted, answers never come.
func Test_metrics_frozen(t *testing.T) {
	s := stage(t)
	p := s.k.Prometheus
	s.endure(fault{strike: p.Pause, mend: p.Resume, shows: down, reason: "SourceDown"})
}

// Test_metrics_empty: Prometheus has lost all its data and its targets: it answers well, with nothing.
func Test_metrics_empty(t *testing.T) {
	s := stage(t)
	p := s.k.Prometheus
	s.endure(fault{strike: p.Empty, mend: scrapeAll(p), shows: nothing, reason: "Absent"})
}

// Test_metrics_without_their_data: the pods are scraped and well, but no longer export the metric.
func Test_metrics_without_their_data(t *testing.T) {
	s := stage(t)
	p := s.k.Prometheus
	drop := func() error { return p.Configure(bed.Scrape{DropMetrics: "function_inflight_requests.*"}) }
	s.endure(fault{strike: drop, mend: scrapeAll(p), shows: nothing, reason: "Absent"})
}

// Test_metrics_a_third_of_targets_lost: two of six pods can no longer be scraped, among them the one that has all the
// load. What is left of the sum says: no demand.
func Test_metrics_a_third_of_targets_lost(t *testing.T) {
	s := stage(t)
	third := s.oldest(pods / 3)
	s.endure(fault{
		strike: func() error { return s.k.Prometheus.Blind(third...) },
		mend:   s.k.Prometheus.See,
		shows:  ofCalls(pods-len(third), 0),
		reason: "Incomplete",
	})
}

func scrapeAll(p *bed.Prometheus) func() error {
	return func() error { return p.Configure(bed.Scrape{}) }
}

func unless(done func() bool, do func() error) error {
	if done() {
		return nil
	}
	return do()
}

// oldest waits until so many pods are no newborn ones, which may go without a series for 14 s, and returns the
// addresses of the oldest.
func (s *scene) oldest(count int) []string {
	s.Helper()
	const newborn = 15 * time.Second
	var addresses []string
	kit.WaitFor(s, "pods of some age", patience, func() error {
		found, err := s.k.Typed.CoreV1().Pods(s.namespace).List(context.Background(), meta.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return err
		}
		slices.SortFunc(found.Items, func(a, b core.Pod) int { return cmp.Compare(readySince(a).Unix(), readySince(b).Unix()) })
		addresses = nil
		for _, pod := range found.Items[:count] {
			if age := time.Since(readySince(pod)); age < newborn {
				return fmt.Errorf("%s is ready for %s", pod.Name, age)
			}
			addresses = append(addresses, pod.Status.PodIP)
		}
		return nil
	})
	return addresses
}

func readySince(pod core.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == core.PodReady && condition.Status == core.ConditionTrue {
			return condition.LastTransitionTime.Time
		}
	}
	return time.Now()
}
