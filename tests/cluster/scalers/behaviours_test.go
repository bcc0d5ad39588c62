package scalers

import (
	"context"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"forewarm.dev/tests/cluster/forewarm"
)

// floorUp: the floor is raised with the user's own value recorded in the same write, our claim is dropped, and the
// scaler carries it out.
func floorUp(t *testing.T, of kind) {
	s := newScene(t, of)
	audit := s.k.AuditFromNow(t)
	s.enforce(6)
	s.floor(6)
	s.unclaimed()
	if recorded := s.recorded(); recorded != "2" {
		t.Errorf("the user's own floor is recorded as %q", recorded)
	}
	s.replicas(6)
	s.condition("Active", "Enforcing", "spec."+of.field)
	if found := falls(s, audit); len(found) != 1 || found[0] != 6 {
		t.Errorf("the floor was written as %v", found)
	}
}

// floorDown: what we hold comes down by at most a quarter at a time, to what is wanted.
func floorDown(t *testing.T, of kind) {
	s := taken(t, of, 8)
	s.replicas(8)
	s.k.WaitPods(t, s.namespace, "app="+name, 8, 2*patience)
	audit := s.k.AuditFromNow(t)
	s.policy(`{"floor":{"min":3}}`)
	s.floor(3)
	before := int64(8)
	for _, value := range falls(s, audit) {
		if fall := before - value; fall > max(1, before/4) {
			t.Errorf("a fall from %d to %d", before, value)
		}
		before = value
	}
	if recorded := s.recorded(); recorded != "2" {
		t.Errorf("the record became %q", recorded)
	}
}

func givenBack(t *testing.T, of kind) {
	t.Run("delete", func(t *testing.T) {
		t.Parallel()
		s := fieldTaken(t, of, 8)
		s.kubectl("delete", "functionpolicy", name)
		s.returned(2)
	})
	t.Run("shadow", func(t *testing.T) {
		t.Parallel()
		s := fieldTaken(t, of, 8)
		s.policy(`{"mode":"Shadow"}`)
		s.returned(2)
		s.still("in Shadow", 2)
	})
}

// userEditWins: a person's value stays until the record is taken off, and is then the user's own.
func userEditWins(t *testing.T, of kind) {
	s := fieldTaken(t, of, 6)
	s.unclaimed()
	s.patch(`{"` + of.field + `":4}`)
	s.condition("Conflict", "FieldTaken", "kubectl-patch")
	s.still("a person's value", 4)
	s.kubectl("annotate", of.plural, name, userFloor+"-")
	s.floor(6)
	if recorded := s.recorded(); recorded != "4" {
		t.Errorf("the user's own floor is recorded as %q", recorded)
	}
}

func pauseHonoured(t *testing.T, of kind) {
	s := fieldTaken(t, of, 6)
	s.kubectl("annotate", "functionpolicy", name, "forewarm.dev/paused=true")
	s.condition("Active", "Paused")
	s.policy(`{"floor":{"min":9}}`)
	s.still("a pause", 6)
	s.kubectl("annotate", "functionpolicy", name, "forewarm.dev/paused-")
	s.floor(9)
}

func twoScalers(t *testing.T, of kind, other func(s *scene) forewarm.Object) {
	s := fieldScene(t, of)
	s.k.Apply(t, other(s).JSON())
	s.enforce(6)
	s.condition("Conflict", "Scaler", " and ")
	s.still("two scalers", 2)
}

// railRefuses: with the operator's own token everything but the floor is refused, and a floor that falls far.
func railRefuses(t *testing.T, of kind) {
	s := fieldTaken(t, of, 12)
	s.unclaimed()
	s.kubectl("annotate", "functionpolicy", name, "forewarm.dev/paused=true")
	operator := forewarm.Operator(t, s.k).Resource(s.resource).Namespace(s.namespace)
	try := func(patch string) error {
		_, err := operator.Patch(context.Background(), name, types.JSONPatchType, []byte(patch), meta.PatchOptions{FieldManager: "forewarm"})
		return err
	}
	at := "/spec/" + of.field
	for what, row := range map[string]struct{ patch, words string }{
		"a far fall":        {`[{"op":"replace","path":"` + at + `","value":5}]`, "at most a quarter"},
		"under the own":     {`[{"op":"replace","path":"` + at + `","value":1}]`, "denied request"},
		"the maximum":       {`[{"op":"add","path":"/spec/` + s.maximum() + `","value":99}]`, "may change only spec." + of.field},
		"a label":           {`[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]`, "only the annotation"},
		"a lying record":    {`[{"op":"replace","path":"` + at + `","value":13},{"op":"replace","path":"/metadata/annotations/forewarm.dev~1user-floor","value":"12"}]`, "only when another manager"},
		"a wrong give-back": {`[{"op":"replace","path":"` + at + `","value":4},{"op":"remove","path":"/metadata/annotations/forewarm.dev~1user-floor"}]`, "restore the value recorded"},
	} {
		if err := try(row.patch); err == nil || !strings.Contains(err.Error(), row.words) {
			t.Errorf("%s: %v, not %q", what, err, row.words)
		}
	}
	if err := try(`[{"op":"replace","path":"` + at + `","value":13}]`); err != nil {
		t.Errorf("a raise: %v", err)
	}
}

func (s *scene) maximum() string {
	return strings.Replace(s.field, "min", "max", 1)
}
