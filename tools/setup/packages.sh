# packages.sh - the Debian packages of each group; sourced by tools/setup.sh.

packages_of() {
    # dpkg-dev and file: what make deb asks about libraries and programs.
    echo gcc g++ libc6-dev make cmake ninja-build pkg-config dpkg-dev file python3 \
        ca-certificates debian-archive-keyring libcmocka-dev \
        libmicrohttpd-dev libgnutls28-dev libcjson-dev libjsmn-dev \
        libtomlplusplus-dev \
        python3-kconfiglib
    [ "$1" = build ] || echo python3-pytest python3-pip nginx-light openssl curl \
        valgrind spin
    case $1 in
    bench)
        echo gnuplot-nox strace wget
        ;;
    dev | all)
        echo clang clang-format clang-tidy cppcheck universal-ctags doxygen \
            gcovr "$(packages_clang_rt)"
        ;;
    board)
        echo gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
            qemu-system-misc
        ;;
    esac
}

# clang's run-time libraries carry the version in their name. dpkg answers at
# once; apt has to be asked when clang is not installed yet.
packages_clang_rt() {
    ver=$(
        {
            dpkg-query -W -f '${Depends}\n' clang 2>/dev/null ||
                apt-cache depends clang 2>/dev/null
        } | sed -n 's/.*clang-\([0-9][0-9]*\).*/\1/p' | head -n 1
    )
    echo "libclang-rt-${ver:-14}-dev"
}

# Names that dpkg does not know are missing like those that it has removed.
packages_missing() {
    wanted=$(packages_of "$1" | tr '\n' ' ')
    # shellcheck disable=SC2086 # a list of words
    have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted \
        2>/dev/null | sed -n 's/ installed$//p' | tr '\n' ' ')
    for p in $wanted; do
        case " $have " in
        *" $p "*) ;;
        *) printf ' %s' "$p" ;;
        esac
    done
}

# Runs a command as root, or says what is in the way.
packages_as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "packages are missing and this is neither root nor is there sudo;" \
            "as root run: apt-get install$missing"
    fi
}

packages_apt() {
    packages_as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# Does apt know a version of each of them?
packages_known() {
    for p in $1; do
        apt-cache show --no-all-versions "$p" >/dev/null 2>&1 || return 1
    done
}

# Installs $missing of the group, or dies.
packages_get() {
    say "installing Debian packages:$missing"
    if ! packages_known "$missing"; then
        say "the package index is missing or old, updating it"
        packages_apt update
        missing=$(packages_missing "$1")
    fi
    if ! packages_apt install -y --no-install-recommends $missing; then
        say "that failed; updating the package index and trying once more"
        packages_apt update
        packages_apt install -y --no-install-recommends $missing ||
            die "apt could not install:$missing"
    fi
}

# Nothing is built without the group `build`. What only tests and tools use is
# done without, except in CI, where nothing may be skipped that should run.
packages_install() {
    command -v dpkg-query >/dev/null 2>&1 ||
        die "this is not a Debian machine (no dpkg-query):" \
            "install what docs/decisions/ lists by other means"
    missing=$(packages_missing "$1")
    [ -n "$missing" ] || return 0
    did=yes
    (packages_get "$1") && return 0
    [ -z "${CI:-}" ] && [ -z "$(packages_missing build)" ] || exit 1
    missing=$(packages_missing "$1")
    say "going on without$missing: what needs one of them says so"
}
