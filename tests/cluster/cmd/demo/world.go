package main

import (
	"context"
	"fmt"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
)

const (
	namespace, name = "shop", "checkout"
	// Once an hour the calls in flight rise from quiet to high for a while.
	cycle, peakLength = time.Hour, time.Minute
	quiet, high       = 2.0, 30.0
	// A call holds one of a pod's ten slots for so long; a pod takes so long to start.
	each, slots, startup = time.Second, 10, 20 * time.Second
	// What a pod is said to serve: less than its slots, since calls come to pods by chance.
	perReplica = 6
	// Floors: what the policy asks for at least and at most.
	least, most = 2, 12
	// From the history's loading to the next peak at least: to see the quiet before the floor rises.
	notice = 150 * time.Second
)

// world is what the demo has set up.
type world struct {
	kit    *kit.Kit
	screen *screen
	// peak is when the load comes, according to the history; level what it is at any time.
	peak  time.Time
	level forewarm.Level
	load  *load.Running
}

// stop ends the requests, if they were begun.
func (w *world) stop() {
	if w.load != nil {
		w.load.Stop()
	}
}

// step is one thing to set up and what it usually takes.
type step struct {
	title string
	usual time.Duration
	do    func(context.Context) error
}

// prepare sets everything up, step by step, and says how long it took and what is left.
func (w *world) prepare(ctx context.Context) error {
	steps := []step{
		{"load the images of Forewarm and of a test function", 5 * time.Second, w.images},
		{"helm install forewarm", 15 * time.Second, w.install},
		{fmt.Sprintf("deploy function %s/%s: a pod takes %s to start", namespace, name, startup), 25 * time.Second, w.deploy},
		{"load a week of an hourly cycle into Prometheus, by pods long gone", 10 * time.Second, w.history},
		{"send requests that follow the same cycle", time.Second, w.requests},
		{"apply the policy: Enforce, one pod per 6 calls in flight", time.Second, w.policy},
	}
	return w.screen.steps(ctx, steps, notice+30*time.Second+usuallyAfter)
}

func (w *world) images(context.Context) error { return forewarm.LoadImages(w.kit) }

func (w *world) install(context.Context) error {
	return forewarm.Setup{Enrolled: []string{namespace}, Values: []string{"logFormat=human"}}.Install(w.kit)
}

func (w *world) deploy(context.Context) error {
	function := forewarm.Function(namespace, name, least, "CONCURRENCY", fmt.Sprint(slots),
		"WORK_MS", fmt.Sprint(each.Milliseconds()), "STARTUP_MS", fmt.Sprint(startup.Milliseconds()))
	// Without a peak query peaks are those of the samples' sums, as with the built-in profile.
	profile := forewarm.Profile().With("spec.peakQuery", nil)
	for _, object := range []forewarm.Object{profile, function, forewarm.Service(namespace, name)} {
		if err := w.kit.TryApply(object.JSON()); err != nil {
			return err
		}
	}
	return kit.Wait(2*time.Minute, func() error {
		ready, err := w.kit.ReadyPods(namespace, "app="+name)
		if err == nil && len(ready) < least {
			err = fmt.Errorf("%d pods of %s are ready, want %d", len(ready), name, least)
		}
		return err
	})
}

// history makes a week whose next peak is a few minutes from now.
func (w *world) history(context.Context) error {
	now := time.Now()
	w.peak = now.Add(notice).Truncate(time.Minute).Add(time.Minute)
	w.level = forewarm.Recurring(cycle, peakLength, w.peak, quiet, high)
	past := forewarm.Past{Namespace: namespace, Name: name, Level: w.level,
		Length: 7 * 24 * time.Hour, Generations: 4, Pods: 2, Seed: 1}
	return w.kit.Prometheus.Backfill(past.Series(now))
}

func (w *world) requests(ctx context.Context) error {
	now := time.Now()
	w.load = load.Start(ctx, load.Plan{URL: forewarm.URL(namespace, name), Rate: w.level.Rate(now, each),
		Length: w.end().Sub(now), Seed: 7, Timeout: 2 * time.Minute})
	return nil
}

func (w *world) policy(context.Context) error {
	policy := forewarm.Enforce(namespace, name).
		With("spec.floor", forewarm.Map{"min": least, "max": most}).
		With("spec.demand.perReplica", fmt.Sprint(perReplica)).
		// So that the fall is seen within a minute or two; the default waits for five.
		With("spec.scaleDown", forewarm.Map{"stabilizationSeconds": 15, "stepPercent": 25, "stepSeconds": 5})
	return w.kit.TryApply(policy.JSON())
}
