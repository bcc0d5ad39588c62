package rails

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	authentication "k8s.io/api/authentication/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// stolen marks requests that a test sends with the operator's token.
const stolen = "a-thief"

// Test_permissions proves that the operator may do what it does and nothing else, by the API server's own record, and
// that whoever holds its token is kept to small steps of one field in enrolled namespaces.
func Test_permissions(t *testing.T) {
	k := kit.Of(t)
	t.Run("a whole run", func(t *testing.T) { wholeRun(t, k) })
	t.Run("granted is used", func(t *testing.T) { grantedIsUsed(t, k) })
	t.Run("with the operator's token", func(t *testing.T) { withItsToken(t, k) })
	t.Run("status is Forewarm's alone", func(t *testing.T) { statusIsOurs(t, k) })
}

// besideScaler makes the operator move the floor of an autoscaler, and give it back.
func besideScaler(t *testing.T, k *kit.Kit) {
	const name = "run-scaled"
	k.Apply(t, forewarm.Unscheduled(forewarm.Function(enrolled, name, 2)).JSON())
	k.Apply(t, forewarm.Autoscaler(enrolled, name, name, 2, 9).JSON())
	t.Cleanup(func() { k.Kubectl(t, "--namespace", enrolled, "delete", "deployment,hpa", name) })
	k.Apply(t, forewarm.Enforce(enrolled, name).With("spec.floor.min", 5).JSON())
	floor := func(wanted int32) {
		t.Helper()
		kit.WaitFor(t, fmt.Sprint("a floor of ", wanted), patience, func() error {
			found, err := k.Typed.AutoscalingV2().HorizontalPodAutoscalers(enrolled).Get(context.Background(), name, meta.GetOptions{})
			if err == nil && *found.Spec.MinReplicas != wanted {
				err = fmt.Errorf("it is %d", *found.Spec.MinReplicas)
			}
			return err
		})
	}
	floor(5)
	k.Kubectl(t, "--namespace", enrolled, "delete", "functionpolicy", name)
	floor(2)
}

// wholeRun makes the operator do everything it does, once: raise, fall, adopt, give back, for both built-in kinds and
// beside a scaler.
func wholeRun(t *testing.T, k *kit.Kit) {
	besideScaler(t, k)
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		name := "run-" + strings.ToLower(kind)
		workload := forewarm.Function(enrolled, name, 1).With("kind", kind)
		if kind == "StatefulSet" {
			workload.With("spec.serviceName", name)
		}
		t.Cleanup(func() { k.Kubectl(t, "--namespace", enrolled, "delete", kind, name) })
		function := newBusy(t, enrolled, name, workload, forewarm.Enforce(enrolled, name).With("spec.targetRef.kind", kind))
		for range 2 { // twice: an Event that comes again is a patch of the first
			_, stop := function.rises(15, 2)
			quiet := time.Now()
			stop()
			function.falls(quiet)
		}
		k.Kubectl(t, "--namespace", enrolled, "delete", "functionpolicy", name)
		function.log.Wait(t, "the release of "+name, patience, forewarm.Is(forewarm.Released), forewarm.About(enrolled, name))
	}
	adopted := forewarm.Unscheduled(forewarm.Function(enrolled, "run-adopted", 2)).JSON()
	if _, err := k.Run(adopted, "kubectl", "apply", "--server-side", "--filename", "-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Kubectl(t, "--namespace", enrolled, "delete", "deployment,functionpolicy", "run-adopted") })
	k.Apply(t, forewarm.Enforce(enrolled, "run-adopted").With("spec.onConflict", "Take").JSON())
	forewarm.WaitCondition(t, k, enrolled, "run-adopted", "Conflict", "Adopted", patience)
}

// watchesEnd is longer than a watch lasts (55 s): the audit log has a watch when it ends.
const watchesEnd = 2 * time.Minute

// grantedIsUsed compares the rules of the operator's roles with the requests in the audit log, both ways.
func grantedIsUsed(t *testing.T, k *kit.Kit) {
	granted, err := rightsOf(k)
	if err != nil {
		t.Fatal(err)
	}
	var used map[string]int
	kit.WaitFor(t, "every right granted to be used", watchesEnd, func() error {
		events, err := k.AuditFromStart().Events(kit.ByUser(forewarm.User), func(e kit.Event) bool {
			return e.UserAgent != stolen && e.ObjectRef.Resource != "" && !enrolledByTest(e)
		})
		if err != nil {
			return err
		}
		used = uses(t, granted, events)
		return unused(slices.DeleteFunc(slices.Clone(granted), ofPeers), used)
	})
	t.Logf("%d rights granted, all used", len(granted))
}

// ofPeers tells whether a right is for a scaler that this bed does not have: the beds of ./scalers, ./knative and ./memory do.
func ofPeers(r right) bool {
	return slices.Contains([]string{"keda.sh", "serving.knative.dev", "autoscaling.internal.knative.dev", "apiextensions.k8s.io",
		"autoscaling.k8s.io"}, r.group)
}

// uses counts the requests that each right was needed for; a request that none covers fails the test.
func uses(t *testing.T, granted []right, events []kit.Event) map[string]int {
	used := map[string]int{}
	for _, event := range events {
		covered := false
		for _, right := range granted {
			if right.covers(event) {
				covered = true
				used[right.String()]++
			}
		}
		if !covered {
			t.Fatalf("not granted by a role of the chart: %s %s (%d)", event.Verb, event.RequestURI, event.ResponseStatus.Code)
		}
	}
	return used
}

// unused names the rights that no request has needed.
func unused(granted []right, used map[string]int) error {
	var idle []string
	for _, right := range granted {
		if used[right.String()] == 0 {
			idle = append(idle, right.String())
		}
	}
	if len(idle) > 0 {
		return fmt.Errorf("%d granted and never used: %s", len(idle), strings.Join(idle, "; "))
	}
	return nil
}

var (
	deployments  = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
)

// withItsToken sends, with a token of the operator's ServiceAccount, what a wrong operator or a thief might.
func withItsToken(t *testing.T, k *kit.Kit) {
	elsewhere := k.Namespace(t, nil)
	for _, workload := range []forewarm.Object{
		forewarm.Function(enrolled, "rail", 20),
		forewarm.Function(enrolled, "rail", 20).With("kind", "StatefulSet").With("spec.serviceName", "rail"),
		forewarm.Function(enrolled, "rail-one", 1),
		forewarm.Function(enrolled, "rail-zero", 1).With("spec.replicas", 0),
		forewarm.Function(elsewhere, "rail", 20),
	} {
		k.Apply(t, forewarm.Unscheduled(workload).JSON())
	}
	t.Cleanup(func() {
		k.Kubectl(t, "--namespace", enrolled, "delete", "deployments/rail", "statefulsets/rail", "deployments/rail-one", "deployments/rail-zero")
	})
	thief, err := withToken(k)
	if err != nil {
		t.Fatal(err)
	}
	scale := func(n int) string { return fmt.Sprintf(`[{"op":"replace","path":"/spec/replicas","value":%d}]`, n) }
	for _, row := range []struct {
		what            string
		resource        schema.GroupVersionResource
		namespace, name string
		subresource     string
		manager, body   string
		refusal         string // empty: it passes
	}{
		{"a raise", deployments, enrolled, "rail", "scale", "forewarm", scale(21), ""},
		{"a fall of a quarter", deployments, enrolled, "rail", "scale", "forewarm", scale(16), ""},
		{"a larger fall", deployments, enrolled, "rail", "scale", "forewarm", scale(11), "at most a quarter (or 1) at a time: 16 to 11"},
		{"a larger fall of a StatefulSet", statefulSets, enrolled, "rail", "scale", "forewarm", scale(14), "at most a quarter (or 1) at a time: 20 to 14"},
		{"to zero", deployments, enrolled, "rail-one", "scale", "forewarm", scale(0), "Forewarm never scales to zero"},
		{"from zero", deployments, enrolled, "rail-zero", "scale", "forewarm", `[{"op":"add","path":"/spec/replicas","value":1}]`, "a person has paused this workload"},
		{"under another name", deployments, enrolled, "rail", "scale", "mallory", scale(17), "Forewarm writes as field manager forewarm"},
		{"another field", deployments, enrolled, "rail", "", "forewarm", `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil"}]`, `cannot patch resource "deployments"`},
		{"replicas, but not by scale", deployments, enrolled, "rail", "", "forewarm", scale(17), `cannot patch resource "deployments"`},
		{"another namespace", deployments, elsewhere, "rail", "scale", "forewarm", scale(21), `cannot patch resource "deployments/scale" in API group "apps" in the namespace "` + elsewhere + `"`},
		{"a policy", forewarm.Policies, enrolled, "rail", "", "forewarm", scale(1), `cannot patch resource "functionpolicies"`},
		{"a secret", schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, forewarm.Namespace, "x", "", "forewarm", scale(1), `cannot patch resource "secrets"`},
		{"an autoscaler elsewhere", schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}, elsewhere, "x", "", "forewarm", scale(1), `cannot patch resource "horizontalpodautoscalers"`},
		{"its own role", schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}, forewarm.Namespace, "forewarm", "", "forewarm", scale(1), `cannot patch resource "roles"`},
		{"a pod's size", schema.GroupVersionResource{Version: "v1", Resource: "pods"}, enrolled, "x", "resize", "forewarm", scale(1), `cannot patch resource "pods/resize"`},
		{"another Lease", schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}, forewarm.Namespace, "other", "", "forewarm", scale(1), `cannot patch resource "leases"`},
	} {
		subresources := strings.Fields(row.subresource)
		_, err := thief.Resource(row.resource).Namespace(row.namespace).Patch(context.Background(), row.name,
			types.JSONPatchType, []byte(row.body), meta.PatchOptions{FieldManager: row.manager}, subresources...)
		switch {
		case row.refusal == "" && err != nil:
			t.Errorf("%s is refused: %v", row.what, err)
		case row.refusal != "" && (err == nil || !strings.Contains(err.Error(), row.refusal)):
			t.Errorf("%s: want %q, got %v", row.what, row.refusal, err)
		case err != nil:
			t.Logf("%s: %v", row.what, err)
		}
	}
	otherVerbs(t, thief)
	metadataByScale(t, k, thief)
}

// otherVerbs tries what is not a patch.
func otherVerbs(t *testing.T, thief dynamic.Interface) {
	ctx := context.Background()
	pods := thief.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(enrolled)
	secrets := thief.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(forewarm.Namespace)
	maps := thief.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(forewarm.Namespace)
	for what, try := range map[string]func() error{
		"delete a Deployment": func() error {
			return thief.Resource(deployments).Namespace(enrolled).Delete(ctx, "rail", meta.DeleteOptions{})
		},
		"delete a pod":           func() error { return pods.Delete(ctx, "x", meta.DeleteOptions{}) },
		"list secrets":           func() error { _, err := secrets.List(ctx, meta.ListOptions{}); return err },
		"read another ConfigMap": func() error { _, err := maps.Get(ctx, "kube-root-ca.crt", meta.GetOptions{}); return err },
		"delete a policy": func() error {
			return thief.Resource(forewarm.Policies).Namespace(enrolled).Delete(ctx, "x", meta.DeleteOptions{})
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// metadataByScale sends labels and annotations through the subresource: refused or dropped, they must not arrive.
func metadataByScale(t *testing.T, k *kit.Kit, thief dynamic.Interface) {
	body := `[{"op":"add","path":"/metadata/labels","value":{"evil":"yes"}},{"op":"add","path":"/metadata/annotations","value":{"evil":"yes"}}]`
	_, err := thief.Resource(deployments).Namespace(enrolled).Patch(context.Background(), "rail", types.JSONPatchType,
		[]byte(body), meta.PatchOptions{FieldManager: "forewarm"}, "scale")
	t.Logf("labels by way of scale: %v", err)
	if found := k.Kubectl(t, "--namespace", enrolled, "get", "deployment", "rail", "--output", "yaml"); strings.Contains(found, "evil") {
		t.Errorf("they arrived: %s", found)
	}
}

// withToken is a client with a token of the operator's ServiceAccount, asked for as its pods' kubelet does.
func withToken(k *kit.Kit) (dynamic.Interface, error) {
	token, err := k.Typed.CoreV1().ServiceAccounts(forewarm.Namespace).CreateToken(context.Background(), forewarm.Release,
		&authentication.TokenRequest{}, meta.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(&rest.Config{Host: k.Config.Host, BearerToken: token.Status.Token, UserAgent: stolen,
		TLSClientConfig: rest.TLSClientConfig{CAData: k.Config.CAData}})
}

// statusIsOurs writes a policy's status as an administrator, as a tenant and as the operator.
func statusIsOurs(t *testing.T, k *kit.Kit) {
	namespace := k.Namespace(t, nil)
	k.Apply(t, forewarm.Policy(namespace, "p").JSON())
	lie := []byte(`{"status":{"floor":{"held":9}}}`)
	patch := func(as dynamic.Interface, subresources ...string) error {
		_, err := as.Resource(forewarm.Policies).Namespace(namespace).Patch(context.Background(), "p",
			types.MergePatchType, lie, meta.PatchOptions{}, subresources...)
		return err
	}
	if err := patch(k.Dynamic, "status"); err == nil || !strings.Contains(err.Error(), "written by Forewarm alone") {
		t.Errorf("an administrator of system:masters wrote the status: %v", err)
	} else {
		t.Log(err)
	}
	tenant, err := asTenant(t, k, namespace)
	if err != nil {
		t.Fatal(err)
	}
	if err := patch(tenant, "status"); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("a tenant wrote the status: %v", err)
	}
	if err := patch(tenant); err != nil {
		t.Errorf("the status of a policy that a tenant may write is ignored, not refused: %v", err)
	}
	if held := floorHeld(t, k, namespace); held == 9 {
		t.Error("a tenant's status has arrived by way of the policy")
	}
	operator, err := withToken(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := patch(operator, "status"); err != nil {
		t.Errorf("the operator may not write the status: %v", err)
	}
}

func floorHeld(t *testing.T, k *kit.Kit, namespace string) int {
	t.Helper()
	status, err := forewarm.StatusOf(k, namespace, "p")
	if err != nil {
		t.Fatal(err)
	}
	if status.Floor.Held == nil {
		return 0
	}
	return *status.Floor.Held
}
