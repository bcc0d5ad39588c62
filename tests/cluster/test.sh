#!/bin/sh
# Runs Go tests on the bed: tests/cluster/test.sh [go test arguments], by default all of them.
# All of them run two packages at a time (FOREWARM_BEDS: another number), each with a cluster of its own: most of a test
# is a wait for a tick, a lease or a back-off. The long ones come first, one that keeps two cores busy beside one that
# waits. What is named in the arguments runs one at a time, since it may measure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOREWARM_GO=$("$here/bootstrap.sh")
export FOREWARM_GO
beds=${FOREWARM_BEDS:-1}
[ $# -gt 0 ] || {
    beds=${FOREWARM_BEDS:-2}
    set -- ./knative ./memory ./scalers ./rails ./metrics ./ahead ./leader ./ownership ./...
}
cd "$here" && GOTOOLCHAIN=local exec "$FOREWARM_GO" test -count=1 -p "$beds" -timeout 40m "$@"
