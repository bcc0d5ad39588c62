// Command demo shows Forewarm at work on a bed that is up: its steps and the decision log on the terminal, an exit
// code that says whether the floor rose before the load came.
//
//	chart, function, a week of an hourly cycle, requests, policy  ──►  the decision log scrolls  ──►  what was seen
//
// tests/cluster/demo.sh starts the bed that FOREWARM_BED names.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/kit"
)

func main() {
	os.Exit(bed.Main(bed.Options{}, func(b *bed.Bed) int {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if err := demo(ctx, b); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
			return 1
		}
		return 0
	}))
}

// demo goes from a bed with nothing on it to the summary. An error is a step that failed, or a promise not kept.
func demo(ctx context.Context, b *bed.Bed) error {
	k, err := kit.New(b)
	if err != nil {
		return err
	}
	out := newScreen(os.Stdout)
	w := &world{kit: k, screen: out}
	defer w.stop()
	if err := w.prepare(ctx); err != nil {
		return err
	}
	seen, err := w.watch(ctx)
	if err != nil {
		return err
	}
	out.say("%s", seen.summary(w.load.Report()))
	out.say("%s", lookAround(b.ID))
	return seen.verdict()
}
