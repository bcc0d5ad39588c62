#!/usr/bin/env bash
# Builds the images of the operator and of the test function from scratch, by buildah, as OCI archives under
# target/image. Rebuilt only when a binary is newer than its archive.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
binaries=$target/x86_64-unknown-linux-musl/release
out=$target/image
mkdir -p "$out"

build() { # BINARY DOCKERFILE TAG
    local archive=$out/$1.oci.tar context
    [ "$archive" -nt "$binaries/$1" ] && [ "$archive" -nt "$2" ] && return
    # a context of one file: the target folder holds gigabytes
    context=$(mktemp -d)
    cp "$binaries/$1" "$context/"
    buildah bud --quiet --isolation chroot --storage-driver vfs -f "$2" -t "$3" "$context" >/dev/null
    rm -rf "$archive" "$context"
    buildah push --quiet --storage-driver vfs "$3" "oci-archive:$archive:$3" >/dev/null
    echo "image: $archive ($3, $(du -h "$archive" | cut -f1))"
}

build forewarm controller/operator/Dockerfile dev.local/forewarm:dev
build test-function tests/function/Dockerfile dev.local/forewarm-test-function:dev
