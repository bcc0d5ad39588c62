package forewarm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"forewarm.dev/tests/cluster/kit"
)

// Policies is the resource of the policies.
var Policies = schema.GroupVersionResource{Group: "forewarm.dev", Version: "v1alpha1", Resource: "functionpolicies"}

// Status is the status of a policy, as far as tests read it.
type Status struct {
	ObservedGeneration int64
	Mode               string
	Floor              struct {
		User, Held, Wanted *int
		UserFrom, BoundBy  string
	}
	Forecast     struct{ Model string }
	LastDecision struct {
		ID, Outcome, Reason string
		Time                time.Time
	}
	StandAside *struct{ By, Why string }
	Conditions []Condition
}

// Condition is one condition of a status.
type Condition struct {
	Type, Status, Reason, Message string
	ObservedGeneration            int64
	LastTransitionTime            time.Time
}

// Condition returns the condition of a type; the zero value where there is none yet.
func (s Status) Condition(kind string) Condition {
	for _, condition := range s.Conditions {
		if condition.Type == kind {
			return condition
		}
	}
	return Condition{}
}

// StatusOf reads a policy's status. One that was never written is the zero value.
func StatusOf(k *kit.Kit, namespace, name string) (Status, error) {
	var status Status
	found, err := k.Dynamic.Resource(Policies).Namespace(namespace).Get(context.Background(), name, meta.GetOptions{})
	if err != nil {
		return status, err
	}
	text, err := json.Marshal(found.Object["status"])
	if err != nil {
		return status, err
	}
	return status, json.Unmarshal(text, &status)
}

// WaitCondition waits until a condition has a reason and a message with all the words given, and returns it.
func WaitCondition(t testing.TB, k *kit.Kit, namespace, name, kind, reason string, deadline time.Duration, words ...string) Condition {
	t.Helper()
	var found Condition
	what := fmt.Sprintf("%s %s of %s/%s with %q", kind, reason, namespace, name, words)
	kit.WaitFor(t, what, deadline, func() error {
		status, err := StatusOf(k, namespace, name)
		if err != nil {
			return err
		}
		if found = status.Condition(kind); found.Reason != reason {
			return fmt.Errorf("it is %s %s: %s", found.Status, found.Reason, found.Message)
		}
		for _, word := range words {
			if !strings.Contains(found.Message, word) {
				return fmt.Errorf("no %q in: %s", word, found.Message)
			}
		}
		return nil
	})
	return found
}
