package load

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Plan says what to send.
type Plan struct {
	URL    string
	Rate   Rate
	Length time.Duration
	// Begin is when it begins, now where it is zero.
	Begin time.Time
	// Even spaces requests evenly; otherwise they come as a Poisson process does, from Seed.
	Even bool
	Seed uint64
	// KeepAlive reuses connections. Otherwise each request has a fresh one, so that each is balanced anew and a new
	// pod gets its share at once.
	KeepAlive bool
	// Timeout of one request; zero means 60 s.
	Timeout time.Duration
}

// Shot is what became of one request.
type Shot struct {
	// Due is when it had to be sent, Sent when it was: the difference is the generator's own lateness.
	Due, Sent time.Time
	// Took is from Due to the end of the answer.
	Took time.Duration
	// Status is 0 where no answer came.
	Status int
	// Queue is how long the function says that it let the request wait (X-Queue-Ms); Pod is who answered (X-Pod).
	Queue time.Duration
	Pod   string
	// Refused: no connection, because nobody listened.
	Refused bool
	Err     error
}

// Late tells whether a user had to wait for his request to start: it queued for longer than the limit, or nobody
// took it.
func (s Shot) Late(limit time.Duration) bool { return s.Refused || s.Queue > limit }

// Running is a plan at work.
type Running struct {
	cancel context.CancelFunc
	done   chan struct{}

	mutex sync.Mutex
	shots []Shot
}

// Start begins to send and returns at once.
func Start(ctx context.Context, plan Plan) *Running {
	ctx, cancel := context.WithCancel(ctx)
	r := &Running{cancel: cancel, done: make(chan struct{})}
	go r.run(ctx, plan)
	return r
}

// Run sends the whole plan and waits for the last answer.
func Run(ctx context.Context, plan Plan) Report { return Start(ctx, plan).Wait() }

// Wait waits for the end of the plan and the last answer.
func (r *Running) Wait() Report {
	<-r.done
	r.cancel()
	return r.Report()
}

// Stop sends nothing more and waits for the answers that are due.
func (r *Running) Stop() Report {
	r.cancel()
	return r.Wait()
}

// Report is what is known so far.
func (r *Running) Report() Report {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return Report{Shots: append([]Shot(nil), r.shots...)}
}

func (r *Running) run(ctx context.Context, plan Plan) {
	defer close(r.done)
	client := plan.client()
	next := arrivals(plan.Rate, plan.Length, plan.random())
	begin := plan.Begin
	if begin.IsZero() {
		begin = time.Now()
	}
	var flying sync.WaitGroup
	defer flying.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for after, ok := next(); ok; after, ok = next() {
		due := begin.Add(after)
		timer.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		flying.Go(func() {
			shot := shoot(client, plan.URL, due)
			r.mutex.Lock()
			r.shots = append(r.shots, shot)
			r.mutex.Unlock()
		})
	}
}

func (p Plan) random() *rand.Rand {
	if p.Even {
		return nil
	}
	return rand.New(rand.NewPCG(p.Seed, p.Seed))
}

func (p Plan) client() *http.Client {
	timeout := p.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: timeout}).DialContext,
		DisableKeepAlives:   !p.KeepAlive,
		MaxIdleConnsPerHost: 1000,
	}}
}

// shoot sends one request. It outlives a stopped plan: its answer is part of the result.
func shoot(client *http.Client, url string, due time.Time) Shot {
	shot := Shot{Due: due, Sent: time.Now()}
	answer, err := client.Get(url)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		shot.Status = answer.StatusCode
		shot.Pod = answer.Header.Get("X-Pod")
		millis, _ := strconv.ParseFloat(answer.Header.Get("X-Queue-Ms"), 64)
		shot.Queue = time.Duration(millis * float64(time.Millisecond))
	}
	shot.Err, shot.Refused = err, refused(err)
	shot.Took = time.Since(due)
	return shot
}

// refused: the pod's port is closed, or the Service has no endpoint, or the pod has just gone.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}
