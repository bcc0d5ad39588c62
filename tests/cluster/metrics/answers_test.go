package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/kit"
)

// answers are what Prometheus says about one function, asked ten times a second: the moments from which the
// operator could have known.
type answers struct {
	address string
	client  http.Client

	mutex sync.Mutex
	all   []answer
}

// answer is one of them.
type answer struct {
	// asked is when the question was sent. What it found was there at that moment or up to a tenth of a second before.
	asked time.Time
	err   error
	pods  int
	calls float64
}

func ask(t *testing.T, k *kit.Kit, namespace string) *answers {
	query := fmt.Sprintf("sum by (pod) (function_inflight_requests{namespace=%q})", namespace)
	a := &answers{
		address: k.Prometheus.URL() + "/api/v1/query?" + url.Values{"query": {query}}.Encode(),
		client:  http.Client{Timeout: time.Second},
	}
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asking.Go(func() { a.ask(ctx) })
	t.Cleanup(func() {
		stop()
		asking.Wait()
	})
	return a
}

func (a *answers) ask(ctx context.Context) {
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		found := a.once()
		a.mutex.Lock()
		a.all = append(a.all, found)
		a.mutex.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (a *answers) once() answer {
	found := answer{asked: time.Now()}
	response, err := a.client.Get(a.address)
	if err != nil {
		found.err = err
		return found
	}
	defer response.Body.Close()
	var body struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	found.err = json.NewDecoder(response.Body).Decode(&body)
	if found.err == nil && response.StatusCode != http.StatusOK {
		found.err = fmt.Errorf("%s", response.Status)
	}
	found.pods = len(body.Data.Result)
	for _, series := range body.Data.Result {
		text, _ := series.Value[1].(string)
		calls, _ := strconv.ParseFloat(text, 64)
		found.calls += calls
	}
	return found
}

// first waits for the first answer, of those asked since a moment, that is as wanted.
func (a *answers) first(t *testing.T, what string, since time.Time, wanted func(answer) bool) answer {
	t.Helper()
	var found answer
	kit.WaitFor(t, what, patience, func() error {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		for _, found = range a.all {
			if !found.asked.Before(since) && wanted(found) {
				return nil
			}
		}
		return fmt.Errorf("the last of %d answers: %d pods, %v calls, %v", len(a.all), found.pods, found.calls, found.err)
	})
	return found
}

func down(a answer) bool { return a.err != nil }

func nothing(a answer) bool { return a.err == nil && a.pods == 0 }

func ofPods(pods int) func(answer) bool {
	return func(a answer) bool { return a.err == nil && a.pods == pods }
}

func ofCalls(pods int, calls float64) func(answer) bool {
	return func(a answer) bool { return ofPods(pods)(a) && a.calls == calls }
}

func moreThan(pods int, calls float64) func(answer) bool {
	return func(a answer) bool { return ofPods(pods)(a) && a.calls > calls }
}
