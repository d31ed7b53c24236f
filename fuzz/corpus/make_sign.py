#!/usr/bin/env python3
"""Writes the first corpora of the fuzzers of signatures and keys:
fuzz/corpus/{image_sig,key_set,key_file}/, from test/vectors/signed/.

Deterministic: running it again changes nothing."""
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "test" / "vectors" / "signed"


def put(folder, name, data):
    (HERE / folder).mkdir(exist_ok=True)
    (HERE / folder / name).write_bytes(data)


def signatures():
    for choice, scheme in enumerate(["v1", "rsa3072", "ecdsa256", "ecdsa384"]):
        data = (VECTORS / f"app-{scheme}.bin").read_bytes()
        # The image's zeros are of no use here: its end and what follows.
        data = data if scheme == "v1" else data[:944] + data[4096:]
        put("image_sig", scheme, bytes([choice]) + data)
        put("image_sig", f"{scheme}-known", bytes([choice + 32]) + data)
        put("image_sig", f"{scheme}-cut", bytes([choice]) + data[-100:])
    three = (VECTORS / "app-three.bin").read_bytes()
    put("image_sig", "three", bytes([2 + 32]) + three)
    put("image_sig", "three-revoked", bytes([2 + 4 + 32]) + three)
    put("image_sig", "three-need-two", bytes([2 + 8 + 32]) + three)
    put("image_sig", "rsa-whole", bytes([1 + 32]) +
        (VECTORS / "app-rsa3072.bin").read_bytes())
    put("image_sig", "sealed", bytes([3 + 16]) +
        (VECTORS / "app-ecdsa384.bin").read_bytes())
    put("image_sig", "erased", bytes([2]) + bytes(4096) + b"\xff" * 4096)


def key_set(scheme, keys, need=1, version=1):
    body = bytes([scheme, need, len(keys), 0])
    for trusted, key in keys:
        body += bytes([trusted]) + key
    head = struct.pack("<II", version, len(body)) + body
    return b"PKS1" + bytes(12) + head + struct.pack("<I", zlib.crc32(head))


def key_sets():
    two = [(1, b"a" * 32), (0, b"b" * 32)]
    for scheme in (1, 2, 3, 4):
        keys = two if scheme > 1 else [(1, b"x" * 64), (0, b"y" * 64)]
        put("key_set", f"scheme{scheme}", b"\1" + key_set(scheme, keys))
        put("key_set", f"bare{scheme}", b"\0" + key_set(scheme, keys)[24:-4])
    put("key_set", "empty", b"\0" + bytes([3, 0, 0, 0]))
    put("key_set", "two-of-two", b"\1" + key_set(3, two, 2))
    a = key_set(3, two).ljust(2048, b"\xff") + b"\0"
    put("key_set", "revoked", b"\1" + a + key_set(3, two, 1, 2).ljust(
        len(a), b"\xff"))


def key_files():
    for path in sorted(VECTORS.glob("*.pem")):
        put("key_file", path.name, path.read_bytes())
    put("key_file", "raw", b"\1" * 64)
    put("key_file", "empty", b"")
    put("key_file", "bare", b"-----BEGIN PUBLIC KEY-----\n"
        b"-----END PUBLIC KEY-----\n")


signatures()
key_sets()
key_files()
