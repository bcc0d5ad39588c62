package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"forewarm.dev/tests/cluster/bed"
)

func idOf(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return defaultID
}

// runUp starts a bed that stays. One that is up already is left alone.
func runUp(ctx context.Context, args []string) error {
	id := idOf(args)
	if state, err := bed.ReadState(id); err == nil && os.Getenv("FOREWARM_BED_STAGE") == "" {
		return printEnv(state)
	}
	state, err := bed.Up(ctx, bed.Options{ID: id})
	if err != nil {
		return err
	}
	return printEnv(state)
}

func runDown(_ context.Context, args []string) error {
	ids := args
	if len(args) == 0 {
		ids = []string{defaultID}
	} else if args[0] == "--all" {
		ids = bed.IDs()
	}
	for _, id := range ids {
		if err := bed.Down(id); err != nil {
			return err
		}
	}
	return bed.Sweep()
}

func runEnv(_ context.Context, args []string) error {
	state, err := bed.ReadState(idOf(args))
	if err != nil {
		return err
	}
	return printEnv(state)
}

func printEnv(state bed.State) error {
	dir, err := state.Dir()
	if err != nil {
		return err
	}
	fmt.Printf("export KUBECONFIG=%s/kubeconfig\n", dir)
	fmt.Printf("export PATH=%s/bin:$PATH\n", dir)
	fmt.Printf("export FOREWARM_PROMETHEUS=http://%s:9090\n", state.HostIP)
	fmt.Printf("# tests inside this cluster instead of one of their own: export %s=%s\n", bed.Attached, state.ID)
	return nil
}

// runExec runs a command in the namespaces of a bed.
func runExec(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("exec", flag.ExitOnError)
	id := flags.String("id", defaultID, "the cluster")
	_ = flags.Parse(args)
	if flags.NArg() == 0 {
		return fmt.Errorf("exec: no command")
	}
	if dir := os.Getenv("FOREWARM_CALLER_DIR"); dir != "" {
		if err := os.Chdir(dir); err != nil {
			return err
		}
	}
	cmd, err := bed.Inside(*id, flags.Args())
	if err != nil {
		return err
	}
	return cmd.Run()
}

// runBackfill loads history into a bed's Prometheus.
func runBackfill(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("backfill", flag.ExitOnError)
	id := flags.String("id", defaultID, "the cluster")
	_ = flags.Parse(args)
	if flags.NArg() != 1 {
		return fmt.Errorf("backfill: want one file")
	}
	return within(*id, func(b *bed.Bed) error { return b.Prometheus.BackfillFile(callerPath(flags.Arg(0))) })
}

// within runs fn inside a bed that is running, and ends the program.
func within(id string, fn func(*bed.Bed) error) error {
	if os.Getenv(bed.Attached) == "" {
		os.Setenv(bed.Attached, id)
	}
	os.Exit(bed.Main(bed.Options{}, func(b *bed.Bed) int {
		if err := fn(b); err != nil {
			fmt.Fprintln(os.Stderr, "bed:", err)
			return 1
		}
		return 0
	}))
	return nil
}
