#!/bin/sh
# Runs the bed's command with a Go that is new enough: tests/cluster/bed.sh up
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOREWARM_GO=$("$here/bootstrap.sh")
# Paths among the arguments are the caller's, but `go run` wants to be inside the module.
FOREWARM_CALLER_DIR=$PWD
export FOREWARM_GO FOREWARM_CALLER_DIR
cd "$here" && GOTOOLCHAIN=local exec "$FOREWARM_GO" run ./cmd/bed "$@"
