#!/bin/sh
# Runs Go tests on the bed: tests/cluster/test.sh [go test arguments], by default all of them.
#
# Each package starts a cluster of its own. Those that hold a time to a bar have the two cores to themselves; of the
# others, which mostly wait, two run at a time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOREWARM_GO=$("$here/bootstrap.sh")
export FOREWARM_GO
cd "$here"
go_test() { GOTOOLCHAIN=local "$FOREWARM_GO" test -count=1 -timeout 40m "$@"; }

if [ $# -gt 0 ]; then
    go_test -p 1 "$@"
    exit
fi
alone='ahead leader metrics memory cmd/bed'
all=$(GOTOOLCHAIN=local "$FOREWARM_GO" list ./...)
others=$all
for package in $alone; do
    others=$(echo "$others" | grep -v "/cluster/$package\$")
done
failed=0
# shellcheck disable=SC2086 # names of packages have no spaces
go_test -p 2 $others || failed=1
# shellcheck disable=SC2086
go_test -p 1 $(printf './%s ' $alone) || failed=1
exit $failed
