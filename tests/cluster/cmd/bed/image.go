package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/image"
)

// runImage makes an image and writes it to a file or loads it into a bed.
func runImage(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("image", flag.ExitOnError)
	id := flags.String("id", defaultID, "the cluster")
	dockerfile := flags.String("f", "", "a Dockerfile elsewhere than in the folder")
	out := flags.String("o", "", "write the archive to this file instead of loading it")
	_ = flags.Parse(args)
	if flags.NArg() != 2 {
		return fmt.Errorf("image: want a binary or a folder, and a name")
	}
	archive := callerPath(*out)
	if *out == "" {
		file, err := os.CreateTemp("", "image-*.oci.tar")
		if err != nil {
			return err
		}
		file.Close()
		defer os.Remove(file.Name())
		archive = file.Name()
	}
	if err := makeImage(ctx, archive, *dockerfile, callerPath(flags.Arg(0)), flags.Arg(1)); err != nil || *out != "" {
		return err
	}
	return bed.Load(*id, archive)
}

func makeImage(ctx context.Context, archive, dockerfile, what, name string) error {
	info, err := os.Stat(what)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if dockerfile != "" {
			dockerfile = callerPath(dockerfile)
		}
		return image.Bake(ctx, archive, dockerfile, what, name)
	}
	return image.Write(archive, image.Image{Name: name, Binary: what})
}

func runLoad(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	id := flags.String("id", defaultID, "the cluster")
	_ = flags.Parse(args)
	if flags.NArg() != 1 {
		return fmt.Errorf("load: want one archive")
	}
	return bed.Load(*id, callerPath(flags.Arg(0)))
}
