package ownership

import (
	"slices"
	"sync"
	"testing"

	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// version is what one version of the Deployment shows.
type version struct{ replicas, ready int }

// collect keeps every version that a watch shows. A watch that ends before the test fails it: what it did not
// show might have been a dip.
func collect(t *testing.T, events watch.Interface) func() []version {
	var mutex sync.Mutex
	var versions []version
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for event := range events.ResultChan() {
			deployment, ok := event.Object.(*apps.Deployment)
			if !ok {
				return
			}
			mutex.Lock()
			versions = append(versions, version{int(*deployment.Spec.Replicas), int(deployment.Status.ReadyReplicas)})
			mutex.Unlock()
		}
	}()
	return func() []version {
		t.Helper()
		select {
		case <-ended:
			t.Fatal("the watch of the field ended")
		default:
		}
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(versions)
	}
}
