package ownership

import (
	"slices"
	"sync"
	"testing"

	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// collect keeps spec.replicas of every version that a watch shows. A watch that ends before the test fails it: what
// it did not show might have been a dip.
func collect(t *testing.T, events watch.Interface) func() []int {
	var mutex sync.Mutex
	var values []int
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for event := range events.ResultChan() {
			deployment, ok := event.Object.(*apps.Deployment)
			if !ok {
				return
			}
			mutex.Lock()
			values = append(values, int(*deployment.Spec.Replicas))
			mutex.Unlock()
		}
	}()
	return func() []int {
		t.Helper()
		select {
		case <-ended:
			t.Fatal("the watch of the field ended")
		default:
		}
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(values)
	}
}
