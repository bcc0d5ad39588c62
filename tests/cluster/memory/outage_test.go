//go:build long

package memory

import (
	"fmt"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// calibrated is how long the band of failures takes to be known: twelve times twenty ticks of two seconds, and some.
const calibrated = 9 * time.Minute

// A function whose callers go away while every call fails is not quiet: its floor stays, and the anomaly is named with its
// band. Once calls are served again it comes down.
func Test_outage(t *testing.T) {
	k := kit.Of(t)
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, serving().JSON())
	k.Apply(t, forewarm.Function(namespace, "dark", 1, "WORK_MS", "10", "CONCURRENCY", "100").JSON())
	k.WaitPods(t, namespace, selector("dark"), 1, patience)
	k.Apply(t, forewarm.Enforce(namespace, "dark").With("spec.demand.profile", servingProfile).
		With("spec.forecast", forewarm.Map{"mode": "Off"}).JSON())
	forewarm.WaitCondition(t, k, namespace, "dark", "Ready", "Deciding", patience)
	callEach(t, k, namespace, "dark")
	stop := forewarm.Calls(t, k, namespace, "dark", 25) // three pods' worth
	forewarm.WaitCondition(t, k, namespace, "dark", "Anomalous", "WithinBands", patience)
	k.WaitPods(t, namespace, selector("dark"), 3, patience)
	time.Sleep(calibrated)
	become := func(query string) {
		found, err := pods(k, namespace, "dark")
		if err != nil {
			t.Fatal(err)
		}
		for _, pod := range found {
			visit(k, namespace, pod.Name, "become"+query)
		}
	}
	become("?fail=1")
	forewarm.WaitCondition(t, k, namespace, "dark", "Anomalous", "ErrorsAboveBand", patience)
	stop()
	log := forewarm.FollowLog(t, k)
	log.Wait(t, "the hold", patience, forewarm.About(namespace, "dark"),
		func(l forewarm.Line) bool { return l.Rule == "outage" })
	waitEvent(t, k, namespace, "ErrorsAboveBand", "in their band", "ends at")
	kit.Holds(t, "the floor while every call fails", 40*time.Second, func() error {
		replicas, err := forewarm.Replicas(k, namespace, "dark")
		if err == nil && replicas != 3 {
			err = fmt.Errorf("%d replicas", replicas)
		}
		return err
	})
	become("")
	forewarm.WaitCondition(t, k, namespace, "dark", "Anomalous", "WithinBands", patience)
	kit.WaitFor(t, "the floor to come down", patience, func() error {
		replicas, err := forewarm.Replicas(k, namespace, "dark")
		if err == nil && replicas >= 3 {
			err = fmt.Errorf("%d replicas", replicas)
		}
		return err
	})
}
