package knative

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// Zero is Knative's to make: a raised floor wakes the revision, and given back it sleeps again.
func Test_knative_wakes_from_zero(t *testing.T) {
	t.Parallel()
	s := newScene(t, "")
	s.replicas(0)
	s.enforce(2)
	s.floor("2")
	s.replicas(2)
	s.kubectl("delete", "functionpolicy", name)
	s.floor("")
	s.replicas(0)
}

// A new revision takes the traffic at the floor of its template: what was held is written to it, and the one before it
// keeps nothing of ours.
func Test_knative_deploy_reset(t *testing.T) {
	t.Parallel()
	s := newScene(t, "")
	s.enforce(3)
	s.floor("3")
	first := s.revision().GetName()
	s.kubectl("patch", "services.serving.knative.dev", name, "--type=merge", "--patch",
		`{"spec":{"template":{"metadata":{"annotations":{"note":"b"}}}}}`)
	s.floorOf(func(name string) bool { return name != first }, "3")
	s.floorOf(func(name string) bool { return name == first }, "")
}

// The Deployment of a revision is Knative's; a policy that names it is told so.
func Test_knative_two_scalers_conflict(t *testing.T) {
	t.Parallel()
	s := newScene(t, "")
	deployment := s.revision().GetName() + "-deployment"
	s.k.Apply(t, forewarm.Enforce(s.namespace, deployment).With("spec.floor.min", 4).JSON())
	forewarm.WaitCondition(s, s.k, s.namespace, deployment, "Conflict", "Scaler", patience, "Revision/"+s.revision().GetName())
	s.still("Knative's own", "")
}

// The autoscaler comes back to a floor that is where it was; and of a revision at zero, at whose floor it does not look
// before the next call (knative/serving#16223), the pods are started in its place, and it keeps them.
func Test_knative_scaler_restarted(t *testing.T) {
	t.Parallel()
	s, asleep := newScene(t, ""), newScene(t, "")
	s.enforce(3)
	s.replicas(3)
	asleep.replicas(0)
	s.k.Kubectl(t, "--namespace", "knative-serving", "rollout", "restart", "deployment/autoscaler")
	s.k.Kubectl(t, "--namespace", "knative-serving", "rollout", "status", "deployment/autoscaler", "--timeout=3m")
	s.still("after a restart", "3")
	log := forewarm.FollowLog(t, s.k)
	asleep.enforce(2)
	asleep.floor("2")
	asleep.replicas(2)
	log.Wait(t, "a wake in the autoscaler's place", patience, forewarm.About(asleep.namespace, name), func(line forewarm.Line) bool {
		return line.Event == forewarm.Intent && strings.Contains(line.Raw, `"Wake"`)
	})
	asleep.k.WaitPods(t, asleep.namespace, "serving.knative.dev/service="+name, 2, patience)
	kit.Holds(t, "two pods that the autoscaler keeps", 20*time.Second, func() error {
		found, err := forewarm.Replicas(asleep.k, asleep.namespace, asleep.revision().GetName()+"-deployment")
		if err == nil && found != 2 {
			err = fmt.Errorf("%d replicas", found)
		}
		return err
	})
	s.kubectl("patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":{"floor":{"min":4}}}`)
	s.floor("4")
	s.replicas(4)
}

// What we hold comes down by at most a quarter at a time, to what is wanted.
func Test_knative_floor_down(t *testing.T) {
	t.Parallel()
	// Nothing is lowered while the demand is not known.
	s := newScene(t, "", "prometheus.io/scrape", "true", "prometheus.io/port", "8080")
	log := forewarm.FollowLog(t, s.k)
	s.enforce(8)
	s.floor("8")
	s.replicas(8)
	s.kubectl("patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":{"floor":{"min":3}}}`)
	s.floor("3")
	falls := log.Lines(forewarm.Is(forewarm.Decision), forewarm.About(s.namespace, name), forewarm.Because("Quiet"))
	if len(falls) < 3 {
		t.Errorf("8 came down to 3 in %d steps", len(falls))
	}
	for _, line := range falls {
		if line.From != nil && line.To != nil && *line.From-*line.To > max(1, *line.From/4) {
			t.Errorf("a fall from %d to %d", *line.From, *line.To)
		}
	}
}

// The release is uninstalled: the floor is given back and nothing of ours is noted. Not parallel, so it runs before
// those that are, and installs the operator again.
func Test_knative_given_back_uninstall(t *testing.T) {
	s := newScene(t, "2")
	s.enforce(3)
	s.floor("3")
	forewarm.Uninstall(t, s.k)
	s.floor("2")
	s.unowned()
	if err := (forewarm.Setup{}).Install(s.k); err != nil {
		t.Fatal(err)
	}
	s.floor("3")
}
