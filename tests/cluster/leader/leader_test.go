package leader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	kills = 5
	// goesOn is how soon another process must write: the lease's 15 s, a try each 2 s, a tick at once on taking it.
	goesOn = 25 * time.Second
)

// Test_leader_killed kills the leading process in the middle of a ramp up, five times. Each time another one goes on,
// of the other replica as a rule; in the end the API server's audit log shows each own write under exactly one decision
// id, announced in the log before it was sent, and the floor never fell.
func Test_leader_killed(t *testing.T) {
	r := climb(t)
	var took []time.Duration
	for range kills {
		took = append(took, r.kill())
	}
	slices.Sort(took)
	t.Logf("figure: leader_takeover.median %d ms", took[len(took)/2].Milliseconds())
	t.Logf("figure: leader_takeover.max %d ms", took[len(took)-1].Milliseconds())
	r.account()
}

// kill kills the leader as soon as it announces a write, and returns how long it takes until a write of another process
// is accepted. The killed pod's next process may be that one: the kubelet starts it within a second, so it is there like
// the other replica when the lease ends, and knows no more and no less of the killed one's writes.
func (r *ramp) kill() time.Duration {
	r.Helper()
	// A container that was killed comes back after 0, 10, 20 s; without it there is nobody to go on.
	r.k.WaitPods(r, forewarm.Namespace, forewarm.Selector, 2, patience)
	leader := r.leader()
	processes, err := r.k.PodProcesses(forewarm.Namespace, leader)
	if err != nil {
		r.Fatal(err)
	}
	made := r.log.Wait(r, "a write of the leader", patience, applied, r.by(leader), forewarm.Since(time.Now()))
	last := r.log.Wait(r, "its next intent", patience, forewarm.Is(forewarm.Intent), r.by(leader), forewarm.Since(made.Time))
	killed := time.Now()
	for _, process := range processes {
		if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
			r.Fatal(err)
		}
	}
	next := r.log.Wait(r, "a write after the kill", patience, applied, forewarm.About(r.namespace, name), forewarm.Since(killed),
		func(l forewarm.Line) bool { return l.Run != last.Run })
	took := next.Time.Sub(killed)
	r.Logf("%s killed %s after its intent; %s wrote after %s", leader,
		killed.Sub(last.Time).Round(time.Millisecond), next.Pod, took.Round(time.Millisecond))
	if took >= goesOn {
		r.Errorf("%s went on after %s, not within %s", next.Pod, took, goesOn)
	}
	return took
}

// by keeps the lines of one replica about the ramp.
func (r *ramp) by(pod string) func(forewarm.Line) bool {
	return func(l forewarm.Line) bool { return l.Pod == pod && l.Of(r.namespace, name) }
}

// leader is the pod that the Lease names.
func (r *ramp) leader() (pod string) {
	r.Helper()
	kit.WaitFor(r, "a leader", patience, func() error {
		lease, err := r.k.Typed.CoordinationV1().Leases(forewarm.Namespace).Get(context.Background(), forewarm.Release, meta.GetOptions{})
		if err != nil {
			return err
		}
		if holder := lease.Spec.HolderIdentity; holder != nil {
			pod, _, _ = strings.Cut(*holder, "_")
		}
		if pod == "" {
			return fmt.Errorf("nobody has the lease")
		}
		return nil
	})
	return pod
}

// applied keeps the outcomes of writes that were accepted.
func applied(l forewarm.Line) bool {
	return l.Event == forewarm.Outcome && string(l.Result) == `"Applied"`
}
