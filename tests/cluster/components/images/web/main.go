// Command web is a very small function for proving the bed itself: it answers, counts and can be slow to start.
//
// STARTUP_MS before it is ready, WORK_MS for a request, CONCURRENCY requests at a time (0: no limit). The answer's
// header X-Queue-Ms says how long the request waited for its turn.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

func number(name string) int {
	value, _ := strconv.Atoi(os.Getenv(name))
	return value
}

func millis(name string) time.Duration { return time.Duration(number(name)) * time.Millisecond }

type web struct {
	work     time.Duration
	turns    chan struct{}
	inFlight atomic.Int64
	requests atomic.Int64
}

func (w *web) serve(out http.ResponseWriter, _ *http.Request) {
	w.requests.Add(1)
	w.inFlight.Add(1)
	defer w.inFlight.Add(-1)
	arrived := time.Now()
	if w.turns != nil {
		w.turns <- struct{}{}
		defer func() { <-w.turns }()
	}
	out.Header().Set("X-Queue-Ms", strconv.FormatInt(time.Since(arrived).Milliseconds(), 10))
	time.Sleep(w.work)
	fmt.Fprintln(out, "ok")
}

func (w *web) metrics(out http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(out, "# TYPE web_in_flight gauge\nweb_in_flight %d\n", w.inFlight.Load())
	fmt.Fprintf(out, "# TYPE web_requests_total counter\nweb_requests_total %d\n", w.requests.Load())
}

// fetch answers with what the pod itself gets from a URL.
func fetch(out http.ResponseWriter, in *http.Request) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(in.URL.Query().Get("url"))
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	out.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(out, answer.Body)
}

func main() {
	w := &web{work: millis("WORK_MS")}
	if limit := number("CONCURRENCY"); limit > 0 {
		w.turns = make(chan struct{}, limit)
	}
	time.Sleep(millis("STARTUP_MS"))
	http.HandleFunc("/", w.serve)
	http.HandleFunc("/fetch", fetch)
	http.HandleFunc("/metrics", w.metrics)
	http.HandleFunc("/healthz", func(out http.ResponseWriter, _ *http.Request) { fmt.Fprintln(out, "ok") })
	log.Print("serving on :8080")
	log.Fatal(http.ListenAndServe(":8080", nil))
}
