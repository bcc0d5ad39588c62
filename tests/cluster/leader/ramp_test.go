package leader

import (
	"context"
	"fmt"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
)

const (
	patience = 5 * time.Minute
	name     = "ramp"
)

// ramp is a function whose load grows for as long as the test takes.
type ramp struct {
	*testing.T
	k         *kit.Kit
	namespace string
	log       *forewarm.Log
	audit     *kit.Audit
}

// climb brings the function up and lets its load grow: each second a call comes that never ends, and each call needs
// a pod. So every tick has something to write. One pod is let onto the node and takes all calls; those that the floor
// asks for beyond wait at a scheduling gate, and a long ramp costs two cores nothing. A gate is not a lack of room:
// pods that find no node would bring the floor back.
func climb(t *testing.T) *ramp {
	t.Helper()
	k := kit.Of(t)
	r := &ramp{T: t, k: k, namespace: forewarm.Enrolled(t, k), log: forewarm.FollowLog(t, k), audit: k.AuditFromNow(t)}
	k.Apply(t, forewarm.Function(r.namespace, name, 1).With("spec.template.spec.schedulingGates", gates).JSON())
	r.letOneIn()
	pod := k.WaitPods(t, r.namespace, "app="+name, 1, patience)[0]
	k.Apply(t, forewarm.Enforce(r.namespace, name).
		With("spec.floor.max", 1000).
		With("spec.demand.perReplica", "1").
		With("spec.forecast", forewarm.Map{"mode": "Off"}).
		JSON())
	found, err := k.Typed.CoreV1().Pods(r.namespace).Get(context.Background(), pod, meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	running := load.Start(context.Background(), load.Plan{
		URL:  "http://" + found.Status.PodIP + ":8080/?work_ms=3600000",
		Rate: load.Constant(1), Even: true, Length: time.Hour, Timeout: time.Hour,
	})
	t.Cleanup(func() {
		// The calls end with their pod.
		k.Kubectl(t, "--namespace", r.namespace, "delete", "deployment", name, "--wait=false")
		running.Stop()
	})
	return r
}

// gates keep a pod from being scheduled until somebody takes them away.
var gates = []forewarm.Map{{"name": "forewarm.dev/ramp"}}

// letOneIn takes the gate from the first pod.
func (r *ramp) letOneIn() {
	r.Helper()
	pods := r.k.Typed.CoreV1().Pods(r.namespace)
	kit.WaitFor(r, "the first pod", patience, func() error {
		found, err := pods.List(context.Background(), meta.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return err
		}
		if len(found.Items) != 1 {
			return fmt.Errorf("%d pods", len(found.Items))
		}
		open := []byte(`[{"op":"remove","path":"/spec/schedulingGates"}]`)
		_, err = pods.Patch(context.Background(), found.Items[0].Name, types.JSONPatchType, open, meta.PatchOptions{})
		return err
	})
}
