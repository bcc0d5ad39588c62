//go:build long

package wakeup

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// function on a schedule, with a scaler of its own.
type function struct {
	k                                    *kit.Kit
	scaler, namespace, selector, profile string
	target                               forewarm.Map
	work                                 time.Duration
	send                                 func(context.Context) error
	past                                 func(from, until time.Time) []bed.Series
	// first call that is measured.
	first time.Time
	done  chan []round
}

// round is one period that is measured, from so long before its call to so long before the next.
type round struct {
	called time.Time
	// ready is since when a pod was ready at the call; zero where none was.
	ready time.Time
	wait  time.Duration
	err   error
	pods  podTime
}

const before = 2 * time.Minute

// podTime counts seconds: those without a pod but such as are ending, and those with none at all.
type podTime struct{ seconds, zero, none int }

// warm: a pod was ready when the call came, and took it.
func (r round) warm() bool { return r.err == nil && !r.ready.IsZero() && r.wait < startup/2 }

func (f *function) policy() forewarm.Object {
	return forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
		"metadata": forewarm.Map{"namespace": f.namespace, "name": name},
		"spec": forewarm.Map{
			"mode": "Enforce", "targetRef": f.target, "floor": forewarm.Map{"max": 5},
			"demand": forewarm.Map{"profile": f.profile},
		},
	})
}

// begin calls the function in every period to come, those of learning among them, and notes those that are measured.
func (f *function) begin(t *testing.T, count int) {
	f.done = make(chan []round, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		var rounds []round
		for at := -learning; at < count; at++ {
			due := f.first.Add(time.Duration(at) * period)
			if time.Until(due) < 0 {
				continue
			}
			r := f.round(ctx, due)
			t.Logf("%s %d: %s", f.scaler, at+1, r)
			if at >= 0 {
				rounds = append(rounds, r)
			}
		}
		f.done <- rounds
	}()
}

// round waits for one period and counts it.
func (f *function) round(ctx context.Context, due time.Time) round {
	r := round{called: due}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		time.Sleep(time.Until(due))
		r.ready = f.readySince(ctx)
		within, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		r.err = f.send(within)
		r.wait = max(time.Since(due)-f.work, 0)
	}()
	for at := due.Add(-before); at.Before(due.Add(period - before)); at = at.Add(time.Second) {
		time.Sleep(time.Until(at))
		if time.Since(at) < time.Second {
			f.count(ctx, &r.pods)
		}
	}
	<-answered
	return r
}

func (f *function) list(ctx context.Context) []core.Pod {
	pods, err := f.k.Typed.CoreV1().Pods(f.namespace).List(ctx, meta.ListOptions{LabelSelector: f.selector})
	if err != nil {
		// A second that nobody saw counts as one with a pod.
		return make([]core.Pod, 1)
	}
	return pods.Items
}

func (f *function) count(ctx context.Context, seen *podTime) {
	pods := f.list(ctx)
	seen.seconds++
	if len(pods) == 0 {
		seen.none++
	}
	if !slices.ContainsFunc(pods, func(pod core.Pod) bool { return pod.DeletionTimestamp == nil }) {
		seen.zero++
	}
}

// readySince is since when the longest-ready pod that stays is ready; zero where there is none.
func (f *function) readySince(ctx context.Context) (since time.Time) {
	for _, pod := range f.list(ctx) {
		for _, condition := range pod.Status.Conditions {
			ready := condition.Type == core.PodReady && condition.Status == core.ConditionTrue && pod.DeletionTimestamp == nil
			if at := condition.LastTransitionTime.Time; ready && (since.IsZero() || at.Before(since)) {
				since = at
			}
		}
	}
	return since
}

func (r round) String() string {
	ready := "none"
	if !r.ready.IsZero() {
		ready = r.ready.UTC().Format(time.TimeOnly)
	}
	return fmt.Sprintf("called %s, warm %t, pod ready %s, waited %s, error %v; at zero %d of %d s, without any pod %d s",
		r.called.UTC().Format(time.TimeOnly), r.warm(), ready, r.wait.Round(time.Millisecond), r.err, r.pods.zero, r.pods.seconds, r.pods.none)
}

// report waits for the last period and prints the figures.
func (f *function) report(t *testing.T, log *forewarm.Log) {
	rounds := <-f.done
	var all podTime
	var waits []time.Duration
	warm := 0
	for _, r := range rounds {
		t.Logf("%s called %s:", f.scaler, r.called.UTC().Format(time.TimeOnly))
		f.moves(t, log, r.called.Add(-before))
		all.seconds, all.zero, all.none = all.seconds+r.pods.seconds, all.zero+r.pods.zero, all.none+r.pods.none
		waits = append(waits, r.wait)
		if r.warm() {
			warm++
		}
	}
	slices.Sort(waits)
	percent := func(part int) int { return part * 100 / max(all.seconds, 1) }
	figure(f.scaler+".periods", len(rounds), "periods")
	figure(f.scaler+".warm", warm, "calls")
	figure(f.scaler+".at_zero", percent(all.zero), "%")
	figure(f.scaler+".without_any_pod", percent(all.none), "%")
	figure(f.scaler+".wait.median", waits[len(waits)/2].Milliseconds(), "ms")
	figure(f.scaler+".wait.max", waits[len(waits)-1].Milliseconds(), "ms")
	if warm*10 < len(rounds)*9 {
		t.Errorf("%s: %d of %d calls were served warm, want nine of ten", f.scaler, warm, len(rounds))
	}
	if percent(all.zero) < 50 {
		t.Errorf("%s: at zero for %d %% of the time, want half", f.scaler, percent(all.zero))
	}
}

// moves logs how the floor moved in a period.
func (f *function) moves(t *testing.T, log *forewarm.Log, from time.Time) {
	for _, line := range log.Lines(forewarm.About(f.namespace, name), forewarm.Is(forewarm.Decision), forewarm.Since(from)) {
		if line.To == nil || !line.Time.Before(from.Add(period)) {
			continue
		}
		basis := line.Basis()
		t.Logf("  floor to %d at %s: %s by %s (upper %.2f, lead time %s), decision %s", *line.To, line.Time.UTC().Format(time.TimeOnly),
			line.Reason, basis.Model, basis.Upper, basis.LeadTime, line.ID)
	}
}
