package scalers

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// name of the function, its policy and its scaler; each scene has a namespace of its own.
const name = "f"

// userFloor is the annotation with the user's own value.
const userFloor = "forewarm.dev/user-floor"

// kind of scaler, and where its floor is.
type kind struct {
	resource schema.GroupVersionResource
	plural   string
	field    string // of the spec
	manifest func(namespace, named string, floor int) forewarm.Object
}

var hpa = kind{
	resource: schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
	plural:   "horizontalpodautoscalers.v2.autoscaling", field: "minReplicas",
	manifest: func(namespace, named string, floor int) forewarm.Object {
		return forewarm.Autoscaler(namespace, named, name, floor, 20)
	},
}

// scene is a function with a scaler, in an enrolled namespace.
type scene struct {
	*testing.T
	kind
	k         *kit.Kit
	namespace string
}

// newScene applies the function with two replicas that run, and its scaler with a floor of 2.
func newScene(t *testing.T, of kind) *scene {
	t.Helper()
	s := sceneOf(t, of, 2)
	s.k.WaitPods(t, s.namespace, "app="+name, 2, patience)
	return s
}

// fieldScene is one whose pods are nobody's to schedule: for what looks at the field alone.
func fieldScene(t *testing.T, of kind) *scene {
	t.Helper()
	k := kit.Of(t)
	s := &scene{T: t, kind: of, k: k, namespace: forewarm.Enrolled(t, k)}
	k.Apply(t, forewarm.Unscheduled(forewarm.Function(s.namespace, name, 2)).JSON())
	k.Apply(t, of.manifest(s.namespace, name, 2).JSON())
	return s
}

// sleeping is a scene whose own floor is 0, and whose scaler has nothing to do.
func sleeping(t *testing.T, of kind) *scene {
	t.Helper()
	return sceneOf(t, of, 0)
}

func sceneOf(t *testing.T, of kind, floor int) *scene {
	t.Helper()
	k := kit.Of(t)
	s := &scene{T: t, kind: of, k: k, namespace: forewarm.Enrolled(t, k)}
	k.Apply(t, forewarm.Function(s.namespace, name, 2).JSON())
	k.Apply(t, of.manifest(s.namespace, name, floor).JSON())
	return s
}

// enforce applies a policy that wants so many pods at least. The rail lets a floor fall once in five seconds, and on a busy
// machine a write comes seconds after its decision.
func (s *scene) enforce(floor int) {
	s.Helper()
	policy := forewarm.Enforce(s.namespace, name).With("spec.floor.max", 20).With("spec.floor.min", floor).With("spec.scaleDown.stepSeconds", 10)
	s.k.Apply(s, policy.JSON())
}

// taken is a scene whose floor Forewarm holds at so many pods.
func taken(t *testing.T, of kind, floor int) *scene {
	t.Helper()
	s := newScene(t, of)
	s.enforce(floor)
	s.floor(floor)
	return s
}

// fieldTaken is such a scene whose floor Forewarm holds at so many pods.
func fieldTaken(t *testing.T, of kind, floor int) *scene {
	t.Helper()
	s := fieldScene(t, of)
	s.enforce(floor)
	s.floor(floor)
	return s
}

// on is the scene in a subtest.
func (s *scene) on(t *testing.T) *scene {
	in := *s
	in.T = t
	return &in
}

func (s *scene) get() *unstructured.Unstructured {
	s.Helper()
	found, err := s.k.Dynamic.Resource(s.resource).Namespace(s.namespace).Get(context.Background(), name, meta.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// live is the floor field's value; -1 where it is absent.
func (s *scene) live() int64 {
	s.Helper()
	found, ok, err := unstructured.NestedInt64(s.get().Object, "spec", s.field)
	if err != nil {
		s.Fatal(err)
	}
	if !ok {
		return -1
	}
	return found
}

// floor waits until the field has the value.
func (s *scene) floor(wanted int) {
	s.Helper()
	kit.WaitFor(s, fmt.Sprintf("a floor of %d", wanted), patience, func() error {
		if found := s.live(); found != int64(wanted) {
			status, _ := forewarm.StatusOf(s.k, s.namespace, name)
			return fmt.Errorf("%s is %d; %s %s; %+v", s.field, found, status.LastDecision.Reason, status.LastDecision.Outcome, status.Conditions)
		}
		return nil
	})
}

// replicas waits until the scaler has carried the floor out.
func (s *scene) replicas(wanted int) {
	s.Helper()
	forewarm.WaitReplicas(s, s.k, s.namespace, name, wanted, patience)
}

// recorded is the annotation; "-" where there is none.
func (s *scene) recorded() string {
	s.Helper()
	if value, ok := s.get().GetAnnotations()[userFloor]; ok {
		return value
	}
	return "-"
}

// claim is what Forewarm owns of the object by its entry in managedFields; empty: there is no entry.
func (s *scene) claim() string {
	s.Helper()
	for _, entry := range s.get().GetManagedFields() {
		if entry.Manager == "forewarm" {
			return string(entry.FieldsV1.Raw)
		}
	}
	return ""
}

// unclaimed waits until our name is off the floor field.
func (s *scene) unclaimed() {
	s.Helper()
	kit.WaitFor(s, "no claim on the floor", patience, func() error {
		if claim := s.claim(); strings.Contains(claim, "f:spec") {
			return fmt.Errorf("we own %s", claim)
		}
		return nil
	})
}

// returned waits until the user's own value is back and nothing of ours is left.
func (s *scene) returned(own int) {
	s.Helper()
	s.floor(own)
	kit.WaitFor(s, "nothing of ours on the scaler", patience, func() error {
		if recorded, claim := s.recorded(), s.claim(); recorded != "-" || claim != "" {
			return fmt.Errorf("annotation %q, entry %q", recorded, claim)
		}
		return nil
	})
}

// still holds when for three ticks the floor does not move.
func (s *scene) still(why string, wanted int) {
	s.Helper()
	kit.Holds(s, why, threeTicks, func() error {
		if found := s.live(); found != int64(wanted) {
			return fmt.Errorf("%s is %d, not %d", s.field, found, wanted)
		}
		return nil
	})
}

// patch changes the scaler as its user.
func (s *scene) patch(spec string) {
	s.Helper()
	s.kubectl("patch", s.plural, name, "--type=merge", "--patch", `{"spec":`+spec+`}`)
}

func (s *scene) policy(spec string) {
	s.Helper()
	s.kubectl("patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":`+spec+`}`)
}

func (s *scene) kubectl(arguments ...string) {
	s.Helper()
	s.k.Kubectl(s, append([]string{"--namespace", s.namespace}, arguments...)...)
}

func (s *scene) condition(of, reason string, words ...string) {
	s.Helper()
	forewarm.WaitCondition(s, s.k, s.namespace, name, of, reason, patience, words...)
}

// falls are the values that Forewarm wrote, each unlike the one before.
func falls(s *scene, audit *kit.Audit) []int64 {
	s.Helper()
	return written(s, audit, kit.ByUser(forewarm.User))
}

// written are the values that the floor was given, by the audit log, each unlike the one before; -1 is none.
func written(s *scene, audit *kit.Audit, filters ...func(kit.Event) bool) (values []int64) {
	s.Helper()
	filters = append(filters, kit.Writes, kit.In(s.namespace), func(e kit.Event) bool {
		return e.ObjectRef.Resource == s.resource.Resource && e.ResponseStatus.Code < 300
	})
	events, err := audit.Events(filters...)
	if err != nil {
		s.Fatal(err)
	}
	for _, event := range events {
		var object struct{ Spec map[string]json.RawMessage }
		if json.Unmarshal(event.ResponseObject, &object) != nil || object.Spec == nil {
			continue // the answer to a delete
		}
		value := int64(-1)
		if text, ok := object.Spec[s.field]; ok {
			if value, err = strconv.ParseInt(string(text), 10, 64); err != nil {
				s.Fatal(err)
			}
		}
		if len(values) == 0 || values[len(values)-1] != value {
			values = append(values, value)
		}
	}
	return values
}
