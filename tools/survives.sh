#!/bin/sh
# survives.sh - "would my image survive?" on any Debian machine, no container.
#
# usage: tools/survives.sh SCENARIO [JUNIT]
#   PORTA=PATH        the porta to use, instead of the one in PATH, or else of
#                     this tree, which is then built
#   PORTA_BUILD=CMD   is run first, with porta in PATH: it makes the image and
#                     the flash file that the scenario names
#
# Ends as `porta test` does: 0 it would, 1 it would not, 2 the scenario is wrong.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
scenario=${1:?usage: tools/survives.sh SCENARIO [JUNIT]}
junit=${2:-porta-results.xml}

if [ -z "${PORTA:-}" ]; then
    PORTA=$(command -v porta || true)
fi
if [ -z "$PORTA" ]; then
    make -C "$here" build >&2
    PORTA=$here/build/bin/porta
fi
PATH=$(cd "$(dirname "$PORTA")" && pwd):$PATH
export PATH
[ -z "${PORTA_BUILD:-}" ] || sh -ec "$PORTA_BUILD" >&2
exec "$PORTA" test "$scenario" --junit "$junit"
