#!/usr/bin/env python3
"""Writes fuzz/corpus/otadata/ and fuzz/corpus/bootopts/.

The formats: docs/decisions/0010-otadata-log.md and src/boot/opts.h. An otadata
input is one byte for what comes after recovery, then bytes over erased
sectors; A5 lo hi continues at another offset.
"""
import hashlib
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent
BLANK = b"\xff" * 32


def record(seq, state, bad_crc=False):
    crc = zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF) ^ bad_crc
    return struct.pack("<I20sII", seq, b"\xff" * 20, state, crc)


def entry(gen, target, old_seq, rec, done=0xFFFFFFFF, kind=1):
    head = b"PL" + bytes([kind, target]) + struct.pack("<II", gen, old_seq)
    crc = struct.pack("<I", zlib.crc32(head + rec))
    return head + crc + rec + struct.pack("<I", done) + b"\xff" * 12


def plain(entries):
    """The first that has no byte which means "go elsewhere"."""
    return next(e for e in entries if b"\xa5" not in e)


def event(kind, who, why):
    return struct.pack("<BBBBBBHII16s", kind, who, why, 4, 2, 1, 0xFFFF, 1000,
                       6, b"words")


def sectors(ask, puts):
    out = bytes([ask])
    for off, data in puts:
        assert b"\xa5" not in data
        out += b"\xa5" + struct.pack("<H", off) + data
    return out


def otadata():
    new, valid = record(2, 0), record(1, 2)
    pending = record(2, 1)
    both = [(0, valid), (0x1000, new)]
    open_1 = (64, entry(1, 1, 2, pending))
    yield "blank", b"\x00"
    yield "two_records", sectors(0x80, both)
    yield "bad_crc", sectors(4, [(0, record(1, 2, True)), (0x1000, new)])
    yield "open", sectors(0x81, both + [open_1])
    yield "open_erased", sectors(0x81, [(0, valid), open_1])
    yield "open_blank", sectors(0, both + [(64, entry(1, 1, 2, BLANK))])
    yield "done", sectors(0x82, both + [(64, entry(1, 1, 2, pending, 0))])
    yield "done_torn", sectors(3, both + [(64, entry(1, 1, 2, pending, 0xFF))])
    yield "foreign", sectors(9, [(0, valid), (0x1000, record(7, 2)), open_1])
    yield "own_sector", sectors(9, both + [(64, entry(1, 0, 2, pending))])
    yield "last_generation", sectors(
        1, both + [(64, entry(0xFFFFFFFE, 1, 2, pending))])
    yield "same_generation", sectors(
        1, both + [open_1, (0x1040, entry(1, 0, 1, valid))])
    yield "full", sectors(1, both + [(0xFC0, entry(3, 1, 2, pending, 0)),
                                     (0x1FC0, entry(2, 0, 1, valid, 0))])
    yield "highest_sequence", sectors(0x83, [(0, record(0xFFFFFFFE, 2))])
    yield "later_type", sectors(0, both + [(64, entry(9, 1, 2, BLANK, 0, 9))])
    started = entry(3, 1, 2, event(1, 1, 0), kind=2)
    given_up = entry(4, 1, 2, event(3, 1, 1), kind=2)
    deny = [plain(entry(5 + n, 0, 0, bytes([n, salt]) * 16, kind=3)
                  for salt in range(99)) for n in range(10)]
    clear = entry(9, 0, 0, BLANK, kind=4)
    yield "started", sectors(0x85, both + [(64, started)])
    yield "given_up", sectors(0x85, both + [(64, started), (128, given_up)])
    yield "denied", sectors(0x86, both + [
        (64 * (1 + n), e) for n, e in enumerate(deny)])
    yield "denied_twice", sectors(0x86, both + [(64, deny[0]),
                                                (0x1040, deny[0])])
    yield "denied_cleared", sectors(0x86, both + [
        (0x1040 + 64 * n, e) for n, e in enumerate(deny[:7] + [clear])])
    yield "given_up_in_doubt", sectors(0x81, both + [
        open_1, (0x1040, given_up), (0x1080, deny[0])])


def options(flags=1, version=1, length=16, extra=b""):
    body = b"PTOP" + struct.pack("<HHI", version, length, flags) + extra
    return body + struct.pack("<I", zlib.crc32(body))


def bootloader(segments):
    head, check = struct.pack("<BB21xB", 0xE9, len(segments), 1), 0xEF
    for addr, data in segments:
        head += struct.pack("<II", addr, len(data)) + data
        for byte in data:
            check ^= byte
    head += bytes(15 - len(head) % 16) + bytes([check])
    return head + hashlib.sha256(head).digest()


def bootopts():
    desc = (0, bytes([80]) + bytes(79))
    yield "blank", b"\xff" * 64
    yield "alone", options()
    yield "longer", options(3, 1, 20, b"\0\0\0\0")
    yield "unknown_flag", options(0x80)
    yield "later_version", options(1, 2)
    yield "image", bootloader([desc, (0x504F0, options(3))])
    yield "fuses", bootloader([desc, (0x504F0, options(
        0x21, 1, 20, b"\x10\0\x05\0"))])
    yield "fuses_no_rollback", options(0x20, 1, 20, b"\x10\0\x05\0")
    yield "damaged", bootloader([desc, (0x504F0, options(3))])[:-1] + b"\0"
    yield "without", bootloader([desc])
    yield "cut", bootloader([desc, (0x504F0, options())])[:-3]
    yield "second_place", b"\xff" * 0x1000 + bootloader([desc, (0x504F0, options())])
    yield "too_long", bootloader([desc])[:28] + b"\xff\xff\xff\x7f"


def main():
    for name, rows in (("otadata", otadata()), ("bootopts", bootopts())):
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for row, data in rows:
            (folder / row).write_bytes(data)


if __name__ == "__main__":
    main()
