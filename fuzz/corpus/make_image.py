#!/usr/bin/env python3
"""Writes the first corpora of the image fuzzers: fuzz/corpus/image{,_elf,_cap}/.

A seed of `image` is an image, what follows it, and two bytes: rules and split;
one of `image_elf` is an ELF file and one byte: the chip (see fuzz_*.c).
Deterministic: running it again changes nothing.
"""
import hashlib
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent


def desc(mmu=16):
    d = struct.pack("<II8x32s32s16s16s32s", 0xABCD5432, 3, b"1.0", b"seed",
                    b"", b"", b"v1")
    return (d.ljust(180, b"\0") + bytes([mmu])).ljust(256, b"\0")


def image(chip, segs, digest=True):
    out = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, len(segs), 2, 0x20, 0, 0xEE,
                      chip, 0, 0, 0, digest)
    summed = 0xEF
    for addr, data in segs:
        out += struct.pack("<II", addr, len(data)) + data
        for byte in data:
            summed ^= byte
    out += bytes(15 - len(out) % 16) + bytes([summed])
    return out + (hashlib.sha256(out).digest() if digest else b"")


APP = image(0, [(0x3F400020, desc()), (0x3FFB0000, b"abcd")])
BOOT = image(5, [(0x3FCD0000, b"\x50" + bytes(79)), (0x40380000, b"code")])
GAP = b"\xff" * (-len(APP) % 4096)
SEEDS = {
    "app": APP + b"\x04\x06",
    "app-slot": APP + b"older bytes" + b"\x00\x2f",
    "app-no-hash": image(0, [(0x3F400020, desc())], False) + b"\x04\x00",
    "app-c6": image(13, [(0x42002020, desc(13))]) + b"\x04\x10",
    "app-linux": image(0xFFFF, [(0, desc(0)), (0, b"\x7fELF")]) + b"\x04\x01",
    "app-v1": APP + bytes(4) + b"s" * 64 + b"\x02\x3f",
    "app-v2": APP + GAP + b"\xe7\x02" + bytes(4094) + b"\x04\x3f",
    "boot": BOOT + b"\x05\x07",
    "cut": APP[:300] + b"\x04\x07",
    "html": b"<!DOCTYPE html><html>404</html>" + b"\x04\x02",
}


def elf(machine, rows):
    out = struct.pack("<4sBBB9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 2, machine,
                      1, 0x40080400, 52, 0, 0, 52, 32, len(rows), 0, 0, 0)
    data = b""
    for addr, body in rows:
        off = 52 + 32 * len(rows) + len(data)
        out += struct.pack("<8I", 1, off, addr, addr, len(body), len(body), 5,
                           4)
        data += body
    return out + data


ELFS = {
    "esp32": elf(94, [(0x3F400020, desc()), (0x3F400120, b"rodata.."),
                      (0x400D0020, b"text"), (0x3FFB0000, bytes(90))]) + b"\0",
    "esp32c3": elf(243, [(0x42000020, b"text"), (0x40380000, b"x")]) + b"\2",
    "cut": elf(94, [(0x40080000, b"code")])[:-2] + b"\0",
}



def cap(flags, need, cnt, seg_len=0x1000):
    """A capability record, behind the length of its segment."""
    body = struct.pack("<4sBBHBBBB32s", b"PCAP", 1, flags, 48 + 32 * cnt, 3,
                       need, cnt, 0, bytes(range(32))) + b"k" * 32 * cnt
    return struct.pack("<I", seg_len) + body + struct.pack(
        "<I", zlib.crc32(body))


CAPS = {
    "client": cap(1, 0, 0),
    "table": cap(3, 0, 0),
    "keys": cap(7, 2, 3),
    "more-than-there-are": cap(1, 4, 3),
    "short-segment": cap(1, 1, 1, 300),
    "cut": cap(1, 1, 8)[:100],
}

for folder, seeds in (("image", SEEDS), ("image_elf", ELFS),
                      ("image_cap", CAPS)):
    (HERE / folder).mkdir(exist_ok=True)
    for name, data in seeds.items():
        (HERE / folder / name).write_bytes(data)
