//go:build long

package wakeup

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
)

// gateway stands before a function that may have no pod: it holds a call until one takes it, and tells Prometheus how
// many calls it holds or has under way, as KEDA's HTTP add-on and ingresses do.
type gateway struct {
	// page is the address of its metrics.
	page      string
	namespace atomic.Value
	calls     atomic.Int64
}

const inFlight = "gateway_calls_in_flight"

// openGateway serves the page until the test ends.
func openGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{page: bed.NodeIP + ":9911"}
	g.namespace.Store("")
	listener, err := net.Listen("tcp", g.page)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(g.metrics)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return g
}

func (g *gateway) metrics(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "# TYPE %s gauge\n%s{namespace=%q,workload=%q} %d\n", inFlight, inFlight, g.namespace.Load(), name, g.calls.Load())
}

// call sends one call until a pod has answered it.
func (g *gateway) call(ctx context.Context, url string) error {
	g.calls.Add(1)
	defer g.calls.Add(-1)
	for {
		err := get(ctx, url)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// get sends one request on a connection of its own. An answer that is not 200 is an error.
func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", answer.Status)
	}
	return err
}
