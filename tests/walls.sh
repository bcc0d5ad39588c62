#!/usr/bin/env bash
# A crate is a wall: what the pure crates and the operator must not reach, checked on the dependency graph.
set -euo pipefail
cd "$(dirname "$0")/.."

reaches() { # PACKAGE PATTERN: the crates matching PATTERN that PACKAGE links
    cargo tree --locked --package "$1" --edges normal --prefix none | awk '{print $1}' | sort -u | grep -E "^($2)$" || true
}

forbid() { # PACKAGE PATTERN
    local found
    found=$(reaches "$1" "$2")
    if [ -n "$found" ]; then
        echo "wall: $1 must not reach: $(echo $found)" >&2
        exit 1
    fi
    echo "wall: $1 reaches none of: $2"
}

network='kube|kube-.*|k8s-openapi|tokio|tokio-.*|reqwest|hyper|hyper-.*|tracing-subscriber'
forbid forewarm-core "$network|linfa|linfa-.*|ndarray|rand|jiff|chrono|tracing|log"
forbid forewarm-forecast "$network|jiff|chrono"
forbid forewarm-operator 'forewarm-(sim|replay|world|bench|test-function)|plotters|comfy-table|indicatif'
# shows that the check can fail: the operator does reach kube
[ -n "$(reaches forewarm-operator kube)" ] || { echo "wall: the check itself is broken" >&2; exit 1; }
