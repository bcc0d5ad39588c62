package forewarm

import (
	"encoding/json"
	"time"

	"forewarm.dev/tests/cluster/kit"
)

// FloorWrite is an accepted write of a Deployment, of its scale or of itself, by anybody.
type FloorWrite struct {
	kit.Event
	// To is spec.replicas after it.
	To int
}

// FloorWrites are the accepted writes that could move a Deployment's replicas, in the order of the audit log. Unlike
// a watch it misses none.
func FloorWrites(audit *kit.Audit, namespace, name string) ([]FloorWrite, error) {
	var writes []FloorWrite
	events, err := accepted(audit, namespace, name, "deployments", "", "scale")
	for _, event := range events {
		var object struct{ Spec struct{ Replicas int } }
		if err := json.Unmarshal(event.ResponseObject, &object); err != nil {
			return nil, err
		}
		writes = append(writes, FloorWrite{Event: event, To: object.Spec.Replicas})
	}
	return writes, err
}

// Ours tells whether the operator made the write.
func (w FloorWrite) Ours() bool { return w.User.Username == User }

// StatusWrite is an accepted write of a policy's status.
type StatusWrite struct {
	// Time at which the API server had answered it.
	Time time.Time
	// Status after it.
	Status Status
}

// StatusWrites are the accepted writes of a policy's status, in the order of the audit log.
func StatusWrites(audit *kit.Audit, namespace, name string) ([]StatusWrite, error) {
	var writes []StatusWrite
	events, err := accepted(audit, namespace, name, Policies.Resource, "status")
	for _, event := range events {
		var object struct{ Status Status }
		if err := json.Unmarshal(event.ResponseObject, &object); err != nil {
			return nil, err
		}
		writes = append(writes, StatusWrite{Time: event.StageTimestamp, Status: object.Status})
	}
	return writes, err
}

func accepted(audit *kit.Audit, namespace, name, resource string, subresources ...string) ([]kit.Event, error) {
	return audit.Events(kit.Writes, kit.In(namespace), func(e kit.Event) bool {
		object, code := e.ObjectRef, e.ResponseStatus.Code
		if object.Resource != resource || object.Name != name || code < 200 || code > 299 {
			return false
		}
		for _, subresource := range subresources {
			if object.Subresource == subresource {
				return true
			}
		}
		return false
	})
}
