//go:build bench

package latency

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/kit"
)

// often is how often Prometheus is asked: a latency is at most so much too short.
const often = 100 * time.Millisecond

// visible is when each function was first seen with each number of calls or more.
type visible struct {
	mutex sync.Mutex
	since map[string]map[int]time.Time
}

// watch asks Prometheus for the calls of all functions until the test ends.
func watch(t *testing.T, k *kit.Kit, namespace string) *visible {
	seen := &visible{since: map[string]map[int]time.Time{}}
	query := fmt.Sprintf("sum by (app) (function_inflight_requests{namespace=%q})", namespace)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		turns := time.NewTicker(often)
		defer turns.Stop()
		for {
			select {
			case <-done:
				return
			case <-turns.C:
				seen.look(k, query)
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
	return seen
}

func (v *visible) look(k *kit.Kit, query string) {
	points, err := k.Prometheus.Query(query, time.Time{})
	if err != nil {
		return // asked again at once; a value that is never seen fails the test
	}
	now := time.Now()
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for _, point := range points {
		name, calls := point.Labels["app"], int(point.Value)
		if v.since[name] == nil {
			v.since[name] = map[int]time.Time{}
		}
		if _, known := v.since[name][calls]; !known {
			v.since[name][calls] = now
		}
	}
}

// wait waits until a function has been seen with so many calls, and returns when that first was.
func (v *visible) wait(t *testing.T, name string, calls int) time.Time {
	t.Helper()
	var first time.Time
	kit.WaitFor(t, fmt.Sprintf("%d calls of %s in Prometheus", calls, name), patience, func() error {
		v.mutex.Lock()
		defer v.mutex.Unlock()
		for seen, since := range v.since[name] {
			if seen >= calls && (first.IsZero() || since.Before(first)) {
				first = since
			}
		}
		if first.IsZero() {
			return fmt.Errorf("seen: %v", v.since[name])
		}
		return nil
	})
	return first
}
