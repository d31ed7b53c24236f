#!/usr/bin/env bash
# check_deep.sh - the long proofs; `make check-deep`.
#
# usage: tools/check_deep.sh BUILD FUZZ_SECONDS [CMAKE_ARGS [LABEL]]
# The tests in their long form (PORTA_DEEP), all tests under the address and UB
# sanitizers, those with threads under the thread sanitizer, the unit tests
# under the memory sanitizer, the analysers, what the tests cover, each fuzzer
# for FUZZ_SECONDS. One that fails, or whose tool is missing, does not keep the
# others from running; the last line is the sum, and what each said is in
# BUILD/deep/. With LABEL, a kind of test, it is the long form of that kind and
# nothing else.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
[ $# -ge 2 ] || { echo "usage: tools/check_deep.sh BUILD FUZZ_SECONDS" >&2; exit 2; }

build=$1 seconds=$2 args=${3:-} label=${4:-}
logs=$build/deep
mkdir -p "$logs"
. tools/steps.sh

# `make check-deep` has set up what it can; a step does not try that again.
deep() {
    local name=$1 target=$2
    shift 2
    step "$name" make "$target" "$@" GROUP=build
}

# Does clang link a program of this kind? Its run-time libraries are a package
# of their own.
clang_has() {
    clang -fsanitize="$1" -x c - -o /dev/null 2>"$logs/clang.log" \
        <<<"int $2(void) { return 0; }"
}

missing() {
    skip "$1" "$2 is missing: \`make setup\` installs it"
}

deep deep test BUILD="$build-deep" CMAKE_ARGS="$args -DPORTA_DEEP=ON" \
    LABEL="$label"
if [ -n "$label" ]; then
    steps_end
    exit
fi
deep test-san test-san BUILD="$build" CMAKE_ARGS="$args"
deep test-tsan test-tsan BUILD="$build" CMAKE_ARGS="$args"
if clang_has memory main; then
    deep test-msan test-msan BUILD="$build" CMAKE_ARGS="$args"
else
    missing test-msan "clang with its memory sanitizer"
fi
deep analyse analyse BUILD="$build" CMAKE_ARGS="$args"
if command -v gcovr >"$logs/gcovr.log"; then
    deep coverage coverage BUILD="$build" CMAKE_ARGS="$args"
else
    missing coverage gcovr
fi
if clang_has fuzzer LLVMFuzzerTestOneInput; then
    deep fuzz fuzz BUILD="$build" CMAKE_ARGS="$args" FUZZ_SECONDS="$seconds"
else
    missing fuzz "clang with its fuzzer"
fi
steps_end
