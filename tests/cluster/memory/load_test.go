//go:build long

package memory

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// wave is how long so many calls at a time go on; a pair of load and memory is made of a minute.
const wave = 90 * time.Second

// Test_follows_load: calls that hold 20 MiB each, in waves. After half an hour the line that memory follows is found and
// told, with what a call needs.
func Test_follows_load(t *testing.T) {
	k := kit.Of(t)
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, function(namespace, "heavy", 1, 256, "MEMORY_MB", "8").JSON())
	pods := k.WaitPods(t, namespace, selector("heavy"), 1, patience)
	log := forewarm.FollowLog(t, k)
	k.Apply(t, healing(namespace, "heavy").With("spec.floor", forewarm.Map{"max": 1}).JSON())
	waves(t, k, namespace, pods[0])
	line := log.Wait(t, "the line that memory follows", 50*time.Minute, forewarm.About(namespace, "heavy"),
		func(l forewarm.Line) bool { return strings.Contains(l.Raw, "FollowsLoad") })
	var found struct {
		Inputs struct {
			Seen struct {
				Loads map[string]struct {
					Base      int `json:"base"`
					PerCall   int `json:"per_call"`
					Explained int `json:"explained"`
					Minutes   int `json:"minutes"`
				} `json:"loads"`
			} `json:"seen"`
		} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(line.Raw), &found); err != nil {
		t.Fatal(err)
	}
	fit := found.Inputs.Seen.Loads["function"]
	t.Logf("figure: memory.follows.per_call %d MiB", fit.PerCall/mebibyte)
	t.Logf("figure: memory.follows.explained %d %%", fit.Explained)
	if fit.PerCall < 15*mebibyte || fit.PerCall > 25*mebibyte || fit.Base > 32*mebibyte || fit.Minutes < 30 {
		t.Errorf("a call holds 20 MiB, and a pod without one 8: %+v", fit)
	}
}

// waves keeps 0, 2, 4, 1 and 3 calls of 20 MiB in flight to a pod, one after the other, until the test ends.
func waves(t *testing.T, k *kit.Kit, namespace, pod string) {
	var ended atomic.Bool
	t.Cleanup(func() { ended.Store(true) })
	heights, began := []int{0, 2, 4, 1, 3}, time.Now()
	for caller := range 4 {
		go func() {
			for !ended.Load() {
				height := heights[int(time.Since(began)/wave)%len(heights)]
				if caller < height {
					visit(k, namespace, pod, "?memory_mb=20&work_ms=3000")
				} else {
					time.Sleep(time.Second) // until it is its turn
				}
			}
		}()
	}
}
