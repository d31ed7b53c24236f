#!/usr/bin/env python3
"""make_nvs.py - writes the first inputs of the NVS fuzzer.

usage: fuzz/corpus/make_nvs.py
Makes fuzz/corpus/nvs/ anew, beside itself; found_* are finds and stay. The
first byte of an input is the fuzzer's flags; the rest is the partition, blank
where the input ends.
"""
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent
ACTIVE, FULL, FREEING = 0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8
U8, STR, BLOB_V1, CHUNK, INDEX = 0x01, 0x21, 0x41, 0x42, 0x48
SEAL, READONLY = 8, 1


def crc(data):
    return struct.pack("<I", zlib.crc32(data, 0xFFFFFFFF))


def entry(ns, kind, key, data, payload=b"", chunk=0xFF):
    if kind in (STR, BLOB_V1, CHUNK):
        data = struct.pack("<HH", len(payload), 0xFFFF) + crc(payload)
    slots = (len(payload) + 31) // 32
    head = struct.pack("<BBBB", ns, kind, 1 + slots, chunk)
    rest = key.ljust(16, b"\0") + data.ljust(8, b"\xff")
    return head + crc(head + rest) + rest + payload.ljust(32 * slots, b"\xff")


def number(ns, key, value):
    return entry(ns, U8, key, bytes([value]))


def index(ns, key, length, count, start):
    return entry(ns, INDEX, key, struct.pack("<IBB", length, count, start))


def page(state, seq, entries, version=0xFE, states=None):
    body = struct.pack("<IB", seq, version) + b"\xff" * 19
    slots = b"".join(entries)
    bits = 0
    for i in range(128):
        used = i < len(slots) // 32
        bits |= (states.get(i, 2) if states and used else 2 if used else 3) \
            << 2 * i
    return struct.pack("<I", state) + body + crc(body) + \
        bits.to_bytes(32, "little") + slots


def padded(*pages):
    return b"".join(p.ljust(4096, b"\xff") for p in pages[:-1]) + pages[-1]


def inputs():
    app = number(0, b"app", 1)
    some = [app, number(1, b"n", 5), entry(1, STR, b"s", b"", b"text\0"),
            entry(1, CHUNK, b"b", b"", b"x" * 40, 0),
            index(1, b"b", 40, 1, 0), number(0, b"other", 2),
            number(2, b"n", 6)]
    yield "blank", 0, b""
    yield "values", 0x30, page(ACTIVE, 0, some)
    yield "readonly", READONLY, page(ACTIVE, 0, some)
    yield "first_version", 0x50, page(ACTIVE, 0, [
        app, entry(1, BLOB_V1, b"b", b"", b"old")], 0xFF)
    yield "newer_version", 0, page(ACTIVE, 0, some, 0xFD)
    yield "two_pages", 0x10, padded(page(FULL, 0, some),
                                    page(ACTIVE, 1, [number(1, b"m", 1)]))
    yield "freeing", 0x20, padded(page(FREEING, 0, some),
                                  page(ACTIVE, 1, some[:2]))
    yield "two_freeing", 0x22, padded(page(FREEING, 0, some[:2]),
                                      page(FREEING, 1, some[2:]),
                                      page(ACTIVE, 2, [number(1, b"m", 1)]))
    yield "no_free_page", 0, padded(*(page(FULL, i, some[:1])
                                      for i in range(3)))
    yield "last_sequence", 0x70, page(ACTIVE, 0xFFFFFFFF, some)
    yield "copies", 0x40, padded(page(FULL, 0, some),
                                 page(ACTIVE, 1, some[:3]))
    yield "parts_of_blobs", 0x60, page(ACTIVE, 0, [
        app, entry(1, CHUNK, b"a", b"", b"x", 0), index(1, b"c", 9, 3, 0x80),
        entry(1, CHUNK, b"d", b"", b"y", 0x80), index(1, b"d", 1, 1, 0x80),
        index(1, b"e", 0, 0, 0)])
    yield "written_in_part", 0x10, page(ACTIVE, 0, some,
                                        states={3: 3, 5: 1, 7: 0})
    yield "sealed", SEAL | 0x10, padded(page(FULL, 0, some),
                                        page(ACTIVE, 1, some))


def main():
    folder = HERE / "nvs"
    folder.mkdir(exist_ok=True)
    for name, flags, image in inputs():
        (folder / name).write_bytes(bytes([flags]) + image)


if __name__ == "__main__":
    main()
