#!/usr/bin/env bash
# mutants.sh [FILE...]: makes every change of tests/mutants.txt in a copy of the forecast's engine, one at a time, and runs the
# engine's tests on it; FILE: only those of these files. Prints a line each and fails when one is not caught.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git -C "$root" ls-files -z | (cd "$root" && xargs -0 cp --parents -t "$copy")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/mutants
engine=$copy/controller/forecast/src/engine

run() { (cd "$copy" && cargo test --quiet --locked -p forewarm-forecast --lib "$@"); }

tried=0 missed=0
try() { # FILE OLD NEW
	local was now tests=""
	was=$(cat "$engine/$1")
	now=$was
	# Tests are left as they are; what they begin with stands once, near the end.
	[[ $was == *"#[cfg(test)]"* ]] && { now=${was%%"#[cfg(test)]"*}; tests="#[cfg(test)]${was#*"#[cfg(test)]"}"; }
	local after=${now#*"$2"}
	if [[ $now != *"$2"* || $after == *"$2"* ]]; then
		echo "tests/mutants.txt: '$2' must stand once in $1" >&2
		exit 2
	fi
	printf '%s\n' "${now/"$2"/"$3"}$tests" >"$engine/$1"
	run --no-run >"$copy/log" 2>&1 || { cat "$copy/log"; echo "does not build: $1: $2 ~> $3" >&2; exit 2; }
	tried=$((tried + 1))
	if timeout 300 bash -c "$(declare -f run); copy='$copy'; run -- engine::" >"$copy/log" 2>&1; then
		missed=$((missed + 1))
		echo "MISSED $1: $2 ~> $3"
	else
		echo "caught $1: $2 ~> $3, by $(grep -oP '^test \K\S+(?= \.\.\. FAILED)|^\s+\Kengine::\S+$' "$copy/log" | sort -u | wc -l) tests"
	fi
	printf '%s\n' "$was" >"$engine/$1"
}

file="" begun=""
while IFS= read -r line || [[ -n $line ]]; do
	if [[ $line == \[*\] && $line == *.rs\] ]]; then
		file=${line:1:-1}
		continue
	fi
	[[ -z $line || $line == "#"* ]] && continue
	[[ $# -gt 0 && " $* " != *" $file "* ]] && continue
	[[ -n $begun ]] || { run -- engine:: >"$copy/log" 2>&1 || { cat "$copy/log"; exit 2; }; begun=yes; }
	[[ $line == *" ~> "* ]] || { echo "tests/mutants.txt: no ' ~> ' in '$line'" >&2; exit 2; }
	try "$file" "${line%% ~> *}" "${line#* ~> }"
done <"$root/tests/mutants.txt"
echo "$tried changes, $missed of them not caught"
[[ $missed -eq 0 ]]
