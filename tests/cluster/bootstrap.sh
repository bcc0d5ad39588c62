#!/bin/sh
# Brings what the bed needs before its own Go code can run: Debian packages and a Go that is new enough.
# Says on stderr what it does, and on stdout only the path of `go`. Nothing to do takes a few milliseconds.
set -eu

go_version=1.26.8
packages="iproute2 iptables conntrack runc containernetworking-plugins buildah procps musl-tools ca-certificates"
cache="${FOREWARM_CACHE:-$HOME/.cache/forewarm}"

say() { echo "bootstrap: $*" >&2; }

install_packages() {
    say "installing $*"
    # The lists may be absent or old; a machine that is up to date needs them for a second at most.
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

missing_packages() {
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

# True when $1 is a go of 1.26 or later.
new_enough() {
    minor=$("$1" env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 26 ]
}

# Any older go can fetch the new one: the toolchain is a module like others. The module cache drops the
# executable bits and is read-only, so the tree is copied and the bits are put back.
fetch_go() {
    old=$1
    case "$(dpkg --print-architecture)" in
        arm64) arch=arm64 ;;
        *) arch=amd64 ;;
    esac
    say "fetching go $go_version"
    modules="$cache/toolchain.modules"
    mkdir -p "$cache"
    (cd "$cache" && GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE="$modules" \
        "$old" mod download "golang.org/toolchain@v0.0.1-go$go_version.linux-$arch" >&2)
    rm -rf "$cache/go-$go_version.partial"
    cp -r "$modules/golang.org/toolchain@v0.0.1-go$go_version.linux-$arch" "$cache/go-$go_version.partial"
    chmod -R u+w "$cache/go-$go_version.partial"
    chmod -R a+x "$cache/go-$go_version.partial/bin" "$cache/go-$go_version.partial/pkg/tool"
    mv "$cache/go-$go_version.partial" "$cache/go-$go_version"
    rm -rf "$modules"
}

[ "$(id -u)" -eq 0 ] || { say "the bed makes namespaces, mounts and cgroups: run it as root"; exit 1; }

missing=$(missing_packages | tr '\n' ' ')
# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || install_packages $missing

fetched="$cache/go-$go_version/bin/go"
for candidate in "$(command -v go || true)" "$fetched"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && new_enough "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
command -v go >/dev/null || install_packages golang-go
fetch_go "$(command -v go)"
echo "$fetched"
