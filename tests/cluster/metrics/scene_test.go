package metrics

import (
	"fmt"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	patience = 5 * time.Minute
	name     = "busy"
	// tick is the operator's; the tests install it so.
	tick = 2 * time.Second
	// window is the policy's stabilisation: how long after the last need a floor may fall.
	window = 4 * time.Second
	// blindFor is how long a fault lasts. Each test shows that a floor whose load has really gone falls in less.
	blindFor = 12 * time.Second

	// Two calls a pod: twelve calls hold six pods above the user's one, four more call for two more.
	pods, calls         = 6, 12
	morePods, moreCalls = 8, 4
)

// scene is a function under steady load, whose floor is held above the user's own.
type scene struct {
	*testing.T
	k         *kit.Kit
	namespace string
	answers   *answers
	stop      func()
}

// stage brings the scene up: all calls are held by the function's oldest pod.
func stage(t *testing.T) *scene {
	t.Helper()
	k := kit.Of(t)
	s := &scene{T: t, k: k, namespace: forewarm.Enrolled(t, k)}
	k.Apply(t, forewarm.Function(s.namespace, name, 1).JSON())
	k.WaitPods(t, s.namespace, "app="+name, 1, patience)
	s.answers = ask(t, k, s.namespace)
	s.stop = forewarm.Calls(t, k, s.namespace, name, calls)
	k.Apply(t, forewarm.Enforce(s.namespace, name).
		With("spec.floor.max", 20).
		With("spec.demand.perReplica", "2").
		With("spec.forecast", forewarm.Map{"mode": "Off"}).
		With("spec.scaleDown", forewarm.Map{"stabilizationSeconds": int(window.Seconds()), "stepPercent": 25, "stepSeconds": 2}).
		JSON())
	forewarm.WaitReplicas(t, k, s.namespace, name, pods, patience)
	k.WaitPods(t, s.namespace, "app="+name, pods, patience)
	s.answers.first(t, "all pods to report", time.Now(), ofCalls(pods, calls))
	forewarm.WaitCondition(t, k, s.namespace, name, "MetricsTrusted", "Known", patience)
	return s
}

// fault is one way to lose metrics.
type fault struct {
	strike, mend func() error
	// shows is what Prometheus's answers are like meanwhile, and reason what the status calls it.
	shows  func(answer) bool
	reason string
}

// endure goes through a fault: nothing is lowered, the status says why, work goes on. Then the load really ends, and
// the floor falls in less time than the fault had lasted.
func (s *scene) endure(f fault) {
	s.Helper()
	audit, striking := s.k.AuditFromNow(s), time.Now()
	dark := s.strike(f)
	forewarm.WaitCondition(s, s.k, s.namespace, name, "MetricsTrusted", f.reason, patience)
	s.within("from the fault to its reason in the status", dark, s.told(audit, striking, "False", f.reason))

	stopMore := forewarm.Calls(s, s.k, s.namespace, name, moreCalls)
	kit.Holds(s, "the floor", time.Until(dark.Add(blindFor)), s.notLowered)
	mending := time.Now()
	s.must(f.mend())

	whole := s.answers.first(s.T, "a complete answer", mending, ofPods(pods)).asked
	grown := s.answers.first(s.T, "a complete answer with new calls", whole, moreThan(pods, calls)).asked
	forewarm.WaitReplicas(s, s.k, s.namespace, name, morePods, patience)
	forewarm.WaitCondition(s, s.k, s.namespace, name, "MetricsTrusted", "Known", patience)
	s.within("from the first complete answer to its trust in the status", whole, s.told(audit, mending, "True", "Known"))
	s.within("from the first answer with more calls to the higher floor", grown, s.raised(audit))
	s.k.WaitPods(s, s.namespace, "app="+name, morePods, patience)

	quiet := time.Now()
	stopMore()
	s.stop()
	fell := s.fallen(audit).Sub(quiet)
	s.Logf("blind for %s; with metrics and without load the floor fell after %s", mending.Sub(dark).Round(time.Millisecond), fell.Round(time.Millisecond))
	if fell >= mending.Sub(dark) {
		s.Errorf("the fault lasted %s, which proves nothing where a floor needs %s to fall", mending.Sub(dark), fell)
	}
}

// strike begins the fault and returns when Prometheus's answers first showed it.
func (s *scene) strike(f fault) time.Time {
	s.Helper()
	striking := time.Now()
	s.must(f.strike())
	s.Cleanup(func() { s.must(f.mend()) })
	return s.answers.first(s.T, "the fault to show", striking, f.shows).asked
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) notLowered() error {
	found, err := forewarm.Replicas(s.k, s.namespace, name)
	if err == nil && found < pods {
		err = fmt.Errorf("spec.replicas fell to %d", found)
	}
	return err
}

// within checks a claim of two ticks between two moments that others noted. The operator may well have asked a moment
// before the test did; then the time is negative.
func (s *scene) within(what string, from, to time.Time) {
	s.Helper()
	took := to.Sub(from)
	s.Logf("%s: %s", what, took.Round(time.Millisecond))
	if took > 2*tick {
		s.Errorf("%s took %s, more than two ticks of %s", what, took, tick)
	}
}

// told is when the status first said so, since a moment.
func (s *scene) told(audit *kit.Audit, since time.Time, status, reason string) time.Time {
	s.Helper()
	writes, err := forewarm.StatusWrites(audit, s.namespace, name)
	s.must(err)
	for _, write := range writes {
		found := write.Status.Condition("MetricsTrusted")
		if !write.Time.Before(since) && found.Status == status && found.Reason == reason {
			return write.Time
		}
	}
	s.Fatalf("no write of the status says MetricsTrusted %s %s since %s", status, reason, since)
	return time.Time{}
}

// raised is when the first write since the fault began was accepted, which must be a raise.
func (s *scene) raised(audit *kit.Audit) time.Time {
	s.Helper()
	writes, err := forewarm.FloorWrites(audit, s.namespace, name)
	s.must(err)
	if len(writes) == 0 || writes[0].To <= pods {
		s.Fatalf("the first write since the fault began must raise the floor above %d: %+v", pods, writes)
	}
	return writes[0].StageTimestamp
}

// fallen waits for the first fall and returns when it was accepted.
func (s *scene) fallen(audit *kit.Audit) (at time.Time) {
	s.Helper()
	kit.WaitFor(s, "a fall", patience, func() error {
		found, err := forewarm.Replicas(s.k, s.namespace, name)
		if err == nil && found >= morePods {
			err = fmt.Errorf("spec.replicas is %d", found)
		}
		return err
	})
	writes, err := forewarm.FloorWrites(audit, s.namespace, name)
	s.must(err)
	for at := 1; at < len(writes); at++ {
		if writes[at].To < writes[at-1].To {
			return writes[at].StageTimestamp
		}
	}
	s.Fatalf("no write lowered the floor: %+v", writes)
	return at
}
