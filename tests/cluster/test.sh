#!/bin/sh
# Runs Go tests on the bed: tests/cluster/test.sh [go test arguments], by default all of them.
# One package at a time: each starts a cluster of its own, and two cores are enough for one. Two at a time are a third
# quicker, and a kubelet that waits for its turn fails tests.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOREWARM_GO=$("$here/bootstrap.sh")
export FOREWARM_GO
[ $# -gt 0 ] || set -- ./...
cd "$here" && GOTOOLCHAIN=local exec "$FOREWARM_GO" test -count=1 -p 1 -timeout 40m "$@"
