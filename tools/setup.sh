#!/bin/sh
# setup.sh - everything that porta needs on a Debian machine.
#
# usage: tools/setup.sh [build|test|bench|dev|board|all]
#   build  compiler, CMake, libraries, Mbed TLS sources: enough for `make demo`
#   test   build + the servers and runners of the tests, the model checker,
#          and the reference's espsecure: `make test`
#   bench  test + what `make bench` compares with, counts and draws by
#   dev    test + clang, formatter, analysers, Doxygen, gcovr: `make lint`,
#          `make analyse`, `make fuzz`, `make coverage`
#   board  test + cross compiler, C library, emulator, lwIP: `make board`
#   all    the same as dev (default)
#
# Installs the Debian packages that are missing, then fetches the source
# packages of Mbed TLS, and of lwIP for the board, into .deps/. What is there
# already is left alone; when all of it is there nothing is run and no network
# is needed. Packages need root or sudo, what goes into .deps/ does not.
#
# No host is named here: the sources come from the machine's own Debian mirror,
# asked for another suite, and apt checks them with Debian's archive key. The
# one thing that Debian does not have, esptool, comes by pip from the index
# that the machine is set up for; set-up goes on without it.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/tools/setup/packages.sh"
. "$here/tools/setup/source.sh"
. "$here/tools/setup/python.sh"

say() {
    printf 'setup: %s\n' "$*"
}

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

group=${1:-all}
case $group in
build | test | bench | dev | board | all) ;;
*) die "unknown group '$group'; usage: tools/setup.sh [build|test|bench|dev|board|all]" ;;
esac

did=
packages_install "$group"
source_fetch mbedtls 3.6. library/ssl_tls.c "$here/.deps"
[ "$group" != board ] ||
    source_fetch lwip 2.2. src/core/tcp.c "$here/.deps"
case $group in
test | dev | all) python_fetch esptool 5.6.0 espsecure "$here/.deps" ;;
esac
[ -n "$did" ] || say "nothing to do for '$group', all is there"
