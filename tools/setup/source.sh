# source.sh - fetches a Debian source package of another suite with apt, from
# the mirror this machine already uses; sourced by tools/setup.sh.
#
# Trust: apt checks the suite's signed index with Debian's archive key, the
# index has the digest of each file. Nothing else is believed.

SOURCE_SUITE=trixie
SOURCE_ETC=${PORTA_APT_ETC:-/etc/apt}
SOURCE_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# source_stanzas CODENAME: reads the machine's apt sources, both forms, and
# prints a deb822 stanza for each Debian archive found there, asking it for
# the sources of SOURCE_SUITE. An archive is one that offers component main
# of suite CODENAME itself, which leaves out security and updates suites.
source_stanzas() {
    cat "$SOURCE_ETC"/sources.list.d/*.sources 2>/dev/null | tr -d '\r' |
        awk -v RS= -v rel="$1" -v suite="$SOURCE_SUITE" \
            -v keyring="$SOURCE_KEYRING" -f "$here/tools/setup/deb822.awk"
    cat "$SOURCE_ETC/sources.list" "$SOURCE_ETC"/sources.list.d/*.list \
        2>/dev/null | tr -d '\r' |
        awk -v rel="$1" -v suite="$SOURCE_SUITE" \
            -v keyring="$SOURCE_KEYRING" -f "$here/tools/setup/oneline.awk"
}

# source_download STANZAS-FILE DIR PACKAGE: the newest version of the package
# that the stanzas offer, unpacked below DIR. apt's state is DIR's own, so
# this needs no privilege and leaves the machine's apt alone.
source_download() {
    mkdir -p "$2/lists/partial" "$2/cache/archives/partial" "$2/src"
    set -- "$1" "$2" "$3" -q -o Dir::Etc::sourcelist="$1" \
        -o Dir::Etc::sourceparts=- -o Dir::State::lists="$2/lists" \
        -o Dir::Cache="$2/cache" -o APT::Get::List-Cleanup=0 \
        -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any
    sources=$1 dir=$2 package=$3
    shift 3
    apt-get "$@" update && (cd "$dir/src" && apt-get "$@" source "$package")
}

# source_fetch PACKAGE VERSION-PREFIX FILE DEST: afterwards there is a folder
# DEST/PACKAGE-<version> that holds FILE. It appears by one rename, complete.
source_fetch() {
    for have in "$4/$1-$2"*/"$3"; do
        [ ! -f "$have" ] || return 0
    done
    did=yes
    say "fetching the source package $1 $2x of Debian $SOURCE_SUITE into .deps/"
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    mkdir -p "$4"
    source_tmp=$(mktemp -d "$4/.fetch.XXXXXX")
    trap 'rm -rf "$source_tmp"' EXIT
    trap 'exit 130' INT TERM HUP
    source_stanzas "$codename" >"$source_tmp/all"
    [ -s "$source_tmp/all" ] || die "no Debian archive (main, $codename) in" \
        "$SOURCE_ETC; give -DPORTA_MBEDTLS_SOURCE=DIR to cmake instead"
    source_try_each "$source_tmp" "$1" "$2" "$3" "$4" ||
        die "$1 could not be fetched; see the messages of apt above"
    rm -rf "$source_tmp"
    trap - EXIT INT TERM HUP
}

# One archive after the other, until one has what is asked for.
source_try_each() {
    n=$(grep -c '^Types:' "$1/all")
    i=1
    while [ "$i" -le "$n" ]; do
        awk -v RS= -v want="$i" 'NR == want' "$1/all" >"$1/$i.sources"
        if source_download "$1/$i.sources" "$1" "$2"; then
            for got in "$1/src/$2-$3"*/"$4"; do
                [ -f "$got" ] || continue
                source_place "${got%/"$4"}" "$5" && return 0
            done
            say "that archive has no $2 $3x"
        fi
        i=$((i + 1))
    done
    return 1
}

# Two of us may run at the same time: the first rename wins, both are happy.
source_place() {
    name=$(basename "$1")
    mv -T "$1" "$2/$name" 2>/dev/null || [ -d "$2/$name" ] || return 1
    say "$name is in .deps/"
}
