package forewarm

import (
	"encoding/json"
	"strings"
)

// Map is a manifest, or a part of one.
type Map map[string]any

// Object is a manifest to be changed field by field and applied.
type Object struct{ fields Map }

// ObjectOf makes an object of its fields.
func ObjectOf(fields Map) Object { return Object{fields} }

// With sets a field, named by its path as in "spec.floor.min", and returns the object. A nil value takes it out.
func (o Object) With(path string, value any) Object {
	parts := strings.Split(path, ".")
	at := o.fields
	for _, part := range parts[:len(parts)-1] {
		next, ok := at[part].(Map)
		if !ok {
			next = Map{}
			at[part] = next
		}
		at = next
	}
	last := parts[len(parts)-1]
	if value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	return o
}

// At is the field at a path; nil where there is none.
func (o Object) At(path string) any {
	var at any = o.fields
	for _, part := range strings.Split(path, ".") {
		fields, ok := at.(Map)
		if !ok {
			return nil
		}
		at = fields[part]
	}
	return at
}

// JSON is the manifest; JSON is YAML too.
func (o Object) JSON() string {
	text, err := json.Marshal(o.fields)
	if err != nil {
		panic(err) // maps, strings and numbers only
	}
	return string(text)
}

// Policy is a policy of the same name as its target, a Deployment: Shadow, at most 10 pods, 10 calls in flight for
// each pod, read with the test function's profile, and no waiting on the way down.
func Policy(namespace, name string) Object {
	return Object{Map{
		"apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
		"metadata": Map{"namespace": namespace, "name": name},
		"spec": Map{
			"targetRef": Map{"name": name},
			"floor":     Map{"max": 10},
			"scaleDown": Map{"stabilizationSeconds": 0, "stepPercent": 25, "stepSeconds": 1},
			"demand":    Map{"profile": ProfileName, "perReplica": "10", "utilizationPercent": 100},
		},
	}}
}

// Enforce is such a policy that may write.
func Enforce(namespace, name string) Object {
	return Policy(namespace, name).With("spec.mode", "Enforce")
}

// ProfileName is the demand profile of the test function.
const ProfileName = "test-function"

// Profile reads the test function's calls in flight, and their peak between two scrapes.
func Profile() Object {
	return Object{Map{
		"apiVersion": "forewarm.dev/v1alpha1", "kind": "DemandProfile",
		"metadata": Map{"name": ProfileName},
		"spec": Map{
			"unit":          "Concurrency",
			"query":         "sum by (namespace, pod) (function_inflight_requests)",
			"peakQuery":     "sum by (namespace, pod) (max_over_time(function_inflight_requests_peak[1m]))",
			"join":          Map{"by": "Pod", "namespaceLabel": "namespace", "nameLabel": "pod"},
			"scrapeSeconds": 2,
		},
	}}
}
