"""ESP images byte by byte, written from the format's description and not with
porta, so that a test can also make every wrong one."""

import hashlib
import struct


def padded(text, size):
    raw = text if isinstance(text, bytes) else text.encode()
    return raw.ljust(size, b"\0")


def description(version="2", project="demo", secure_version=0):
    d = struct.pack("<II8x", 0xABCD5432, secure_version)
    d += padded(version, 32) + padded(project, 32)
    d += b"12:00:00".ljust(16, b"\0") + b"Jan  1 2026".ljust(16, b"\0")
    d += b"v6.2".ljust(32, b"\0")
    return d.ljust(256, b"\0")


def header(segments, chip=0, magic=0xE9, min_rev=0, max_rev=0, hashed=1):
    return struct.pack("<BBBBIB3xHBHH4xB", magic, segments, 2, 0x20,
                       0x40080000, 0xEE, chip, 0, min_rev, max_rev, hashed)


def image(body=bytes(20000), version="2", project="demo", segment_count=None,
          lengths=None, checksum_flip=0, **head):
    """lengths: what the segment headers claim instead of the truth."""
    parts = [description(version, project), body]
    out = header(segment_count if segment_count is not None else len(parts),
                 **head)
    for i, part in enumerate(parts):
        claimed = lengths[i] if lengths and lengths[i] is not None \
            else len(part)
        out += struct.pack("<II", 0x20000000 + i * 0x100000, claimed) + part
    check = 0xEF
    for part in parts:
        for byte in part:
            check ^= byte
    out += bytes(-(len(out) + 1) % 16) + bytes([check ^ checksum_flip])
    if head.get("hashed", 1):
        out += hashlib.sha256(out).digest()
    return out
