package rails

import (
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// Test_bad_resources proves that no bad resource gets through in silence, and that none disturbs anybody else: each is
// refused by the API server, or has a condition, with words that name the field, its value and the fix; and a good
// policy of another namespace is decided upon as before, with all the bad ones in place.
func Test_bad_resources(t *testing.T) {
	k := kit.Of(t)
	namespace, good := k.Namespace(t, nil), forewarm.Enrolled(t, k)
	function := newBusy(t, good, "good", forewarm.Function(good, "good", 1), forewarm.Enforce(good, "good"))

	t.Run("refused by the API server", func(t *testing.T) { refusals(t, k, namespace) })

	bad := badOnes(namespace)
	k.Apply(t, forewarm.Function(namespace, "f", 1).JSON())
	for _, one := range bad {
		for _, object := range one.objects {
			k.Apply(t, object.JSON())
		}
		t.Cleanup(func() { removeProfile(t, k, one) })
	}
	t.Run("told by a condition", func(t *testing.T) {
		for _, one := range bad {
			found := forewarm.WaitCondition(t, k, namespace, one.name, one.condition, one.reason, patience, one.words...)
			t.Logf("%s: %s %s=%s: %s", one.name, found.Type, found.Reason, found.Status, found.Message)
		}
	})
	t.Run("nothing else is disturbed", func(t *testing.T) {
		function.T = t
		_, stop := function.rises(25, 3)
		quiet := time.Now()
		stop()
		function.falls(quiet)
		if found, err := forewarm.Replicas(k, namespace, "f"); err != nil || found != 1 {
			t.Errorf("the target of the bad policies has %d replicas: %v", found, err)
		}
	})
}

// refusals applies what the API server must not take.
func refusals(t *testing.T, k *kit.Kit, namespace string) {
	long := strings.Repeat("a", 10_000)
	policy := func(path string, value any) forewarm.Object {
		return forewarm.Policy(namespace, "bad").With(path, value)
	}
	profile := func(path string, value any) forewarm.Object {
		return forewarm.Profile().With("metadata.name", "bad").With(path, value)
	}
	for _, row := range []struct {
		what   string
		object forewarm.Object
		words  []string
	}{
		{"min over max", policy("spec.floor", forewarm.Map{"min": 5, "max": 3}),
			[]string{"spec.floor.min", "5", "must not exceed spec.floor.max", "lower min or raise max"}},
		{"no max", policy("spec.floor", forewarm.Map{"min": 5}), []string{"spec.floor.max", "Required"}},
		{"max of zero", policy("spec.floor.max", 0), []string{"spec.floor.max", "0", "greater than or equal to 1"}},
		{"zero perReplica", policy("spec.demand.perReplica", "0"), []string{"spec.demand.perReplica", `"0"`, "between 1m", "set what one replica can serve"}},
		{"zero perReplica as a number", policy("spec.demand.perReplica", 0), []string{"spec.demand.perReplica", "0", "between 1m"}},
		{"negative perReplica", policy("spec.demand.perReplica", "-3"), []string{"spec.demand.perReplica", `"-3"`, "between 1m"}},
		{"a step the rails would refuse", policy("spec.scaleDown.stepPercent", 60), []string{"spec.scaleDown.stepPercent", "60", "25 or less"}},
		{"unknown mode", policy("spec.mode", "Force"), []string{"spec.mode", "Force", `"Enforce"`}},
		{"10 kB target name", policy("spec.targetRef.name", long), []string{"spec.targetRef.name", "253"}},
		{"10 kB target kind", policy("spec.targetRef.kind", "D"+long), []string{"spec.targetRef.kind", "63"}},
		{"10 kB target version", policy("spec.targetRef.apiVersion", long+"/v1"), []string{"spec.targetRef.apiVersion", "128"}},
		{"10 kB profile name", policy("spec.demand.profile", long), []string{"spec.demand.profile", "63"}},
		{"10 kB policy name", policy("metadata.name", long), []string{"metadata.name", "253"}},
		{"a target of another namespace", policy("spec.targetRef.namespace", "kube-system"), []string{"unknown field", "spec.targetRef.namespace"}},
		{"a target name with a path", policy("spec.targetRef.name", "../kube-system/coredns"), []string{"spec.targetRef.name", "../kube-system/coredns"}},
		{"10 kB query", profile("spec.query", "sum("+long+")"), []string{"spec.query", "4096"}},
		{"10 kB profile", profile("metadata.name", long), []string{"metadata.name"}},
		{"64 characters of profile", profile("metadata.name", long[:64]), []string{"metadata.name", "63"}},
		{"absence without a witness", profile("spec.absent", "ZeroIfUp"), []string{"spec.absent", "spec.upQuery"}},
	} {
		err := k.TryApply(row.object.JSON())
		if err == nil {
			t.Errorf("%s was accepted", row.what)
			continue
		}
		message := err.Error()
		for _, word := range row.words {
			if !strings.Contains(message, word) {
				t.Errorf("%s: no %q in: %s", row.what, word, shortened(message))
			}
		}
		t.Logf("%s: %s", row.what, shortened(message))
	}
	k.Apply(t, forewarm.Policy(namespace, "fixed").JSON())
	if err := k.TryApply(forewarm.Policy(namespace, "fixed").With("spec.targetRef.name", "another").JSON()); err == nil ||
		!strings.Contains(err.Error(), "delete this policy and create one") {
		t.Errorf("another target: %v", err)
	}
}

func shortened(message string) string {
	message = message[strings.LastIndex(message[:min(len(message), 400)], "\n")+1:]
	return message[:min(len(message), 600)]
}

// badOne is a resource that the API server cannot know to be bad, and what the policy that meets it says.
type badOne struct {
	name              string
	objects           []forewarm.Object
	condition, reason string
	words             []string
}

func badOnes(namespace string) []badOne {
	policy := func(name string) forewarm.Object {
		return forewarm.Enforce(namespace, name).With("spec.targetRef.name", "f")
	}
	asks := func(name, query, condition, reason string, words ...string) badOne {
		return badOne{name, []forewarm.Object{
			forewarm.Profile().With("metadata.name", name).With("spec.query", query).With("spec.peakQuery", nil),
			policy(name).With("spec.demand.profile", name),
		}, condition, reason, append(words, name)}
	}
	return []badOne{
		{"unknown-profile", []forewarm.Object{policy("unknown-profile").With("spec.demand.profile", "nobodys")},
			"Ready", "ProfileUnusable", []string{"spec.demand.profile", "nobodys", "does not exist"}},
		{"no-target", []forewarm.Object{policy("no-target").With("spec.targetRef.name", "ghost")},
			"Ready", "TargetMissing", []string{"spec.targetRef.name", "ghost", "create it"}},
		{"kind-not-listed", []forewarm.Object{policy("kind-not-listed").With("spec.targetRef.kind", "DaemonSet")},
			"Ready", "KindNotListed", []string{"spec.targetRef.kind", "DaemonSet", "scaleKinds"}},
		{"version-not-listed", []forewarm.Object{policy("version-not-listed").With("spec.targetRef.apiVersion", "apps/v1beta1")},
			"Ready", "KindNotListed", []string{"apps/v1beta1", "scaleKinds"}},
		asks("no-promql", "sum by (namespace, pod", "Ready", "ProfileUnusable", "spec.query", "sum by (namespace, pod", "does not parse as PromQL"),
		asks("returns-strings", `"forewarm"`, "Ready", "ProfileUnusable", "spec.query", "gives a string", "instant vector"),
		asks("returns-a-scalar", `time()`, "Ready", "ProfileUnusable", "spec.query", "time()", "vector("),
		asks("many-series", "last_over_time(flood[30d])", "MetricsTrusted", "TooLarge", "spec.query", "aggregate"),
		asks("many-to-many", "flood * on (namespace) flood", "MetricsTrusted", "QueryFailed", "spec.query"),
		asks("wrong-labels", "max by (app) (up)", "MetricsTrusted", "WrongShape", "spec.query", "labels"),
	}
}

// removeProfile removes what the namespace does not take with it.
func removeProfile(t *testing.T, k *kit.Kit, one badOne) {
	for _, object := range one.objects {
		if strings.Contains(object.JSON(), `"kind":"DemandProfile"`) {
			k.Kubectl(t, "delete", "demandprofile", one.name)
		}
	}
}
