#!/bin/sh
# The figures that need a real Prometheus or a whole cluster: lines `figure: NAME VALUE UNIT` on standard output,
# everything else on standard error. About two minutes once the bed is built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

PROMETHEUS_BIN=$("$here/bed.sh" build prometheus)
export PROMETHEUS_BIN
cargo run --release --locked --target "${MUSL:-x86_64-unknown-linux-musl}" -p forewarm-bench -- read

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$here/test.sh" -v -tags bench ./latency >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cat "$log" >&2
grep '^figure: ' "$log"
