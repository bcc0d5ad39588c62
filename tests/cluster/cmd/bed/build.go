package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"forewarm.dev/tests/cluster/build"
)

// runBuild builds the named components, or all of them.
func runBuild(ctx context.Context, names []string) error {
	all, err := build.Components()
	if err != nil {
		return err
	}
	wanted := all
	if len(names) > 0 {
		wanted = nil
	}
	for _, name := range names {
		at := slices.IndexFunc(all, func(c build.Component) bool { return c.Name == name })
		if at < 0 {
			return fmt.Errorf("no component is called %s", name)
		}
		wanted = append(wanted, all[at])
	}
	found, err := build.Ensure(ctx, os.Stderr, wanted)
	if err != nil {
		return err
	}
	for _, c := range wanted {
		fmt.Println(found[c.Name])
	}
	return nil
}
