#!/bin/sh
# Shows Forewarm at work on a real cluster: `make cluster-demo`, which builds the images first. FOREWARM_IMAGES names
# their folder, by default target/image. The cluster is called demo and stays up; one of an earlier demo is replaced.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FOREWARM_GO=$("$here/bootstrap.sh")
export FOREWARM_GO
began=$(date +%s)
echo "[1/7] start a cluster: API server, controllers, node with containerd, Prometheus     about 7 minutes in all"
[ -d "${FOREWARM_CACHE:-$HOME/.cache/forewarm}/bin" ] ||
    echo "      and this first time about 15 more, to build its parts"
"$here/bed.sh" down demo
"$here/bed.sh" up demo >/dev/null
echo "      done in $(($(date +%s) - began)) s"
cd "$here" && FOREWARM_BED=demo GOTOOLCHAIN=local exec "$FOREWARM_GO" run ./cmd/demo
