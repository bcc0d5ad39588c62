#!/bin/sh
# Runs Go tests on the bed: tests/cluster/test.sh [go test arguments], of all packages unless some are named (./PACKAGE).
# All of them run two at a time (FOREWARM_BEDS: another number), each with a cluster of its own: most of a test is a wait
# for a tick, a lease or a back-off. The long ones come first, one that keeps two cores busy beside one that waits. What
# is named runs one at a time, since it may measure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOREWARM_GO=$("$here/bootstrap.sh")
export FOREWARM_GO
case " $*" in
*" ./"*) beds=${FOREWARM_BEDS:-1} ;;
*)
    # A bed that is used again is one for all.
    beds=${FOREWARM_BEDS:-${FOREWARM_BED:+1}}
    set -- "$@" ./knative ./memory ./scalers ./rails ./metrics ./ahead ./leader ./ownership ./...
    ;;
esac
cd "$here" && GOTOOLCHAIN=local exec "$FOREWARM_GO" test -count=1 -p "${beds:-2}" -timeout 40m "$@"
