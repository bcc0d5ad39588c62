package rails

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

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

	flood(t, k, namespace)
	bad := badOnes(namespace)
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
		untouched(t, k, namespace)
	})
}

// refusals applies what the API server must not take.
func refusals(t *testing.T, k *kit.Kit, namespace string) {
	huge := strings.Repeat("a", 10_000)
	policy := func(path string, value any) forewarm.Object {
		return forewarm.Policy(namespace, "bad").With(path, value)
	}
	profile := func(path string, value any) forewarm.Object {
		return forewarm.Profile().With("metadata.name", "bad").With(path, value)
	}
	// The API server names the value that a rule refuses; that of 1.33 names its field and the rule's words alone.
	value := func(text string) string { return map[bool]string{true: text}[k.Has(t, 37)] }
	for _, row := range []struct {
		what   string
		object forewarm.Object
		words  []string
	}{
		{"min over max", policy("spec.floor", forewarm.Map{"min": 5, "max": 3}),
			[]string{"spec.floor.min", "must not exceed spec.floor.max", "lower min or raise max"}},
		{"no max", policy("spec.floor", forewarm.Map{"min": 5}), []string{"spec.floor.max", "Required"}},
		{"max of zero", policy("spec.floor.max", 0), []string{"spec.floor.max", "0", "greater than or equal to 1"}},
		{"zero perReplica", policy("spec.demand.perReplica", "0"), []string{"spec.demand.perReplica", value(`"0"`), "between 1m", "set what one replica can serve"}},
		{"zero perReplica as a number", policy("spec.demand.perReplica", 0), []string{"spec.demand.perReplica", "0", "between 1m"}},
		{"negative perReplica", policy("spec.demand.perReplica", "-3"), []string{"spec.demand.perReplica", value(`"-3"`), "between 1m"}},
		{"a step the rails would refuse", policy("spec.scaleDown.stepPercent", 60), []string{"spec.scaleDown.stepPercent", value("60"), "25 or less"}},
		{"unknown mode", policy("spec.mode", "Force"), []string{"spec.mode", "Force", `"Enforce"`}},
		{"10 kB target name", policy("spec.targetRef.name", huge), []string{"spec.targetRef.name", "253"}},
		{"10 kB target kind", policy("spec.targetRef.kind", "D"+huge), []string{"spec.targetRef.kind", "63"}},
		{"10 kB target version", policy("spec.targetRef.apiVersion", huge+"/v1"), []string{"spec.targetRef.apiVersion", "128"}},
		{"10 kB profile name", policy("spec.demand.profile", huge), []string{"spec.demand.profile", "63"}},
		{"10 kB policy name", policy("metadata.name", huge), []string{"metadata.name", "253"}},
		{"a target of another namespace", policy("spec.targetRef.namespace", "kube-system"), []string{"unknown field", "spec.targetRef.namespace"}},
		{"a target name with a path", policy("spec.targetRef.name", "../kube-system/coredns"), []string{"spec.targetRef.name", "../kube-system/coredns"}},
		{"10 kB query", profile("spec.query", "sum("+huge+")"), []string{"spec.query", "4096"}},
		{"10 kB profile", profile("metadata.name", huge), []string{"metadata.name"}},
		{"64 characters of profile", profile("metadata.name", huge[:64]), []string{"metadata.name", "63"}},
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

// shortened cuts the values of 10 kB.
func shortened(message string) string {
	message = strings.TrimPrefix(message, "kubectl apply --filename -: exit status 1: ")
	return long.ReplaceAllString(message, "aaa...")
}

var long = regexp.MustCompile("a{100,}")

// badOne is a resource that the API server cannot know to be bad, and what the policy that meets it says.
type badOne struct {
	name              string
	objects           []forewarm.Object
	condition, reason string
	words             []string
}

func badOnes(namespace string) []badOne {
	policy := func(name string) forewarm.Object { return forewarm.Enforce(namespace, name) }
	target := func(name string) forewarm.Object {
		return forewarm.Unscheduled(forewarm.Function(namespace, name, 1))
	}
	asks := func(name, query, condition, reason string, words ...string) badOne {
		return badOne{name, []forewarm.Object{
			forewarm.Profile().With("metadata.name", name).With("spec.query", query).With("spec.peakQuery", nil),
			target(name), policy(name).With("spec.demand.profile", name),
		}, condition, reason, append(words, "DemandProfile "+name)}
	}
	return []badOne{
		{"unknown-profile", []forewarm.Object{target("unknown-profile"), policy("unknown-profile").With("spec.demand.profile", "nobodys")},
			"Ready", "ProfileUnusable", []string{"spec.demand.profile is nobodys", "no such DemandProfile", "kubectl get demandprofiles"}},
		{"no-target", []forewarm.Object{policy("no-target")},
			"Ready", "TargetMissing", []string{"spec.targetRef.name is no-target", "no such Deployment", "create it"}},
		{"kind-not-listed", []forewarm.Object{policy("kind-not-listed").With("spec.targetRef.kind", "DaemonSet")},
			"Ready", "KindNotListed", []string{"spec.targetRef.kind is DaemonSet", "scaleKinds"}},
		{"version-not-listed", []forewarm.Object{policy("version-not-listed").With("spec.targetRef.apiVersion", "apps/v1beta1")},
			"Ready", "KindNotListed", []string{"apps/v1beta1", "scaleKinds"}},
		{"with-a-second-one", []forewarm.Object{policy("with-a-second-one").With("spec.targetRef.name", "unknown-profile")},
			"Ready", "PolicyInvalid", []string{"spec.targetRef.name is unknown-profile", "older policy unknown-profile", "delete one of the two"}},
		asks("no-promql", "sum by (namespace, pod", "Ready", "ProfileUnusable", "spec.query is sum by (namespace, pod", "does not parse as PromQL"),
		asks("returns-strings", `"forewarm"`, "Ready", "ProfileUnusable", `spec.query is "forewarm"`, "gives a string", "instant vector"),
		asks("returns-a-scalar", `time()`, "Ready", "ProfileUnusable", "spec.query is time()", "vector("),
		asks("many-series", "function_further", "MetricsTrusted", "TooLarge", "spec.query", "aggregate"),
		asks("many-to-many", "up * on (job) up", "MetricsTrusted", "QueryFailed", "spec.query", "forewarm.source"),
		asks("wrong-labels", "max by (app) (up)", "MetricsTrusted", "WrongShape", "spec.query", "labels"),
	}
}

// manySeries is more than the source may answer.
const manySeries = 2 * mostSeries

// flood starts a pod that reports so many series. It is one that every test of the namespace may see and none names.
func flood(t *testing.T, k *kit.Kit, namespace string) {
	t.Helper()
	k.Apply(t, forewarm.Function(namespace, "flood", 1, "FURTHER_SERIES", strconv.Itoa(manySeries)).
		With("spec.template.metadata.annotations", forewarm.Map{"prometheus.io/scrape": "true",
			"prometheus.io/port": "8080", "prometheus.io/path": "/metrics", "prometheus.io/interval": "15s"}).JSON())
	k.WaitValue(t, "count(function_further)", patience, func(found float64) bool { return found == manySeries })
}

// untouched looks at every target of the bad policies: none is scaled.
func untouched(t *testing.T, k *kit.Kit, namespace string) {
	t.Helper()
	targets, err := k.Typed.AppsV1().Deployments(namespace).List(context.Background(), meta.ListOptions{})
	if err != nil || len(targets.Items) == 0 {
		t.Fatalf("%d targets: %v", len(targets.Items), err)
	}
	for _, target := range targets.Items {
		if *target.Spec.Replicas != 1 {
			t.Errorf("%s has %d replicas", target.Name, *target.Spec.Replicas)
		}
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
