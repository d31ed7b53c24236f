#!/bin/sh
# boot_size.sh - what the boot path costs on rv32imac.
#
# usage: tools/boot_size.sh [LIMIT]
# Links everything between flash and the start of an image (partition table,
# boot records and their recovery, image check, ECDSA P-256 signature, boot
# decision with rollback and anti-rollback) into one program without a C library
# or start-up code and prints its text and read-only data, the largest stack
# frames, and its writable data, for these builds:
#
#   mark            the features that the mark names: a trial is one boot
#   all             trials with a budget as well, and their events in the log
#   fuses-in-flash  `all`, and fuses emulated in flash; else a port that is not
#                   counted reads them
#   plain           `all` without link-time optimisation, which the others have
#                   as the board's bootloader has
#
# With LIMIT the exit status is 1 when text and read-only data of `mark` are
# more. Exit 77: there is no riscv64-unknown-elf-gcc (Debian:
# gcc-riscv64-unknown-elf).
set -eu

limit=${1:-}
here=$(cd "$(dirname "$0")/.." && pwd)
cc=riscv64-unknown-elf-gcc
command -v $cc >/dev/null 2>&1 || {
    echo "there is no $cc: apt-get install gcc-riscv64-unknown-elf"
    exit 77
}
tmp=$(mktemp -d)
[ -n "${KEEP:-}" ] || trap 'rm -rf "$tmp"' EXIT

# The options of a product: everything that is decided is decided here.
sed -e 's/@CFG_LOG_LEVEL@/0/' -e 's/@CFG_SIGN_SCHEMES@/8/' \
    -e 's/@CFG_KEYS_MAX@/3/' -e 's/@CFG_TRIALS@/BOOT_SIZE_TRIALS/' \
    -e 's/@CFG_\(ROLLBACK\|ANTI_ROLLBACK\|REQUIRE_HASH\|REQUIRE_SIGNED\)@/1/' \
    -e 's/@CFG_[A-Z_]*@/0/' "$here/cmake/cfg.h.in" >"$tmp/cfg.h"

# The few functions of a C library that the code uses, and their headers.
cat >"$tmp/string.h" <<'END'
#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);
END
printf '#define assert(x) ((void)0)\n#define static_assert _Static_assert\n' \
    >"$tmp/assert.h"
echo 'void abort(void);' >"$tmp/stdlib.h"
echo '#include <stddef.h>' >"$tmp/stdio.h"

src=$here/src
files=$(sed -e '/^#/d' -e "s|^|$src/|" "$src/boot/boot_path.txt")
flags="-std=c11 -march=rv32imac -mabi=ilp32 -misa-spec=2.2 -Os -ffreestanding
    -msave-restore -ffunction-sections -fdata-sections -fstack-usage
    -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables
    -isystem $tmp -I$tmp -I$here/include -I$here/port/include -I$src"

# build OUT FLAGS: the link-time optimiser must not look into the C library.
build() {
    # shellcheck disable=SC2086 # lists of words
    $cc $flags -c "$here/tools/boot_size/libc.c" -o "$tmp/libc.o"
    # shellcheck disable=SC2086
    $cc $flags $2 -nostdlib -dumpdir "$tmp/$1." -Wl,--gc-sections \
        -Wl,--no-warn-rwx-segments -o "$tmp/$1" \
        "$here/tools/boot_size/main.c" "$here/tools/boot_size/chip_table.c" \
        "$tmp/libc.o" \
        $files -lgcc
    riscv64-unknown-elf-size "$tmp/$1" | awk -v name="$1" 'NR == 2 {
        print name ": " $1 " bytes of text and read-only data, " $2 + $3 \
              " of writable data" }'
}

# The flags of PORTA_BOOT_FLAGS in cmake/targets.cmake.
lto="-flto -mtune=size -fno-tree-switch-conversion -fno-tree-coalesce-vars"
lto="$lto -fno-ipa-sra"
build mark "$lto -DBOOT_SIZE_EMUL=0 -DBOOT_SIZE_TRIALS=0"
build all "$lto -DBOOT_SIZE_EMUL=0 -DBOOT_SIZE_TRIALS=1"
build fuses-in-flash "$lto -DBOOT_SIZE_EMUL=1 -DBOOT_SIZE_TRIALS=1"
build plain "-DBOOT_SIZE_EMUL=0 -DBOOT_SIZE_TRIALS=1"
cat "$tmp"/plain.*.su 2>/dev/null | sort -t "$(printf '\t')" -k2 -rn | head -n 8 |
    awk -F '\t' '{ sub(/.*\//, "", $1); print "  frame " $2 "  " $1 }'
total=$(riscv64-unknown-elf-size "$tmp/mark" | awk 'NR == 2 { print $1 }')
[ -z "$limit" ] || [ "$total" -le "$limit" ] || {
    echo "$total bytes, $limit are the limit"
    exit 1
}
