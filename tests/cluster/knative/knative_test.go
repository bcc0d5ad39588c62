package knative

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	name     = "f"
	minScale = "autoscaling.knative.dev/min-scale"
)

var (
	services  = serving.WithResource("services")
	revisions = serving.WithResource("revisions")
)

var serving = schema.GroupVersion{Group: "serving.knative.dev", Version: "v1"}

// scene is a Knative Service in an enrolled namespace.
type scene struct {
	*testing.T
	k         *kit.Kit
	namespace string
}

// newScene applies a Service whose template has a floor of so many pods, and waits for its first revision. Further
// annotations of the template come as key and value by turns.
func newScene(t *testing.T, floor string, more ...string) *scene {
	t.Helper()
	k := kit.Of(t)
	s := &scene{T: t, k: k, namespace: forewarm.Enrolled(t, k)}
	annotations := forewarm.Map{}
	for at := 0; at+1 < len(more); at += 2 {
		annotations[more[at]] = more[at+1]
	}
	if floor != "" {
		annotations[minScale] = floor
	}
	k.Apply(t, forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service",
		"metadata": forewarm.Map{"namespace": s.namespace, "name": name},
		"spec": forewarm.Map{"template": forewarm.Map{
			"metadata": forewarm.Map{"annotations": annotations},
			"spec": forewarm.Map{"containerConcurrency": 10, "containers": []forewarm.Map{{
				"image": forewarm.FunctionImage, "imagePullPolicy": "Never", "ports": []forewarm.Map{{"containerPort": 8080}},
				"resources": forewarm.Map{"requests": forewarm.Map{"cpu": "5m", "memory": "8Mi"}},
			}}},
		}},
	}).JSON())
	kit.WaitFor(t, "a revision that takes the traffic", patience, func() error {
		found, err := k.Dynamic.Resource(services).Namespace(s.namespace).Get(context.Background(), name, meta.GetOptions{})
		if err != nil {
			return err
		}
		traffic, _, err := unstructured.NestedSlice(found.Object, "status", "traffic")
		takes := func(share any) bool { return share.(map[string]any)["revisionName"] != nil }
		if err == nil && !slices.ContainsFunc(traffic, takes) {
			err = fmt.Errorf("traffic is %v", traffic)
		}
		return err
	})
	return s
}

func (s *scene) enforce(floor int) {
	s.Helper()
	policy := forewarm.Enforce(s.namespace, name).With("spec.floor.max", 20).With("spec.floor.min", floor).
		With("spec.targetRef", forewarm.Map{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name}).
		With("spec.demand", forewarm.Map{"profile": forewarm.ProfileName})
	s.k.Apply(s, policy.JSON())
}

func (s *scene) revision() *unstructured.Unstructured {
	s.Helper()
	found, err := s.k.Dynamic.Resource(revisions).Namespace(s.namespace).List(context.Background(), meta.ListOptions{})
	if err != nil || len(found.Items) != 1 {
		s.Fatalf("one revision: %v, %v", found, err)
	}
	return &found.Items[0]
}

// floor waits until the revision's annotation has the value; empty: there is none.
func (s *scene) floor(wanted string) {
	s.Helper()
	kit.WaitFor(s, "a floor of "+wanted, patience, func() error {
		if found := s.revision().GetAnnotations()[minScale]; found != wanted {
			status, _ := forewarm.StatusOf(s.k, s.namespace, name)
			return fmt.Errorf("%s is %q; %s %s; %+v", minScale, found, status.LastDecision.Reason, status.LastDecision.Outcome, status.Conditions)
		}
		return nil
	})
}

// floorOf waits until a revision that is picked has the value.
func (s *scene) floorOf(pick func(name string) bool, wanted string) {
	s.Helper()
	kit.WaitFor(s, "a floor of "+wanted, patience, func() error {
		found, err := s.k.Dynamic.Resource(revisions).Namespace(s.namespace).List(context.Background(), meta.ListOptions{})
		if err != nil {
			return err
		}
		for _, revision := range found.Items {
			if pick(revision.GetName()) && revision.GetAnnotations()[minScale] == wanted {
				return nil
			}
		}
		return fmt.Errorf("of %d revisions none has it", len(found.Items))
	})
}

// unowned waits until nothing of ours is noted on the revision.
func (s *scene) unowned() {
	s.Helper()
	kit.WaitFor(s, "no entry of ours", patience, func() error {
		for _, entry := range s.revision().GetManagedFields() {
			if entry.Manager == "forewarm" {
				return fmt.Errorf("entry %s", entry.FieldsV1.Raw)
			}
		}
		return nil
	})
}

func (s *scene) still(why, wanted string) {
	s.Helper()
	kit.Holds(s, why, threeTicks, func() error {
		if found := s.revision().GetAnnotations()[minScale]; found != wanted {
			return fmt.Errorf("%s is %q", minScale, found)
		}
		return nil
	})
}

// replicas waits for the Deployment that Knative scales.
func (s *scene) replicas(wanted int) {
	s.Helper()
	forewarm.WaitReplicas(s, s.k, s.namespace, s.revision().GetName()+"-deployment", wanted, patience)
}

func (s *scene) kubectl(arguments ...string) {
	s.Helper()
	s.k.Kubectl(s, append([]string{"--namespace", s.namespace}, arguments...)...)
}

func (s *scene) uids() (found []string) {
	s.Helper()
	pods, err := s.k.Typed.CoreV1().Pods(s.namespace).List(context.Background(), meta.ListOptions{})
	if err != nil {
		s.Fatal(err)
	}
	for _, pod := range pods.Items {
		found = append(found, string(pod.UID))
	}
	slices.Sort(found)
	return found
}

// The floor is raised on the revision and carried out; nothing is rolled: no revision is made, and the pods that were
// there stay.
func Test_knative_floor_up_and_nothing_rolled(t *testing.T) {
	t.Parallel()
	s := newScene(t, "2")
	s.replicas(2)
	s.k.WaitPods(t, s.namespace, "serving.knative.dev/service="+name, 2, patience)
	before, revision := s.uids(), s.revision().GetUID()
	s.enforce(4)
	s.floor("4")
	s.replicas(4)
	s.k.WaitPods(t, s.namespace, "serving.knative.dev/service="+name, 4, patience)
	after := s.uids()
	for _, uid := range before {
		if !slices.Contains(after, uid) {
			t.Errorf("pod %s of %v is gone: %v", uid, before, after)
		}
	}
	if s.revision().GetUID() != revision {
		t.Error("another revision was made")
	}
	for key := range s.revision().GetAnnotations() {
		if strings.Contains(key, "forewarm") {
			t.Errorf("annotation %s is on the revision: it would roll the pods", key)
		}
	}
}

func Test_knative_given_back(t *testing.T) {
	t.Parallel()
	for what, leave := range map[string]func(s *scene){
		"delete": func(s *scene) { s.kubectl("delete", "functionpolicy", name) },
		"shadow": func(s *scene) {
			s.kubectl("patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":{"mode":"Shadow"}}`)
		},
	} {
		for _, own := range []string{"", "2"} {
			t.Run(what+" to "+own, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, own)
				s.enforce(4)
				s.floor("4")
				leave(s)
				s.floor(own)
				s.unowned()
				s.still("given back", own)
			})
		}
	}
}

func Test_knative_user_edit_wins(t *testing.T) {
	t.Parallel()
	s := newScene(t, "")
	s.enforce(3)
	s.floor("3")
	s.kubectl("annotate", "--overwrite", "revision", s.revision().GetName(), minScale+"=2")
	forewarm.WaitCondition(s, s.k, s.namespace, name, "Conflict", "FieldTaken", patience)
	s.still("a person's value", "2")
	s.kubectl("patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":{"floor":{"min":4}}}`)
	s.floor("4")
}

func Test_knative_pause_honoured(t *testing.T) {
	t.Parallel()
	s := newScene(t, "")
	s.enforce(2)
	s.floor("2")
	s.kubectl("annotate", "functionpolicy", name, "forewarm.dev/paused=true")
	forewarm.WaitCondition(s, s.k, s.namespace, name, "Active", "Paused", patience)
	s.kubectl("patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":{"floor":{"min":4}}}`)
	s.still("a pause", "2")
}

func Test_knative_rail_refuses(t *testing.T) {
	t.Parallel()
	s := newScene(t, "")
	s.enforce(4)
	s.floor("4")
	s.kubectl("annotate", "functionpolicy", name, "forewarm.dev/paused=true")
	operator := forewarm.Operator(t, s.k).Resource(revisions).Namespace(s.namespace)
	try := func(patch string) error {
		_, err := operator.Patch(context.Background(), s.revision().GetName(), types.JSONPatchType, []byte(patch), meta.PatchOptions{FieldManager: "forewarm"})
		return err
	}
	at := "/metadata/annotations/autoscaling.knative.dev~1min-scale"
	for what, row := range map[string]struct{ patch, words string }{
		"a far fall":         {`[{"op":"replace","path":"` + at + `","value":"2"}]`, "at most a quarter"},
		"no number":          {`[{"op":"replace","path":"` + at + `","value":"abc"}]`, ""},
		"another annotation": {`[{"op":"add","path":"/metadata/annotations/a","value":"b"}]`, "may change only the annotation"},
		"a label":            {`[{"op":"add","path":"/metadata/labels/a","value":"b"}]`, "may change only the annotation"},
	} {
		if err := try(row.patch); err == nil || !strings.Contains(err.Error(), row.words) {
			t.Errorf("%s: %v, not %q", what, err, row.words)
		}
	}
	if err := try(`[{"op":"replace","path":"` + at + `","value":"5"}]`); err != nil {
		t.Errorf("a raise: %v", err)
	}
}
