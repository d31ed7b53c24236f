#!/bin/sh
# check_boot_imports.sh - what must not be in the bootloader is not in it.
#
# usage: tools/check_boot_imports.sh ELF
# The bootloader decides whether a device starts. It has no heap of its own
# and nothing of the update path (docs/layers.md): no function of tls, http,
# update, slot, kv, event or api, no socket, no allocation. What the C library
# does inside itself is its own affair. Exit 77: there is no such file.
set -eu

elf=$1
[ -f "$elf" ] || {
    echo "there is no $elf"
    exit 77
}

forbidden='^(tls|http|update|slot|kv|event|api|esp)_|^mbedtls_(ssl|x509)_'
forbidden="$forbidden|^(malloc|calloc|realloc|free|strdup|asprintf)(@|\$)"
forbidden="$forbidden|^(socket|connect|getaddrinfo|pthread_create)(@|\$)"

symbols=$(nm --format=posix "$elf" | awk '{ print $1 }')
[ -n "$symbols" ] || {
    echo "$elf has no symbols to look at"
    exit 1
}
found=$(printf '%s\n' "$symbols" | grep -E "$forbidden" || true)
if [ -n "$found" ]; then
    echo "$elf holds what the boot path may not use:"
    printf '  %s\n' $found
    exit 1
fi
echo "$(printf '%s\n' "$symbols" | wc -l) symbols, none of them forbidden"
