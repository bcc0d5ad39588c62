package leader

import (
	"context"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
)

const (
	patience = 3 * time.Minute
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
// a pod. So every tick has something to write. One pod fits on the node and takes all calls; those that the floor
// asks for beyond wait to be scheduled, and a long ramp costs two cores nothing.
func climb(t *testing.T) *ramp {
	t.Helper()
	k := kit.Of(t)
	r := &ramp{T: t, k: k, namespace: forewarm.Enrolled(t, k), log: forewarm.FollowLog(t, k), audit: k.AuditFromNow(t)}
	k.Apply(t, forewarm.Function(r.namespace, name, 1).With("spec.template.spec.affinity", apart).JSON())
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

// apart lets a node take one pod of the function.
var apart = forewarm.Map{"podAntiAffinity": forewarm.Map{"requiredDuringSchedulingIgnoredDuringExecution": []forewarm.Map{{
	"labelSelector": forewarm.Map{"matchLabels": forewarm.Map{"app": name}},
	"topologyKey":   "kubernetes.io/hostname",
}}}}
