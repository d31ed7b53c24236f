# python.sh - fetches a Python program that only tests use; sourced by
# tools/setup.sh.
#
# Trust: pip and the index that this machine is set up for. It decides about no
# build and no product: without it a test is skipped and says so.

# python_fetch NAME VERSION MODULE DEST: afterwards there is a folder
# DEST/NAME-VERSION that holds MODULE and all that it imports, to be run with
# PYTHONPATH and python3 -m. It appears by one rename, complete. Never fails.
python_fetch() {
    [ ! -d "$4/$1-$2/$3" ] || return 0
    did=yes
    say "fetching $1 $2 (a Python package, for one test) into .deps/"
    mkdir -p "$4"
    python_tmp=$(mktemp -d "$4/.fetch.XXXXXX")
    trap 'rm -rf "$python_tmp"' EXIT
    trap 'exit 130' INT TERM HUP
    if ! "${PYTHON:-/usr/bin/python3}" -m pip \
        install -q --disable-pip-version-check --no-input \
        --root-user-action ignore --retries 1 \
        --target "$python_tmp/$1-$2" "$1==$2" ||
        [ ! -d "$python_tmp/$1-$2/$3" ]; then
        say "$1 could not be fetched: the test that needs it is skipped"
    else
        source_place "$python_tmp/$1-$2" "$4"
    fi
    rm -rf "$python_tmp"
    trap - EXIT INT TERM HUP
}
