#!/bin/sh
# make.sh - makes the files of this folder anew, with the reference tool.
#
# usage: make.sh ESPSECURE PORTA
# ESPSECURE is espsecure of the Python package esptool, 5.x. The private keys
# are made for the purpose and not kept.
set -eu

espsecure=$1
porta=$2
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

head -c 600 /dev/zero >"$tmp/body"
"$porta" image create --chip esp32 --project signed --version 1 \
    --segment "0x3ffb0000:$tmp/body" -o app.bin >/dev/null

for key in rsa3072 ecdsa256 ecdsa384 other256 third256; do
    scheme=$key
    case $key in other256 | third256) scheme=ecdsa256 ;; esac
    "$espsecure" generate-signing-key --version 2 --scheme $scheme \
        "$tmp/$key.pem"
    "$espsecure" extract-public-key --version 2 --keyfile "$tmp/$key.pem" \
        "$key.pub.pem"
done
for scheme in rsa3072 ecdsa256 ecdsa384; do
    "$espsecure" sign-data --version 2 --keyfile "$tmp/$scheme.pem" \
        --output app-$scheme.bin app.bin
done
"$espsecure" sign-data --version 1 --keyfile "$tmp/ecdsa256.pem" \
    --output app-v1.bin app.bin
cp app-ecdsa256.bin app-three.bin
for key in other256 third256; do
    "$espsecure" sign-data --version 2 --keyfile "$tmp/$key.pem" \
        --append-signatures app-three.bin
done
