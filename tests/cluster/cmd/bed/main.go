// Command bed builds, starts and stops a real Kubernetes cluster on this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usage = `usage: bed COMMAND
  build [NAME...]           build what is missing in the cache, print the paths
  up [ID]                   start a cluster and leave it running; prints what env prints
  down [ID...]              end clusters: the default one, or those named, or all with --all
  env [ID]                  print the shell lines that point kubectl and helm at a running cluster
  exec [-id ID] COMMAND...  run a command where pods, ClusterIPs and cluster names can be reached
  image [-o FILE] [-id ID] [-f DOCKERFILE] WHAT NAME
                            make the image NAME of a static binary, or of a folder with a Dockerfile;
                            write it to FILE, or load it into the cluster
  load [-id ID] FILE        load an OCI or docker archive into the cluster
  fire [-id ID] [-even] URL RATE/LENGTH...
                            send requests, so many a second for so long, whatever becomes of them
  backfill [-id ID] FILE    load history in the OpenMetrics format into Prometheus
The default ID is dev.
`

const defaultID = "dev"

var commands = map[string]func(ctx context.Context, args []string) error{
	"build": runBuild,
	"up":    runUp,
	"down":  runDown,
	"env":   runEnv,
	"exec":  runExec,
	"image": runImage,
	"load":  runLoad,
	"fire":  runFire,

	"backfill": runBackfill,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	err := commands[os.Args[1]](ctx, os.Args[2:])
	var exit *exec.ExitError
	if errors.As(err, &exit) && os.Args[1] == "exec" {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		os.Exit(1)
	}
}

// callerPath resolves a path among the arguments: `go run` has left the caller's folder.
func callerPath(path string) string {
	if dir := os.Getenv("FOREWARM_CALLER_DIR"); dir != "" && !filepath.IsAbs(path) {
		return filepath.Join(dir, path)
	}
	return path
}
