#!/usr/bin/env python3
"""Writes fuzz/corpus/fuse/: three bytes {chip, partition, version}, then bytes
over an erased partition; A5 lo hi continues elsewhere, A6 puts a commit."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
ESP32, C2, C3, S31 = 0, 1, 2, 3


def at(off):
    return b"\xa5" + struct.pack("<H", off)


def c3(version, sector=0, commit=True):
    dump = bytearray(352)
    struct.pack_into("<I", dump, 16, ((1 << version) - 1) << 14)
    out = at(sector * 4096) + bytes(dump)
    return out + (at(sector * 4096) + b"\xa6" if commit else b"")


def rows():
    ask = bytes([C3, 0, 3])
    yield "blank", ask
    yield "raw", ask + c3(2, 0, False)
    yield "raw_second", ask + c3(2, 1, False)
    yield "sound", ask + c3(2) + c3(2, 1)
    yield "first_of_two", ask + c3(3) + c3(2, 1)
    yield "no_first", ask + c3(2, 1)
    yield "damaged", ask + c3(2) + at(8) + b"\x55"
    yield "damaged_and_copy", ask + c3(2) + at(8) + b"\x55" + c3(2, 1)
    yield "full", bytes([C3, 0, 39]) + c3(16) + c3(16, 1)
    yield "one_sector", bytes([C3, 1, 3]) + c3(2)
    yield "small_field", bytes([C3 + 4 * 4, 0, 9]) + c3(2) + c3(2, 1)
    yield "esp32", bytes([ESP32, 0, 32]) + at(112) + b"\x03\0\0\0"
    yield "s31", bytes([S31, 0, 16]) + bytes(396)
    yield "c2", bytes([C2, 0, 4]) + bytes(128)


def main():
    folder = HERE / "fuse"
    folder.mkdir(exist_ok=True)
    for name, data in rows():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
