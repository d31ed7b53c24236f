#!/usr/bin/env bash
# check_deep.sh - the long proofs; `make check-deep`.
#
# usage: tools/check_deep.sh BUILD FUZZ_SECONDS [CMAKE_ARGS]
# The tests in their long form (PORTA_DEEP), all tests under the address and UB
# sanitizers, those with threads under the thread sanitizer, the unit tests
# under the memory sanitizer, the analysers, what the tests cover, each fuzzer
# for FUZZ_SECONDS. One that fails does not keep the others from
# running; the last line is the sum, and what each said is in BUILD/deep/.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
[ $# -ge 2 ] || { echo "usage: tools/check_deep.sh BUILD FUZZ_SECONDS" >&2; exit 2; }

build=$1 seconds=$2 args=${3:-}
logs=$build/deep
mkdir -p "$logs"
. tools/steps.sh

step deep make test BUILD="$build-deep" CMAKE_ARGS="$args -DPORTA_DEEP=ON"
step test-san make test-san BUILD="$build" CMAKE_ARGS="$args"
step test-tsan make test-tsan BUILD="$build" CMAKE_ARGS="$args"
step test-msan make test-msan BUILD="$build" CMAKE_ARGS="$args"
step analyse make analyse BUILD="$build" CMAKE_ARGS="$args"
step coverage make coverage BUILD="$build" CMAKE_ARGS="$args"
step fuzz make fuzz BUILD="$build" CMAKE_ARGS="$args" FUZZ_SECONDS="$seconds"
steps_end
