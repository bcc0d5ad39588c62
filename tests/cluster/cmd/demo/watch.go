package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
)

const (
	// The demo looks this long at what comes after the peak's beginning, at most.
	watchAfter = peakLength + 4*time.Minute
	// It usually takes this long until the floor is down again.
	usuallyAfter = peakLength + 90*time.Second
	// How often floor and pods are looked at, and how often a line says so though nothing has changed.
	look, sayEvery = 250 * time.Millisecond, 10 * time.Second
)

func (w *world) end() time.Time { return w.peak.Add(watchAfter) }

// watch shows the decision log and how things are until the floor has risen and fallen, or it is time to end.
func (w *world) watch(ctx context.Context) (*story, error) {
	w.screen.say("\nThe load comes at %s. From here on: the decision log, and how things are.\n",
		w.screen.paint(bold, clock(w.peak)))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := w.follow(ctx); err != nil {
		return nil, err
	}
	seen, last := &story{peak: w.peak}, state{}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !seen.over() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case now := <-tick.C:
			if now.After(w.end()) {
				return seen, nil
			}
			is, err := w.look(now)
			if err != nil {
				return nil, err
			}
			seen.floor(now, is.floor)
			if is.worthSaying(last) {
				last = is
				w.say(is)
			}
		}
	}
	return seen, nil
}

// state is how things are at a moment.
type state struct {
	at           time.Time
	floor, ready int
}

func (w *world) look(now time.Time) (state, error) {
	floor, err := forewarm.Replicas(w.kit, namespace, name)
	if err != nil {
		return state{}, err
	}
	ready, err := w.kit.ReadyPods(namespace, "app="+name)
	return state{now, floor, len(ready)}, err
}

// worthSaying: a pod more or less, or some time since the last.
func (s state) worthSaying(last state) bool {
	return s.floor != last.floor || s.ready != last.ready || s.at.Sub(last.at) >= sayEvery
}

// say prints the state, with the calls in flight as Prometheus has them. Right after it was started it has none yet.
func (w *world) say(is state) {
	// Of the last ten seconds: pods that have gone have no sample there.
	calls, err := w.kit.Value(fmt.Sprintf(`sum(last_over_time(function_inflight_requests{namespace=%q}[10s]))`, namespace))
	if err == nil {
		w.screen.state(is, calls, w.next(is.at))
	}
}

// next says what is due.
func (w *world) next(now time.Time) string {
	switch since := now.Sub(w.peak); {
	case since < 0:
		return "the load comes in " + minutes(-since)
	case since < peakLength:
		return "the load is here for " + minutes(peakLength-since)
	default:
		return "the load has gone, " + minutes(since-peakLength) + " ago"
	}
}

// aDecision is a line of the log's human form: a time and a policy. Other lines are of leases and writes.
var aDecision = regexp.MustCompile(`^\d\d:\d\d:\d\d ` + namespace + "/" + name + " ")

// follow prints the decisions of all replicas as they come; only the one that leads decides.
func (w *world) follow(ctx context.Context) error {
	logs := exec.CommandContext(ctx, w.kit.Bin("kubectl"), "logs", "--follow", "--tail=-1",
		"--namespace", forewarm.Namespace, "--selector", forewarm.Selector)
	out, err := logs.StdoutPipe()
	if err != nil {
		return err
	}
	if err := logs.Start(); err != nil {
		return errors.Join(errors.New("following the decision log"), err)
	}
	go func() {
		defer func() { _ = logs.Wait() }()
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if aDecision.Match(lines.Bytes()) {
				w.screen.decision(lines.Text())
			}
		}
	}()
	return nil
}
