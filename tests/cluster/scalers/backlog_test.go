package scalers

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// queue is the page of a broker: how many items wait for the function, and for how long the oldest of them has.
type queue struct {
	namespace string
	mutex     sync.Mutex
	items     int
	// age of the oldest, in seconds; none below zero.
	age int
}

const queuePage = bed.NodeIP + ":9912"

// openQueue has Prometheus scrape the page until the test ends.
func openQueue(t *testing.T, k *kit.Kit, namespace string) *queue {
	t.Helper()
	q := &queue{namespace: namespace, age: -1}
	listener, err := net.Listen("tcp", queuePage)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(q.metrics)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	if err := k.Prometheus.Configure(bed.Scrape{Pages: []string{queuePage}}); err != nil {
		t.Fatal(err)
	}
	return q
}

func (q *queue) metrics(w http.ResponseWriter, _ *http.Request) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	labels := fmt.Sprintf("{namespace=%q,workload=%q}", q.namespace, name)
	fmt.Fprintf(w, "# TYPE queue_items gauge\nqueue_items%s %d\n", labels, q.items)
	if q.age >= 0 {
		fmt.Fprintf(w, "# TYPE queue_oldest_seconds gauge\nqueue_oldest_seconds%s %d\n", labels, q.age)
	}
}

// holds is what the page tells from now on; an age below zero is none.
func (q *queue) holds(items, age int) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.items, q.age = items, age
}

// queueProfile is a backlog that is to be worked off within a minute.
func queueProfile() forewarm.Object {
	return forewarm.Profile().With("metadata.name", "queue").With("spec", forewarm.Map{
		"unit": "Backlog", "drainSeconds": 60, "scrapeSeconds": 2,
		"query":    "sum by (namespace, workload) (queue_items)",
		"ageQuery": "max by (namespace, workload) (queue_oldest_seconds)",
		"join":     forewarm.Map{"by": "Workload", "namespaceLabel": "namespace", "nameLabel": "workload"},
	})
}

// A backlog of a queue, an item a second and pod: as many pods as work it off in what is left of its time, no fewer while
// its age is not known, the ceiling told, and the floor down again once it is empty.
func Test_alone_backlog(t *testing.T) {
	t.Parallel()
	l := newLone(t, func(namespace string) forewarm.Object { return forewarm.Function(namespace, name, 1) })
	queue := openQueue(t, l.k, l.namespace)
	l.k.Apply(t, queueProfile().JSON())
	queue.holds(180, 0)
	l.k.Apply(t, forewarm.Enforce(l.namespace, name).With("spec.floor.max", 8).
		With("spec.demand", forewarm.Map{"profile": "queue", "perReplica": "1", "utilizationPercent": 100}).JSON())
	l.replicas(3)
	queue.holds(180, 30)
	l.replicas(6)
	queue.holds(180, 50)
	l.replicas(8)
	l.condition("Backpressure", "CeilingBinds")
	queue.holds(60, -1)
	l.condition("MetricsTrusted", "Incomplete")
	kit.Holds(t, "eight replicas while the age is not known", threeTicks, func() error {
		found, err := forewarm.Replicas(l.k, l.namespace, name)
		if err == nil && found != 8 {
			err = fmt.Errorf("%d replicas", found)
		}
		return err
	})
	queue.holds(0, -1)
	l.replicas(1)
}
