package main

import (
	"context"
	"fmt"
	"os"

	"forewarm.dev/tests/cluster/build"
)

// runBuild builds the named components, or all of them.
func runBuild(ctx context.Context, names []string) error {
	wanted := build.Components
	if len(names) > 0 {
		wanted = nil
	}
	for _, name := range names {
		c, ok := build.Find(name)
		if !ok {
			return fmt.Errorf("no component is called %s", name)
		}
		wanted = append(wanted, c)
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
