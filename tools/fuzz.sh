#!/bin/sh
# fuzz.sh - lets every fuzz target of a build run for some seconds.
#
# usage: tools/fuzz.sh BUILD SECONDS [JOBS]
# Starts from fuzz/corpus/<target>; what is found new stays in
# BUILD/fuzz-corpus/, an input that breaks a parser in BUILD/fuzz-found/. Put
# such an input into the corpus together with the cure. Ends with a line
# "N passed, N failed".
set -u

fuzz_one() {
    build=$1 seconds=$2 target=$3
    name=$(basename "$target")
    log=$build/fuzz-found/$name.log
    mkdir -p "$build/fuzz-corpus/$name"
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$build/fuzz-found/$name-" \
        "$build/fuzz-corpus/$name" "$here/fuzz/corpus/$name" >"$log" 2>&1; then
        printf 'ok     fuzz %-20s %s\n' "$name" "$(tail -n 1 "$log")"
    else
        printf 'FAILED fuzz %s, see %s\n%s\n' "$name" "$log" \
            "$(tail -n 40 "$log")"
        touch "$log.failed"
    fi
}

here=$(cd "$(dirname "$0")/.." && pwd)
if [ "$1" = --one ]; then
    shift
    fuzz_one "$@"
    exit 0
fi

build=$1 seconds=$2 jobs=${3:-2}
mkdir -p "$build/fuzz-found" "$build/fuzz-bin"
rm -f "$build"/fuzz-found/*.log "$build"/fuzz-found/*.log.failed
find "$build/fuzz-bin" -type f -perm -u+x | sort |
    xargs -r -n 1 -P "$jobs" "$0" --one "$build" "$seconds"
ran=$(find "$build/fuzz-found" -name '*.log' | wc -l)
failed=$(find "$build/fuzz-found" -name '*.log.failed' | wc -l)
echo "$((ran - failed)) passed, $((failed)) failed"
[ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]
