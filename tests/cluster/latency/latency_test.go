//go:build bench

// Package latency measures how soon a floor follows a metric: load in, `figure: floor_latency...` lines out. It is
// part of `make bench` and, by its build tag, of no other run of the tests.
package latency

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	tick = 15 * time.Second
	// functions whose load rises by turns, each a part of a tick after the one before, so that the samples are
	// spread evenly over the phases of the tick.
	functions = 8
	// rounds: each function gives one sample a round.
	rounds = 5
	// slots is what a pod serves: so many calls more are a pod more.
	slots    = 10
	patience = 2 * time.Minute
)

func TestMain(m *testing.M) {
	setup := forewarm.Setup{Values: []string{fmt.Sprintf("tickSeconds=%d", int(tick.Seconds()))}}
	os.Exit(kit.Main(m, bed.Options{}, setup.Prepare))
}

// From the moment at which a query of ours first sees the new value to the end of the operator's write in the API
// server's audit log: the wait for the tick, which is at most 15 s and 7.5 s in the mean, and what comes on top of it.
func TestFloorLatency(t *testing.T) {
	k := kit.Of(t)
	namespace := forewarm.Enrolled(t, k)
	names := deploy(t, k, namespace)
	audit := k.AuditFromNow(t)
	seen := watch(t, k, namespace)
	var latencies []time.Duration
	for round := range rounds {
		raise(t, k, namespace, names)
		for _, name := range names {
			visible := seen.wait(t, name, slots*(round+1)+1)
			written := waitWrite(t, audit, namespace, name, round+2)
			t.Logf("%s to %d replicas: visible %s, written %s", name, round+2,
				visible.Format(time.StampMilli), written.Format(time.StampMilli))
			latencies = append(latencies, written.Sub(visible))
		}
	}
	slices.Sort(latencies)
	figure("floor_latency.p50", latencies[len(latencies)/2])
	// Of forty samples the 99th percentile is the largest.
	figure("floor_latency.p99", latencies[len(latencies)-1])
	t.Logf("%d samples from %s to %s", len(latencies), latencies[0], latencies[len(latencies)-1])
}

func figure(name string, value time.Duration) {
	fmt.Printf("figure: %s %d ms\n", name, value.Milliseconds())
}

// deploy starts the functions with one call in flight and waits until each one's floor is watched over.
func deploy(t *testing.T, k *kit.Kit, namespace string) []string {
	var names []string
	for number := range functions {
		name := fmt.Sprintf("latency-%d", number)
		names = append(names, name)
		k.Apply(t, alone(name, forewarm.Function(namespace, name, 0)).JSON())
	}
	for _, name := range names {
		k.WaitPods(t, namespace, "app="+name, 1, patience)
		forewarm.Calls(t, k, namespace, name, 1)
		// The pods that find no place are not missed before the test has ended.
		policy := forewarm.Enforce(namespace, name).With("spec.forecast.leadTimeSeconds", 3600)
		k.Apply(t, policy.JSON())
	}
	for _, name := range names {
		forewarm.WaitCondition(t, k, namespace, name, "MetricsTrusted", "Known", patience)
		forewarm.WaitCondition(t, k, namespace, name, "Active", "Enforcing", patience)
	}
	return names
}

// alone lets no second pod of a function onto the bed's only node: pods that start would take the two cores from
// what is measured. The first one serves all calls.
func alone(name string, function forewarm.Object) forewarm.Object {
	return function.With("spec.template.spec.affinity", forewarm.Map{"podAntiAffinity": forewarm.Map{
		"requiredDuringSchedulingIgnoredDuringExecution": []forewarm.Map{{
			"topologyKey":   "kubernetes.io/hostname",
			"labelSelector": forewarm.Map{"matchLabels": forewarm.Map{"app": name}},
		}},
	}})
}

// raise gives each function the calls of one pod more, one function after another.
func raise(t *testing.T, k *kit.Kit, namespace string, names []string) {
	turns := time.NewTicker(tick / functions)
	defer turns.Stop()
	for _, name := range names {
		<-turns.C
		forewarm.Calls(t, k, namespace, name, slots)
	}
}

// waitWrite waits for the operator's write of so many replicas and returns when it was answered.
func waitWrite(t *testing.T, audit *kit.Audit, namespace, name string, replicas int) time.Time {
	t.Helper()
	var written time.Time
	what := fmt.Sprintf("%d replicas of %s in the audit log", replicas, name)
	kit.WaitFor(t, what, patience, func() error {
		events, err := audit.Events(kit.ByUser(forewarm.User), kit.Writes, kit.In(namespace))
		if err != nil {
			return err
		}
		for _, event := range events {
			if event.ObjectRef.Subresource == "scale" && event.ObjectRef.Name == name && wrote(event) == replicas {
				written = event.StageTimestamp
				return nil
			}
		}
		return fmt.Errorf("%d other writes", len(events))
	})
	return written
}

// wrote is the number of replicas that a write of /scale has left; 0 where it was refused.
func wrote(event kit.Event) int {
	var scale struct{ Spec struct{ Replicas int } }
	if event.ResponseStatus.Code != 200 || json.Unmarshal(event.ResponseObject, &scale) != nil {
		return 0
	}
	return scale.Spec.Replicas
}
