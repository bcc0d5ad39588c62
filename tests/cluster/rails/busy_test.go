package rails

import (
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// busy is a function under calls that really are in flight, with a policy that enforces.
type busy struct {
	*testing.T
	k               *kit.Kit
	namespace, name string
	log             *forewarm.Log
}

// newBusy starts one pod and waits until the demand is known.
func newBusy(t *testing.T, namespace, name string, workload, policy forewarm.Object) *busy {
	t.Helper()
	b := &busy{T: t, k: kit.Of(t), namespace: namespace, name: name}
	b.log = forewarm.FollowLog(t, b.k)
	b.k.Apply(t, workload.JSON())
	b.k.WaitPods(t, namespace, "app="+name, 1, patience)
	b.k.Apply(t, policy.JSON())
	forewarm.WaitCondition(t, b.k, namespace, name, "MetricsTrusted", "Known", patience)
	return b
}

// rises puts so many calls in flight, ten to a pod, and waits for the decision that raises the floor for them.
func (b *busy) rises(calls, to int) (line forewarm.Line, stop func()) {
	b.Helper()
	began := time.Now()
	stop = forewarm.Calls(b, b.k, b.namespace, b.name, calls)
	line = b.log.Wait(b, "a raise", patience, forewarm.Because("ReactiveRise"), forewarm.About(b.namespace, b.name),
		forewarm.Since(began), func(l forewarm.Line) bool { return l.Moves(to) })
	b.Logf("%s/%s: %d calls in flight, raised to %d after %.1f s", b.namespace, b.name, calls, to, line.Time.Sub(began).Seconds())
	return line, stop
}

// falls waits for the decision that goes back to one pod, and until one is left: calls that come next must not go to a
// pod that is about to end, which takes its share of them along.
func (b *busy) falls(since time.Time) forewarm.Line {
	b.Helper()
	line := b.log.Wait(b, "a fall", patience, forewarm.Because("Quiet"), forewarm.About(b.namespace, b.name),
		forewarm.Since(since), func(l forewarm.Line) bool { return l.Moves(1) })
	b.Logf("%s/%s: quiet, down to 1 after %.1f s", b.namespace, b.name, line.Time.Sub(since).Seconds())
	b.k.WaitPods(b, b.namespace, "app="+b.name, 1, patience)
	return line
}
