package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/load"
)

// runFire sends load from inside a bed and prints a line every few seconds.
func runFire(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fire", flag.ExitOnError)
	id := flags.String("id", defaultID, "the cluster")
	even := flags.Bool("even", false, "evenly spaced instead of as a Poisson process")
	_ = flags.Parse(args)
	if flags.NArg() < 2 {
		return fmt.Errorf("fire: want a URL and steps such as 5/20s")
	}
	steps, err := parseSteps(flags.Args()[1:])
	if err != nil {
		return err
	}
	return within(*id, func(*bed.Bed) error {
		fire(ctx, load.Plan{URL: flags.Arg(0), Rate: load.Steps(steps...), Length: load.Length(steps...), Even: *even})
		return nil
	})
}

func fire(ctx context.Context, plan load.Plan) {
	running := load.Start(ctx, plan)
	done := make(chan load.Report, 1)
	go func() { done <- running.Wait() }()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case report := <-done:
			fmt.Println("all:", report)
			return
		case now := <-tick.C:
			fmt.Println(running.Report().Between(last, now))
			last = now
		}
	}
}

// parseSteps reads RATE/LENGTH, a rate in requests a second.
func parseSteps(words []string) ([]load.Step, error) {
	var steps []load.Step
	for _, word := range words {
		rate, length, _ := strings.Cut(word, "/")
		var step load.Step
		if _, err := fmt.Sscan(rate, &step.PerSecond); err != nil || step.PerSecond < 0 {
			return nil, fmt.Errorf("step %q: want a rate and a length, such as 5/20s", word)
		}
		var err error
		if step.Length, err = time.ParseDuration(length); err != nil {
			return nil, fmt.Errorf("step %q: %w", word, err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}
