package ownership

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// name of the function and of its policy; each scene has a namespace of its own.
const name = "f"

// scene is one function in an enrolled namespace, with what is known of its past.
type scene struct {
	*testing.T
	k         *kit.Kit
	namespace string
	log       *forewarm.Log
	audit     *kit.Audit
}

func newScene(t *testing.T) *scene {
	t.Helper()
	k := kit.Of(t)
	return &scene{T: t, k: k, namespace: forewarm.Enrolled(t, k), log: forewarm.FollowLog(t, k), audit: k.AuditFromNow(t)}
}

// function is a Deployment whose pods nobody schedules: these tests look at the field.
func (s *scene) function(replicas int) forewarm.Object {
	return forewarm.Unscheduled(forewarm.Function(s.namespace, name, replicas))
}

// real is a Deployment whose pods do run.
func (s *scene) real(replicas int) forewarm.Object {
	return forewarm.Function(s.namespace, name, replicas)
}

// enforce applies a policy that wants so many pods, whatever the demand.
func (s *scene) enforce(floor int) {
	s.Helper()
	s.k.Apply(s, forewarm.Enforce(s.namespace, name).With("spec.floor.min", floor).JSON())
}

// change edits a part of the policy's spec.
func (s *scene) change(spec string) {
	s.Helper()
	s.k.Kubectl(s, "--namespace", s.namespace, "patch", "functionpolicy", name, "--type=merge", "--patch", `{"spec":`+spec+`}`)
}

func (s *scene) scaled(wanted int) {
	s.Helper()
	forewarm.WaitReplicas(s, s.k, s.namespace, name, wanted, patience)
}

// condition waits until a condition of the policy has a reason and all the words.
func (s *scene) condition(kind, reason string, words ...string) forewarm.Condition {
	s.Helper()
	return forewarm.WaitCondition(s, s.k, s.namespace, name, kind, reason, patience, words...)
}

// userFloor waits until the status holds the user's own floor, and how it is known.
func (s *scene) userFloor(wanted int, from string) {
	s.Helper()
	kit.WaitFor(s, fmt.Sprintf("the user's own floor %d from %s", wanted, from), patience, func() error {
		status, err := forewarm.StatusOf(s.k, s.namespace, name)
		if err != nil {
			return err
		}
		if user := status.Floor.User; user == nil || *user != wanted || status.Floor.UserFrom != from {
			return fmt.Errorf("it is %s from %q", number(user), status.Floor.UserFrom)
		}
		return nil
	})
}

func number(n *int) string {
	if n == nil {
		return "absent"
	}
	return fmt.Sprint(*n)
}

// decided waits for a line of the decision log about the function whose field verdict has all the words.
func (s *scene) decided(since time.Time, words ...string) forewarm.Line {
	s.Helper()
	return s.log.Wait(s, fmt.Sprintf("a decision on field %q", words), patience, forewarm.Is(forewarm.Decision),
		forewarm.About(s.namespace, name), forewarm.Since(since), func(l forewarm.Line) bool {
			for _, word := range words {
				if !strings.Contains(string(l.Output.Field), word) {
					return false
				}
			}
			return true
		})
}

// write is one accepted request on the Deployment or its scale.
type write struct {
	user string
	at   time.Time
	to   int
}

// writes lists what was written to the function since the scene began, by anybody, in the audit log's order.
func (s *scene) writes(filters ...func(kit.Event) bool) []write {
	s.Helper()
	filters = append(filters, kit.Writes, kit.In(s.namespace), func(e kit.Event) bool {
		of := e.ObjectRef.Resource == "deployments" && e.ObjectRef.Name == name
		return of && e.ObjectRef.Subresource != "status" && e.ResponseStatus.Code < 300
	})
	events, err := s.audit.Events(filters...)
	if err != nil {
		s.Fatal(err)
	}
	var found []write
	for _, event := range events {
		var object struct {
			Spec struct{ Replicas int }
		}
		// A status or an answer without a spec has no replicas.
		_ = json.Unmarshal(event.ResponseObject, &object)
		found = append(found, write{user: event.User.Username, at: event.RequestReceivedTimestamp, to: object.Spec.Replicas})
	}
	return found
}

// own lists Forewarm's writes to the function.
func (s *scene) own() []write {
	s.Helper()
	return s.writes(kit.ByUser(forewarm.User))
}

// still holds when for three ticks neither the field moves nor Forewarm writes anything to it.
func (s *scene) still(why string, replicas int) {
	s.Helper()
	before := len(s.own())
	kit.Holds(s, why, threeTicks, func() error {
		found, err := forewarm.Replicas(s.k, s.namespace, name)
		if err == nil && found != replicas {
			err = fmt.Errorf("spec.replicas is %d, not %d", found, replicas)
		}
		return err
	})
	if after := s.own(); len(after) != before {
		s.Fatalf("%s: Forewarm wrote %+v", why, after[before:])
	}
}

// watch follows every version of the Deployment until the test ends; the function returned gives those so far.
func (s *scene) watch() func() []version {
	s.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s.Cleanup(stop)
	client := s.k.Typed.AppsV1().Deployments(s.namespace)
	list, err := client.List(ctx, meta.ListOptions{})
	if err != nil {
		s.Fatal(err)
	}
	events, err := client.Watch(ctx, meta.ListOptions{ResourceVersion: list.ResourceVersion, FieldSelector: "metadata.name=" + name})
	if err != nil {
		s.Fatal(err)
	}
	return collect(s.T, events)
}

// uid of the function, to prove that nobody made it anew.
func (s *scene) uid() types.UID {
	s.Helper()
	found, err := s.k.Typed.AppsV1().Deployments(s.namespace).Get(context.Background(), name, meta.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return found.UID
}
