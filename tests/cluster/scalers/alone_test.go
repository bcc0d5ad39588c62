package scalers

import (
	"context"
	"fmt"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// lone is a function without a scaler, one pod of which runs, under a policy that enforces: ten calls a pod.
type lone struct {
	*testing.T
	k         *kit.Kit
	namespace string
}

func newLone(t *testing.T, function func(namespace string) forewarm.Object) *lone {
	t.Helper()
	k := kit.Of(t)
	l := &lone{T: t, k: k, namespace: forewarm.Enrolled(t, k)}
	k.Apply(t, function(l.namespace).JSON())
	k.WaitPods(t, l.namespace, "app="+name, 1, patience)
	return l
}

func (l *lone) enforce() {
	l.Helper()
	l.k.Apply(l, forewarm.Enforce(l.namespace, name).JSON())
	l.condition("Active", "Enforcing")
}

func (l *lone) condition(of, reason string) {
	l.Helper()
	forewarm.WaitCondition(l, l.k, l.namespace, name, of, reason, patience)
}

func (l *lone) replicas(wanted int) {
	l.Helper()
	forewarm.WaitReplicas(l, l.k, l.namespace, name, wanted, patience)
}

// Pods that the real scheduler finds no node for: the floor comes back to the one that has a node, and more is tried
// again after the first wait of a minute, and not before.
func Test_alone_unschedulable(t *testing.T) {
	t.Parallel()
	l := newLone(t, func(namespace string) forewarm.Object {
		// One pod a node, since each wants the same port of it.
		function := forewarm.Function(namespace, name, 1)
		return function.With("spec.strategy", forewarm.Map{"type": "Recreate"}).
			With("spec.template.spec.containers", withHostPort(function))
	})
	log := forewarm.FollowLog(t, l.k)
	l.enforce()
	forewarm.Calls(t, l.k, l.namespace, name, 25)
	about := forewarm.About(l.namespace, name)
	log.Wait(t, "a rise to 3", patience, about, func(line forewarm.Line) bool { return line.Moves(3) })
	back := log.Wait(t, "a fall to what can run", patience, about, forewarm.Because("CapacityLimited"),
		func(line forewarm.Line) bool { return line.Moves(1) })
	l.replicas(1)
	l.condition("CapacityLimited", "TriedAgainLater")
	again := log.Wait(t, "another attempt", 3*time.Minute, about, forewarm.Since(back.Time),
		func(line forewarm.Line) bool {
			return line.Event == forewarm.Decision && line.To != nil && *line.To > 1
		})
	// The wait is counted from the last look at a pod that waited in vain, a tick or two before the fall was told; on
	// a busy machine those are long. The minute itself is held by a unit test.
	if waited := again.Time.Sub(back.Time); waited < 30*time.Second {
		t.Errorf("more was tried again after %s, want a minute", waited)
	}
}

func withHostPort(function forewarm.Object) []forewarm.Map {
	container := function.At("spec.template.spec.containers").([]forewarm.Map)[0]
	container["ports"] = []forewarm.Map{{"containerPort": 8080, "hostPort": 18080}}
	return []forewarm.Map{container}
}

// A quota is counted before the write: no pod is asked for that it would refuse.
func Test_alone_quota(t *testing.T) {
	t.Parallel()
	l := newLone(t, func(namespace string) forewarm.Object { return forewarm.Function(namespace, name, 1) })
	l.k.Apply(t, forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "v1", "kind": "ResourceQuota", "metadata": forewarm.Map{"namespace": l.namespace, "name": "two"},
		"spec": forewarm.Map{"hard": forewarm.Map{"requests.memory": "17Mi"}}, // a pod asks for eight
	}).JSON())
	kit.WaitFor(t, "the quota to be counted", patience, func() error {
		quota, err := l.k.Typed.CoreV1().ResourceQuotas(l.namespace).Get(context.Background(), "two", meta.GetOptions{})
		if used := quota.Status.Used[core.ResourceRequestsMemory]; err == nil && used.String() != "8Mi" {
			err = fmt.Errorf("used: %s", used.String())
		}
		return err
	})
	l.enforce()
	forewarm.Calls(t, l.k, l.namespace, name, 35)
	l.replicas(2)
	l.condition("CapacityLimited", "QuotaExhausted")
	kit.Holds(t, "two replicas", threeTicks, func() error {
		found, err := forewarm.Replicas(l.k, l.namespace, name)
		if err == nil && found != 2 {
			err = fmt.Errorf("%d replicas", found)
		}
		return err
	})
	l.k.Kubectl(t, "--namespace", l.namespace, "delete", "resourcequota", "two")
	l.replicas(4)
}

// A burst where nobody else scales: raised by the first tick that can see it, and the pods that it starts are not asked
// for again while they start.
func Test_alone_burst(t *testing.T) {
	t.Parallel()
	l := newLone(t, func(namespace string) forewarm.Object {
		return forewarm.Function(namespace, name, 1, "STARTUP_MS", "15000")
	})
	log := forewarm.FollowLog(t, l.k)
	l.enforce()
	l.condition("MetricsTrusted", "Known")
	began := time.Now()
	forewarm.Calls(t, l.k, l.namespace, name, 50)
	rise := log.Wait(t, "a rise to what the burst needs", patience, forewarm.About(l.namespace, name), forewarm.Since(began),
		func(line forewarm.Line) bool { return line.Moves(5) })
	t.Logf("figure: burst.raised_after %d ms", rise.Time.Sub(began).Milliseconds())
	// How long a scrape and a tick take is the machine's; that no tick saw the burst and let it pass is ours.
	passed := log.Lines(forewarm.Is(forewarm.Decision), forewarm.About(l.namespace, name), forewarm.Since(began),
		func(line forewarm.Line) bool { return line.Time.Before(rise.Time) && line.Basis().Demand > 10 })
	if len(passed) > 0 || rise.Basis().Demand <= 10 {
		t.Errorf("raised at a demand of %.0f, after %d decisions that had seen it", rise.Basis().Demand, len(passed))
	}
	if *rise.From != 1 {
		t.Errorf("raised from %d in more than one step", *rise.From)
	}
	l.replicas(5)
	kit.Holds(t, "five replicas while four of them start", 10*time.Second, func() error {
		found, err := forewarm.Replicas(l.k, l.namespace, name)
		if err == nil && found != 5 {
			err = fmt.Errorf("%d replicas", found)
		}
		return err
	})
}
